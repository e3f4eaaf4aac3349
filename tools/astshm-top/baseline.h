/* SPDX-License-Identifier: MIT */
/*
 * Windows for segments without a history: some of the snapshots that were taken
 * here, an eighth of the window apart.
 */
#ifndef TOP_BASELINE_H
#define TOP_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

#define BASELINE_COUNT 9

struct baselines {
	struct astshm_snapshot *items[BASELINE_COUNT]; /* oldest first */
	size_t count;
};

/* Takes `snapshot` over if it is time for another one, else frees it. */
void baselines_add(struct baselines *baselines, struct astshm_snapshot *snapshot,
		   int64_t window_ns);

/* The oldest one that is not older than the window; NULL: none. */
const struct astshm_snapshot *baselines_find(const struct baselines *baselines,
					     uint64_t now_ns, int64_t window_ns);
void baselines_clear(struct baselines *baselines);

#endif
