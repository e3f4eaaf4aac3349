/* SPDX-License-Identifier: MIT */
#include "touch.h"

#include "fork.h"
#include "row.h"
#include "storage.h"
#include "thread.h"

void writer_count_dropped(uint64_t *word)
{
	/* Relaxed and atomic: counted with and without the lock. */
	(void)__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}

bool writer_touch_hopeless(const struct astshm_writer *writer, uint32_t index)
{
	if (!writer_storage_full(&writer->full_until_ns) || index >= writer->row_entries)
		return false;
	uint32_t slot = astshm_thread.slot[writer->number];
	/* A thread that may get a slot gets its predecessor's blocks with it. It
	 * asks once: attached or refused, it is told by its row afterwards. */
	if (astshm_thread.generation[writer->number] !=
		    __atomic_load_n(&writer->generation, __ATOMIC_RELAXED) ||
	    (slot == WRITER_SHARED_SLOT && !writer_thread_is_shared(writer)))
		return false;
	uint64_t **row = writer->slots[slot].row;
	const struct writer_record *record = &writer->records[index];
	/* Relaxed: of slot 0, others may just be storing them; never cleared. */
	if (record->kind == ASTSHM_KIND_COUNTER)
		return !__atomic_load_n(&writer_row_chunks(writer, row)[record->cell /
									ASTSHM_CHUNK_CELLS],
					__ATOMIC_RELAXED);
	return !__atomic_load_n(&writer_row_home(writer, row)[index], __ATOMIC_RELAXED);
}

/*
 * Puts a complete block on a list. Release: a reader that loads the head with
 * acquire (readers/collect.c) sees the block's header and zeroes.
 */
static void link_block(struct astshm_writer *writer, uint64_t *head, uint64_t off,
		       uint32_t index, uint32_t slot)
{
	struct astshm_block_header *block = writer_at(writer, off);

	block->index = index;
	block->slot = slot;
	block->epoch = writer->header->epoch;
	block->next_off = *head;
	__atomic_store_n(head, off, __ATOMIC_RELEASE);
}

static uint64_t *touch_counter(struct astshm_writer *writer, uint64_t **row, uint32_t index)
{
	uint32_t cell = writer->records[index].cell;
	uint32_t chunk = cell / ASTSHM_CHUNK_CELLS;
	struct astshm_counter_block **home = &writer_row_chunks(writer, row)[chunk];

	if (!*home) {
		uint64_t off = writer_storage_alloc(writer, sizeof **home);
		if (off == 0)
			return NULL;
		/* Relaxed: read without the lock by writer_touch_hopeless alone. */
		__atomic_store_n(home, (struct astshm_counter_block *)writer_at(writer, off),
				 __ATOMIC_RELAXED);
		link_block(writer, writer_table_at(writer, &writer->header->chunks, chunk), off,
			   chunk, astshm_thread.slot[writer->number]);
	}
	return &(*home)->cells[cell % ASTSHM_CHUNK_CELLS];
}

static size_t block_bytes(enum astshm_kind kind)
{
	return kind == ASTSHM_KIND_GAUGE ? sizeof(struct astshm_gauge_block)
					 : sizeof(struct astshm_histogram_block);
}

static void *make_block(struct astshm_writer *writer, uint32_t index, enum astshm_kind kind)
{
	struct astshm_segment_series *series =
		writer_table_at(writer, &writer->header->series, index);
	uint64_t off = writer_storage_alloc(writer, block_bytes(kind));

	if (off == 0)
		return NULL;
	if (kind == ASTSHM_KIND_GAUGE) {
		struct astshm_gauge_block *gauge = writer_at(writer, off);
		gauge->current_rel = (int64_t)(series->shared_off - off);
	}
	link_block(writer, &series->blocks_off, off, index,
		   astshm_thread.slot[writer->number]);
	return writer_at(writer, off);
}

/*
 * Empties a block that still counts for an older epoch. The fence comes after
 * header.epoch was raised (reset.c) and before the zeroes: a reader that saw
 * one of them finds the new epoch when it looks again after its pass. The
 * stamp is released after the zeroes: a reader that sees it sees them.
 */
static void restamp(struct astshm_writer *writer, void *block, enum astshm_kind kind)
{
	struct astshm_block_header *head = block;
	struct astshm_gauge_block *gauge = block;
	struct astshm_histogram_block *histogram = block;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (kind == ASTSHM_KIND_GAUGE)
		writer_words_zero(&gauge->begin, &gauge->max + 1);
	else
		writer_words_zero(&histogram->count, histogram->slots + ASTSHM_HISTOGRAM_SLOTS);
	__atomic_store_n(&head->epoch, writer->header->epoch, __ATOMIC_RELEASE);
}

/* The smallest value of a slot, by bisection: exact for every slot. */
static uint64_t slot_minimum(const uint64_t *table, uint32_t slot)
{
	int64_t low = 0, high = INT64_MAX;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (astshm_bucket_slot_any(table, middle) >= slot)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint64_t)low;
}

static void widen(struct astshm_histogram_block *block, uint64_t value)
{
	/* Release as in astshm_histogram_record. */
	if (~value > block->min_inverse)
		__atomic_store_n(&block->min_inverse, ~value, __ATOMIC_RELEASE);
	if (value >= block->max_plus_one)
		__atomic_store_n(&block->max_plus_one, value + 1, __ATOMIC_RELEASE);
}

/*
 * A thread cancelled inside a record leaves a slot without its commit. The
 * heir takes the sample as made: extremes cover every slot in use, and count
 * becomes their sum, or readers would call the block torn for ever.
 */
static void mend(struct astshm_histogram_block *block, enum astshm_kind kind)
{
	const uint64_t *table = kind == ASTSHM_KIND_TIMING ? astshm_timing_table
							   : astshm_distribution_table;
	uint32_t first = ASTSHM_HISTOGRAM_SLOTS, last = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ASTSHM_HISTOGRAM_SLOTS; i++) {
		if (block->slots[i] == 0)
			continue;
		sum += block->slots[i];
		last = i;
		if (first == ASTSHM_HISTOGRAM_SLOTS)
			first = i;
	}
	if (sum == block->count)
		return;
	if (block->min_inverse == 0 ||
	    astshm_bucket_slot_any(table, (int64_t)~block->min_inverse) > first)
		widen(block, slot_minimum(table, first));
	if (block->max_plus_one == 0 ||
	    astshm_bucket_slot_any(table, (int64_t)(block->max_plus_one - 1)) < last)
		widen(block, slot_minimum(table, last));
	__atomic_store_n(&block->count, sum, __ATOMIC_RELEASE);
}

/* For the heir of the slot (thread.c, inherit). */
static void list_histogram(struct astshm_writer *writer, uint64_t **row, uint32_t index)
{
	struct writer_slot *slot = &writer->slots[astshm_thread.slot[writer->number]];

	writer_row_next(writer, row)[index] = slot->first_histogram;
	slot->first_histogram = index;
}

static void *touch_block(struct astshm_writer *writer, uint64_t **row, uint32_t index,
			 enum astshm_kind kind)
{
	void **home = &writer_row_home(writer, row)[index];

	if (!*home) {
		/* Relaxed, as in touch_counter. */
		__atomic_store_n(home, make_block(writer, index, kind), __ATOMIC_RELAXED);
		if (*home && kind != ASTSHM_KIND_GAUGE)
			list_histogram(writer, row, index);
		return *home;
	}
	/* Slot 0's, whose owners all come here: what a shut gate asks for was
	 * done by the one that opened it again. */
	if (row[index])
		return *home;
	struct astshm_block_header *head = *home;
	if (head->epoch != writer->header->epoch)
		restamp(writer, *home, kind);
	else if (kind != ASTSHM_KIND_GAUGE)
		mend(*home, kind);
	return *home;
}

static bool may_touch(const struct astshm_writer *writer, uint32_t index, enum astshm_kind kind)
{
	return writer->recording && !writer_process_forked() && index != 0 &&
	       index < writer->record_count && writer->records[index].series &&
	       writer->records[index].kind == kind;
}

void *writer_touch(struct astshm_writer *writer, uint32_t index, enum astshm_kind kind,
		   bool *shared)
{
	void *target = NULL;

	*shared = false;
	if (!writer_thread_is_shared(writer))
		writer_thread_prepare();
	pthread_mutex_lock(&writer->lock);
	/* The gate opens only after a look at the switch and, in touch_block,
	 * at the epoch: whoever changes them clears entries under this lock. */
	if (may_touch(writer, index, kind)) {
		uint64_t **row = writer_thread_row(writer);
		target = kind == ASTSHM_KIND_COUNTER ? touch_counter(writer, row, index)
						     : touch_block(writer, row, index, kind);
		if (target)
			writer_row_open(row, index, target);
		else
			writer_count_dropped(&writer->header->dropped_records);
		*shared = target && astshm_thread.slot[writer->number] == WRITER_SHARED_SLOT;
	}
	if (!*shared)
		pthread_mutex_unlock(&writer->lock);
	return target;
}
