/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <errno.h>
#include <stdlib.h>

#include <astshm/layout.h>

/* As many empty buckets cost less than another span. */
#define GAP_MAX 2

/* The number of the bucket that a slot's is a part of. Arithmetic shift: rounds
 * down, as numbers below 1 second, or 1, are negative. */
static int32_t number_of(uint32_t slot, enum astshm_kind kind, int schema)
{
	int bias = kind == ASTSHM_KIND_TIMING ? ASTSHM_TIMING_INDEX_BIAS
					      : ASTSHM_DISTRIBUTION_INDEX_BIAS;
	/* The slot's own is ((i)/64, (i+1)/64] as powers of 2: number i + 1 here. */
	int i = (int)slot - bias;

	return (i >> (NATIVE_SCHEMA_MAX - schema)) + 1;
}

/* Where the next bucket goes, and what the last one held. */
struct filler {
	struct native *native;
	int32_t next; /* number after the last bucket */
	uint64_t last;
};

static void put(struct filler *filler, uint64_t count)
{
	struct native *native = filler->native;

	native->deltas[native->delta_count++] = (int64_t)(count - filler->last);
	native->spans[native->span_count - 1].length++;
	filler->last = count;
	filler->next++;
}

static void put_bucket(struct filler *filler, int32_t number, uint64_t count)
{
	struct native *native = filler->native;

	if (count == 0)
		return;
	if (native->span_count == 0 || number - filler->next > GAP_MAX) {
		int32_t offset = native->span_count ? number - filler->next : number;

		native->spans[native->span_count++] = (struct native_span){ offset, 0 };
		filler->next = number;
	}
	while (filler->next < number)
		put(filler, 0);
	put(filler, count);
}

static void fill(struct native *native, const struct astshm_histogram *histogram,
		 enum astshm_kind kind, int schema)
{
	struct filler filler = { .native = native };
	uint64_t count = 0;
	int32_t number = number_of(histogram->first_slot, kind, schema);

	for (uint32_t i = 0; i < histogram->slot_count; i++) {
		int32_t of = number_of(histogram->first_slot + i, kind, schema);

		if (of != number) {
			put_bucket(&filler, number, count);
			number = of;
			count = 0;
		}
		count += histogram->slots[i];
	}
	put_bucket(&filler, number, count);
	number = number_of(ASTSHM_HISTOGRAM_LAST, kind, schema) + 1;
	put_bucket(&filler, number, histogram->overflow_count);
}

int native_init(struct native *native, const struct astshm_histogram *histogram,
		enum astshm_kind kind, int schema)
{
	/* One for each slot, one above them, and the gap between the two. */
	size_t most = (size_t)histogram->slot_count + 1 + GAP_MAX;

	*native = (struct native){ 0 };
	if (histogram->count > 0 && !histogram->has_buckets)
		return -ENODATA;
	native->spans = calloc(most, sizeof(*native->spans));
	native->deltas = calloc(most, sizeof(*native->deltas));
	if (!native->spans || !native->deltas) {
		native_fini(native);
		return -ENOMEM;
	}
	fill(native, histogram, kind, schema);
	return 0;
}

void native_fini(struct native *native)
{
	free(native->spans);
	free(native->deltas);
	*native = (struct native){ 0 };
}
