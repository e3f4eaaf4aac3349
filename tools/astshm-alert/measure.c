/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "glob.h"
#include "measure.h"
#include "scale.h"

#define NS_PER_S 1e9 /* divided by, as thresholds are (units.c): equal stays equal */

/* --- which series --------------------------------------------------------- */

static bool ends_by_type(const char *name)
{
	static const char suffix[] = ".by_type";
	size_t length = strlen(name);

	return length >= sizeof(suffix) - 1 &&
	       strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

static bool name_matches(const struct selector *selector, const char *name)
{
	if (!glob_matches(selector->name, name))
		return false;
	return !selector->is_pattern || !ends_by_type(name) || ends_by_type(selector->name);
}

static const struct astshm_label *find_tag(const struct astshm_series *series, const char *key)
{
	for (uint32_t i = 0; i < series->tag_count; i++) {
		if (strcmp(series->tags[i].key, key) == 0)
			return &series->tags[i];
	}
	return NULL;
}

static bool tags_match(const struct selector *selector, const struct astshm_series *series)
{
	for (unsigned i = 0; i < selector->tag_count; i++) {
		const struct astshm_label *tag = find_tag(series, selector->tags[i].key);

		if (!tag || !glob_matches(selector->tags[i].glob, tag->value))
			return false;
	}
	return true;
}

/* The untagged series is the total already. */
static bool is_part_of_total(const struct selector *selector,
			     const struct astshm_snapshot *snapshot,
			     const struct astshm_series *series)
{
	return selector->tag_count == 0 && series->tag_count > 0 &&
	       astshm_snapshot_find(snapshot, series->kind, series->family->name);
}

/* Series of one family are neighbours but for what sorts between "a" and "a[": the
 * last family's answer is worth keeping. */
struct walk {
	const struct selector *selector;
	const struct astshm_snapshot *snapshot;
	const struct astshm_family *family;
	bool matches;
	size_t at;
};

static const struct astshm_series *walk_next(struct walk *walk)
{
	const struct astshm_series *series;

	while ((series = astshm_snapshot_at(walk->snapshot, walk->at++)) != NULL) {
		if (series->family != walk->family) {
			walk->family = series->family;
			walk->matches = name_matches(walk->selector, series->family->name);
		}
		if (walk->matches && tags_match(walk->selector, series) &&
		    !is_part_of_total(walk->selector, walk->snapshot, series))
			return series;
	}
	return NULL;
}

bool measure_exists(const struct selector *selector, const struct astshm_snapshot *snapshot)
{
	struct walk walk = { .selector = selector, .snapshot = snapshot };

	return walk_next(&walk) != NULL;
}

/* --- adding up ------------------------------------------------------------ */

static void total_clear(struct total *total, enum astshm_kind kind)
{
	memset(total, 0, sizeof(*total));
	total->kind = kind;
	total->unit = "";
	total->monotonic = true;
	total->has_buckets = true;
	total->has_extremes = true;
	total->histogram.min = UINT64_MAX;
	total->min = (double)INFINITY;
	total->max = (double)-INFINITY;
}

static void add_extremes(struct total *total, double min, double max)
{
	total->min = fmin(total->min, min);
	total->max = fmax(total->max, max);
}

static void add_counter(struct total *total, const struct astshm_series *series)
{
	const struct astshm_family *family = series->family;

	total->value += scale_number(family, (double)series->counter.value);
	total->increase += scale_number(family, (double)series->counter.increase);
	total->rate += scale_number(family, series->counter.rate);
	total->monotonic &= series->monotonic;
}

static void add_gauge(struct total *total, const struct astshm_series *series, bool is_window)
{
	const struct astshm_gauge_value *gauge = &series->gauge;
	enum astshm_merge merge = series->family->merge;

	if (total->series == 0)
		total->value = gauge->current;
	else if (merge == ASTSHM_MERGE_MIN)
		total->value = fmin(total->value, gauge->current);
	else if (merge == ASTSHM_MERGE_MAX)
		total->value = fmax(total->value, gauge->current);
	else
		total->value += gauge->current;
	if (gauge->count > 0) {
		total->count += gauge->count;
		total->sum += gauge->sum;
	}
	/* A window knows what a gauge was at its ticks though nobody set it. */
	if (gauge->count > 0 || is_window)
		add_extremes(total, gauge->min, gauge->max);
}

static void add_slots(struct total *total, const struct astshm_histogram *part)
{
	struct astshm_histogram *sum = &total->histogram;

	sum->count += part->count;
	sum->zero_count += part->zero_count;
	sum->overflow_count += part->overflow_count;
	for (uint32_t i = 0; i < part->slot_count; i++) {
		if (part->first_slot + i < ASTSHM_HISTOGRAM_SLOTS)
			total->slots[part->first_slot + i] += part->slots[i];
	}
}

static void add_histogram(struct total *total, const struct astshm_series *series)
{
	const struct astshm_histogram *part = &series->histogram;
	double scale = series->kind == ASTSHM_KIND_TIMING ? NS_PER_S : 1;

	if (part->count == 0)
		return;
	total->count += part->count;
	total->sum += ((double)part->sum + (double)part->sum_hi * 0x1p64) / scale;
	total->has_extremes &= part->has_extremes;
	if (part->has_extremes) {
		add_extremes(total, (double)part->min / scale, (double)part->max / scale);
		if (part->min < total->histogram.min)
			total->histogram.min = part->min;
		if (part->max > total->histogram.max)
			total->histogram.max = part->max;
	}
	total->has_buckets &= part->has_buckets;
	add_slots(total, part);
}

static void add_series(struct total *total, const struct astshm_series *series, bool is_window)
{
	if (series->kind == ASTSHM_KIND_COUNTER)
		add_counter(total, series);
	else if (series->kind == ASTSHM_KIND_GAUGE)
		add_gauge(total, series, is_window);
	else
		add_histogram(total, series);
	if (total->series == 0)
		total->unit = series->family->unit;
	else if (strcmp(total->unit, series->family->unit) != 0)
		total->unit = ""; /* errors of events and of files are just errors */
	total->series++;
}

static void add_all(const struct selector *selector, const struct astshm_snapshot *snapshot,
		    bool is_window, enum astshm_kind kind, struct total *total)
{
	struct walk walk = { .selector = selector, .snapshot = snapshot };
	const struct astshm_series *series;

	total_clear(total, kind);
	while ((series = walk_next(&walk)) != NULL) {
		if (series->kind == kind)
			add_series(total, series, is_window);
	}
}

/* --- the number ----------------------------------------------------------- */

static bool is_histogram(enum astshm_kind kind)
{
	return kind == ASTSHM_KIND_TIMING || kind == ASTSHM_KIND_DISTRIBUTION;
}

static struct measure known(double value, const char *unit)
{
	return (struct measure){ isnan(value) ? MEASURED_NOTHING : MEASURED, value, unit, NULL };
}

static struct measure nothing(void)
{
	return (struct measure){ MEASURED_NOTHING, (double)NAN, "", NULL };
}

static struct measure quantile_of(struct total *total, double q)
{
	struct astshm_histogram *histogram = &total->histogram;
	double value;

	histogram->slots = total->slots + 1;
	histogram->first_slot = 1;
	histogram->slot_count = ASTSHM_HISTOGRAM_SLOTS - 2; /* without zero and overflow */
	histogram->has_buckets = total->has_buckets;
	histogram->has_extremes = total->has_extremes;
	value = astshm_histogram_quantile(histogram, total->kind, q);
	return known(total->kind == ASTSHM_KIND_TIMING ? value / NS_PER_S : value, total->unit);
}

static struct measure histogram_field(struct total *total, const struct operand *operand,
				      double seconds)
{
	if (operand->field == FIELD_RATE)
		return known((double)total->count / seconds, "");
	if (operand->field == FIELD_COUNT || operand->field == FIELD_INCREASE)
		return known((double)total->count, "");
	if (total->count == 0)
		return nothing();
	switch (operand->field) {
	case FIELD_QUANTILE:
		return quantile_of(total, operand->quantile);
	case FIELD_SUM:
		return known(total->sum, total->unit);
	case FIELD_MEAN:
		return known(total->sum / (double)total->count, total->unit);
	default:
		if (!total->has_extremes)
			return nothing();
		return known(operand->field == FIELD_MIN ? total->min : total->max, total->unit);
	}
}

static struct measure counter_field(const struct total *total, enum field field, bool is_window)
{
	if (field == FIELD_RATE)
		return known(total->rate, total->unit);
	/* An up-down counter is a state: its increase has to be asked for. */
	if (field == FIELD_INCREASE || (field == FIELD_DEFAULT && is_window && total->monotonic))
		return known(total->increase, total->unit);
	return known(total->value, total->unit);
}

static struct measure gauge_field(const struct total *total, enum field field, bool is_window)
{
	double mean = total->count > 0 ? total->sum / (double)total->count : total->value;

	switch (field) {
	case FIELD_COUNT:
		return known((double)total->count, "");
	case FIELD_SUM:
		return total->count > 0 ? known(total->sum, total->unit) : nothing();
	case FIELD_MEAN:
		return known(mean, total->unit);
	case FIELD_MIN:
		return isfinite(total->min) ? known(total->min, total->unit) : nothing();
	case FIELD_MAX:
		return isfinite(total->max) ? known(total->max, total->unit) : nothing();
	default:
		return known(field == FIELD_DEFAULT && is_window ? mean : total->value,
			     total->unit);
	}
}

/* The kinds that have such a field, the likelier first. */
static const enum astshm_kind *kinds_of(enum field field, size_t *count)
{
	static const enum astshm_kind states[] = { ASTSHM_KIND_GAUGE, ASTSHM_KIND_COUNTER };
	static const enum astshm_kind sums[] = { ASTSHM_KIND_COUNTER, ASTSHM_KIND_TIMING,
						 ASTSHM_KIND_DISTRIBUTION };
	static const enum astshm_kind samples[] = { ASTSHM_KIND_TIMING, ASTSHM_KIND_DISTRIBUTION,
						    ASTSHM_KIND_GAUGE };

	*count = 3;
	switch (field) {
	case FIELD_DEFAULT:
	case FIELD_VALUE:
		*count = 2;
		return states;
	case FIELD_RATE:
	case FIELD_INCREASE:
		return sums;
	case FIELD_QUANTILE:
		*count = 2;
		return samples;
	default:
		return samples;
	}
}

static const char *misfit(enum field field)
{
	if (field == FIELD_DEFAULT || field == FIELD_VALUE)
		return "it is a timing or distribution: say which field (p95, mean, max, ...)";
	if (field == FIELD_QUANTILE)
		return "only timings and distributions have quantiles";
	return "its kind has no such field";
}

/* A pattern that matches nothing yet adds up to nothing. */
static struct measure missing(const struct operand *operand,
			      const struct astshm_snapshot *snapshot)
{
	enum field field = operand->field;

	if (measure_exists(&operand->selector, snapshot))
		return (struct measure){ MEASURED_AMISS, (double)NAN, "", misfit(field) };
	if (!operand->selector.is_pattern)
		return (struct measure){ MEASURED_MISSING, (double)NAN, "", NULL };
	if (field == FIELD_MEAN || field == FIELD_MIN || field == FIELD_MAX ||
	    field == FIELD_QUANTILE)
		return nothing();
	return known(0, "");
}

static struct measure field_of(struct total *total, const struct operand *operand,
			       bool is_window, double seconds)
{
	if (is_histogram(total->kind))
		return histogram_field(total, operand, seconds);
	if (total->kind == ASTSHM_KIND_COUNTER)
		return counter_field(total, operand->field, is_window);
	return gauge_field(total, operand->field, is_window);
}

struct measure measure_operand(const struct operand *operand,
			       const struct astshm_snapshot *snapshot, bool is_window,
			       struct total *total)
{
	double seconds = (double)astshm_snapshot_interval_ns(snapshot) / NS_PER_S;
	size_t count;
	const enum astshm_kind *kinds = kinds_of(operand->field, &count);

	for (size_t i = 0; i < count; i++) {
		add_all(&operand->selector, snapshot, is_window, kinds[i], total);
		if (total->series > 0)
			return field_of(total, operand, is_window, seconds);
	}
	return missing(operand, snapshot);
}
