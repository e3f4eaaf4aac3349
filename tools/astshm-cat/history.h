/* SPDX-License-Identifier: MIT */
/*
 * --history: the recent past that a segment keeps, as a time series.
 */
#ifndef CAT_HISTORY_H
#define CAT_HISTORY_H

#include "source.h"

/*
 * Prints every entry, oldest first, or with --delta every time between two; the
 * last --count of them. Has told why if it is not EXIT_OK.
 */
enum exit_status history_print(struct source *source, const struct options *options);

/* Copies the source's history. Has told why if it is not EXIT_OK. */
enum exit_status history_load(struct source *source, struct astshm_history **history);

#endif
