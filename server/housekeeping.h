/* SPDX-License-Identifier: MIT */
/*
 * What goes on beside the events, in the thread that made the server: loading
 * the Live Set, watching its file, and the metrics' tick.
 */
#ifndef SERVER_HOUSEKEEPING_H
#define SERVER_HOUSEKEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "gap.h"
#include "server.h"

#define HOUSEKEEPING_TICK_MS 1000

struct housekeeping_options {
	const char *file;       /* NULL: none is served, and the rest does not matter */
	bool watch;
	uint64_t reload_on_gap; /* the limit of struct gap, GAP_OFF */
};

struct housekeeping;

/*
 * Loads the file and starts to watch it; a watch that cannot be had is logged. What is
 * wrong with the file is logged too: as load_root, and -ECANCELED: `stop_fd` became
 * readable. *housekeeping is set on success.
 */
int housekeeping_begin(struct housekeeping **housekeeping, struct ast_server *server,
		       const struct housekeeping_options *options, int stop_fd);
/* Until `stop_fd` is readable, which also ends a load midway. */
void housekeeping_run(struct housekeeping *housekeeping);
/* *housekeeping becomes NULL. NULL is allowed. */
void housekeeping_end(struct housekeeping **housekeeping);

#endif
