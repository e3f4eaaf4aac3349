/* SPDX-License-Identifier: MIT */
#include "storage.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define SMALL_RUN_BYTES 16384u
#define PAGE_BYTES 4096u

static uint64_t round_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

static uint64_t coarse_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool writer_storage_full(const uint64_t *until_ns)
{
	/* Relaxed: a hint with an expiry date, decided again under the lock. */
	uint64_t until = __atomic_load_n(until_ns, __ATOMIC_RELAXED);
	return until != 0 && coarse_now_ns() < until;
}

void writer_storage_set_full(uint64_t *until_ns)
{
	__atomic_store_n(until_ns, coarse_now_ns() + WRITER_FULL_NS, __ATOMIC_RELAXED);
}

/* 0: no room, and why. */
static uint64_t try_frontier(struct astshm_writer *writer, uint64_t bytes, uint64_t align,
			     struct astshm_error *why)
{
	uint64_t off = round_up(writer->frontier, align);
	bool beyond = bytes > writer->segment.map_bytes ||
		      off > writer->segment.map_bytes - bytes;

	if (shm_grow(&writer->segment, beyond ? UINT64_MAX : off + bytes, why) < 0)
		return 0;
	writer->frontier = off + bytes;
	return off;
}

static uint64_t take_from_frontier(struct astshm_writer *writer, uint64_t bytes, uint64_t align)
{
	uint64_t off = try_frontier(writer, bytes, align, &writer->room.why);

	if (off == 0)
		writer_storage_set_full(&writer->full_until_ns);
	return off;
}

uint64_t writer_storage_try(struct astshm_writer *writer, uint64_t bytes)
{
	return try_frontier(writer, round_up(bytes, ASTSHM_SEGMENT_ALIGN), ASTSHM_SEGMENT_ALIGN,
			    NULL);
}

uint64_t writer_storage_alloc(struct astshm_writer *writer, uint64_t bytes)
{
	bytes = round_up(bytes, ASTSHM_SEGMENT_ALIGN);
	/* A line more than asked for: a histogram is six pages long, and end to
	 * end the same line of each would fall into one set of the L1 cache. */
	if (bytes >= PAGE_BYTES)
		return take_from_frontier(writer, bytes + ASTSHM_SEGMENT_ALIGN,
					  ASTSHM_SEGMENT_ALIGN);
	if (writer->small_end - writer->small_off < bytes) {
		uint64_t run = take_from_frontier(writer, SMALL_RUN_BYTES, PAGE_BYTES);
		if (run == 0)
			return 0;
		writer->small_off = run;
		writer->small_end = run + SMALL_RUN_BYTES;
	}
	uint64_t off = writer->small_off;
	writer->small_off += bytes;
	return off;
}

void *writer_table_reserve(struct astshm_writer *writer, struct astshm_segment_table *table,
			   uint32_t index)
{
	uint32_t extent, place;

	if (index >= table->limit) {
		shm_fail(&writer->room.why, -ENOSPC, "a table of %u elements is full",
			 table->limit);
		return NULL;
	}
	shm_table_locate(table->first, index, &extent, &place);
	if (table->extent_off[extent] == 0) {
		/* The last extent stops at the limit. */
		uint64_t elements = shm_table_extent_elements(table->first, extent);
		uint64_t rest = table->limit - (index - place);
		uint64_t off = writer_storage_alloc(
			writer, (elements < rest ? elements : rest) * table->stride);
		if (off == 0)
			return NULL;
		/* Published by the release of count that follows. */
		__atomic_store_n(&table->extent_off[extent], off, __ATOMIC_RELAXED);
	}
	return writer_at(writer, table->extent_off[extent] + (uint64_t)place * table->stride);
}

void writer_table_publish(struct astshm_segment_table *table, uint32_t count)
{
	/* Pairs with the acquire load of count in shm_table_element. */
	__atomic_store_n(&table->count, count, __ATOMIC_RELEASE);
}

void *writer_table_at(struct astshm_writer *writer, struct astshm_segment_table *table,
		      uint32_t index)
{
	uint32_t extent, place;

	shm_table_locate(table->first, index, &extent, &place);
	return writer_at(writer, table->extent_off[extent] + (uint64_t)place * table->stride);
}

uint64_t writer_string_store(struct astshm_writer *writer, const void *text, uint32_t length)
{
	if (length == 0)
		return 0;
	uint64_t off = writer_storage_alloc(writer, length);
	if (off == 0)
		return WRITER_NO_ROOM;
	memcpy(writer_at(writer, off), text, length);
	return ASTSHM_STRING_REF(off, length);
}
