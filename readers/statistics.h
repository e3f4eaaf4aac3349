/* SPDX-License-Identifier: MIT */
/*
 * What every document says of a histogram, computed once: integers of
 * nanoseconds (timings) or of the unit (distributions).
 */
#ifndef READERS_STATISTICS_H
#define READERS_STATISTICS_H

#include <astshm/reader.h>

#include "number.h"

#define STATISTICS_QUANTILES 5 /* p50 p90 p95 p99 p999 */

extern const double statistics_q[STATISTICS_QUANTILES];
extern const char *const statistics_names[STATISTICS_QUANTILES];

struct statistics {
	uint64_t count;
	number_u128 sum;
	number_u128 mean_milli; /* thousandths, rounded to nearest */
	bool has_extremes;      /* false: no sample, or nothing to tell them from */
	uint64_t min;           /* of interval views: bounds of the outer buckets */
	uint64_t max;
	bool has_quantiles;     /* false: no sample, or no buckets */
	uint64_t quantile[STATISTICS_QUANTILES]; /* rounded, min <= q <= max */
};

void statistics_of(const struct astshm_histogram *histogram, enum astshm_kind kind,
		   struct statistics *statistics);

/*
 * Integers in slot: above *low, up to and including *high. Both 0 for slot 0;
 * *high is INT64_MAX for the overflow slot.
 */
void statistics_slot_range(enum astshm_kind kind, uint32_t slot, uint64_t *low, uint64_t *high);

/* True for counters kept in nanoseconds and shown in seconds: unit "seconds". */
bool statistics_is_time_counter(const struct astshm_family *family);

#endif
