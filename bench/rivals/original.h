/* SPDX-License-Identifier: MIT */
/*
 * The algorithm of the Python original, in C: one mutex, one hash map keyed by
 * the string `name[k=v,...]` built anew for each call, counters as a number,
 * timings as a list of the last 100 values.
 *
 * The map is uthash (a well-kept one that Debian has) with XXH3 in the place
 * of its own hash function: what our registry hashes with.
 */
#ifndef BENCH_RIVALS_ORIGINAL_H
#define BENCH_RIVALS_ORIGINAL_H

#include <stddef.h>
#include <stdint.h>

#include <astshm/types.h>

struct bench_original;

struct bench_original *bench_original_create(void);
void bench_original_free(struct bench_original *original);

void bench_original_increment(struct bench_original *original, const char *name, uint64_t amount,
			      const struct astshm_tag *tags, size_t tag_count);
void bench_original_timing(struct bench_original *original, const char *name, int64_t ns,
			   const struct astshm_tag *tags, size_t tag_count);
void bench_original_remove(struct bench_original *original, const char *name,
			   const struct astshm_tag *tags, size_t tag_count);

/* Increments resp. timings recorded under this name so far; 0: never seen. */
uint64_t bench_original_read(struct bench_original *original, const char *name,
			     const struct astshm_tag *tags, size_t tag_count);
size_t bench_original_count(struct bench_original *original);

#endif
