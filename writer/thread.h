/* SPDX-License-Identifier: MIT */
/*
 * Threads and their slots. A slot outlives its thread: the next thread takes it
 * with its counts and its row and goes on adding, so sums stay monotonic and
 * memory is bounded by the most threads that lived at once.
 */
#ifndef WRITER_THREAD_H
#define WRITER_THREAD_H

#include "state.h"

#define WRITER_SHARED_SLOT 0u

/* Values of astshm_thread.state. */
#define WRITER_THREAD_EXITED 1u

/*
 * What this thread needs before it can take the lock and a slot: the exit hook
 * and its registration with liburcu. Never under the lock (fork.c).
 */
void writer_thread_prepare(void);

/*
 * Under the lock: gives the calling thread a slot of the writer if it has none
 * and one can be had. Returns its row: its own, or that of the shared slot.
 */
uint64_t **writer_thread_row(struct astshm_writer *writer);

/* Under the lock, at open: makes slot 0. -ENOSPC, -ENOMEM. */
int writer_thread_init_slots(struct astshm_writer *writer);

/*
 * Without the lock: does this thread share slot 0 and need not ask again?
 * False for a thread that never asked or that may get a slot by now.
 */
static inline bool writer_thread_is_shared(const struct astshm_writer *writer)
{
	uint32_t number = writer->number;
	/* Relaxed: wrong answers lead to the lock, where it is decided. */
	return astshm_thread.generation[number] ==
		       __atomic_load_n(&writer->generation, __ATOMIC_RELAXED) &&
	       astshm_thread.slot[number] == WRITER_SHARED_SLOT &&
	       (astshm_thread.state == WRITER_THREAD_EXITED ||
		astshm_thread.slot_try[number] ==
			__atomic_load_n(&writer->slots_freed, __ATOMIC_RELAXED));
}

/*
 * Under the lock, at close: points every thread at the dummy row. A row kept
 * from this segment would be read past its end by a handle of the next one, if
 * that has more series. The rows are parked.
 */
void writer_thread_leave_all(struct astshm_writer *writer);

/* In a forked child: the thread that forked starts over. */
void writer_thread_forget(void);

#endif
