/* SPDX-License-Identifier: MIT */
/*
 * A pass as an entry of the history: what the writer's tick appends. Numbers
 * are base 128, low group first, the top bit set on all bytes but the last
 * (LEB128); the many small counts of a histogram come in half bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "history.h"
#include "snapshot.h"

#define NUMBER_MOST 11u /* bytes, of 64 bits either way */
/* A histogram with a number for each slot; everything else takes less. */
#define SERIES_MOST ((ASTSHM_HISTOGRAM_SLOTS + 16) * NUMBER_MOST)

/* Grows in the reader's memory, which the next entry finds as it is: fresh pages
 * would cost more than all that is put into them. */
struct encoder {
	struct history_bytes *bytes;
	uint8_t *end;
	int64_t index; /* of the series before */
	uint32_t series;
	bool no_memory;
};

static bool has_room(struct encoder *encoder)
{
	struct history_bytes *bytes = encoder->bytes;
	size_t used = bytes->start != NULL ? (size_t)(encoder->end - bytes->start) : 0;
	if (bytes->room - used >= SERIES_MOST)
		return true;
	size_t room = bytes->room * 2 + SERIES_MOST;
	uint8_t *moved = realloc(bytes->start, room);
	if (moved == NULL)
		return false;
	bytes->start = moved;
	bytes->room = room;
	encoder->end = moved + used;
	return true;
}

static void put(struct encoder *encoder, uint64_t value)
{
	uint8_t *p = encoder->end;
	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	encoder->end = p;
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static void put_double(struct encoder *encoder, double value)
{
	memcpy(encoder->end, &value, sizeof value);
	encoder->end += sizeof value;
}

static void put_counter(struct encoder *encoder, const struct astshm_series *series)
{
	int64_t value = series->counter.value;
	put(encoder, series->monotonic ? (uint64_t)value : zigzag(value));
}

static void put_gauge(struct encoder *encoder, const struct astshm_gauge_value *gauge)
{
	put_double(encoder, gauge->current);
	put(encoder, gauge->count);
	if (gauge->count == 0)
		return;
	put_double(encoder, gauge->sum);
	put_double(encoder, gauge->min);
	put_double(encoder, gauge->max);
}

/* Half bytes, the low one first. */
struct halves {
	uint8_t *end;
	bool half; /* the last byte has room for one more */
};

/* Three bits in each, the top bit set on all but the last. */
static void put_half(struct halves *halves, uint64_t value)
{
	for (;; value >>= 3) {
		uint8_t bits = (uint8_t)((value & 7) | (value >= 8 ? 8 : 0));
		if (halves->half)
			halves->end[-1] |= (uint8_t)(bits << 4);
		else
			*halves->end++ = bits;
		halves->half = !halves->half;
		if (value < 8)
			return;
	}
}

/* Most counts are small, so they come in half bytes. A zero is followed by how many
 * more come after it. */
static void put_slots(struct encoder *encoder, const uint64_t *slots, uint32_t count)
{
	struct halves halves = { .end = encoder->end };
	for (uint32_t i = 0; i < count; i++) {
		put_half(&halves, slots[i]);
		if (slots[i] != 0)
			continue;
		uint32_t first = i;
		while (i + 1 < count && slots[i + 1] == 0)
			i++;
		put_half(&halves, i - first);
	}
	encoder->end = halves.end;
}

static void put_histogram(struct encoder *encoder, const struct astshm_histogram *histogram)
{
	uint32_t low = 0, high = histogram->slot_count;
	put(encoder, histogram->count);
	if (histogram->count == 0)
		return;
	while (high > low && histogram->slots[high - 1] == 0)
		high--;
	while (low < high && histogram->slots[low] == 0)
		low++;
	put(encoder, histogram->sum);
	put(encoder, histogram->sum_hi);
	put(encoder, histogram->has_extremes);
	put(encoder, histogram->min);
	put(encoder, histogram->max);
	put(encoder, histogram->zero_count);
	put(encoder, histogram->overflow_count);
	put(encoder, histogram->first_slot + low);
	put(encoder, high - low);
	put_slots(encoder, histogram->slots + low, high - low);
}

static void begin(void *context)
{
	struct encoder *encoder = context;
	encoder->end = encoder->bytes->start;
	encoder->index = 0;
	encoder->series = 0;
}

static void put_series(void *context, const struct directory_row *row,
		       const struct astshm_series *series)
{
	struct encoder *encoder = context;
	uint64_t step = zigzag((int64_t)row->index - encoder->index);
	encoder->no_memory |= !has_room(encoder);
	if (encoder->no_memory)
		return;
	encoder->index = row->index;
	encoder->series++;
	put(encoder, step << HISTORY_KIND_BITS | (series->monotonic ? HISTORY_MONOTONIC : 0) |
			     ((unsigned)series->kind - 1));
	put(encoder, ASTSHM_SERIES_GENERATION(row->state_word));
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		put_counter(encoder, series);
		break;
	case ASTSHM_KIND_GAUGE:
		put_gauge(encoder, &series->gauge);
		break;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		put_histogram(encoder, &series->histogram);
		break;
	}
}

static void fill_head(const struct astshm_snapshot *snapshot, struct astshm_history_entry *head)
{
	const struct astshm_segment_info *segment = &snapshot->segment;
	*head = (struct astshm_history_entry){
		.realtime_ns = snapshot->timestamp_ns,
		.monotonic_ns = snapshot->monotonic_ns,
		.uptime_ns = snapshot->uptime_ns,
		.epoch = segment->epoch,
		.counters_epoch = segment->counters_epoch,
		.threads = (uint32_t)segment->threads,
		.committed_bytes = segment->bytes,
		.dropped = segment->dropped,
		.other_tag_sets = segment->other_tag_sets,
		.torn = segment->torn,
		.recording = segment->recording,
	};
}

int astshm_reader_encode_entry(struct astshm_reader *reader, const void **bytes,
			       struct astshm_history_entry *head)
{
	struct encoder encoder = { .bytes = &reader->entry_bytes };
	const struct collect_visitor visitor = { begin, put_series, &encoder };
	struct astshm_snapshot *snapshot;
	int code = collect_each(reader, &visitor, &snapshot);
	if (code != 0)
		return code;
	fill_head(snapshot, head);
	astshm_snapshot_free(&snapshot);
	if (encoder.no_memory)
		return -ENOMEM;
	size_t length = encoder.series > 0 ? (size_t)(encoder.end - encoder.bytes->start) : 0;
	if (length > UINT32_MAX)
		return -EOVERFLOW;
	head->bytes = (uint32_t)length;
	head->series = encoder.series;
	*bytes = encoder.bytes->start;
	return 0;
}
