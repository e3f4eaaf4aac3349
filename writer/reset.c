/* SPDX-License-Identifier: MIT */
/*
 * reset and reset_counters: nothing is zeroed here and no other thread's cell
 * is written, so every thread may record meanwhile.
 */
#include "fork.h"
#include "gate.h"
#include "row.h"
#include "storage.h"

struct sum {
	uint32_t place;
	uint64_t total;
};

static void add_cell(struct astshm_writer *writer, void *block, void *context)
{
	const struct astshm_counter_block *counters = block;
	struct sum *sum = context;

	(void)writer;
	sum->total += __atomic_load_n(&counters->cells[sum->place], __ATOMIC_RELAXED);
}

static uint64_t counter_total(struct astshm_writer *writer, const struct writer_record *record)
{
	struct sum sum = { record->cell % ASTSHM_CHUNK_CELLS, 0 };
	const uint64_t *head = writer_table_at(writer, &writer->header->chunks,
					       record->cell / ASTSHM_CHUNK_CELLS);

	writer_each_block(writer, *head, add_cell, &sum);
	if (record->signal_safe)
		sum.total += __atomic_load_n((uint64_t *)writer_at(writer, record->shared_off),
					     __ATOMIC_RELAXED);
	return sum.total;
}

/*
 * Writes the baseline of the next counters' epoch, then makes it current. The
 * fence keeps these stores behind the previous bump: a reader that meets one
 * of them in the half it believes current finds the epoch changed. The bump is
 * released after them: a reader of the new epoch has its baselines.
 */
static void rebase_counters(struct astshm_writer *writer)
{
	uint64_t epoch = writer->header->counters_epoch;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (uint32_t i = 1; i < writer->record_count; i++) {
		const struct writer_record *record = &writer->records[i];
		if (record->kind != ASTSHM_KIND_COUNTER)
			continue;
		struct astshm_segment_series *series =
			writer_table_at(writer, &writer->header->series, i);
		/* Up-down counters are states: their baseline stays. */
		uint64_t base = record->up_down ? series->base[epoch & 1]
						: counter_total(writer, record);
		__atomic_store_n(&series->base[(epoch + 1) & 1], base, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&writer->header->counters_epoch, epoch + 1, __ATOMIC_RELEASE);
}

static bool lock_open(struct astshm_writer *writer)
{
	if (!writer_is_reachable(writer))
		return false;
	pthread_mutex_lock(&writer->lock);
	if (writer->generation && !writer->foreign)
		return true;
	pthread_mutex_unlock(&writer->lock);
	return false;
}

void astshm_reset_counters(struct astshm_writer *writer)
{
	if (!lock_open(writer))
		return;
	rebase_counters(writer);
	pthread_mutex_unlock(&writer->lock);
}

void astshm_reset(struct astshm_writer *writer)
{
	if (!lock_open(writer))
		return;
	struct astshm_segment_header *header = writer->header;
	rebase_counters(writer);
	__atomic_store_n(&header->reset_realtime_ns, shm_realtime_ns(), __ATOMIC_RELAXED);
	__atomic_store_n(&header->reset_monotonic_ns, shm_monotonic_ns(), __ATOMIC_RELAXED);
	uint64_t epoch = header->epoch + 1;
	__atomic_store_n(&header->epoch, epoch, __ATOMIC_RELEASE);
	__atomic_store_n(&writer->epoch, epoch, __ATOMIC_RELAXED);
	/* The epoch first, then the gates: a thread that goes on through an
	 * entry not yet cleared counts for the old epoch; one that finds it
	 * cleared restamps its block for the new one (touch.c). The other way
	 * round, and without the lock over both, it could open the gate again
	 * before the bump and count into a block that readers no longer look at,
	 * for good (tests/model/reset.py, reset_block). */
	writer_gate_shut_stamped(writer);
	pthread_mutex_unlock(&writer->lock);
}
