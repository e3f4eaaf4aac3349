/* SPDX-License-Identifier: MIT */
/*
 * The cold side of recording through handles: what the inlined functions call
 * behind a null entry.
 */
#include "fork.h"
#include "row.h"
#include "thread.h"
#include "touch.h"

/* The writer to record into, or NULL: null handle, off, closed or forked. */
static struct astshm_writer *usable(uint32_t number, uint32_t index)
{
	struct astshm_writer *writer = writer_of(number);

	if (!writer || index == 0 || !astshm_writer_recording(writer) || writer_process_forked())
		return NULL;
	if (writer_touch_hopeless(writer, index)) {
		writer_count_dropped(&writer->header->dropped_records);
		return NULL;
	}
	return writer;
}

/* Threads without a slot of their own: counters need no lock even there. */
static uint64_t *shared_cell(const struct astshm_writer *writer, uint32_t index)
{
	if (!writer_thread_is_shared(writer) || index >= writer->row_entries)
		return NULL;
	return __atomic_load_n(&writer->slots[WRITER_SHARED_SLOT].row[index], __ATOMIC_RELAXED);
}

static void shared_add(uint64_t *cell, uint64_t amount)
{
	/* Relaxed: a sum, ordered with nothing. */
	(void)__atomic_fetch_add(cell, amount, __ATOMIC_RELAXED);
}

void astshm_counter_add_cold(uint64_t index, uint64_t number, uint64_t amount)
{
	struct astshm_writer *writer = writer_of(number);
	bool shared;

	if (!writer || index == 0 || !astshm_writer_recording(writer) ||
	    writer_process_forked())
		return;
	uint64_t *cell = shared_cell(writer, index);
	if (cell) {
		shared_add(cell, amount);
		return;
	}
	if (!usable(number, index))
		return;
	cell = writer_touch(writer, index, ASTSHM_KIND_COUNTER, &shared);
	if (!cell)
		return;
	if (shared) {
		shared_add(cell, amount);
		pthread_mutex_unlock(&writer->lock);
	} else {
		astshm_cell_add(cell, amount);
	}
}

void astshm_counter_sub_checked(struct astshm_counter counter, uint64_t amount)
{
	struct astshm_writer *writer = writer_of(counter.writer);

	if (!writer || !astshm_writer_recording(writer) || counter.index >= writer->row_entries)
		return;
	/* Acquire: pairs with the release in writer_registry_make_up_down; readers
	 * must see the flag before they see the counter fall. */
	if (!__atomic_load_n(&writer->records[counter.index].up_down, __ATOMIC_ACQUIRE))
		return;
	uint64_t *cell = astshm_row_entry(counter.writer, counter.index);
	if (ASTSHM_LIKELY(cell != NULL))
		astshm_cell_add(cell, 0 - amount);
	else
		astshm_counter_add_cold(counter.index, counter.writer, 0 - amount);
}

void astshm_counter_add_signal(struct astshm_counter counter, uint64_t amount)
{
	struct astshm_writer *writer = writer_of(counter.writer);

	if (!writer || !astshm_writer_recording(writer) || counter.index >= writer->row_entries)
		return;
	/* Acquire: pairs with the release in registry.c; the cell is zeroed.
	 * In a forked child the table reads as NULL. */
	uint64_t *cell = __atomic_load_n(&writer->signal_cells[counter.index], __ATOMIC_ACQUIRE);
	if (cell)
		shared_add(cell, amount);
}

static void gauge_raise(struct astshm_gauge_block *block, double amount)
{
	astshm_gauge_sample(block, astshm_gauge_fetch_add(astshm_gauge_current(block), amount));
}

static void record_gauge(uint32_t number, uint32_t index, double value,
			 void (*apply)(struct astshm_gauge_block *block, double value))
{
	struct astshm_writer *writer = usable(number, index);
	bool shared;

	if (!writer)
		return;
	struct astshm_gauge_block *block =
		writer_touch(writer, index, ASTSHM_KIND_GAUGE, &shared);
	if (block)
		apply(block, value);
	if (shared)
		pthread_mutex_unlock(&writer->lock);
}

void astshm_gauge_set_cold(uint64_t index, uint64_t number, double value)
{
	record_gauge(number, index, value, astshm_gauge_store);
}

void astshm_gauge_add_cold(uint64_t index, uint64_t number, double amount)
{
	record_gauge(number, index, amount, gauge_raise);
}

static void record_histogram(uint32_t number, uint32_t index, enum astshm_kind kind,
			     const uint64_t *table, int64_t value)
{
	struct astshm_writer *writer = usable(number, index);
	bool shared;

	if (!writer)
		return;
	struct astshm_histogram_block *block = writer_touch(writer, index, kind, &shared);
	if (block)
		astshm_histogram_record(block, table, value);
	if (shared)
		pthread_mutex_unlock(&writer->lock);
}

void astshm_timing_record_cold(uint64_t index, uint64_t number, int64_t ns)
{
	record_histogram(number, index, ASTSHM_KIND_TIMING, astshm_timing_table, ns);
}

void astshm_distribution_record_cold(uint64_t index, uint64_t number, int64_t value)
{
	record_histogram(number, index, ASTSHM_KIND_DISTRIBUTION,
			 astshm_distribution_table, value);
}

/*
 * Zero, negative (counted as zero) and overflowing values, in the order of
 * astshm_histogram_record.
 */
void astshm_histogram_record_edge(struct astshm_histogram_block *block, int64_t value)
{
	uint64_t sample = value > 0 ? (uint64_t)value : 0;
	uint32_t slot = sample == 0 ? ASTSHM_HISTOGRAM_ZERO : ASTSHM_HISTOGRAM_OVERFLOW;

	astshm_cell_add(&block->slots[slot], 1);
	/* Each release orders the store after all before it, for the reader
	 * that goes the other way (readers/collect.c). */
	if (~sample > block->min_inverse)
		__atomic_store_n(&block->min_inverse, ~sample, __ATOMIC_RELEASE);
	if (sample >= block->max_plus_one)
		__atomic_store_n(&block->max_plus_one, sample + 1, __ATOMIC_RELEASE);
	uint64_t sum = block->sum + sample;
	if (sum < sample)
		__atomic_store_n(&block->sum_hi, block->sum_hi + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&block->sum, sum, __ATOMIC_RELEASE);
	__atomic_store_n(&block->count, block->count + 1, __ATOMIC_RELEASE);
}
