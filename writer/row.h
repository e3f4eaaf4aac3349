/* SPDX-License-Identifier: MIT */
/*
 * Rows: a thread slot's private table of pointers into the segment.
 *
 *     entry[index]   what the inlined hot path loads: a counter's cell, or a
 *                    gauge's or histogram's block. NULL is the gate. The owner
 *                    sets it under the lock; anyone clears it under the lock.
 *     home[index]    the gauge's or histogram's block, gate open or not
 *     chunk[i]       the slot's block of counter chunk i
 *     next[index]    the histogram that follows on the list of those that the
 *                    slot has a block of (writer_slot.first_histogram)
 *
 * Lives in private memory that a forked child finds zeroed (MADV_WIPEONFORK):
 * every entry is then NULL, and the gate leads to a look at who is calling.
 */
#ifndef WRITER_ROW_H
#define WRITER_ROW_H

#include "state.h"

#define WRITER_RECENT_NAMES 64u
#define WRITER_FAMILIAR_BITS 9u

/*
 * In front of the entries of every row but the dummy one: the series that the
 * slot's thread recorded by name lately, twice. recent finds them by the hash
 * of their keys, familiar by where the caller's strings lie: a program mostly
 * records from the same lines of code with the same strings. Both are good
 * while writer->removals is what they were filled under (named.c).
 */
struct writer_row_header {
	uint64_t mapped_bytes; /* 0 once wiped by a fork */
	uint64_t **next_parked;
	uint64_t removals;
	uint64_t pad[5];
	struct {
		uint64_t hash;
		struct writer_series *series;
	} recent[WRITER_RECENT_NAMES];
	struct writer_familiar {
		uint64_t spot; /* what the addresses come to, see named.c */
		struct writer_series *series;
	} familiar[1u << WRITER_FAMILIAR_BITS];
};
_Static_assert(sizeof(struct writer_row_header) % 64 == 0, "entries start on a line");

static inline struct writer_row_header *writer_row_header(uint64_t **row)
{
	return (struct writer_row_header *)(void *)row - 1;
}

static inline uint64_t **writer_row_of(struct writer_row_header *header)
{
	return (uint64_t **)(void *)(header + 1);
}

/* The row that every thread starts with: zeroes, read-only. */
extern uint64_t *writer_dummy_row[WRITER_SERIES_LIMIT + 1];

/* A fresh row for `entries` handles, or NULL without memory. */
uint64_t **writer_row_create(size_t entries);
/* Unmaps a row of any writer; the dummy row and wiped rows are left alone. */
void writer_row_destroy(uint64_t **row);
/* Puts a row on a list of rows to be destroyed later. */
void writer_row_park(uint64_t ***list, uint64_t **row);
void writer_row_destroy_parked(uint64_t ***list);

static inline void **writer_row_home(const struct astshm_writer *writer, uint64_t **row)
{
	return (void **)(row + writer->row_entries);
}

static inline struct astshm_counter_block **
writer_row_chunks(const struct astshm_writer *writer, uint64_t **row)
{
	return (struct astshm_counter_block **)(void *)(row + 2 * writer->row_entries);
}

static inline uint32_t *writer_row_next(const struct astshm_writer *writer, uint64_t **row)
{
	return (uint32_t *)(void *)(writer_row_chunks(writer, row) +
				    writer->row_entries / ASTSHM_CHUNK_CELLS + 1);
}

/* Opens the gate of one entry; the owner, under the lock. Relaxed: the owner
 * alone needs it, and it is the owner's own program order that counts. */
static inline void writer_row_open(uint64_t **row, uint32_t index, void *target)
{
	__atomic_store_n(&row[index], (uint64_t *)target, __ATOMIC_RELAXED);
}

/* Closes the gate of one entry of any thread's row, under the lock. Relaxed:
 * a record that overlaps it falls on either side (astshm_row_entry). */
static inline void writer_row_shut(uint64_t **row, uint32_t index)
{
	__atomic_store_n(&row[index], NULL, __ATOMIC_RELAXED);
}

#endif
