/* SPDX-License-Identifier: MIT */
/*
 * What a reader may see of a writer that is stopped or dead in the middle of
 * an action: each series as it was before or as it is after, nothing else.
 */
#ifndef TESTS_TRUST_TRUTH_H
#define TESTS_TRUST_TRUTH_H

#include <stddef.h>

#include <astshm/reader.h>

/*
 * Compares `seen` with the snapshots before and after the action under way.
 * Returns NULL, or in static storage what is wrong:
 *
 * - every series has a name that one of the two knows, and a series that both
 *   know is there;
 * - its value is that of `before` or that of `after` as a whole: a counter's
 *   value; a gauge's current; a gauge's statistics; a histogram with every
 *   bucket. A series that the action makes may still be empty;
 * - values that mix the two are at most as many as the snapshot says are torn;
 * - each histogram's count is the sum of its buckets, torn or not;
 * - a family's unit and help are those of one of the two, whole;
 * - no record is bad; what was dropped is one of the two numbers;
 * - the epochs are one of the two pairs, or the pair half-way (counters first),
 *   and all counters, and all the rest, agree with their epoch.
 */
const char *truth_violated(const struct astshm_snapshot *seen,
			   const struct astshm_snapshot *before,
			   const struct astshm_snapshot *after);

/* Is `series` worth exactly this (NULL: nothing recorded)? */
bool truth_same_value(const struct astshm_series *series, const struct astshm_series *other);

#endif
