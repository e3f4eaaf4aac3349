/* SPDX-License-Identifier: MIT */
/*
 * One look at the server behind a segment: is it up, and what does it say.
 */
#ifndef ALERT_LOOK_H
#define ALERT_LOOK_H

#include <astshm/reader.h>

#include "rules.h"

/* The server that is watched, across its restarts. */
struct server {
	const char *argument; /* a name, pid or path */
	struct astshm_reader *reader;
	uint64_t generation;  /* of the writer last seen; 0: none */
	uint32_t pid;
	bool was_up;
};

struct look {
	int64_t monotonic_ns;
	uint64_t realtime_ns;
	bool is_up;   /* its writer lives, and is the one that was seen before */
	bool is_live; /* the same, but for a writer that took over since the last look */
	char why[160]; /* of what is not up */
	int error;    /* of a segment that cannot be read; -ENOENT: is not there */
	uint32_t pid; /* 0: none was ever seen */
	uint64_t generation;
	int64_t heartbeat_age_ns; /* -1: nobody beats */
	/* NULL where it cannot be read. Each window's snapshot has its lifetime too. */
	struct astshm_snapshot *whole;
	struct astshm_snapshot *windowed[RULES_WINDOWS_MAX];
	int64_t window_ns[RULES_WINDOWS_MAX];
	size_t window_count;
};

/* Attaches if need be, and looks. What cannot be read is told in *look alone. */
void look_take(struct server *server, const struct rules *rules, struct look *look);

/* The window of that length, or NULL: the history does not tell. */
const struct astshm_snapshot *look_window(const struct look *look, int64_t window_ns);

void look_free(struct look *look);

void server_close(struct server *server);

#endif
