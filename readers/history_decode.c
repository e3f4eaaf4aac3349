/* SPDX-License-Identifier: MIT */
/*
 * An entry of the history as the snapshot that it was. The bytes are a private
 * copy, but still a stranger's: every number may be anything. The other side is
 * history_encode.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "snapshot.h"

static uint64_t get(struct history_cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (cursor->at >= cursor->size)
			break;
		uint8_t byte = cursor->bytes[cursor->at++];
		value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	cursor->bad = true;
	return 0;
}

static int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (~(value & 1) + 1));
}

static double get_double(struct history_cursor *cursor)
{
	double value = 0.0;
	if (cursor->size - cursor->at < sizeof value) {
		cursor->bad = true;
		return value;
	}
	memcpy(&value, cursor->bytes + cursor->at, sizeof value);
	cursor->at += (uint32_t)sizeof value;
	return value;
}

static void get_gauge(struct history_cursor *cursor, struct astshm_gauge_value *gauge)
{
	*gauge = (struct astshm_gauge_value){ .current = get_double(cursor) };
	gauge->count = get(cursor);
	if (gauge->count == 0)
		return;
	gauge->sum = get_double(cursor);
	gauge->min = get_double(cursor);
	gauge->max = get_double(cursor);
}

/* The next half byte; 0 past the end. */
static unsigned get_bits(struct history_cursor *cursor, bool *half)
{
	if (*half) {
		*half = false;
		return cursor->bytes[cursor->at - 1] >> 4;
	}
	if (cursor->at >= cursor->size) {
		cursor->bad = true;
		return 0;
	}
	*half = true;
	return cursor->bytes[cursor->at++] & 15;
}

static uint64_t get_half(struct history_cursor *cursor, bool *half)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 3) {
		unsigned bits = get_bits(cursor, half);
		value |= (uint64_t)(bits & 7) << shift;
		if ((bits & 8) == 0)
			return value;
	}
	cursor->bad = true;
	return 0;
}

/* Into `slots`, or only past them where that is NULL. Returns their sum. */
static uint64_t get_slots(struct history_cursor *cursor, uint64_t *slots, uint64_t count)
{
	uint64_t total = 0;
	bool half = false;
	for (uint64_t i = 0; i < count && !cursor->bad; i++) {
		uint64_t value = get_half(cursor, &half);
		total += value;
		if (slots != NULL)
			slots[i] = value;
		uint64_t more = value == 0 ? get_half(cursor, &half) : 0;
		if (more > count - i - 1)
			cursor->bad = true;
		else
			i += more; /* zero already */
	}
	return total;
}

/* slots: room for them, or NULL. */
static void get_histogram(struct history_cursor *cursor, struct astshm_histogram *histogram,
			  uint64_t *slots)
{
	*histogram = (struct astshm_histogram){
		.first_slot = ASTSHM_HISTOGRAM_FIRST,
		.has_buckets = true,
		.has_extremes = true,
		.count = get(cursor),
	};
	if (histogram->count == 0)
		return;
	histogram->sum = get(cursor);
	histogram->sum_hi = get(cursor);
	histogram->has_extremes = get(cursor) != 0;
	histogram->min = get(cursor);
	histogram->max = get(cursor);
	histogram->has_extremes &= histogram->min <= histogram->max;
	histogram->zero_count = get(cursor);
	histogram->overflow_count = get(cursor);
	uint64_t first = get(cursor), count = get(cursor);
	if (first < ASTSHM_HISTOGRAM_FIRST || first > ASTSHM_HISTOGRAM_LAST + 1 ||
	    count > ASTSHM_HISTOGRAM_LAST + 1 - first) {
		cursor->bad = true;
		return;
	}
	histogram->first_slot = (uint32_t)first;
	histogram->slot_count = (uint32_t)count;
	histogram->slots = slots;
	uint64_t total = get_slots(cursor, slots, count);
	/* The count is always the sum of the slots: readers rely on it. */
	if (total + histogram->zero_count + histogram->overflow_count != histogram->count)
		cursor->bad = true;
}

static void pass_over(struct history_cursor *cursor, struct history_value *value)
{
	struct astshm_histogram histogram;
	struct astshm_gauge_value gauge;
	switch (value->kind) {
	case ASTSHM_KIND_COUNTER:
		(void)get(cursor);
		break;
	case ASTSHM_KIND_GAUGE:
		get_gauge(cursor, &gauge);
		break;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		get_histogram(cursor, &histogram, NULL);
		value->slots = histogram.slot_count;
		break;
	}
}

bool history_next(struct history_cursor *cursor, struct history_value *value)
{
	if (cursor->at >= cursor->size || cursor->bad)
		return false;
	uint64_t head = get(cursor);
	cursor->index += (uint64_t)unzigzag(head >> HISTORY_KIND_BITS);
	value->kind = (enum astshm_kind)((head & (HISTORY_MONOTONIC - 1)) + 1);
	value->monotonic = (head & HISTORY_MONOTONIC) != 0;
	value->index = cursor->index;
	value->generation = get(cursor);
	value->at = cursor->at;
	value->slots = 0;
	if (!cursor->bad)
		pass_over(cursor, value);
	return !cursor->bad;
}

static struct history_cursor cursor_at(const struct history_entry *entry,
				       const struct history_value *value)
{
	struct history_cursor cursor = history_cursor(entry);
	cursor.at = value->at;
	return cursor;
}

void history_gauge(const struct history_entry *entry, const struct history_value *value,
		   struct astshm_gauge_value *gauge)
{
	struct history_cursor cursor = cursor_at(entry, value);
	get_gauge(&cursor, gauge);
}

struct history_names history_names_of(const struct astshm_reader *reader,
				      const struct astshm_segment_info *segment)
{
	return (struct history_names){
		.rows = reader->directory.rows,
		.row_count = reader->directory.row_count,
		.entry_count = reader->directory.entry_count,
		.names = reader->directory.names,
		.segment = segment,
	};
}

/* --- a snapshot --------------------------------------------------------- */

/* What an entry says of series by index; kind 0: nothing. */
static int find_values(const struct history_names *names, const struct history_entry *entry,
		       struct history_value **values, uint64_t *bad)
{
	struct history_cursor cursor = history_cursor(entry);
	struct history_value value;
	struct history_value *found = calloc((size_t)names->entry_count + 1, sizeof *found);
	if (found == NULL)
		return -ENOMEM;
	while (history_next(&cursor, &value))
		if (value.index < names->entry_count)
			found[value.index] = value;
	*bad += cursor.bad;
	*values = found;
	return 0;
}

static int fill_values(const struct history_entry *entry, const struct history_value *value,
		       struct astshm_snapshot *snapshot, struct astshm_series *series)
{
	struct history_cursor cursor = cursor_at(entry, value);
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER: {
		uint64_t number = get(&cursor);
		series->counter.value = series->monotonic ? (int64_t)number : unzigzag(number);
		return 0;
	}
	case ASTSHM_KIND_GAUGE:
		get_gauge(&cursor, &series->gauge);
		return 0;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		break;
	}
	/* As many as history_next found there. */
	uint64_t *slots = reader_arena_array(snapshot->arena, value->slots, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	get_histogram(&cursor, &series->histogram, slots);
	return 0;
}

/* What the entry says of a row's series, or NULL. A record that is used again
 * since, or by another kind, is another series. */
static const struct history_value *value_of(const struct directory_row *row,
					    const struct history_value *values)
{
	const struct history_value *value = &values[row->index];
	if (value->kind != row->series.kind ||
	    value->generation != ASTSHM_SERIES_GENERATION(row->state_word))
		return NULL;
	return value;
}

/* In one piece, and its pages at once: most of the time would go there. */
static void reserve(const struct history_names *names, const struct history_value *values,
		    struct astshm_snapshot *snapshot)
{
	size_t bytes = 0;
	for (uint32_t i = 0; i < names->row_count; i++) {
		const struct history_value *value = value_of(&names->rows[i], values);
		bytes += value != NULL ? value->slots * sizeof(uint64_t) + 16 : 0;
	}
	reader_arena_reserve(snapshot->arena, bytes, true);
}

/* By the directory's order, so sorted. */
static int fill_series(const struct history_names *names, const struct history_entry *entry,
		       const struct history_value *values, struct astshm_snapshot *snapshot)
{
	reserve(names, values, snapshot);
	for (uint32_t i = 0; i < names->row_count; i++) {
		const struct directory_row *row = &names->rows[i];
		const struct history_value *value = value_of(row, values);
		if (value == NULL)
			continue;
		struct astshm_series *series = &snapshot->series[snapshot->series_count++];
		directory_begin_series(row, series);
		series->monotonic = value->monotonic;
		int code = fill_values(entry, value, snapshot, series);
		if (code != 0)
			return code;
	}
	return snapshot_finish(snapshot);
}

static int fill_head(const struct history_names *names, const struct history_entry *entry,
		     struct astshm_snapshot *snapshot)
{
	const struct astshm_history_entry *head = &entry->head;
	struct astshm_segment_info *segment = &snapshot->segment;
	snapshot->timestamp_ns = head->realtime_ns;
	snapshot->monotonic_ns = head->monotonic_ns;
	snapshot->uptime_ns = head->uptime_ns;
	snapshot->has_segment = true;
	*segment = *names->segment;
	segment->state = ASTSHM_STATE_LIVE; /* it was, then */
	segment->recording = head->recording != 0;
	segment->epoch = head->epoch;
	segment->counters_epoch = head->counters_epoch;
	segment->heartbeat_age_ns = 0; /* the tick that wrote it is the beat */
	segment->bytes = head->committed_bytes;
	segment->threads = head->threads;
	segment->dropped = head->dropped;
	segment->other_tag_sets = head->other_tag_sets;
	segment->torn = head->torn;
	segment->bad_records = 0;
	segment->name = reader_arena_text(snapshot->arena, names->segment->name,
					  strlen(names->segment->name));
	return segment->name != NULL ? 0 : -ENOMEM;
}

int history_decode(const struct history_names *names, const struct history_entry *entry,
		   struct astshm_snapshot **snapshot)
{
	struct history_value *values = NULL;
	struct astshm_snapshot *made = snapshot_create();
	if (made == NULL)
		return -ENOMEM;
	int code = fill_head(names, entry, made);
	if (code == 0)
		code = snapshot_hold(made, names->names);
	if (code == 0)
		code = find_values(names, entry, &values, &made->segment.bad_records);
	made->series = reader_arena_array(made->arena, (size_t)names->row_count + 1,
					  sizeof *made->series);
	if (code == 0)
		code = made->series != NULL ? fill_series(names, entry, values, made) : -ENOMEM;
	free(values);
	if (code != 0) {
		astshm_snapshot_free(&made);
		return code;
	}
	*snapshot = made;
	return 0;
}
