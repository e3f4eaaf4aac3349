/* SPDX-License-Identifier: MIT */
/*
 * What the files that make snapshots out of snapshots share. A derived
 * snapshot owns its series and sums; names, families and histograms that did
 * not change stay where they were, held by reference.
 */
#ifndef READERS_DERIVE_H
#define READERS_DERIVE_H

#include <astshm/layout.h>

#include "number.h"
#include "snapshot.h"

/* Fills *error if there is one; returns `code`. */
int derive_fail(struct astshm_error *error, int code, const char *text);

/*
 * A snapshot with time and segment of `from` and room for `count` series
 * (series_count stays 0), holding all of `from`. NULL: no memory.
 */
struct astshm_snapshot *derive_create(const struct astshm_snapshot *from, size_t count);

/* For qsort of `const struct astshm_family *`: name, then kind. */
int derive_compare_families(const void *left, const void *right);

/* Place of a family in snapshot->families; family_count if it is not there. */
size_t derive_family_place(const struct astshm_snapshot *snapshot,
			   const struct astshm_family *family);

/*
 * Fills first[] and lists those families of `from` that have a series in
 * `snapshot`; its series keep their order. -ENOMEM.
 */
int derive_families(struct astshm_snapshot *snapshot, const struct astshm_snapshot *from);

/* The series of each family, whatever order they have in the snapshot. */
struct family_index {
	uint32_t *first;  /* family f has series[first[f] .. first[f + 1]) */
	uint32_t *series; /* places in snapshot->series, ascending in a family */
};

/* Two allocations, whatever the number of series. -ENOMEM. */
int family_index_init(struct family_index *index, const struct astshm_snapshot *snapshot);
void family_index_fini(struct family_index *index);

/* --- histograms ---------------------------------------------------- */

/* Slot by slot: what several histograms add up to. */
struct histogram_total {
	uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	number_u128 sum;
	uint64_t count;
	uint64_t min, max;
	bool has_extremes;
	uint32_t low, high; /* slots[low, high) may be non-zero */
};

void histogram_total_clear(struct histogram_total *total);
/* -ENODATA: samples without buckets; -EOVERFLOW: more than 2^64 samples. */
int histogram_total_add(struct histogram_total *total, const struct astshm_histogram *histogram);
/* As a histogram whose slots are total's own. */
void histogram_total_view(const struct histogram_total *total, struct astshm_histogram *view);
/* As a histogram whose slots lie in `arena`. -ENOMEM. */
int histogram_total_store(const struct histogram_total *total, struct reader_arena *arena,
			  struct astshm_histogram *stored);

/*
 * newer - older. -ERANGE: some slot went down, so older is not a part of
 * newer; -ENODATA: samples without buckets; -ENOMEM.
 */
int histogram_subtract(const struct astshm_histogram *newer, const struct astshm_histogram *older,
		       struct reader_arena *arena, struct astshm_histogram *difference);

/* --- several series as one ------------------------------------------ */

/* One of the series that become one, and what the result is called. */
struct combine_item {
	const struct astshm_series *series;
	const struct astshm_family *family;
	const struct astshm_label *tags;
	const char *key;
	uint32_t tag_count, key_len;
	uint32_t place;        /* of the item: orders those of one key */
	uint32_t part;         /* the snapshot it comes from */
	uint64_t timestamp_ns; /* of that snapshot */
};

/*
 * Sorts items by (kind, key, place) and makes one series in `into` of those
 * alike; into->series has room for all. Threads are told apart by part and
 * slot. -ENODATA, -EOVERFLOW, -ENOMEM.
 */
int combine_items(struct combine_item *items, size_t count, struct astshm_snapshot *into,
		  struct astshm_error *error);

#endif
