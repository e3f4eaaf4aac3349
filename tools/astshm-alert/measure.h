/* SPDX-License-Identifier: MIT */
/*
 * One number out of a snapshot: what a rule's operand asks for.
 */
#ifndef ALERT_MEASURE_H
#define ALERT_MEASURE_H

#include <astshm/layout.h>
#include <astshm/reader.h>

#include "rule.h"

enum measured {
	MEASURED,         /* there is a value */
	MEASURED_NOTHING, /* the series are there, but have no sample (in the window) */
	MEASURED_MISSING, /* there is no such series */
	MEASURED_AMISS,   /* the question does not fit what is there */
};

struct measure {
	enum measured result;
	double value;     /* in seconds, bytes, ...; NaN without one */
	const char *unit; /* "seconds", "bytes", ... or ""; the snapshot's */
	const char *why;  /* of MEASURED_AMISS: a constant text */
};

/* What series add up to. Large: histograms bucket by bucket. */
struct total {
	enum astshm_kind kind;
	size_t series;
	bool monotonic;
	const char *unit;
	double value, increase, rate; /* counters; value: of gauges too */
	uint64_t count;               /* samples */
	double sum, min, max;
	bool has_extremes;
	bool has_buckets;
	struct astshm_histogram histogram;
	uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
};

/*
 * Of each family that the name matches the series without tags, if there is one,
 * else the tagged ones, all added up; with tag filters those that match. A
 * pattern leaves out names that end in ".by_type" (they repeat the total by tag),
 * unless it does itself. `snapshot` is a window's if is_window, else a whole
 * lifetime's. `total` is room to work in.
 */
struct measure measure_operand(const struct operand *operand,
			       const struct astshm_snapshot *snapshot, bool is_window,
			       struct total *total);

/* Is there any series, of whatever kind, that it selects? */
bool measure_exists(const struct selector *selector, const struct astshm_snapshot *snapshot);

#endif
