/* SPDX-License-Identifier: MIT */
/*
 * What --stream names: who is fed, how they are reached, and in which framing.
 */
#ifndef EXPORT_TARGET_H
#define EXPORT_TARGET_H

#include <astshm/types.h>

enum target_role {
	TARGET_CONNECT, /* we connect to one consumer, again and again if need be */
	TARGET_LISTEN,  /* any number of consumers connect to us */
	TARGET_STDOUT,
};

enum framing { FRAMING_LENGTH, FRAMING_FLUENTD, FRAMINGS };

struct target {
	const char *text;    /* as it was given */
	const char *address; /* HOST:PORT or unix:PATH, within `text` */
	enum target_role role;
	enum framing framing;
};

/*
 * [listen: | fluentd:] (tcp:HOST:PORT | unix:PATH), or - for stdout. -EINVAL: is
 * none of these; -EBADF: stdout is closed; -ENOTTY: it is a terminal.
 */
int target_parse(struct target *target, const char *text, struct astshm_error *error);

#endif
