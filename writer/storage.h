/* SPDX-License-Identifier: MIT */
/*
 * Room inside the segment: a bump allocator that grows the file, growing
 * tables, strings. Everything here is called with the writer's lock held.
 */
#ifndef WRITER_STORAGE_H
#define WRITER_STORAGE_H

#include "state.h"

/*
 * `bytes` zeroed bytes at a multiple of 64, or 0: no room (the sticky "full" is
 * set). Never given back, never moved.
 */
uint64_t writer_storage_alloc(struct astshm_writer *writer, uint64_t bytes);

/* The same for what can do without: no room is not "full". */
uint64_t writer_storage_try(struct astshm_writer *writer, uint64_t bytes);

/*
 * The sticky "full": believed for a second, so that a full segment costs a
 * record one look at the coarse clock (vDSO) and no lock.
 */
bool writer_storage_full(const uint64_t *until_ns);
void writer_storage_set_full(uint64_t *until_ns);

/*
 * Makes sure that element `index` of the table has room and returns it; the
 * caller fills it and then calls writer_table_publish. NULL: no room.
 */
void *writer_table_reserve(struct astshm_writer *writer, struct astshm_segment_table *table,
			   uint32_t index);
/* Elements [0, count) are complete. Pairs with readers' acquire of count. */
void writer_table_publish(struct astshm_segment_table *table, uint32_t count);
/* An element that exists. */
void *writer_table_at(struct astshm_writer *writer, struct astshm_segment_table *table,
		      uint32_t index);

/* A new string in the segment; 0 for the empty string, UINT64_MAX: no room. */
#define WRITER_NO_ROOM UINT64_MAX
uint64_t writer_string_store(struct astshm_writer *writer, const void *text, uint32_t length);

/* Raises a word that only the lock's holder writes; readers load it relaxed. */
static inline void writer_word_add(uint64_t *word, uint64_t amount)
{
	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + amount,
			 __ATOMIC_RELAXED);
}

/* Zeroes words that readers may be looking at: 8 bytes a store, relaxed; what
 * orders them stands where it is called. */
static inline void writer_words_zero(uint64_t *from, const uint64_t *end)
{
	for (; from < end; from++)
		__atomic_store_n(from, 0, __ATOMIC_RELAXED);
}

/* Something in the directory changed that is not an appended element: pairs
 * with the acquire load in readers/directory.c. */
static inline void writer_directory_changed(struct astshm_writer *writer)
{
	uint64_t *word = &writer->header->directory_changes;
	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + 1, __ATOMIC_RELEASE);
}

#endif
