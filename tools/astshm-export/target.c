/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "door.h"

static bool skip(const char **at, const char *word)
{
	size_t length = strlen(word);
	bool found = strncmp(*at, word, length) == 0;

	if (found)
		*at += length;
	return found;
}

/*
 * A closed one has to be found before anything else is opened: that would get its
 * number, and the stream with it.
 */
static int parse_stdout(struct target *target, struct astshm_error *error)
{
	target->role = TARGET_STDOUT;
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
		snprintf(error->text, sizeof(error->text), "--stream -: stdout is closed");
		return -EBADF;
	}
	if (isatty(STDOUT_FILENO)) {
		snprintf(error->text, sizeof(error->text),
			 "--stream -: stdout is a terminal, and the stream is no text");
		return -ENOTTY;
	}
	return 0;
}

/* Whether it can be reached is found out later, and may change. */
static bool is_address(const char *address)
{
	char host[DOOR_HOST_BYTES];
	const char *port;

	if (strncmp(address, "unix:", 5) == 0)
		return address[5] && strlen(address + 5) < DOOR_PATH_BYTES;
	return door_split(address, host, &port);
}

int target_parse(struct target *target, const char *text, struct astshm_error *error)
{
	const char *at = text;

	*target = (struct target){ .text = text };
	if (strcmp(text, "-") == 0)
		return parse_stdout(target, error);
	if (skip(&at, "listen:"))
		target->role = TARGET_LISTEN;
	else if (skip(&at, "fluentd:"))
		target->framing = FRAMING_FLUENTD;
	target->address = at;
	if ((strncmp(at, "unix:", 5) == 0 || skip(&target->address, "tcp:")) &&
	    is_address(target->address))
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "--stream '%.120s': is neither -, tcp:HOST:PORT nor unix:PATH, both with "
		 "or without listen: in front, or fluentd:", text);
	return -EINVAL;
}
