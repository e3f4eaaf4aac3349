/* SPDX-License-Identifier: MIT */
/*
 * How each series went: one number for each of the last intervals, in the order of
 * a snapshot's series.
 */
#ifndef TOP_TREND_H
#define TOP_TREND_H

#include <stdint.h>

#include <astshm/reader.h>

#define TREND_POINTS 48

struct trend {
	enum astshm_kind kind;
	char *key;
	uint32_t key_len;
	float points[TREND_POINTS]; /* the last is the youngest; NaN: nothing to tell */
};

struct trends {
	struct trend *items; /* sorted as a snapshot is */
	size_t count;
	uint64_t interval_ns; /* the length of the last one */
};

/* Adds what an interval view says of each series; what it lacks is forgotten. */
int trends_append(struct trends *trends, const struct astshm_snapshot *interval);
void trends_free(struct trends *trends);

/* The order of series in a snapshot. */
int series_order(enum astshm_kind kind, const char *key, uint32_t key_len,
		 const struct astshm_series *series);

#endif
