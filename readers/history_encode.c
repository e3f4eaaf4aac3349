/* SPDX-License-Identifier: MIT */
/*
 * A pass as an entry of the history: what the writer's tick appends. Numbers
 * are base 128, low group first, the top bit set on all bytes but the last
 * (LEB128); the many small counts of a histogram come in half bytes.
 */
#include <endian.h>
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

/* Half bytes on their way, the low one first: less than a byte's worth between numbers.
 * What takes one is inlined, so that it stays in registers over a thousand slots. */
struct halves {
	uint8_t *end;
	uint64_t bits;
	unsigned count; /* of those bits */
};

/* Whole bytes go out without a question how many they are: eight are stored. */
static inline __attribute__((always_inline)) void put_bits(struct halves *halves, uint64_t bits,
							   unsigned count)
{
	halves->bits |= bits << halves->count;
	halves->count += count;
	uint64_t bytes = htole64(halves->bits);
	memcpy(halves->end, &bytes, sizeof bytes);
	halves->end += halves->count / 8;
	halves->bits >>= halves->count & ~7u;
	halves->count %= 8;
}

/*
 * Three bits in each half, the top bit set on all but the last: the halves of each
 * number of nine bits, and in the top four bits how many. Which of the many lengths
 * comes next is not to be guessed, so the table saves more than its instructions.
 */
#define TABLE_BITS 9
#define SPREAD(n) (((n) & 0700) << 2 | ((n) & 070) << 1 | ((n) & 7))
#define HALVES(n)                                                                           \
	(uint16_t)((n) < 8    ? 1 << 12 | (n)                                               \
		   : (n) < 64 ? 2 << 12 | (n) >> 3 << 4 | 8 | ((n) & 7)                     \
			      : 3 << 12 | SPREAD(n) | 0x88)
#define HALVES_8(n)                                                                         \
	HALVES(n), HALVES((n) + 1), HALVES((n) + 2), HALVES((n) + 3), HALVES((n) + 4),      \
		HALVES((n) + 5), HALVES((n) + 6), HALVES((n) + 7)
#define HALVES_64(n)                                                                        \
	HALVES_8(n), HALVES_8((n) + 8), HALVES_8((n) + 16), HALVES_8((n) + 24),             \
		HALVES_8((n) + 32), HALVES_8((n) + 40), HALVES_8((n) + 48), HALVES_8((n) + 56)
static const uint16_t halves_of[1 << TABLE_BITS] = {
	HALVES_64(0), HALVES_64(64), HALVES_64(128), HALVES_64(192),
	HALVES_64(256), HALVES_64(320), HALVES_64(384), HALVES_64(448),
};

static inline __attribute__((always_inline)) void put_half(struct halves *halves, uint64_t value)
{
	const uint64_t low = (1 << TABLE_BITS) - 1;
	for (; value > low; value >>= TABLE_BITS)
		put_bits(halves, SPREAD(value) | 0x888, 12); /* and more to come */
	put_bits(halves, halves_of[value] & 0xfff, halves_of[value] >> 12 << 2);
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
	encoder->end = halves.end + (halves.count > 0);
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
