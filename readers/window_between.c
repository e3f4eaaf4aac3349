/* SPDX-License-Identifier: MIT */
/*
 * What happened between two snapshots of one segment. Subtracting is exact for
 * sums and buckets; extremes are not sums, and come from what else is known.
 */
#include "window.h"

#include <math.h>

#include <astshm/layout.h>

#include "statistics.h"

/* --- gauges ------------------------------------------------------------ */

static void take(struct astshm_gauge_value *gauge, double value)
{
	if (!isfinite(value))
		return;
	gauge->min = value < gauge->min ? value : gauge->min;
	gauge->max = value > gauge->max ? value : gauge->max;
}

/* The statistics of what was set in between; `before` NULL: all of it was. */
static void subtract_statistics(const struct astshm_gauge_value *before,
				struct astshm_gauge_value *gauge)
{
	if (before == NULL || gauge->count < before->count)
		return;
	gauge->count -= before->count;
	gauge->sum = gauge->count > 0 ? gauge->sum - before->sum : 0;
}

/*
 * `before` is the gauge as it was at the beginning, NULL if it was not there;
 * `same_epoch`: no reset forgot its statistics since.
 */
static void fill_gauge(const struct astshm_gauge_value *before, bool same_epoch,
		       const struct gauge_range *range, struct astshm_gauge_value *gauge)
{
	const struct astshm_gauge_value whole = *gauge;
	const struct astshm_gauge_value *sums = same_epoch ? before : NULL;
	bool began = sums == NULL || sums->count == 0;
	gauge->min = (double)INFINITY;
	gauge->max = (double)-INFINITY;
	take(gauge, whole.current);
	if (before != NULL)
		take(gauge, before->current);
	if (range != NULL && range->samples > 0) {
		take(gauge, range->min);
		take(gauge, range->max);
	}
	/* Extremes that moved were reached in between. */
	if (whole.count > 0 && (began || whole.min < sums->min))
		take(gauge, whole.min);
	if (whole.count > 0 && (began || whole.max > sums->max))
		take(gauge, whole.max);
	subtract_statistics(sums, gauge);
	if (gauge->count == 0 && gauge->min <= gauge->max) {
		gauge->count = 1;
		gauge->sum = isfinite(whole.current) ? whole.current : gauge->max;
	}
}

/* --- histograms ---------------------------------------------------------- */

/* The lowest and the highest slot that hold a sample; there is one. */
static void find_slots(const struct astshm_histogram *histogram, uint32_t *lowest,
		       uint32_t *highest)
{
	*lowest = histogram->zero_count > 0 ? ASTSHM_HISTOGRAM_ZERO : ASTSHM_HISTOGRAM_OVERFLOW;
	*highest = ASTSHM_HISTOGRAM_ZERO;
	for (uint32_t i = 0; i < histogram->slot_count; i++) {
		uint32_t slot = histogram->first_slot + i;
		if (histogram->slots[i] == 0)
			continue;
		*lowest = slot < *lowest ? slot : *lowest;
		*highest = slot;
	}
	if (histogram->overflow_count > 0)
		*highest = ASTSHM_HISTOGRAM_OVERFLOW;
}

/* To the width of a bucket; exactly where the lifetime's moved in between. */
static void fill_extremes(enum astshm_kind kind, const struct astshm_histogram *whole,
			  const struct astshm_histogram *before, struct astshm_histogram *part)
{
	uint32_t lowest, highest;
	uint64_t low, high, unused;
	if (part->count == 0 || part->has_extremes || !whole->has_extremes)
		return;
	bool known = before != NULL && before->count > 0 && before->has_extremes;
	find_slots(part, &lowest, &highest);
	statistics_slot_range(kind, lowest, &low, &unused);
	statistics_slot_range(kind, highest, &unused, &high);
	low += lowest > ASTSHM_HISTOGRAM_ZERO;
	if (part->count == 1 && part->sum_hi == 0 && part->sum >= low && part->sum <= high)
		low = high = part->sum; /* the one that was added */
	part->min = low < whole->min || (known && whole->min < before->min) ? whole->min : low;
	part->max = high > whole->max || (known && whole->max > before->max) ? whole->max : high;
	part->has_extremes = part->min <= part->max;
}

/* --- all together ---------------------------------------------------------- */

/* `made` has the series of `newer`, in the same places. */
static void fill_series(const struct astshm_snapshot *newer, const struct astshm_snapshot *older,
			const struct gauge_range *ranges, struct astshm_snapshot *made)
{
	bool same_epoch = newer->segment.epoch == older->segment.epoch;
	for (size_t i = 0; i < made->series_count; i++) {
		struct astshm_series *series = &made->series[i];
		const struct astshm_series *before;
		if (series->kind == ASTSHM_KIND_COUNTER)
			continue;
		before = astshm_snapshot_find(older, series->kind, series->key);
		if (series->kind == ASTSHM_KIND_GAUGE)
			fill_gauge(before != NULL ? &before->gauge : NULL, same_epoch,
				   ranges != NULL ? &ranges[i] : NULL, &series->gauge);
		else
			fill_extremes(series->kind, &newer->series[i].histogram,
				      before != NULL && same_epoch ? &before->histogram : NULL,
				      &series->histogram);
	}
}

/* When the values became what they are: a writer that has ended beats no more. */
static uint64_t end_ns(const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = &snapshot->segment;
	bool ended = segment->state == ASTSHM_STATE_DEAD || segment->state == ASTSHM_STATE_CLOSED;
	uint64_t age_ns = segment->heartbeat_age_ns > 0 ? (uint64_t)segment->heartbeat_age_ns : 0;
	return ended && age_ns < snapshot->timestamp_ns ? snapshot->timestamp_ns - age_ns
							: snapshot->timestamp_ns;
}

int window_between(const struct astshm_snapshot *newer, const struct astshm_snapshot *older,
		   const struct gauge_range *ranges, struct astshm_snapshot **interval,
		   struct astshm_error *error)
{
	/* Both ends by the writer's clock: one that has ended did so at its last
	 * beat, not at this pass. */
	struct astshm_snapshot end = *newer;
	end.segment.state = ASTSHM_STATE_LIVE;
	end.timestamp_ns = end_ns(newer);
	int code = astshm_snapshot_subtract(&end, older, interval, error);
	if (code != 0)
		return code;
	fill_series(newer, older, ranges, *interval);
	(*interval)->segment = newer->segment;
	return 0;
}
