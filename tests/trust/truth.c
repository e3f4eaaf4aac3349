/* SPDX-License-Identifier: MIT */
#include "truth.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <astshm/layout.h>

/* The three snapshots of one comparison. */
struct case_of {
	const struct astshm_snapshot *seen, *before, *after;
	uint64_t mixed;
};

static const char *complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *complain(const char *format, ...)
{
	static char text[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return text;
}

/* --- histograms -------------------------------------------------------- */

static uint64_t slot_at(const struct astshm_histogram *histogram, uint32_t slot)
{
	if (slot == ASTSHM_HISTOGRAM_ZERO)
		return histogram->zero_count;
	if (slot == ASTSHM_HISTOGRAM_OVERFLOW)
		return histogram->overflow_count;
	if (slot < histogram->first_slot || slot - histogram->first_slot >= histogram->slot_count)
		return 0;
	return histogram->slots[slot - histogram->first_slot];
}

static uint64_t sum_of_slots(const struct astshm_histogram *histogram)
{
	uint64_t sum = 0;
	for (uint32_t slot = 0; slot < ASTSHM_HISTOGRAM_SLOTS; slot++)
		sum += slot_at(histogram, slot);
	return sum;
}

static bool same_slots(const struct astshm_histogram *a, const struct astshm_histogram *b)
{
	for (uint32_t slot = 0; slot < ASTSHM_HISTOGRAM_SLOTS; slot++)
		if (slot_at(a, slot) != slot_at(b, slot))
			return false;
	return true;
}

static bool same_sum(const struct astshm_histogram *a, const struct astshm_histogram *b)
{
	return a->sum == b->sum && a->sum_hi == b->sum_hi;
}

static bool same_extremes(const struct astshm_histogram *a, const struct astshm_histogram *b)
{
	return a->has_extremes == b->has_extremes &&
	       (!a->has_extremes || (a->min == b->min && a->max == b->max));
}

static bool same_histogram(const struct astshm_histogram *a, const struct astshm_histogram *b)
{
	return a->count == b->count && same_sum(a, b) && same_extremes(a, b) && same_slots(a, b);
}

/* A record in flight: each of its words is there already or not yet. */
static bool is_between(const struct astshm_histogram *seen, const struct astshm_histogram *a,
		       const struct astshm_histogram *b)
{
	bool low = !seen->has_extremes || seen->min == a->min || seen->min == b->min;
	bool high = !seen->has_extremes || seen->max == a->max || seen->max == b->max;
	bool sum = (seen->sum == a->sum || seen->sum == b->sum) &&
		   (seen->sum_hi == a->sum_hi || seen->sum_hi == b->sum_hi);
	return low && high && sum && (same_slots(seen, a) || same_slots(seen, b));
}

/* --- gauges ------------------------------------------------------------- */

static bool same_statistics(const struct astshm_gauge_value *a, const struct astshm_gauge_value *b)
{
	return a->count == b->count && (a->count == 0 || (a->sum == b->sum && a->min == b->min &&
							  a->max == b->max));
}

static bool one_of(double value, double a, double b)
{
	return value == a || value == b;
}

static bool gauge_is_between(const struct astshm_gauge_value *seen,
			     const struct astshm_gauge_value *a,
			     const struct astshm_gauge_value *b)
{
	return (seen->count == a->count || seen->count == b->count) &&
	       one_of(seen->sum, a->sum, b->sum) && one_of(seen->min, a->min, b->min) &&
	       one_of(seen->max, a->max, b->max);
}

/* --- a series ------------------------------------------------------------ */

bool truth_same_value(const struct astshm_series *series, const struct astshm_series *other)
{
	static const struct astshm_series nothing;
	if (!other)
		other = &nothing;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return series->counter.value == other->counter.value;
	if (series->kind == ASTSHM_KIND_GAUGE)
		return series->gauge.current == other->gauge.current &&
		       same_statistics(&series->gauge, &other->gauge);
	return same_histogram(&series->histogram, &other->histogram);
}

/* What is between the two; true if it can be, with one torn block. */
static bool is_mixture(const struct astshm_series *seen, const struct astshm_series *before,
		       const struct astshm_series *after, bool *torn)
{
	if (seen->kind == ASTSHM_KIND_COUNTER)
		return false;
	if (seen->kind != ASTSHM_KIND_GAUGE) {
		*torn = true;
		return is_between(&seen->histogram, &before->histogram, &after->histogram);
	}
	/* current is a word of its own, stored before the statistics. */
	if (!one_of(seen->gauge.current, before->gauge.current, after->gauge.current))
		return false;
	*torn = !same_statistics(&seen->gauge, &before->gauge) &&
		!same_statistics(&seen->gauge, &after->gauge);
	return !*torn || gauge_is_between(&seen->gauge, &before->gauge, &after->gauge);
}

static const char *check_value(struct case_of *one, const struct astshm_series *seen,
			       const struct astshm_series *before,
			       const struct astshm_series *after)
{
	static const struct astshm_series nothing;
	bool torn = false;
	if (seen->kind >= ASTSHM_KIND_TIMING &&
	    sum_of_slots(&seen->histogram) != seen->histogram.count)
		return complain("%s: count %lu, buckets %lu", seen->key,
				(unsigned long)seen->histogram.count,
				(unsigned long)sum_of_slots(&seen->histogram));
	if ((before && truth_same_value(seen, before)) || (after && truth_same_value(seen, after)))
		return NULL;
	if (!before && truth_same_value(seen, NULL))
		return NULL; /* made, not recorded yet */
	/* A reset that has come as far as the counters hides nothing yet. */
	if (!after && seen->kind == ASTSHM_KIND_COUNTER && seen->counter.value == 0 &&
	    astshm_snapshot_segment(one->seen)->counters_epoch !=
		    astshm_snapshot_segment(one->before)->counters_epoch)
		return NULL;
	if (!is_mixture(seen, before ? before : &nothing, after ? after : &nothing, &torn))
		return complain("%s (kind %d) is neither as before nor as after", seen->key,
				(int)seen->kind);
	one->mixed += torn;
	return NULL;
}

static const char *check_series(struct case_of *one, const struct astshm_series *seen)
{
	const struct astshm_series *before =
		astshm_snapshot_find(one->before, seen->kind, seen->key);
	const struct astshm_series *after =
		astshm_snapshot_find(one->after, seen->kind, seen->key);
	if (!before && !after)
		return complain("there never was a %s of kind %d", seen->key, (int)seen->kind);
	bool monotonic = (before && before->monotonic) || (after && after->monotonic);
	bool falls = (before && !before->monotonic) || (after && !after->monotonic);
	if (seen->kind == ASTSHM_KIND_COUNTER && !(seen->monotonic ? monotonic : falls))
		return complain("%s: monotonic is %d", seen->key, seen->monotonic);
	return check_value(one, seen, before, after);
}

/* What is there before and after is there in between. */
static const char *check_presence(const struct case_of *one)
{
	for (size_t i = 0; i < astshm_snapshot_count(one->before); i++) {
		const struct astshm_series *series = astshm_snapshot_at(one->before, i);
		if (astshm_snapshot_find(one->after, series->kind, series->key) &&
		    !astshm_snapshot_find(one->seen, series->kind, series->key))
			return complain("%s is missing", series->key);
	}
	return NULL;
}

/* --- families -------------------------------------------------------------- */

static const struct astshm_family *find_family(const struct astshm_snapshot *snapshot,
					       const struct astshm_family *like)
{
	for (size_t i = 0; i < astshm_snapshot_family_count(snapshot); i++) {
		const struct astshm_family *family = astshm_snapshot_family_at(snapshot, i);
		if (family->kind == like->kind && strcmp(family->name, like->name) == 0)
			return family;
	}
	return NULL;
}

/* A family that is new may have no text yet. */
static bool text_is_one_of(const char *text, const char *before, const char *after)
{
	return (before && strcmp(text, before) == 0) || (after && strcmp(text, after) == 0) ||
	       (!before && *text == '\0');
}

static const char *check_family(const struct case_of *one, const struct astshm_family *seen)
{
	const struct astshm_family *before = find_family(one->before, seen);
	const struct astshm_family *after = find_family(one->after, seen);
	if (!before && !after)
		return complain("there never was a family %s", seen->name);
	if (!text_is_one_of(seen->unit, before ? before->unit : NULL, after ? after->unit : NULL))
		return complain("%s: unit '%s'", seen->name, seen->unit);
	if (!text_is_one_of(seen->help, before ? before->help : NULL, after ? after->help : NULL))
		return complain("%s: help '%s'", seen->name, seen->help);
	if ((!before || seen->merge != before->merge) && (!after || seen->merge != after->merge) &&
	    (before || seen->merge != ASTSHM_MERGE_LAST))
		return complain("%s: merge %d", seen->name, (int)seen->merge);
	return NULL;
}

/* --- the segment ------------------------------------------------------------ */

static const char *check_epochs(const struct case_of *one)
{
	const struct astshm_segment_info *seen = astshm_snapshot_segment(one->seen);
	const struct astshm_segment_info *before = astshm_snapshot_segment(one->before);
	const struct astshm_segment_info *after = astshm_snapshot_segment(one->after);
	bool counters_new = seen->counters_epoch == after->counters_epoch;
	bool rest_new = seen->epoch == after->epoch;
	if ((!counters_new && seen->counters_epoch != before->counters_epoch) ||
	    (!rest_new && seen->epoch != before->epoch))
		return complain("epochs %lu, %lu", (unsigned long)seen->epoch,
				(unsigned long)seen->counters_epoch);
	if (after->epoch == before->epoch && after->counters_epoch == before->counters_epoch)
		return NULL;
	for (size_t i = 0; i < astshm_snapshot_count(one->seen); i++) {
		const struct astshm_series *series = astshm_snapshot_at(one->seen, i);
		bool is_new = series->kind == ASTSHM_KIND_COUNTER ? counters_new : rest_new;
		const struct astshm_series *due = astshm_snapshot_find(
			is_new ? one->after : one->before, series->kind, series->key);
		if (due && !truth_same_value(series, due))
			return complain("%s does not agree with its epoch", series->key);
	}
	return NULL;
}

static const char *check_segment(const struct case_of *one)
{
	const struct astshm_segment_info *seen = astshm_snapshot_segment(one->seen);
	const struct astshm_segment_info *before = astshm_snapshot_segment(one->before);
	const struct astshm_segment_info *after = astshm_snapshot_segment(one->after);
	if (seen->bad_records)
		return complain("%lu bad records", (unsigned long)seen->bad_records);
	if (seen->dropped != before->dropped && seen->dropped != after->dropped)
		return complain("%lu dropped", (unsigned long)seen->dropped);
	if (one->mixed > seen->torn)
		return complain("%lu values are torn, the snapshot says %lu",
				(unsigned long)one->mixed, (unsigned long)seen->torn);
	return check_epochs(one);
}

const char *truth_violated(const struct astshm_snapshot *seen,
			   const struct astshm_snapshot *before,
			   const struct astshm_snapshot *after)
{
	struct case_of one = { seen, before, after, 0 };
	const char *wrong = check_presence(&one);
	for (size_t i = 0; !wrong && i < astshm_snapshot_count(seen); i++)
		wrong = check_series(&one, astshm_snapshot_at(seen, i));
	for (size_t i = 0; !wrong && i < astshm_snapshot_family_count(seen); i++)
		wrong = check_family(&one, astshm_snapshot_family_at(seen, i));
	return wrong ? wrong : check_segment(&one);
}
