/* SPDX-License-Identifier: MIT */
#include "blocks.h"

#include <string.h>

/* How often a block that keeps changing is read. At 2 million records a
 * second and thread one try in two or three succeeds. */
#define TRIES 64
#define DEADLINE_STEP 256u

bool blocks_pass_late(struct blocks_pass *pass)
{
	uint64_t now_ns = shm_monotonic_ns();
	if (pass->deadline_ns == 0)
		pass->deadline_ns = now_ns + (uint64_t)pass->limit_ns;
	return now_ns > pass->deadline_ns;
}

/* --- lists ---------------------------------------------------------- */

struct blocks_chain blocks_chain_start(struct blocks_pass *pass, const uint64_t *head,
				       uint32_t index, uint32_t bytes)
{
	const struct reader_view *view = pass->view;
	struct blocks_chain chain = { .pass = pass, .index = index, .bytes = bytes,
				      .cost = bytes };
	/* Acquire: pairs with the release that links a complete block. Its
	 * slot was published before, so the count is loaded after. */
	chain.off = load_acquire(head);
	chain.slots = load_acquire32(&view_header(view)->slots.count);
	uint64_t room = view->committed / bytes;
	chain.left = chain.slots < room ? chain.slots : room;
	return chain;
}

const void *blocks_chain_next(struct blocks_chain *chain)
{
	struct blocks_pass *pass = chain->pass;
	if (chain->off == 0 || pass->late)
		return NULL;
	if (++pass->steps % DEADLINE_STEP == 0 && blocks_pass_late(pass)) {
		pass->late = true;
		return NULL;
	}
	/* One block of each slot: a longer list runs in a circle. */
	const struct astshm_block_header *head = NULL;
	if (chain->left > 0 && chain->cost <= pass->room)
		head = view_block(pass->view, chain->off, chain->bytes);
	if (head == NULL || load_relaxed32(&head->index) != chain->index ||
	    load_relaxed32(&head->slot) >= chain->slots) {
		pass->bad++;
		chain->off = 0;
		return NULL;
	}
	chain->off = load_relaxed(&head->next_off);
	chain->left--;
	pass->room -= chain->cost;
	return head;
}

uint64_t blocks_counter_total(struct blocks_pass *pass, const uint64_t *chunk, uint32_t cell)
{
	const struct astshm_counter_block *block;
	struct blocks_chain chain = blocks_chain_start(pass, chunk, cell / ASTSHM_CHUNK_CELLS,
						       sizeof *block);
	uint64_t total = 0;
	while ((block = blocks_chain_next(&chain)) != NULL)
		total += load_relaxed(&block->cells[cell % ASTSHM_CHUNK_CELLS]);
	return total;
}

/* --- histograms ------------------------------------------------------ */

void blocks_histogram_init(struct blocks_histogram *histogram, enum astshm_kind kind,
			   uint64_t *one, uint64_t *other)
{
	*histogram = (struct blocks_histogram){
		.table = kind == ASTSHM_KIND_TIMING ? astshm_timing_table :
						      astshm_distribution_table,
		.sum_slots = one,
		.spare_slots = other,
	};
}

static uint32_t slot_of(const uint64_t *table, uint64_t value)
{
	if (value > INT64_MAX)
		return ASTSHM_HISTOGRAM_OVERFLOW;
	return astshm_bucket_slot_any(table, (int64_t)value);
}

/* What was seen of a block in one try. */
struct image {
	uint64_t count;
	uint64_t count_after;
	uint64_t sum;
	uint64_t sum_hi;
	uint64_t min_inverse;
	uint64_t max_plus_one;
	uint64_t total; /* of its slots */
};

/* Makes [first, end) part of the valid range of the sum. */
static void extend(struct blocks_histogram *histogram, uint32_t first, uint32_t end)
{
	uint64_t *slots = histogram->sum_slots;
	if (histogram->first == histogram->end)
		histogram->first = histogram->end = first;
	if (first < histogram->first) {
		memset(slots + first, 0, (histogram->first - first) * sizeof *slots);
		histogram->first = first;
	}
	if (end > histogram->end) {
		memset(slots + histogram->end, 0, (end - histogram->end) * sizeof *slots);
		histogram->end = end;
	}
}

/* Slots of a block that may hold samples: whole lines, [low, high). */
struct span {
	uint32_t low, high;
};

/* Rounded out to lines: reading more slots than the extremes ask for does no harm. An
 * absent bound scans to the end. */
static struct span span_of(const uint64_t *table, const struct image *image)
{
	uint32_t low = 0, high = ASTSHM_HISTOGRAM_OVERFLOW;
	if (image->min_inverse != 0)
		low = slot_of(table, ~image->min_inverse);
	if (image->max_plus_one != 0)
		high = slot_of(table, image->max_plus_one - 1);
	if (low > high) {
		low = 0;
		high = ASTSHM_HISTOGRAM_OVERFLOW;
	}
	return (struct span){ low & ~7u, (high | 7u) + 1 };
}

/* The block's slots and the sum so far make the next sum. What the sum has outside the
 * block's own span is copied: it is at hand, and the block is far away. */
static uint64_t add_slots(struct blocks_histogram *histogram,
			  const struct astshm_histogram_block *block, struct span span)
{
	const uint64_t *sum = histogram->sum_slots;
	uint64_t *next = histogram->spare_slots;
	memcpy(next + histogram->first, sum + histogram->first,
	       (span.low - histogram->first) * sizeof *sum);
	memcpy(next + span.high, sum + span.high, (histogram->end - span.high) * sizeof *sum);
	return load_and_add(next + span.low, sum + span.low, block->slots + span.low,
			    span.high - span.low, histogram->ahead + span.low);
}

/*
 * One try, in the opposite order of astshm_histogram_record: count; sum;
 * extremes; slots; count again. A record under way shows its slot first, and
 * its new extreme lies inside the range scanned or is not seen at all: both
 * counts equal to the sum of the slots mean that all words are of one instant.
 */
static bool read_block(struct blocks_histogram *histogram,
		       const struct astshm_histogram_block *block, struct image *image)
{
	/* Each acquire pairs with the release store of that word. */
	image->count = load_acquire(&block->count);
	image->sum = load_acquire(&block->sum);
	image->sum_hi = load_acquire(&block->sum_hi);
	image->min_inverse = load_acquire(&block->min_inverse);
	image->max_plus_one = load_acquire(&block->max_plus_one);
	struct span span = span_of(histogram->table, image);
	extend(histogram, span.low, span.high);
	image->total = add_slots(histogram, block, span);
	/* Slots before the second look at the commit word. */
	fence_acquire();
	image->count_after = load_relaxed(&block->count);
	return image->count == image->total && image->count_after == image->total;
}

/* True: consistent. False: taken as best effort, because it stays unequal
 * without changing (a killed writer) or changes all the time. */
static bool settle_block(struct blocks_histogram *histogram,
			 const struct astshm_histogram_block *block, struct image *image)
{
	struct image last = { .count = UINT64_MAX };
	for (int i = 0; i < TRIES; i++) {
		if (read_block(histogram, block, image))
			return true;
		if (image->count == last.count && image->count_after == last.count &&
		    image->total == last.total)
			return false;
		last = *image;
	}
	return false;
}

/* Finds the slots with samples in slots[first, end). */
static void set_slots(struct astshm_histogram *value, const uint64_t *slots, uint32_t first,
		      uint32_t end)
{
	value->zero_count = first == 0 && end > 0 ? slots[ASTSHM_HISTOGRAM_ZERO] : 0;
	value->overflow_count =
		end > ASTSHM_HISTOGRAM_OVERFLOW ? slots[ASTSHM_HISTOGRAM_OVERFLOW] : 0;
	if (first < ASTSHM_HISTOGRAM_FIRST)
		first = ASTSHM_HISTOGRAM_FIRST;
	if (end > ASTSHM_HISTOGRAM_OVERFLOW)
		end = ASTSHM_HISTOGRAM_OVERFLOW;
	while (first < end && slots[first] == 0)
		first++;
	while (end > first && slots[end - 1] == 0)
		end--;
	value->slots = slots + first;
	value->first_slot = first;
	value->slot_count = end > first ? end - first : 0;
	value->has_buckets = true;
}

/* Samples are of 63 bits: no extreme is larger. */
static void set_extremes(struct astshm_histogram *value, uint64_t min_inverse,
			 uint64_t max_plus_one)
{
	value->has_extremes = value->count > 0 && min_inverse != 0 && max_plus_one != 0 &&
			      max_plus_one - 1 <= INT64_MAX && ~min_inverse <= max_plus_one - 1;
	if (value->has_extremes) {
		value->min = ~min_inverse;
		value->max = max_plus_one - 1;
	}
}

/* Slots below 2^52 cannot add up to more than 64 bits. */
_Static_assert(ASTSHM_HISTOGRAM_SLOTS <= 1u << 12, "no sum of slots below 2^52 wraps");

static bool counts_wrap(const struct astshm_histogram *value)
{
	uint64_t bits = value->zero_count | value->overflow_count, total;
	for (uint32_t i = 0; i < value->slot_count; i++)
		bits |= value->slots[i];
	if (bits >> 52 == 0)
		return false;
	bool wraps = __builtin_add_overflow(value->zero_count, value->overflow_count, &total);
	for (uint32_t i = 0; i < value->slot_count; i++)
		wraps |= __builtin_add_overflow(total, value->slots[i], &total);
	return wraps;
}

/* No histogram has more samples than 64 bits count: what says so is bad, and
 * shown as empty. Decoding, sums and quantiles rely on it. */
static void drop_if_it_wraps(struct blocks_pass *pass, struct astshm_histogram *value)
{
	if (!counts_wrap(value))
		return;
	*value = (struct astshm_histogram){ .slots = value->slots,
					    .first_slot = ASTSHM_HISTOGRAM_FIRST,
					    .has_buckets = true };
	pass->bad++;
}

/* After the turn: spare is the sum without the block, so the difference is
 * the block as it was read. */
static void set_part(struct blocks_pass *pass, struct blocks_histogram *histogram,
		     const struct image *image, struct astshm_histogram *part)
{
	for (uint32_t i = histogram->first; i < histogram->end; i++)
		histogram->spare_slots[i] = histogram->sum_slots[i] - histogram->spare_slots[i];
	*part = (struct astshm_histogram){
		.count = image->total, .sum = image->sum, .sum_hi = image->sum_hi
	};
	set_slots(part, histogram->spare_slots, histogram->first, histogram->end);
	set_extremes(part, image->min_inverse, image->max_plus_one);
	drop_if_it_wraps(pass, part);
}

#define PAGE_SLOTS (4096u / sizeof(uint64_t))

/* The header of the block to come, and a line in each page of it that will be read: to
 * find a page takes a processor longer than to read one. The other lines follow as those
 * of this block are summed. */
static void look_ahead(struct blocks_histogram *histogram,
		       const struct astshm_histogram_block *ahead)
{
	__builtin_prefetch(ahead);
	for (uint32_t slot = histogram->first; slot < histogram->end; slot += PAGE_SLOTS)
		__builtin_prefetch(ahead->slots + slot);
	histogram->ahead = ahead->slots;
}

void blocks_histogram_add(const struct blocks_chain *chain, struct blocks_histogram *histogram,
			  const struct astshm_histogram_block *block,
			  struct astshm_histogram *part)
{
	const struct astshm_histogram_block *ahead = blocks_chain_ahead(chain);
	struct image image;
	look_ahead(histogram, ahead);
	if (!settle_block(histogram, block, &image))
		chain->pass->torn++;
	uint64_t *sum_slots = histogram->spare_slots;
	histogram->spare_slots = histogram->sum_slots;
	histogram->sum_slots = sum_slots;
	histogram->count += image.total;
	histogram->sum_hi += image.sum_hi +
			     __builtin_add_overflow(histogram->sum, image.sum, &histogram->sum);
	if (image.total > 0 && (image.min_inverse == 0 || image.max_plus_one == 0))
		histogram->lacks_extremes = true;
	if (image.min_inverse > histogram->min_inverse)
		histogram->min_inverse = image.min_inverse;
	if (image.max_plus_one > histogram->max_plus_one)
		histogram->max_plus_one = image.max_plus_one;
	if (part != NULL)
		set_part(chain->pass, histogram, &image, part);
}

void blocks_histogram_value(struct blocks_pass *pass, const struct blocks_histogram *histogram,
			    struct astshm_histogram *value)
{
	*value = (struct astshm_histogram){ .count = histogram->count,
					    .sum = histogram->sum,
					    .sum_hi = histogram->sum_hi };
	set_slots(value, histogram->sum_slots, histogram->first, histogram->end);
	if (!histogram->lacks_extremes) {
		set_extremes(value, histogram->min_inverse, histogram->max_plus_one);
		pass->bad += value->count > 0 && !value->has_extremes;
	}
	drop_if_it_wraps(pass, value);
}

/* --- gauges ---------------------------------------------------------- */

/* count before, begin after: the opposite order of astshm_gauge_sample. Equal
 * means that no record was under way. */
static bool read_gauge(const struct astshm_gauge_block *block, struct astshm_gauge_value *value,
		       uint64_t *begin)
{
	/* Pairs with the release of count, the last store of a sample: the rest
	 * is as new or newer. The fence pairs with the releases of the rest, each
	 * of which comes after begin: what is newer has raised begin. */
	value->count = load_acquire(&block->count);
	value->sum = load_double(&block->sum);
	value->min = load_double(&block->min);
	value->max = load_double(&block->max);
	fence_acquire();
	*begin = load_relaxed(&block->begin);
	return *begin == value->count;
}

static bool settle_gauge(const struct astshm_gauge_block *block, struct astshm_gauge_value *value)
{
	uint64_t begin, last_begin = 0, last_count = UINT64_MAX;
	for (int i = 0; i < TRIES; i++) {
		if (read_gauge(block, value, &begin))
			return true;
		if (begin == last_begin && value->count == last_count)
			return false;
		last_begin = begin;
		last_count = value->count;
	}
	return false;
}

void blocks_gauge_add(struct blocks_pass *pass, const struct astshm_gauge_block *block,
		      struct astshm_gauge_value *value, struct astshm_gauge_value *part)
{
	struct astshm_gauge_value sample = { 0 };
	if (!settle_gauge(block, &sample))
		pass->torn++;
	if (sample.count > 0) {
		if (value->count == 0 || sample.min < value->min)
			value->min = sample.min;
		if (value->count == 0 || sample.max > value->max)
			value->max = sample.max;
		value->count += sample.count;
		value->sum += sample.sum;
	}
	if (part != NULL)
		*part = sample;
}
