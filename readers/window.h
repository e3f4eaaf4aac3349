/* SPDX-License-Identifier: MIT */
/*
 * Intervals out of the history: the difference of two cumulative snapshots of
 * one segment, and what that difference alone does not tell.
 */
#ifndef READERS_WINDOW_H
#define READERS_WINDOW_H

#include "snapshot.h"

/* What a gauge was at the ticks of an interval; samples 0: nothing is known. */
struct gauge_range {
	double min, max;
	uint64_t samples;
};

/*
 * newer - older, both of one reader's directory, with extremes: of histograms to
 * the width of a bucket, of gauges from both ends, `ranges` (of each series of
 * `newer`; NULL: there are none) and the lifetime's extremes where they moved.
 * A gauge that was not set has what it is as its one value. Errors as
 * astshm_snapshot_subtract.
 */
int window_between(const struct astshm_snapshot *newer, const struct astshm_snapshot *older,
		   const struct gauge_range *ranges, struct astshm_snapshot **interval,
		   struct astshm_error *error);

#endif
