/* SPDX-License-Identifier: MIT */
/*
 * Segments that were written to do harm. Whatever is put where, each call
 * returns; what is off is counted, and what is in order is still shown.
 */
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "attachment.h"

/* What every case starts from: one series of each kind besides "good". */
struct target {
	struct image *image;
	struct astshm_segment_header *header;
	uint32_t counter, gauge, timing, tagged, family;
	struct astshm_segment_series *counter_record, *gauge_record, *timing_record, *tagged_record;
	struct astshm_counter_block *counter_block;
	struct astshm_gauge_block *gauge_block;
	struct astshm_histogram_block *timing_block;
};

enum effect {
	HARMLESS,  /* nothing to complain about */
	BAD,       /* counted, and "good" is still right */
	BAD_ALL,   /* counted; "good" may be gone too */
	REFUSED,   /* it cannot be attached */
};

struct mutation {
	const char *name;
	void (*apply)(const struct target *target);
	enum effect effect;
};

static void add_good(struct image *image)
{
	uint32_t family = image_family(image, ASTSHM_KIND_DISTRIBUTION, "good", "bytes", "help");
	uint32_t good = image_series(image, family, NULL, 0);
	for (int i = 0; i < 42; i++)
		image_record(image, good, 0, 100);
}

static struct target make_target(struct image *image)
{
	static const struct astshm_tag tags[] = { { "a", "1" }, { "b", "2" } };
	struct target target = { .image = image, .header = image->header };
	add_good(image);
	target.counter = image_metric(image, ASTSHM_KIND_COUNTER, "counter");
	target.gauge = image_metric(image, ASTSHM_KIND_GAUGE, "gauge");
	target.timing = image_metric(image, ASTSHM_KIND_TIMING, "timing");
	target.family = image_family(image, ASTSHM_KIND_COUNTER, "tagged", "unit", "help");
	target.tagged = image_series(image, target.family, tags, 2);
	image_slot(image, 100, "one");
	for (uint32_t slot = 0; slot < 2; slot++) {
		image_count(image, target.counter, slot, 1);
		image_count(image, target.tagged, slot, 2);
		image_set(image, target.gauge, slot, 3.0);
		image_record(image, target.timing, slot, 4000);
	}
	target.counter_record = image_series_at(image, target.counter);
	target.gauge_record = image_series_at(image, target.gauge);
	target.timing_record = image_series_at(image, target.timing);
	target.tagged_record = image_series_at(image, target.tagged);
	target.counter_block = image_counter_block(image, target.counter, 1);
	target.gauge_block = image_gauge_block(image, target.gauge, 1);
	target.timing_block = image_histogram_block(image, target.timing, 1);
	return target;
}

/* --- lists ------------------------------------------------------------- */

#define M(name) static void name(const struct target *target)
#define OFF(target, pointer) ((uint64_t)((uint8_t *)(pointer) - (target)->image->base))

M(list_off_wraps) { target->timing_record->blocks_off = UINT64_MAX - 63; }
M(list_off_is_max) { target->timing_record->blocks_off = UINT64_MAX; }
M(list_off_past_committed) { target->timing_record->blocks_off = target->image->next_off; }
M(list_off_cut_by_committed) { target->timing_record->blocks_off = target->image->next_off - 64; }
M(list_off_misaligned) { target->timing_record->blocks_off += 8; }
M(list_off_in_header) { target->timing_record->blocks_off = 64; }
M(list_off_of_gauge_wraps) { target->gauge_record->blocks_off = UINT64_MAX - 127; }
M(list_points_to_itself)
{
	target->timing_block->head.next_off = OFF(target, target->timing_block);
}
M(list_of_gauge_points_to_itself)
{
	target->gauge_block->head.next_off = OFF(target, target->gauge_block);
}
M(list_of_chunk_points_to_itself)
{
	target->counter_block->head.next_off = OFF(target, target->counter_block);
}
M(list_runs_in_a_circle)
{
	struct astshm_histogram_block *last =
		image_histogram_block(target->image, target->timing, 0);
	last->head.next_off = target->timing_record->blocks_off;
}
M(list_leads_to_another_series)
{
	target->timing_record->blocks_off = image_series_at(target->image, 1)->blocks_off;
}
M(block_of_another_index) { target->timing_block->head.index = 1; }
M(block_of_a_slot_past_count) { target->timing_block->head.slot = 2; }
M(block_of_slot_max) { target->counter_block->head.slot = UINT32_MAX; }
M(chunk_head_wraps)
{
	*(uint64_t *)image_element(target->image, &target->header->chunks, 0) = UINT64_MAX - 63;
}
M(chunk_next_is_odd) { target->counter_block->head.next_off = 4097; }

/* --- values ------------------------------------------------------------- */

M(cell_past_the_chunks) { target->counter_record->cell = 64; }
M(cell_is_max) { target->counter_record->cell = UINT32_MAX; }
M(shared_off_wraps) { target->gauge_record->shared_off = UINT64_MAX - 7; }
M(shared_off_misaligned) { target->gauge_record->shared_off += 4; }
M(shared_off_of_a_counter)
{
	target->counter_record->flags |= ASTSHM_SERIES_SIGNAL;
	target->counter_record->shared_off = target->image->next_off;
}
M(gauge_values_are_not_numbers)
{
	target->gauge_block->sum = target->gauge_block->min = UINT64_MAX;
	target->gauge_block->max = UINT64_C(0x7ff0000000000000);
}
M(gauge_count_without_begin) { target->gauge_block->count = UINT64_MAX; }
M(extremes_cross)
{
	target->timing_block->min_inverse = ~UINT64_C(9000);
	target->timing_block->max_plus_one = 2;
	target->timing_block->count = 1;
}
M(extremes_beyond_signed) { target->timing_block->max_plus_one = UINT64_MAX; }
M(min_beyond_signed) { target->timing_block->min_inverse = 1; }
M(count_is_max) { target->timing_block->count = UINT64_MAX; }
M(slots_overflow)
{
	target->timing_block->slots[5] = UINT64_MAX;
	target->timing_block->slots[6] = UINT64_MAX;
}

/* Without extremes all slots are read. */
M(counts_wrap)
{
	target->timing_block->slots[5] = UINT64_MAX;
	target->timing_block->min_inverse = target->timing_block->max_plus_one = 0;
}

/* --- records ------------------------------------------------------------- */

M(kind_zero) { target->counter_record->kind = 0; }
M(kind_five) { target->counter_record->kind = 5; }
M(kind_max) { target->counter_record->kind = UINT32_MAX; }
M(kind_unlike_the_family) { target->counter_record->kind = ASTSHM_KIND_GAUGE; }
M(family_past_count) { target->counter_record->family = target->header->families.count; }
M(family_max) { target->counter_record->family = UINT32_MAX; }
M(tag_count_17) { target->tagged_record->tag_count = 17; }
M(tag_count_2_31) { target->tagged_record->tag_count = UINT32_C(1) << 31; }
M(tag_count_max) { target->tagged_record->tag_count = UINT32_MAX; }
M(tag_count_too_small) { target->tagged_record->tag_count = 1; }
M(tag_count_too_large) { target->tagged_record->tag_count = 3; }
M(tags_off_wraps) { target->tagged_record->tags_ref = ASTSHM_STRING_REF(UINT64_MAX >> 16, 8); }
M(tags_past_committed)
{
	target->tagged_record->tags_ref = ASTSHM_STRING_REF(target->image->next_off - 4, 8);
}
M(tags_length_max) { target->tagged_record->tags_ref |= 0xffff; }
static uint8_t *tag_bytes(const struct target *target)
{
	return image_at(target->image, ASTSHM_STRING_OFF(target->tagged_record->tags_ref));
}
M(tag_key_without_length) { tag_bytes(target)[0] = 0; }
M(tag_key_too_long) { tag_bytes(target)[0] = 64; }
M(tag_key_runs_over) { tag_bytes(target)[0] = 255; }
M(tag_value_runs_over) { tag_bytes(target)[5] = 255; }
M(tag_key_not_utf8) { tag_bytes(target)[2] = 0xff; }
M(tag_value_not_utf8) { tag_bytes(target)[3] = 0xc0; }
M(tag_value_is_nul) { tag_bytes(target)[3] = 0; }
M(tags_not_sorted) { tag_bytes(target)[2] = 'c'; }
M(tags_twice_the_same) { tag_bytes(target)[2] = 'b'; }

static struct astshm_segment_family *family(const struct target *target)
{
	return image_family_at(target->image, target->family);
}
M(family_name_empty) { family(target)->name_ref = 0; }
M(family_name_too_long) { family(target)->name_ref = ASTSHM_STRING_REF(4096, 256); }
M(family_name_past_committed)
{
	family(target)->name_ref = ASTSHM_STRING_REF(target->image->next_off, 1);
}
M(family_name_not_utf8)
{
	memset(image_at(target->image, ASTSHM_STRING_OFF(family(target)->name_ref)), 0xf8, 3);
}
M(family_kind_nine) { family(target)->kind = 9; }
M(family_kind_changes)
{
	family(target)->kind = ASTSHM_KIND_GAUGE;
	family(target)->unit_ref = 0; /* so that it is looked at again */
}
/* That of "good" comes first, and stays. */
M(family_twice)
{
	struct astshm_segment_family *again = family(target);
	*again = *image_family_at(target->image, 0);
	target->tagged_record->kind = again->kind;
}
M(family_merge_nine) { family(target)->merge = 9; }
M(family_help_past_committed)
{
	family(target)->help_ref = ASTSHM_STRING_REF(target->image->next_off - 1, 500);
}
M(family_unit_too_long) { family(target)->unit_ref = ASTSHM_STRING_REF(4096, 64); }
M(family_help_not_utf8)
{
	*(uint8_t *)image_at(target->image, ASTSHM_STRING_OFF(family(target)->help_ref)) = 0x80;
}
M(series_reserved_for_ever)
{
	target->counter_record->state = 1 << 8 | ASTSHM_SERIES_RESERVED;
}
M(state_unknown) { target->counter_record->state = UINT64_MAX; }
M(retiring_for_ever) { target->header->retiring = UINT64_MAX; }
M(thread_name_not_utf8)
{
	struct astshm_segment_slot *slot =
		image_element(target->image, &target->header->slots, 1);
	memset(slot->name, 0xee, sizeof slot->name);
	slot->state = UINT32_MAX;
}

/* --- tables and header ------------------------------------------------------ */

M(series_count_past_limit) { target->header->series.count = UINT32_MAX; }
M(series_count_huge)
{
	target->header->series.count = target->header->series.limit = UINT32_MAX;
}
M(series_count_2_31)
{
	target->header->series.limit = UINT32_MAX;
	target->header->series.count = UINT32_C(1) << 31;
}
M(series_first_zero) { target->header->series.first = 0; }
M(series_first_no_power) { target->header->series.first = 3; }
M(series_first_2_31)
{
	target->header->series.first = UINT32_C(1) << 31;
	target->header->series.limit = target->header->series.count = UINT32_MAX;
}
M(series_stride_zero) { target->header->series.stride = 0; }
M(series_stride_max) { target->header->series.stride = UINT32_MAX & ~7u; }
M(series_extent_wraps) { target->header->series.extent_off[0] = UINT64_MAX - 63; }
M(series_extents_overlap)
{
	for (int i = 1; i < 24; i++)
		target->header->series.extent_off[i] = target->header->series.extent_off[0];
	target->header->series.count = target->header->series.limit;
}
M(series_extent_in_header) { target->header->series.extent_off[0] = 0; }
M(families_extent_past_committed)
{
	target->header->families.extent_off[0] = target->image->next_off;
}
M(chunks_count_huge) { target->header->chunks.count = target->header->chunks.limit; }
M(chunks_extents_overlap)
{
	for (int i = 1; i < 24; i++)
		target->header->chunks.extent_off[i] = target->header->chunks.extent_off[0];
	target->header->chunks.count = target->header->chunks.limit;
}
M(slots_count_zero) { target->header->slots.count = 0; }
M(slots_count_huge) { target->header->slots.count = target->header->slots.limit = UINT32_MAX; }
M(committed_past_the_image) { target->header->committed_bytes = target->image->next_off + 64; }
M(committed_max) { target->header->committed_bytes = UINT64_MAX; }
M(committed_small) { target->header->committed_bytes = 100; }
M(committed_header_only) { target->header->committed_bytes = 4096; }
M(name_len_max) { target->header->name_len = UINT32_MAX; }
M(times_in_the_future)
{
	target->header->reset_monotonic_ns = UINT64_MAX;
	target->header->heartbeat_monotonic_ns = UINT64_MAX;
	target->header->heartbeat_period_ns = 1;
}

static const struct mutation mutations[] = {
#define CASE(name, effect) { #name, name, effect }
	CASE(list_off_wraps, BAD),
	CASE(list_off_is_max, BAD),
	CASE(list_off_past_committed, BAD),
	CASE(list_off_cut_by_committed, BAD),
	CASE(list_off_misaligned, BAD),
	CASE(list_off_in_header, BAD),
	CASE(list_off_of_gauge_wraps, BAD),
	CASE(list_points_to_itself, BAD),
	CASE(list_of_gauge_points_to_itself, BAD),
	CASE(list_of_chunk_points_to_itself, BAD),
	CASE(list_runs_in_a_circle, BAD),
	CASE(list_leads_to_another_series, BAD),
	CASE(block_of_another_index, BAD),
	CASE(block_of_a_slot_past_count, BAD),
	CASE(block_of_slot_max, BAD),
	CASE(chunk_head_wraps, BAD),
	CASE(chunk_next_is_odd, BAD),
	CASE(cell_past_the_chunks, BAD),
	CASE(cell_is_max, BAD),
	CASE(shared_off_wraps, BAD),
	CASE(shared_off_misaligned, BAD),
	CASE(shared_off_of_a_counter, BAD),
	CASE(gauge_values_are_not_numbers, HARMLESS),
	CASE(gauge_count_without_begin, HARMLESS),
	CASE(extremes_cross, HARMLESS),
	CASE(extremes_beyond_signed, BAD),
	CASE(min_beyond_signed, HARMLESS),
	CASE(count_is_max, HARMLESS),
	CASE(slots_overflow, HARMLESS),
	CASE(counts_wrap, BAD),
	CASE(kind_zero, BAD),
	CASE(kind_five, BAD),
	CASE(kind_max, BAD),
	CASE(kind_unlike_the_family, BAD),
	CASE(family_past_count, BAD),
	CASE(family_max, BAD),
	CASE(tag_count_17, BAD),
	CASE(tag_count_2_31, BAD),
	CASE(tag_count_max, BAD),
	CASE(tag_count_too_small, BAD),
	CASE(tag_count_too_large, BAD),
	CASE(tags_off_wraps, BAD),
	CASE(tags_past_committed, BAD),
	CASE(tags_length_max, BAD),
	CASE(tag_key_without_length, BAD),
	CASE(tag_key_too_long, BAD),
	CASE(tag_key_runs_over, BAD),
	CASE(tag_value_runs_over, BAD),
	CASE(tag_key_not_utf8, BAD),
	CASE(tag_value_not_utf8, BAD),
	CASE(tag_value_is_nul, BAD),
	CASE(tags_not_sorted, BAD),
	CASE(tags_twice_the_same, BAD),
	CASE(family_name_empty, BAD),
	CASE(family_name_too_long, BAD),
	CASE(family_name_past_committed, BAD),
	CASE(family_name_not_utf8, BAD),
	CASE(family_kind_nine, BAD),
	CASE(family_kind_changes, BAD),
	CASE(family_twice, BAD),
	CASE(family_merge_nine, BAD),
	CASE(family_help_past_committed, BAD),
	CASE(family_unit_too_long, BAD),
	CASE(family_help_not_utf8, BAD),
	CASE(series_reserved_for_ever, HARMLESS),
	CASE(state_unknown, HARMLESS),
	CASE(retiring_for_ever, HARMLESS),
	CASE(thread_name_not_utf8, HARMLESS),
	CASE(series_count_past_limit, BAD_ALL),
	CASE(series_count_huge, BAD),
	CASE(series_count_2_31, BAD),
	CASE(series_first_zero, BAD_ALL),
	CASE(series_first_no_power, BAD_ALL),
	CASE(series_first_2_31, BAD_ALL),
	CASE(series_stride_zero, BAD_ALL),
	CASE(series_stride_max, BAD_ALL),
	CASE(series_extent_wraps, BAD_ALL),
	CASE(series_extents_overlap, BAD_ALL),
	CASE(series_extent_in_header, BAD_ALL),
	CASE(families_extent_past_committed, BAD_ALL),
	CASE(chunks_count_huge, BAD),
	CASE(chunks_extents_overlap, BAD),
	CASE(slots_count_zero, BAD_ALL),
	CASE(slots_count_huge, BAD),
	CASE(committed_past_the_image, REFUSED),
	CASE(committed_max, REFUSED),
	CASE(committed_small, REFUSED),
	CASE(committed_header_only, BAD_ALL),
	CASE(name_len_max, HARMLESS),
	CASE(times_in_the_future, HARMLESS),
};

/* --- what is done with each ---------------------------------------------------- */

static void walk(const struct mutation *mutation, const struct astshm_snapshot *snapshot)
{
	static const double q[] = { 0.0, 0.5, 0.99, 1.0 };
	double values[4];
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (strlen(series->key) != series->key_len)
			fail_msg("%s: key and length disagree", mutation->name);
		if (series->family->kind != series->kind)
			fail_msg("%s: %s is not of its family's kind", mutation->name, series->key);
		if (series->kind < ASTSHM_KIND_TIMING)
			continue;
		const struct astshm_histogram *histogram = &series->histogram;
		uint64_t total = histogram->zero_count + histogram->overflow_count;
		for (uint32_t j = 0; j < histogram->slot_count; j++)
			total += histogram->slots[j];
		if (total != histogram->count)
			fail_msg("%s: %s does not add up", mutation->name, series->key);
		astshm_histogram_quantiles(histogram, series->kind, q, values, 4);
		for (size_t j = 0; histogram->has_extremes && j < 4; j++)
			if (!(values[j] >= (double)histogram->min &&
			      values[j] <= (double)histogram->max))
				fail_msg("%s: a quantile outside", mutation->name);
	}
}

static void check_good(const struct mutation *mutation, const struct astshm_snapshot *snapshot)
{
	const struct astshm_series *good =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_DISTRIBUTION, "good");
	if (good == NULL)
		fail_msg("%s: the good series is gone", mutation->name);
	if (good->histogram.count != 42 || good->histogram.sum != 4200)
		fail_msg("%s: the good series is wrong", mutation->name);
}

static void read_points(struct astshm_reader *reader)
{
	static uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	static const struct astshm_tag tags[] = { { "a", "1" }, { "b", "2" } };
	struct astshm_gauge_value gauge;
	struct astshm_histogram histogram;
	struct astshm_point point;
	int64_t value;
	if (astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "counter", NULL, 0, &point) == 0)
		(void)astshm_reader_counter(reader, &point, &value);
	if (astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "tagged", tags, 2, &point) == 0)
		(void)astshm_reader_counter(reader, &point, &value);
	if (astshm_reader_resolve(reader, ASTSHM_KIND_GAUGE, "gauge", NULL, 0, &point) == 0)
		(void)astshm_reader_gauge(reader, &point, &gauge);
	if (astshm_reader_resolve(reader, ASTSHM_KIND_TIMING, "timing", NULL, 0, &point) == 0)
		(void)astshm_reader_histogram(reader, &point, &histogram, slots);
}

/* `known`: the names were parsed before, and may still be shown as they were. */
static void take(const struct mutation *mutation, struct astshm_reader *reader, unsigned flags,
		 bool known)
{
	struct astshm_snapshot *snapshot;
	int code = astshm_reader_snapshot(reader, flags, &snapshot, NULL);
	if (mutation->effect == REFUSED || mutation->effect == BAD_ALL) {
		if (code != 0)
			return;
	} else if (code != 0) {
		fail_msg("%s: %d", mutation->name, code);
	}
	uint64_t bad = astshm_snapshot_segment(snapshot)->bad_records;
	walk(mutation, snapshot);
	if (mutation->effect == BAD || mutation->effect == HARMLESS)
		check_good(mutation, snapshot);
	if ((bad > 0) == (mutation->effect == HARMLESS) && !(known && bad == 0))
		fail_msg("%s: bad_records %llu", mutation->name, (unsigned long long)bad);
	astshm_snapshot_free(&snapshot);
}

/* `before`: the reader is attached when the damage is done. */
static void run(const struct mutation *mutation, bool before)
{
	struct image image;
	struct astshm_reader *reader = NULL;
	image_init(&image, UINT64_C(1) << 20);
	struct target target = make_target(&image);
	int code = 0;
	if (before)
		code = astshm_reader_open_memory(&reader, image.base, image.next_off, NULL);
	assert_int_equal(code, 0);
	mutation->apply(&target);
	image.header->directory_changes++;
	if (!before)
		code = astshm_reader_open_memory(&reader, image.base, image.next_off, NULL);
	if (code != 0 && mutation->effect != REFUSED && mutation->effect != BAD_ALL &&
	    mutation->apply != name_len_max)
		fail_msg("%s: cannot be attached: %d", mutation->name, code);
	if (code == 0) {
		take(mutation, reader, 0, before);
		take(mutation, reader, ASTSHM_PER_THREAD, before);
		read_points(reader);
	}
	astshm_reader_close(&reader);
	image_fini(&image);
}

static void segment_made_to_do_harm_is_attached_without_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++)
		run(&mutations[i], false);
}

static void segment_changed_under_a_reader_does_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++)
		run(&mutations[i], true);
}

/* Every word of the header and of the records in turn, with values that make
 * trouble: nothing is asked of the answer but that there is one. */
static void every_word_may_hold_anything(void **state)
{
	static const uint64_t values[] = { 0, 1, 64, 4096, UINT64_C(1) << 31, UINT32_MAX,
					   UINT64_C(1) << 48, UINT64_MAX - 63, UINT64_MAX };
	struct image image;
	(void)state;
	image_init(&image, UINT64_C(1) << 20);
	make_target(&image);
	uint64_t end = image.next_off < 16384 ? image.next_off : 16384;
	for (uint64_t off = 0; off < end; off += 4)
		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
			struct astshm_reader *reader = NULL;
			struct astshm_snapshot *snapshot = NULL;
			uint8_t saved[8];
			memcpy(saved, image.base + off, 4 + (off % 8 == 0) * 4);
			memcpy(image.base + off, &values[i], 4 + (off % 8 == 0) * 4);
			if (astshm_reader_open_memory(&reader, image.base, image.next_off, NULL) ==
			    0)
				(void)astshm_reader_snapshot(reader, 0, &snapshot, NULL);
			astshm_snapshot_free(&snapshot);
			astshm_reader_close(&reader);
			memcpy(image.base + off, saved, 4 + (off % 8 == 0) * 4);
		}
	image_fini(&image);
}

/* Headers inside of other blocks' slots, 64 bytes apart, each its own list's one
 * block for ever: every list leads to as much as there is. */
static void link_overlapping_blocks(struct image *image, uint32_t first, uint32_t count)
{
	uint64_t off = image_alloc(image, sizeof(struct astshm_histogram_block) + count * 64);
	for (uint32_t i = 0; i < count; i++, off += 64) {
		struct astshm_block_header *head = image_at(image, off);
		*head = (struct astshm_block_header){ .index = first + i, .epoch = 1,
						      .next_off = off };
		image_series_at(image, first + i)->blocks_off = off;
	}
	image->header->slots.count = image->header->slots.limit;
}

static void lists_that_overlap_take_no_more_than_the_segment_has(void **state)
{
	enum { SERIES = 400 };
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_reader *reader = NULL;
	struct image image;
	char name[16];
	(void)state;
	image_init(&image, UINT64_C(2) << 20);
	for (int i = 0; i < SERIES; i++) {
		snprintf(name, sizeof name, "t%d", i);
		image_metric(&image, ASTSHM_KIND_TIMING, name);
	}
	image_alloc(&image, UINT64_C(1) << 20);
	link_overlapping_blocks(&image, 1, SERIES);
	assert_int_equal(astshm_reader_open_memory(&reader, image.base, image.next_off, NULL), 0);
	assert_int_equal(astshm_reader_snapshot(reader, ASTSHM_PER_THREAD, &snapshot, NULL), 0);
	assert_true(astshm_snapshot_segment(snapshot)->bad_records > 0);
	assert_in_range(reader->snapshot_bytes, 0, 8 * image.next_off);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	image_fini(&image);
}

/* What a sparse file makes believable: address space alone, zeroes as far as one reads. */
static void tables_of_a_huge_segment_are_read_in_part(void **state)
{
	const uint64_t bytes = UINT64_C(1) << 36;
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_reader *reader = NULL;
	struct image image;
	(void)state;
	image_init(&image, UINT64_C(1) << 20);
	make_target(&image);
	uint8_t *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED) { /* valgrind says so by EINVAL */
		assert_true(errno == ENOMEM || errno == EINVAL);
		print_message("left out: no address space of 64 GiB\n");
		image_fini(&image);
		return;
	}
	memcpy(base, image.base, image.next_off);
	struct astshm_segment_header *header = (void *)base;
	header->committed_bytes = header->max_bytes = bytes;
	header->chunks.first = header->slots.first = UINT32_C(1) << 28;
	header->chunks.count = header->slots.count = header->chunks.first;
	header->chunks.limit = header->slots.limit = header->chunks.first;
	header->chunks.extent_off[0] = header->slots.extent_off[0] = bytes / 2;
	assert_int_equal(astshm_reader_open_memory(&reader, base, bytes, NULL), 0);
	reader->deadline_ns = INT64_C(60000000000);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_true(astshm_snapshot_segment(snapshot)->bad_records >= 2);
	assert_in_range(reader->total_room, 0, VIEW_ELEMENTS_MAX);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	munmap(base, bytes);
	image_fini(&image);
}

/* The last extent begins where no element could be, and has room for its own. */
static void count_beyond_the_segment_takes_no_memory(void **state)
{
	struct astshm_reader *reader = NULL;
	struct image image;
	(void)state;
	image_init(&image, UINT64_C(1) << 20);
	make_target(&image);
	struct astshm_segment_table *series = &image.header->series;
	series->first = UINT32_C(1) << 30;
	series->count = series->limit = series->first + 1;
	series->extent_off[1] = series->extent_off[0];
	assert_int_equal(astshm_reader_open_memory(&reader, image.base, image.next_off, NULL), 0);
	assert_in_range(reader->directory.entry_count, 0,
			2 * image.next_off / sizeof(struct astshm_segment_series));
	astshm_reader_close(&reader);
	image_fini(&image);
}

static void deadline_ends_a_long_walk(void **state)
{
	struct astshm_snapshot *snapshot = NULL;
	struct image image;
	(void)state;
	image_init(&image, UINT64_C(64) << 20);
	uint32_t first = image_metric(&image, ASTSHM_KIND_TIMING, "t");
	for (uint32_t i = 1; i < 2000; i++) {
		struct astshm_histogram_block *block =
			image_histogram_block(&image, first, image_slot(&image, i, "t"));
		block->slots[1] = block->count = 1;
	}
	struct astshm_reader *reader = NULL;
	assert_int_equal(astshm_reader_open_memory(&reader, image.base, image.next_off, NULL), 0);
	reader->deadline_ns = 1;
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), -ETIMEDOUT);
	assert_null(snapshot);
	reader->deadline_ns = INT64_C(60000000000);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_at(snapshot, 0)->histogram.count, 1999);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	image_fini(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_made_to_do_harm_is_attached_without_harm),
		cmocka_unit_test(segment_changed_under_a_reader_does_no_harm),
		cmocka_unit_test(every_word_may_hold_anything),
		cmocka_unit_test(lists_that_overlap_take_no_more_than_the_segment_has),
		cmocka_unit_test(count_beyond_the_segment_takes_no_memory),
		cmocka_unit_test(tables_of_a_huge_segment_are_read_in_part),
		cmocka_unit_test(deadline_ends_a_long_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
