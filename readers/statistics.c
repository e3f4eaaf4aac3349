/* SPDX-License-Identifier: MIT */
#include "statistics.h"

#include <math.h>
#include <string.h>

#include <astshm/layout.h>

const double statistics_q[STATISTICS_QUANTILES] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
const char *const statistics_names[STATISTICS_QUANTILES] = { "p50", "p90", "p95", "p99", "p999" };

/* Bounds are below 2^48 ns; 2^63 is what a uint64 must never be asked to hold. */
static uint64_t floor_bound(enum astshm_kind kind, uint32_t slot)
{
	double bound = floor(astshm_histogram_bound(kind, slot));
	if (!(bound > 0))
		return 0;
	return bound < 9.2e18 ? (uint64_t)bound : (uint64_t)INT64_MAX;
}

void statistics_slot_range(enum astshm_kind kind, uint32_t slot, uint64_t *low, uint64_t *high)
{
	*low = slot > 0 ? floor_bound(kind, slot - 1) : 0;
	*high = slot < ASTSHM_HISTOGRAM_OVERFLOW ? floor_bound(kind, slot) : (uint64_t)INT64_MAX;
}

static uint32_t lowest_slot(const struct astshm_histogram *histogram)
{
	if (histogram->zero_count)
		return ASTSHM_HISTOGRAM_ZERO;
	for (uint32_t i = 0; i < histogram->slot_count; i++) {
		if (histogram->slots[i])
			return histogram->first_slot + i;
	}
	return ASTSHM_HISTOGRAM_OVERFLOW;
}

static uint32_t highest_slot(const struct astshm_histogram *histogram)
{
	if (histogram->overflow_count)
		return ASTSHM_HISTOGRAM_OVERFLOW;
	for (uint32_t i = histogram->slot_count; i > 0; i--) {
		if (histogram->slots[i - 1])
			return histogram->first_slot + i - 1;
	}
	return ASTSHM_HISTOGRAM_ZERO;
}

static void find_extremes(const struct astshm_histogram *histogram, enum astshm_kind kind,
			  struct statistics *statistics)
{
	uint64_t unused;
	statistics->has_extremes = histogram->has_extremes || histogram->has_buckets;
	statistics->min = histogram->min;
	statistics->max = histogram->max;
	if (histogram->has_extremes || !histogram->has_buckets)
		return;
	uint32_t lowest = lowest_slot(histogram);
	statistics_slot_range(kind, lowest, &statistics->min, &unused);
	statistics->min += lowest > 0;
	statistics_slot_range(kind, highest_slot(histogram), &unused, &statistics->max);
}

static void find_quantiles(const struct astshm_histogram *histogram, enum astshm_kind kind,
			   struct statistics *statistics)
{
	double values[STATISTICS_QUANTILES];
	statistics->has_quantiles = histogram->has_buckets;
	if (!histogram->has_buckets)
		return;
	astshm_histogram_quantiles(histogram, kind, statistics_q, values, STATISTICS_QUANTILES);
	for (int i = 0; i < STATISTICS_QUANTILES; i++) {
		uint64_t value = statistics->max;
		if (values[i] < (double)statistics->max)
			value = values[i] > 0 ? (uint64_t)(values[i] + 0.5) : 0;
		if (value < statistics->min)
			value = statistics->min;
		statistics->quantile[i] = value < statistics->max ? value : statistics->max;
	}
}

static number_u128 mean_milli(number_u128 sum, uint64_t count)
{
	number_u128 whole = sum / count;
	uint64_t rest = (uint64_t)(sum % count);
	return whole * 1000 + ((number_u128)rest * 1000 + count / 2) / count;
}

void statistics_of(const struct astshm_histogram *histogram, enum astshm_kind kind,
		   struct statistics *statistics)
{
	memset(statistics, 0, sizeof *statistics);
	statistics->count = histogram->count;
	statistics->sum = number_join(histogram->sum_hi, histogram->sum);
	if (!histogram->count)
		return;
	statistics->mean_milli = mean_milli(statistics->sum, histogram->count);
	find_extremes(histogram, kind, statistics);
	find_quantiles(histogram, kind, statistics);
}

bool statistics_is_time_counter(const struct astshm_family *family)
{
	return family->kind == ASTSHM_KIND_COUNTER && family->unit_len == 7 &&
	       memcmp(family->unit, "seconds", 7) == 0;
}
