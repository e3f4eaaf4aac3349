/* SPDX-License-Identifier: MIT */
/*
 * One pass: from the sources to the snapshot that is printed.
 */
#ifndef CAT_PASS_H
#define CAT_PASS_H

#include "options.h"
#include "source.h"

/*
 * Takes all sources, merges, compares with `since` (or NULL), selects, groups
 * and sorts. *view NULL with EXIT_OK: --delta has nothing to compare with yet.
 * EXIT_NO_MATCH is left for the caller to tell; anything else was told.
 */
enum exit_status pass_take(struct sources *sources, const struct options *options,
			   const struct astshm_snapshot *since, struct astshm_snapshot **view);

/* Selects, groups and sorts. As the library's functions. */
int pass_refine(const struct options *options, struct astshm_snapshot **view,
		struct astshm_error *error);

/* What numbers are asked of: the window of a snapshot, if it has one. */
const struct astshm_snapshot *pass_figures(const struct astshm_snapshot *view);

#endif
