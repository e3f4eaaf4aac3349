/* SPDX-License-Identifier: MIT */
/*
 * Reading what threads recorded: lists of blocks, and each kind of block as it
 * is being written. The other side is <astshm/hotpath.h> and writer/reset.c.
 */
#ifndef READERS_BLOCKS_H
#define READERS_BLOCKS_H

#include <astshm/buckets.h>
#include <astshm/reader.h>

#include "view.h"

/* One pass over values; point reads are passes over one series. */
struct blocks_pass {
	const struct reader_view *view;
	uint64_t epoch;          /* only blocks of this epoch count */
	uint64_t counters_epoch; /* chooses the baseline */
	/* Bytes of blocks that lists may still lead to. Each block is on one list, so
	 * what leads to more than the segment holds runs in circles or overlaps;
	 * without a bound each series could cost a reader the whole segment. */
	uint64_t room;
	uint64_t torn;
	uint64_t bad;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: limit_ns from the first look */
	int64_t limit_ns;
	uint32_t steps;
	bool late; /* the deadline passed: what was read is not whole */
};

/* Did it? A short pass never asks, and so never looks at the clock. */
bool blocks_pass_late(struct blocks_pass *pass);

/* A list of blocks on its way. */
struct blocks_chain {
	struct blocks_pass *pass;
	uint64_t off;
	uint64_t left; /* blocks there may still be */
	uint32_t bytes;
	uint32_t cost; /* of the pass's room: all of a block, or one counter's share */
	uint32_t index;
	uint32_t slots;
};

/* The room of a pass that sums counters and may list them by thread as well. */
static inline uint64_t blocks_room(const struct reader_view *view)
{
	return 2 * view->committed;
}

/* `head` is the word that holds the newest block's offset. */
struct blocks_chain blocks_chain_start(struct blocks_pass *pass, const uint64_t *head,
				       uint32_t index, uint32_t bytes);
/* The next block, checked, or NULL at the end or at the first bad one. */
const void *blocks_chain_next(struct blocks_chain *chain);
/* The one after that, unchecked but for its place: to be prefetched,
 * never read. The segment's start if there is none. */
static inline const void *blocks_chain_ahead(const struct blocks_chain *chain)
{
	const struct reader_view *view = chain->pass->view;
	bool sound = chain->off % ASTSHM_SEGMENT_ALIGN == 0 &&
		     shm_in_bounds(chain->off, chain->bytes, view->committed);
	return view->base + (sound ? chain->off : 0);
}

/* The sum of one counter's cells over all threads. */
uint64_t blocks_counter_total(struct blocks_pass *pass, const uint64_t *chunk, uint32_t cell);

/*
 * Histograms of several threads added up. Two buffers of HISTOGRAM_SLOTS words
 * (aligned to 64) take turns: a block plus one of them is written to the other,
 * which becomes the sum if the block is found to be consistent.
 */
struct blocks_histogram {
	const uint64_t *table; /* of the kind: which value lies in which slot */
	const uint64_t *ahead; /* slots of the block that comes next, a hint */
	uint64_t *sum_slots;
	uint64_t *spare_slots;
	uint32_t first; /* sum_slots[first, end) is valid; multiples of 8 */
	uint32_t end;
	uint64_t count;
	uint64_t sum;
	uint64_t sum_hi;
	uint64_t min_inverse;
	uint64_t max_plus_one;
	bool lacks_extremes;
};

void blocks_histogram_init(struct blocks_histogram *histogram, enum astshm_kind kind,
			   uint64_t *one, uint64_t *other);
/*
 * Adds the block that `chain` gave last. `part` (or NULL) gets that block
 * alone; its slots then lie in the spare buffer, until the next block.
 */
void blocks_histogram_add(const struct blocks_chain *chain, struct blocks_histogram *histogram,
			  const struct astshm_histogram_block *block,
			  struct astshm_histogram *part);
/* The sum so far; value->slots points into a buffer. */
void blocks_histogram_value(struct blocks_pass *pass, const struct blocks_histogram *histogram,
			    struct astshm_histogram *value);

/* Adds a block's statistics to *value; `part` (or NULL) gets it alone. */
void blocks_gauge_add(struct blocks_pass *pass, const struct astshm_gauge_block *block,
		      struct astshm_gauge_value *value, struct astshm_gauge_value *part);

/* Does the block count for the pass's epoch? */
static inline bool blocks_current(const struct blocks_pass *pass,
				  const struct astshm_block_header *head)
{
	/* Acquire: pairs with the release of the stamp, after the zeroes. */
	return load_acquire(&head->epoch) == pass->epoch;
}

#endif
