/* SPDX-License-Identifier: MIT */
#include <math.h>

#include <astshm/layout.h>

#include "document.h"
#include "statistics.h"

#define HISTOGRAM_KEYS 10u /* count sum mean min max and five quantiles */
#define GAUGE_KEYS 4u      /* count min max mean */
#define THREAD_KEYS 4u     /* slot tid name owners */

static uint32_t value_keys(const struct document *document, enum astshm_kind kind, bool interval,
			   const struct astshm_histogram *histogram)
{
	if (kind == ASTSHM_KIND_COUNTER)
		return interval ? 2 : 1;
	if (kind == ASTSHM_KIND_GAUGE)
		return GAUGE_KEYS;
	return HISTOGRAM_KEYS + (document->buckets && histogram->has_buckets);
}

/* A number of nanoseconds or of the unit. */
static void put_known(struct document *document, const char *key, bool known, number_u128 value,
		      unsigned decimals)
{
	if (known)
		document_decimal(document, key, value, decimals);
	else
		document_nil(document, key);
}

/* Means of nanoseconds have three digits more; others are a plain quotient. */
static void put_mean(struct document *document, const struct statistics *statistics,
		     unsigned decimals)
{
	if (decimals || !statistics->count) {
		put_known(document, "mean", statistics->count > 0, statistics->mean_milli,
			  decimals + 3);
		return;
	}
	document_key(document, "mean");
	document->operations->real(document,
				   (double)statistics->sum / (double)statistics->count);
}

static void put_statistics(struct document *document, const struct astshm_histogram *histogram,
			   enum astshm_kind kind)
{
	unsigned decimals = kind == ASTSHM_KIND_TIMING ? 9 : 0;
	struct statistics statistics;
	statistics_of(histogram, kind, &statistics);
	document_unsigned(document, "count", statistics.count);
	document_decimal(document, "sum", statistics.sum, decimals);
	put_mean(document, &statistics, decimals);
	put_known(document, "min", statistics.has_extremes, statistics.min, decimals);
	put_known(document, "max", statistics.has_extremes, statistics.max, decimals);
	for (int i = 0; i < STATISTICS_QUANTILES; i++)
		put_known(document, statistics_names[i], statistics.has_quantiles,
			  statistics.quantile[i], decimals);
}

/* The slots from the first to the last that is not empty. */
static void put_counts(struct document *document, const struct astshm_histogram *histogram,
		       enum astshm_kind kind)
{
	uint32_t first = 0, end = histogram->slot_count;
	int bias = kind == ASTSHM_KIND_TIMING ? ASTSHM_TIMING_INDEX_BIAS
					      : ASTSHM_DISTRIBUTION_INDEX_BIAS;
	while (end > 0 && !histogram->slots[end - 1])
		end--;
	while (first < end && !histogram->slots[first])
		first++;
	document_key(document, "offset");
	document->operations->integer(
		document, first < end ? (int64_t)(histogram->first_slot + first) - bias : 0);
	document_key(document, "counts");
	document->operations->counts(document, first < end ? histogram->slots + first : NULL,
				     end - first);
}

static void put_buckets(struct document *document, const struct astshm_histogram *histogram,
			enum astshm_kind kind)
{
	bool known = histogram->count && histogram->has_extremes;
	document_key(document, "buckets");
	document->operations->map(document, 8);
	document_unsigned(document, "scale", ASTSHM_HISTOGRAM_SCALE);
	document_unsigned(document, "zero_count", histogram->zero_count);
	put_counts(document, histogram, kind);
	document_unsigned(document, "overflow_count", histogram->overflow_count);
	document_key(document, "sum");
	document->operations->wide_integer(document,
					   number_join(histogram->sum_hi, histogram->sum));
	put_known(document, "min", known, histogram->min, 0);
	put_known(document, "max", known, histogram->max, 0);
	document->operations->end_map(document);
}

/* A counter's number, of nanoseconds if it counts time. */
static void put_count(struct document *document, const char *key, int64_t value, bool time)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	document_key(document, key);
	if (!time)
		document->operations->integer(document, value);
	else if (value < 0)
		document->operations->negative_decimal(document, size, 9);
	else
		document->operations->decimal(document, size, 9);
}

static void put_counter(struct document *document, const struct astshm_counter_value *counter,
			bool time, bool interval)
{
	if (!interval) {
		put_count(document, "value", counter->value, time);
		return;
	}
	document_key(document, "rate");
	document->operations->real(document, time ? counter->rate / 1e9 : counter->rate);
	put_count(document, "increase", counter->increase, time);
}

static void put_gauge(struct document *document, const struct astshm_gauge_value *gauge)
{
	double unknown = NAN;
	document_unsigned(document, "count", gauge->count);
	document_key(document, "min");
	document->operations->real(document, gauge->count ? gauge->min : unknown);
	document_key(document, "max");
	document->operations->real(document, gauge->count ? gauge->max : unknown);
	document_key(document, "mean");
	document->operations->real(document,
				   gauge->count ? gauge->sum / (double)gauge->count : unknown);
}

static void put_thread(struct document *document, const struct astshm_series *series,
		       const struct astshm_thread_value *thread, bool interval)
{
	struct astshm_counter_value counter = { 0 };
	document->operations->map(document, THREAD_KEYS + value_keys(document, series->kind, false,
								     &thread->histogram));
	document_unsigned(document, "slot", thread->slot);
	document_unsigned(document, "tid", thread->tid);
	document_text(document, "name", thread->name, strnlen(thread->name, sizeof thread->name));
	document_unsigned(document, "owners", thread->owners);
	if (series->kind == ASTSHM_KIND_COUNTER) {
		counter.value = thread->counter;
		put_count(document, interval ? "increase" : "value", counter.value,
			  statistics_is_time_counter(series->family));
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		put_gauge(document, &thread->gauge);
	} else {
		put_statistics(document, &thread->histogram, series->kind);
		if (document->buckets && thread->histogram.has_buckets)
			put_buckets(document, &thread->histogram, series->kind);
	}
	document->operations->end_map(document);
}

static void put_threads(struct document *document, const struct astshm_series *series,
			bool interval)
{
	document_key(document, "per_thread");
	document->operations->array(document, series->thread_count);
	for (uint32_t i = 0; i < series->thread_count; i++)
		put_thread(document, series, &series->threads[i], interval);
	document->operations->end_array(document);
}

static void put_tags(struct document *document, const struct astshm_series *series)
{
	document_text(document, "name", series->family->name, series->family->name_len);
	document_key(document, "tags");
	document->operations->map(document, series->tag_count);
	for (uint32_t i = 0; i < series->tag_count; i++) {
		const struct astshm_label *tag = &series->tags[i];
		document->operations->key(document, tag->key, tag->key_len);
		document->operations->text(document, tag->value, tag->value_len);
	}
	document->operations->end_map(document);
}

static bool is_histogram(const struct astshm_series *series)
{
	return series->kind == ASTSHM_KIND_TIMING || series->kind == ASTSHM_KIND_DISTRIBUTION;
}

static void put_values(struct document *document, const struct astshm_series *series, bool interval)
{
	if (series->kind == ASTSHM_KIND_COUNTER) {
		put_counter(document, &series->counter, statistics_is_time_counter(series->family),
			    interval);
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		document_key(document, "current");
		document->operations->real(document, series->gauge.current);
		put_gauge(document, &series->gauge);
	} else {
		put_statistics(document, &series->histogram, series->kind);
		document_text(document, "unit", series->family->unit, series->family->unit_len);
	}
}

void document_put_series(struct document *document, const struct astshm_series *series,
			 bool interval)
{
	uint32_t keys = value_keys(document, series->kind, interval, &series->histogram);
	keys += series->kind != ASTSHM_KIND_COUNTER; /* current, unit */
	keys += series->tag_count ? 2 : 0;
	keys += series->thread_count > 0;
	document->operations->map(document, keys);
	put_values(document, series, interval);
	if (series->tag_count)
		put_tags(document, series);
	if (is_histogram(series) && document->buckets && series->histogram.has_buckets)
		put_buckets(document, &series->histogram, series->kind);
	if (series->thread_count)
		put_threads(document, series, interval);
	document->operations->end_map(document);
}

/* --- in a window ------------------------------------------------------------ */

static void put_window_histogram(struct document *document, const struct astshm_series *series,
				 double seconds)
{
	static const int shown[] = { 0, 2, 3 }; /* p50 p95 p99 */
	unsigned decimals = series->kind == ASTSHM_KIND_TIMING ? 9 : 0;
	struct statistics statistics;
	statistics_of(&series->histogram, series->kind, &statistics);
	document_unsigned(document, "count", statistics.count);
	document_key(document, "rate");
	document->operations->real(document, (double)statistics.count / seconds);
	for (int i = 0; i < 3; i++)
		put_known(document, statistics_names[shown[i]], statistics.has_quantiles,
			  statistics.quantile[shown[i]], decimals);
	put_known(document, "max", statistics.has_extremes, statistics.max, decimals);
	put_known(document, "min", statistics.has_extremes, statistics.min, decimals);
	put_mean(document, &statistics, decimals);
}

static void put_window_gauge(struct document *document, const struct astshm_gauge_value *gauge)
{
	double unknown = NAN;
	document_key(document, "min");
	document->operations->real(document, gauge->count ? gauge->min : unknown);
	document_key(document, "max");
	document->operations->real(document, gauge->count ? gauge->max : unknown);
	document_key(document, "last");
	document->operations->real(document, gauge->current);
}

void document_put_window_series(struct document *document, const struct astshm_series *series,
				double seconds)
{
	bool buckets = is_histogram(series) && document->buckets && series->histogram.has_buckets;
	document->operations->map(document, series->kind == ASTSHM_KIND_COUNTER ? 2
					    : series->kind == ASTSHM_KIND_GAUGE ? 3
										: 8u + buckets);
	if (series->kind == ASTSHM_KIND_COUNTER)
		put_counter(document, &series->counter, statistics_is_time_counter(series->family),
			    true);
	else if (series->kind == ASTSHM_KIND_GAUGE)
		put_window_gauge(document, &series->gauge);
	else
		put_window_histogram(document, series, seconds);
	if (buckets)
		put_buckets(document, &series->histogram, series->kind);
	document->operations->end_map(document);
}
