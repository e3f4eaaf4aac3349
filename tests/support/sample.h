/* SPDX-License-Identifier: MIT */
/* Snapshots made by hand, and encoders' output in memory. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "snapshot.h"

#define SAMPLE_SERIES_MAX 4096
#define SAMPLE_TIMESTAMP_NS 1795343400123456789ull /* 2026-11-22T10:30:00.123456789Z */

/* An empty snapshot of a live segment "sample", up for 3600.5 s. Aborts without memory. */
struct astshm_snapshot *sample_begin(void);
/* Describes a family before (or after) its first series. */
struct astshm_family *sample_family(struct astshm_snapshot *snapshot, enum astshm_kind kind,
				    const char *name);
void sample_describe(struct astshm_snapshot *snapshot, enum astshm_kind kind, const char *name,
		     const char *unit, const char *help);
/* A series without values; tags sorted by key, `count` of them. */
struct astshm_series *sample_series(struct astshm_snapshot *snapshot, enum astshm_kind kind,
				    const char *name, const struct astshm_tag *tags,
				    uint32_t count);
void sample_counter(struct astshm_snapshot *snapshot, const char *name, int64_t value);
void sample_gauge(struct astshm_snapshot *snapshot, const char *name, double current);
/* A histogram of these values, as the writer would have counted them. */
void sample_fill(struct astshm_snapshot *snapshot, struct astshm_histogram *histogram,
		 enum astshm_kind kind, const int64_t *values, size_t count);
void sample_timing(struct astshm_snapshot *snapshot, const char *name, const int64_t *values,
		   size_t count);
/* Sorts; no more series afterwards. */
void sample_end(struct astshm_snapshot *snapshot);

/*
 * Every kind with and without tags, time counters, up-down counters, NaN,
 * empty histograms, sums past 64 bits, zero and overflow, hostile text.
 */
struct astshm_snapshot *sample_rich(void);
/* The same with each series split between two threads. */
struct astshm_snapshot *sample_threads(void);

/*
 * The threads' sample with a window of its last 59.875 s, in which ten events were
 * received, one took 250 ms, and the queue was 12 deep at a tick.
 */
struct astshm_snapshot *sample_window(void);

typedef int (*sample_encoder)(const struct astshm_snapshot *snapshot,
			      const struct astshm_sink *sink,
			      const struct astshm_encode_options *options);

struct sample_output {
	char *bytes; /* NUL behind them */
	size_t size;
};

/* What `encoder` writes; to be freed with free(output.bytes). Aborts on failure. */
struct sample_output sample_encode(sample_encoder encoder, const struct astshm_snapshot *snapshot,
				   unsigned flags);

#endif
