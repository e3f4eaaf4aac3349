/* SPDX-License-Identifier: MIT */
#ifndef CAT_WATCH_H
#define CAT_WATCH_H

#include "options.h"
#include "source.h"

/*
 * Prints once, or pass by pass until the count is reached, a signal asks for
 * an end, or nobody reads the output any more.
 */
enum exit_status watch(struct sources *sources, const struct options *options,
		       const struct astshm_snapshot *since);

#endif
