/* SPDX-License-Identifier: MIT */
/*
 * Prometheus' native histograms: exponential buckets, (b^(i-1), b^i] with b =
 * 2^(2^-schema), in spans of numbers that follow each other. Ours are those of
 * schema 6; a lower schema puts 2, 4, ... of them together, exactly.
 */
#ifndef EXPORT_NATIVE_H
#define EXPORT_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

#define NATIVE_SCHEMA_MAX 6
#define NATIVE_SCHEMA_DEFAULT 4

struct native_span {
	int32_t offset; /* from the end of the one before; the first: its number */
	uint32_t length;
};

/* All by malloc(). */
struct native {
	struct native_span *spans;
	size_t span_count;
	int64_t *deltas; /* of each bucket to the one before it */
	size_t delta_count;
};

/*
 * The regular buckets of a histogram, 0 <= schema <= NATIVE_SCHEMA_MAX. What lies
 * above the last one is in a bucket after it, as there is no other place for it.
 * -ENODATA: samples, but no buckets; -ENOMEM.
 */
int native_init(struct native *native, const struct astshm_histogram *histogram,
		enum astshm_kind kind, int schema);
void native_fini(struct native *native);

#endif
