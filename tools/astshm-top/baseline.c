/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "baseline.h"

static uint64_t time_of(const struct astshm_snapshot *snapshot)
{
	return astshm_snapshot_timestamp_ns(snapshot);
}

static void drop_oldest(struct baselines *baselines)
{
	astshm_snapshot_free(&baselines->items[0]);
	baselines->count--;
	memmove(baselines->items, baselines->items + 1,
		baselines->count * sizeof(baselines->items[0]));
}

void baselines_add(struct baselines *baselines, struct astshm_snapshot *snapshot,
		   int64_t window_ns)
{
	uint64_t step_ns = (uint64_t)window_ns / (BASELINE_COUNT - 1);

	if (baselines->count > 0 &&
	    time_of(snapshot) - time_of(baselines->items[baselines->count - 1]) < step_ns) {
		astshm_snapshot_free(&snapshot);
		return;
	}
	if (baselines->count == BASELINE_COUNT)
		drop_oldest(baselines);
	baselines->items[baselines->count++] = snapshot;
}

const struct astshm_snapshot *baselines_find(const struct baselines *baselines,
					     uint64_t now_ns, int64_t window_ns)
{
	for (size_t i = 0; i < baselines->count; i++) {
		/* Half a step more, so that a refresh that came late does not shorten it. */
		if (now_ns - time_of(baselines->items[i]) <=
		    (uint64_t)window_ns + (uint64_t)window_ns / (2 * BASELINE_COUNT))
			return baselines->items[i];
	}
	return NULL;
}

void baselines_clear(struct baselines *baselines)
{
	while (baselines->count > 0)
		drop_oldest(baselines);
}
