/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <astshm/types.h>

#include "segment.h"
#include "segment_records.h"

/* A list that is longer runs in a circle, or is long enough. */
#define LIST_MAX 64u

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FIELD(type, member, meaning) \
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), meaning }
#define HEADER(member, meaning) FIELD(astshm_segment_header, member, meaning)
#define WORD(type, member, place, meaning) \
	{ offsetof(struct type, member) + 8 * (place), 8, meaning }

/* --- words -------------------------------------------------------------- */

static const struct segment_field header_fields[] = {
	HEADER(magic, MEANS_IDENTITY),
	HEADER(byte_order, MEANS_IDENTITY),
	HEADER(header_bytes, MEANS_SIZE),
	HEADER(major_version, MEANS_IDENTITY),
	HEADER(minor_version, MEANS_IDENTITY),
	HEADER(series_bytes, MEANS_SIZE),
	HEADER(family_bytes, MEANS_SIZE),
	HEADER(slot_bytes, MEANS_SIZE),
	HEADER(block_header_bytes, MEANS_SIZE),
	HEADER(chunk_cells, MEANS_COUNT),
	HEADER(histogram_slots, MEANS_COUNT),
	HEADER(histogram_scale, MEANS_NUMBER),
	HEADER(pid, MEANS_NUMBER),
	HEADER(pid_start_ticks, MEANS_NUMBER),
	HEADER(max_bytes, MEANS_SIZE),
	HEADER(generation, MEANS_NUMBER),
	HEADER(created_realtime_ns, MEANS_NUMBER),
	HEADER(created_monotonic_ns, MEANS_NUMBER),
	HEADER(tag_set_limit, MEANS_COUNT),
	HEADER(name_len, MEANS_COUNT),
	HEADER(name, MEANS_TEXT),
	HEADER(committed_bytes, MEANS_SIZE),
	HEADER(state, MEANS_STATE),
	HEADER(recording, MEANS_STATE),
	HEADER(heartbeat_monotonic_ns, MEANS_NUMBER),
	HEADER(heartbeat_period_ns, MEANS_NUMBER),
	HEADER(epoch, MEANS_EPOCH),
	HEADER(counters_epoch, MEANS_EPOCH),
	HEADER(reset_realtime_ns, MEANS_NUMBER),
	HEADER(reset_monotonic_ns, MEANS_NUMBER),
	HEADER(retiring, MEANS_EPOCH),
	HEADER(directory_changes, MEANS_EPOCH),
	HEADER(dropped_records, MEANS_NUMBER),
	HEADER(dropped_registrations, MEANS_NUMBER),
	HEADER(other_tag_sets, MEANS_NUMBER),
	WORD(astshm_segment_header, live_series, 0, MEANS_COUNT),
	WORD(astshm_segment_header, live_series, 3, MEANS_COUNT),
	HEADER(slot_waits, MEANS_NUMBER),
	HEADER(history_off, MEANS_OFFSET),
	HEADER(history_bytes, MEANS_SIZE),
};

static const struct segment_field table_fields[] = {
	FIELD(astshm_segment_table, stride, MEANS_SIZE),
	FIELD(astshm_segment_table, first, MEANS_COUNT),
	FIELD(astshm_segment_table, limit, MEANS_COUNT),
	FIELD(astshm_segment_table, count, MEANS_COUNT),
	WORD(astshm_segment_table, extent_off, 0, MEANS_OFFSET),
	WORD(astshm_segment_table, extent_off, 1, MEANS_OFFSET),
	WORD(astshm_segment_table, extent_off, 2, MEANS_OFFSET),
	WORD(astshm_segment_table, extent_off, ASTSHM_SEGMENT_EXTENTS - 1, MEANS_OFFSET),
};

static const struct segment_field family_fields[] = {
	FIELD(astshm_segment_family, name_ref, MEANS_STRING),
	FIELD(astshm_segment_family, unit_ref, MEANS_STRING),
	FIELD(astshm_segment_family, help_ref, MEANS_STRING),
	FIELD(astshm_segment_family, kind, MEANS_STATE),
	FIELD(astshm_segment_family, merge, MEANS_STATE),
};

static const struct segment_field series_fields[] = {
	FIELD(astshm_segment_series, state, MEANS_STATE),
	FIELD(astshm_segment_series, kind, MEANS_STATE),
	FIELD(astshm_segment_series, flags, MEANS_STATE),
	WORD(astshm_segment_series, base, 0, MEANS_NUMBER),
	WORD(astshm_segment_series, base, 1, MEANS_NUMBER),
	FIELD(astshm_segment_series, shown_epoch, MEANS_EPOCH),
	FIELD(astshm_segment_series, blocks_off, MEANS_OFFSET),
	FIELD(astshm_segment_series, shared_off, MEANS_OFFSET),
	FIELD(astshm_segment_series, cell, MEANS_INDEX),
	FIELD(astshm_segment_series, family, MEANS_INDEX),
	FIELD(astshm_segment_series, tags_ref, MEANS_STRING),
	FIELD(astshm_segment_series, created_realtime_ns, MEANS_NUMBER),
	FIELD(astshm_segment_series, tag_count, MEANS_COUNT),
};

static const struct segment_field slot_fields[] = {
	FIELD(astshm_segment_slot, state, MEANS_STATE),
	FIELD(astshm_segment_slot, owners, MEANS_COUNT),
	FIELD(astshm_segment_slot, tid, MEANS_NUMBER),
	FIELD(astshm_segment_slot, name, MEANS_TEXT),
	FIELD(astshm_segment_slot, since_realtime_ns, MEANS_NUMBER),
};

static const struct segment_field chunk_fields[] = { { 0, 8, MEANS_OFFSET } };

#define BLOCK_HEAD                                                \
	FIELD(astshm_block_header, index, MEANS_INDEX),           \
		FIELD(astshm_block_header, slot, MEANS_INDEX),    \
		FIELD(astshm_block_header, epoch, MEANS_EPOCH),   \
		FIELD(astshm_block_header, next_off, MEANS_OFFSET)

static const struct segment_field counter_fields[] = {
	BLOCK_HEAD,
	WORD(astshm_counter_block, cells, 0, MEANS_NUMBER),
	WORD(astshm_counter_block, cells, ASTSHM_CHUNK_CELLS - 1, MEANS_NUMBER),
};

static const struct segment_field gauge_fields[] = {
	BLOCK_HEAD,
	FIELD(astshm_gauge_block, current_rel, MEANS_OFFSET),
	FIELD(astshm_gauge_block, begin, MEANS_COUNT),
	FIELD(astshm_gauge_block, count, MEANS_COUNT),
	FIELD(astshm_gauge_block, sum, MEANS_DOUBLE),
	FIELD(astshm_gauge_block, min, MEANS_DOUBLE),
	FIELD(astshm_gauge_block, max, MEANS_DOUBLE),
};

static const struct segment_field histogram_fields[] = {
	BLOCK_HEAD,
	FIELD(astshm_histogram_block, count, MEANS_COUNT),
	FIELD(astshm_histogram_block, sum, MEANS_NUMBER),
	FIELD(astshm_histogram_block, sum_hi, MEANS_NUMBER),
	FIELD(astshm_histogram_block, min_inverse, MEANS_NUMBER),
	FIELD(astshm_histogram_block, max_plus_one, MEANS_NUMBER),
	WORD(astshm_histogram_block, slots, ASTSHM_HISTOGRAM_ZERO, MEANS_COUNT),
	WORD(astshm_histogram_block, slots, ASTSHM_HISTOGRAM_FIRST, MEANS_COUNT),
	WORD(astshm_histogram_block, slots, 2000, MEANS_COUNT),
	WORD(astshm_histogram_block, slots, ASTSHM_HISTOGRAM_LAST, MEANS_COUNT),
	WORD(astshm_histogram_block, slots, ASTSHM_HISTOGRAM_OVERFLOW, MEANS_COUNT),
};

static const struct segment_field history_fields[] = {
	FIELD(astshm_segment_history, header_bytes, MEANS_SIZE),
	FIELD(astshm_segment_history, entry_bytes, MEANS_SIZE),
	FIELD(astshm_segment_history, entry_count, MEANS_COUNT),
	FIELD(astshm_segment_history, chunk_bytes, MEANS_SIZE),
	FIELD(astshm_segment_history, period_ns, MEANS_NUMBER),
	FIELD(astshm_segment_history, coarse_period_ns, MEANS_NUMBER),
	FIELD(astshm_segment_history, fine_count, MEANS_COUNT),
	FIELD(astshm_segment_history, coarse_count, MEANS_COUNT),
	FIELD(astshm_segment_history, appended, MEANS_NUMBER),
	FIELD(astshm_segment_history, skipped, MEANS_NUMBER),
	FIELD(astshm_segment_history, chunks, MEANS_COUNT),
};

static const struct segment_field entry_fields[] = {
	FIELD(astshm_history_entry, sequence, MEANS_EPOCH),
	FIELD(astshm_history_entry, realtime_ns, MEANS_NUMBER),
	FIELD(astshm_history_entry, monotonic_ns, MEANS_NUMBER),
	FIELD(astshm_history_entry, uptime_ns, MEANS_NUMBER),
	FIELD(astshm_history_entry, epoch, MEANS_EPOCH),
	FIELD(astshm_history_entry, counters_epoch, MEANS_EPOCH),
	FIELD(astshm_history_entry, first_off, MEANS_OFFSET),
	FIELD(astshm_history_entry, bytes, MEANS_SIZE),
	FIELD(astshm_history_entry, series, MEANS_COUNT),
	FIELD(astshm_history_entry, flags, MEANS_STATE),
	FIELD(astshm_history_entry, threads, MEANS_COUNT),
	FIELD(astshm_history_entry, committed_bytes, MEANS_SIZE),
};

/* Words hold bytes of every length: which of them begins something is chance. */
static const struct segment_field history_chunk_fields[] = {
	FIELD(astshm_history_chunk, next_off, MEANS_OFFSET),
	WORD(astshm_history_chunk, words, 0, MEANS_NUMBER),
	WORD(astshm_history_chunk, words, 1, MEANS_NUMBER),
	FIELD(astshm_history_chunk, words, MEANS_TEXT),
};

static const struct segment_field cell_fields[] = { { 0, 8, MEANS_DOUBLE } };

#define SHAPE(name, bytes, fields) { name, bytes, fields, COUNT(fields) }

const struct segment_shape segment_shapes[RECORD_SORTS] = {
	[RECORD_HEADER] = SHAPE("header", sizeof(struct astshm_segment_header), header_fields),
	[RECORD_TABLE] = SHAPE("table", sizeof(struct astshm_segment_table), table_fields),
	[RECORD_FAMILY] = SHAPE("family", sizeof(struct astshm_segment_family), family_fields),
	[RECORD_SERIES] = SHAPE("series", sizeof(struct astshm_segment_series), series_fields),
	[RECORD_SLOT] = SHAPE("slot", sizeof(struct astshm_segment_slot), slot_fields),
	[RECORD_CHUNK] = SHAPE("chunk", sizeof(uint64_t), chunk_fields),
	[RECORD_COUNTER_BLOCK] =
		SHAPE("counter block", sizeof(struct astshm_counter_block), counter_fields),
	[RECORD_GAUGE_BLOCK] =
		SHAPE("gauge block", sizeof(struct astshm_gauge_block), gauge_fields),
	[RECORD_HISTOGRAM_BLOCK] =
		SHAPE("histogram block", sizeof(struct astshm_histogram_block), histogram_fields),
	[RECORD_HISTORY] =
		SHAPE("history", sizeof(struct astshm_segment_history), history_fields),
	[RECORD_HISTORY_ENTRY] =
		SHAPE("history entry", sizeof(struct astshm_history_entry), entry_fields),
	[RECORD_HISTORY_CHUNK] =
		SHAPE("history chunk", sizeof(struct astshm_history_chunk), history_chunk_fields),
	[RECORD_CELL] = SHAPE("cell", sizeof(uint64_t), cell_fields),
	[RECORD_TEXT] = { "text", 0, NULL, 0 },
};

/* --- an image ------------------------------------------------------------ */

uint64_t segment_get(const struct segment_image *image, size_t off, size_t bytes)
{
	uint32_t word = 0;
	uint64_t value = 0;

	if (!shm_in_bounds(off, bytes, image->size))
		return 0;
	if (bytes == 8)
		memcpy(&value, image->bytes + off, 8);
	else
		memcpy(&word, image->bytes + off, 4);
	return bytes == 8 ? value : word;
}

void segment_put(struct segment_image *image, size_t off, size_t bytes, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	if (!shm_in_bounds(off, bytes, image->size))
		return;
	if (bytes == 8)
		memcpy(image->bytes + off, &value, 8);
	else
		memcpy(image->bytes + off, &word, 4);
}

/* --- finding -------------------------------------------------------------- */

struct search {
	const struct segment_image *image;
	struct segment_records *records;
};

#define GET(search, off, type, member)                                          \
	segment_get((search)->image, (off) + offsetof(struct type, member),      \
		    sizeof(((struct type *)0)->member))

static bool add(struct search *search, enum segment_sort sort, uint32_t index, uint64_t off,
		uint64_t bytes)
{
	struct segment_records *records = search->records;

	if (!shm_in_bounds(off, bytes, search->image->size) ||
	    records->count == SEGMENT_RECORDS_MAX)
		return false;
	records->all[records->count++] =
		(struct segment_record){ sort, index, (size_t)off, (size_t)bytes };
	return true;
}

static bool add_shaped(struct search *search, enum segment_sort sort, uint32_t index, uint64_t off)
{
	return add(search, sort, index, off, segment_shapes[sort].bytes);
}

static void add_text(struct search *search, uint32_t index, uint64_t ref)
{
	if (ASTSHM_STRING_LEN(ref) > 0)
		add(search, RECORD_TEXT, index, ASTSHM_STRING_OFF(ref), ASTSHM_STRING_LEN(ref));
}

static void add_list(struct search *search, enum segment_sort sort, uint32_t index, uint64_t off)
{
	for (uint32_t i = 0; i < LIST_MAX && off != 0; i++) {
		if (!add_shaped(search, sort, index, off))
			return;
		off = GET(search, off, astshm_block_header, next_off);
	}
}

static void add_family(struct search *search, uint32_t index, uint64_t off)
{
	add_text(search, index, GET(search, off, astshm_segment_family, name_ref));
	add_text(search, index, GET(search, off, astshm_segment_family, unit_ref));
	add_text(search, index, GET(search, off, astshm_segment_family, help_ref));
}

static void add_series(struct search *search, uint32_t index, uint64_t off)
{
	uint64_t kind = GET(search, off, astshm_segment_series, kind);
	uint64_t shared = GET(search, off, astshm_segment_series, shared_off);
	enum segment_sort blocks = kind == ASTSHM_KIND_GAUGE ? RECORD_GAUGE_BLOCK :
							       RECORD_HISTOGRAM_BLOCK;

	add_text(search, index, GET(search, off, astshm_segment_series, tags_ref));
	if (shared != 0)
		add_shaped(search, RECORD_CELL, index, shared);
	if (kind != ASTSHM_KIND_COUNTER)
		add_list(search, blocks, index,
			 GET(search, off, astshm_segment_series, blocks_off));
}

static void add_chunk(struct search *search, uint32_t index, uint64_t off)
{
	add_list(search, RECORD_COUNTER_BLOCK, index, segment_get(search->image, off, 8));
}

/* 0: out of reach. */
static uint64_t element_at(struct search *search, uint64_t table, uint32_t index)
{
	uint32_t first = (uint32_t)GET(search, table, astshm_segment_table, first);
	uint64_t stride = GET(search, table, astshm_segment_table, stride);
	uint32_t extent, place;

	if (first == 0)
		return 0;
	shm_table_locate(first, index, &extent, &place);
	if (extent >= ASTSHM_SEGMENT_EXTENTS)
		return 0;
	uint64_t off = segment_get(
		search->image,
		table + offsetof(struct astshm_segment_table, extent_off) + 8 * extent, 8);
	return off == 0 ? 0 : off + place * stride;
}

static void add_table(struct search *search, size_t table, enum segment_sort sort,
		      void (*more)(struct search *search, uint32_t index, uint64_t off))
{
	uint64_t count = GET(search, table, astshm_segment_table, count);

	add_shaped(search, RECORD_TABLE, 0, table);
	if (count > SEGMENT_RECORDS_MAX)
		count = SEGMENT_RECORDS_MAX;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t off = element_at(search, table, i);

		if (off != 0 && add_shaped(search, sort, i, off) && more)
			more(search, i, off);
	}
}

static void add_history_chunks(struct search *search, uint32_t index, uint64_t off)
{
	for (uint32_t i = 0; i < LIST_MAX && off != 0; i++) {
		if (!add_shaped(search, RECORD_HISTORY_CHUNK, index, off))
			return;
		off = GET(search, off, astshm_history_chunk, next_off);
	}
}

static void add_history(struct search *search, uint64_t history)
{
	uint64_t count = GET(search, history, astshm_segment_history, entry_count);
	uint64_t stride = GET(search, history, astshm_segment_history, entry_bytes);
	uint64_t off = history + GET(search, history, astshm_segment_history, header_bytes);

	if (history == 0 || !add_shaped(search, RECORD_HISTORY, 0, history))
		return;
	for (uint32_t i = 0; i < count && i < SEGMENT_RECORDS_MAX; i++, off += stride)
		if (add_shaped(search, RECORD_HISTORY_ENTRY, i, off))
			add_history_chunks(search, i,
					   GET(search, off, astshm_history_entry, first_off));
}

void segment_find(const struct segment_image *image, struct segment_records *records)
{
	struct search search = { image, records };

	records->count = 0;
	if (!add_shaped(&search, RECORD_HEADER, 0, 0))
		return;
	add_table(&search, offsetof(struct astshm_segment_header, families), RECORD_FAMILY,
		  add_family);
	add_table(&search, offsetof(struct astshm_segment_header, series), RECORD_SERIES,
		  add_series);
	add_table(&search, offsetof(struct astshm_segment_header, chunks), RECORD_CHUNK, add_chunk);
	add_table(&search, offsetof(struct astshm_segment_header, slots), RECORD_SLOT, NULL);
	add_history(&search, GET(&search, 0, astshm_segment_header, history_off));
}

size_t segment_used(const struct segment_records *records)
{
	size_t end = 0;

	for (size_t i = 0; i < records->count; i++)
		if (records->all[i].off + records->all[i].bytes > end)
			end = records->all[i].off + records->all[i].bytes;
	return end;
}
