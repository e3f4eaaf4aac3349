/* SPDX-License-Identifier: MIT */
/* What one pass makes of a segment in good order. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <astshm/buckets.h>

static void snapshot_of_an_empty_segment_has_no_series(void **state)
{
	struct fixture *fixture = *state;
	fixture_open(fixture);
	const struct astshm_snapshot *snapshot = fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 0);
	assert_int_equal(astshm_snapshot_family_count(snapshot), 0);
	assert_null(astshm_snapshot_at(snapshot, 0));
	assert_int_equal(fixture_bad(fixture), 0);
}

static void snapshot_adds_a_counter_over_all_threads(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "events.received");
	uint32_t one = image_slot(&fixture->image, 11, "one");
	uint32_t two = image_slot(&fixture->image, 12, "two");
	image_count(&fixture->image, series, one, 40);
	image_count(&fixture->image, series, two, 2);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "events.received"), 42);
	image_count(&fixture->image, series, 0, 100);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "events.received"), 142);
}

static void snapshot_tells_counters_of_several_chunks_apart(void **state)
{
	struct fixture *fixture = *state;
	uint32_t slot = image_slot(&fixture->image, 1, "t");
	for (uint32_t i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof name, "c%u", i);
		uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, name);
		image_count(&fixture->image, series, i % 2 ? slot : 0, 1000 + i);
	}
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 200);
	for (uint32_t i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof name, "c%u", i);
		assert_int_equal(fixture_counter(fixture, name), 1000 + i);
	}
	assert_int_equal(fixture_bad(fixture), 0);
}

static void snapshot_subtracts_the_baseline_of_the_counters_epoch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_count(&fixture->image, series, 0, 50);
	image_series_at(&fixture->image, series)->base[0] = 45;
	image_series_at(&fixture->image, series)->base[1] = 20;
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 30);
	fixture->image.header->counters_epoch = 2;
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 5);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->counters_epoch, 2);
}

static void snapshot_shows_an_up_down_counter_below_zero(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "clients");
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "sum");
	image_series_at(&fixture->image, series)->flags |= ASTSHM_SERIES_UP_DOWN;
	image_count(&fixture->image, series, 0, UINT64_C(0) - 7);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_series *found =
		fixture_find(fixture, ASTSHM_KIND_COUNTER, "clients");
	assert_int_equal(found->counter.value, -7);
	assert_false(found->monotonic);
	assert_false(found->family->monotonic);
	assert_true(fixture_find(fixture, ASTSHM_KIND_COUNTER, "sum")->monotonic);
	assert_true(fixture_find(fixture, ASTSHM_KIND_COUNTER, "sum")->family->monotonic);
}

static void snapshot_adds_the_shared_cell_of_a_signal_safe_counter(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "signals");
	struct astshm_segment_series *record = image_series_at(&fixture->image, series);
	record->flags |= ASTSHM_SERIES_SIGNAL;
	record->shared_off = image_alloc(&fixture->image, 64);
	*(uint64_t *)image_at(&fixture->image, record->shared_off) = 5;
	image_count(&fixture->image, series, 0, 3);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "signals"), 8);
}

static void snapshot_shows_a_gauge_and_its_statistics(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "depth");
	uint32_t slot = image_slot(&fixture->image, 5, "t");
	image_set(&fixture->image, series, 0, 3.0);
	image_set(&fixture->image, series, slot, -1.5);
	image_set(&fixture->image, series, slot, 7.25);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_series *found = fixture_find(fixture, ASTSHM_KIND_GAUGE, "depth");
	assert_non_null(found);
	assert_true(found->gauge.current == 7.25);
	assert_int_equal(found->gauge.count, 3);
	assert_true(found->gauge.sum == 8.75);
	assert_true(found->gauge.min == -1.5 && found->gauge.max == 7.25);
}

static void snapshot_adds_histograms_slot_by_slot(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "latency");
	uint32_t slot = image_slot(&fixture->image, 5, "t");
	const int64_t samples[] = { 0, 1, 999, 1000, 1001, 5000000, 123456789, INT64_MAX };
	uint64_t sum = 0;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		image_record(&fixture->image, series, i % 2 ? slot : 0, samples[i]);
		sum += (uint64_t)samples[i];
	}
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_series *found = fixture_find(fixture, ASTSHM_KIND_TIMING, "latency");
	assert_non_null(found);
	const struct astshm_histogram *histogram = &found->histogram;
	assert_int_equal(histogram->count, 8);
	assert_int_equal(histogram->sum, sum);
	assert_int_equal(histogram->sum_hi, 0);
	assert_int_equal(histogram->zero_count, 1);
	assert_int_equal(histogram->overflow_count, 1);
	assert_true(histogram->has_extremes && histogram->has_buckets);
	assert_int_equal(histogram->min, 0);
	assert_int_equal(histogram->max, INT64_MAX);
	uint64_t total = 0;
	for (uint32_t i = 0; i < histogram->slot_count; i++)
		total += histogram->slots[i];
	assert_int_equal(total, 6);
	assert_int_equal(histogram->first_slot, 1);
	assert_int_equal(histogram->slots[0], 1);
	uint32_t last = astshm_bucket_slot_any(astshm_timing_table, 123456789);
	assert_int_equal(histogram->first_slot + histogram->slot_count - 1, last);
	assert_string_equal(found->family->unit, "seconds");
}

static void snapshot_carries_sums_into_the_high_word(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_DISTRIBUTION, "bytes");
	uint32_t slot = image_slot(&fixture->image, 5, "t");
	for (int i = 0; i < 3; i++) {
		image_record(&fixture->image, series, 0, INT64_MAX);
		image_record(&fixture->image, series, slot, INT64_MAX);
	}
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_histogram *histogram =
		&fixture_find(fixture, ASTSHM_KIND_DISTRIBUTION, "bytes")->histogram;
	/* 6 (2^63 - 1) = 3 * 2^64 - 6 */
	assert_int_equal(histogram->sum_hi, 2);
	assert_int_equal(histogram->sum, UINT64_C(0) - 6);
	assert_int_equal(histogram->overflow_count, 6);
}

static void snapshot_skips_block_of_older_epoch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t timing = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	uint32_t gauge = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	uint32_t slot = image_slot(&fixture->image, 5, "t");
	image_record(&fixture->image, timing, 0, 10);
	image_record(&fixture->image, timing, slot, 20);
	image_set(&fixture->image, gauge, 0, 4.0);
	fixture->image.header->epoch = 2;
	image_histogram_block(&fixture->image, timing, slot)->head.epoch = 2;
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_series *found = fixture_find(fixture, ASTSHM_KIND_TIMING, "t");
	assert_int_equal(found->histogram.count, 1);
	assert_int_equal(found->histogram.min, 20);
	found = fixture_find(fixture, ASTSHM_KIND_GAUGE, "g");
	assert_int_equal(found->gauge.count, 0);
	assert_true(found->gauge.current == 4.0); /* a state, which no reset touches */
}

static void snapshot_hides_series_by_name_until_touched_after_a_reset(void **state)
{
	struct fixture *fixture = *state;
	uint32_t by_name = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "by.name");
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "by.handle");
	image_series_at(&fixture->image, by_name)->flags = 0;
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 2);
	fixture->image.header->epoch = 2;
	fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_count(fixture->snapshot), 1);
	assert_int_equal(astshm_snapshot_family_count(fixture->snapshot), 1);
	assert_null(fixture_find(fixture, ASTSHM_KIND_COUNTER, "by.name"));
	image_series_at(&fixture->image, by_name)->shown_epoch = 2;
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 2);
}

static void snapshot_sorts_by_kind_and_key(void **state)
{
	static const struct astshm_tag tag_b = { "type", "b" }, tag_a = { "type", "a" };
	struct fixture *fixture = *state;
	struct image *image = &fixture->image;
	image_metric(image, ASTSHM_KIND_TIMING, "a");
	uint32_t family = image_family(image, ASTSHM_KIND_COUNTER, "m", "", "");
	image_series(image, family, &tag_b, 1);
	image_series(image, family, NULL, 0);
	image_metric(image, ASTSHM_KIND_COUNTER, "m.x");
	image_series(image, family, &tag_a, 1);
	image_metric(image, ASTSHM_KIND_GAUGE, "m");
	fixture_open(fixture);
	const struct astshm_snapshot *snapshot = fixture_snapshot(fixture, 0);
	static const char *const keys[] = { "m", "m.x", "m[type=a]", "m[type=b]", "m", "a" };
	assert_int_equal(astshm_snapshot_count(snapshot), 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(astshm_snapshot_at(snapshot, i)->key, keys[i]);
	static const char *const families[] = { "a", "m", "m", "m.x" };
	assert_int_equal(astshm_snapshot_family_count(snapshot), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(astshm_snapshot_family_at(snapshot, i)->name, families[i]);
	assert_int_equal(astshm_snapshot_family_at(snapshot, 1)->kind, ASTSHM_KIND_COUNTER);
	assert_int_equal(astshm_snapshot_family_at(snapshot, 2)->kind, ASTSHM_KIND_GAUGE);
}

static void snapshot_escapes_tags_in_keys(void **state)
{
	static const struct astshm_tag tags[] = { { "a=b", "x,y" }, { "k", "[v]\\" } };
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "", "help");
	image_series(&fixture->image, family, tags, 2);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_series *series =
		fixture_find(fixture, ASTSHM_KIND_COUNTER, "n[a\\=b=x\\,y,k=\\[v\\]\\\\]");
	assert_non_null(series);
	assert_int_equal(series->key_len, strlen(series->key));
	assert_int_equal(series->tag_count, 2);
	assert_string_equal(series->tags[0].key, "a=b");
	assert_string_equal(series->tags[1].value, "[v]\\");
	assert_int_equal(series->tags[1].value_len, 4);
	assert_string_equal(series->family->help, "help");
}

static void snapshot_shows_each_thread_when_asked(void **state)
{
	struct fixture *fixture = *state;
	uint32_t counter = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	uint32_t timing = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	uint32_t gauge = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	uint32_t one = image_slot(&fixture->image, 101, "worker");
	uint32_t two = image_slot(&fixture->image, 102, "bad\xff\xc3name");
	image_count(&fixture->image, counter, two, 2);
	image_count(&fixture->image, counter, one, 1);
	image_record(&fixture->image, timing, one, 1000);
	image_record(&fixture->image, timing, two, 3000);
	image_record(&fixture->image, timing, two, 3000);
	image_set(&fixture->image, gauge, two, 2.5);
	fixture_open(fixture);
	fixture_snapshot(fixture, ASTSHM_PER_THREAD);
	const struct astshm_series *series = fixture_find(fixture, ASTSHM_KIND_COUNTER, "c");
	assert_int_equal(series->counter.value, 3);
	assert_int_equal(series->thread_count, 2);
	assert_int_equal(series->threads[0].slot, one);
	assert_int_equal(series->threads[0].tid, 101);
	assert_string_equal(series->threads[0].name, "worker");
	assert_int_equal(series->threads[0].counter, 1);
	assert_string_equal(series->threads[1].name, "bad??name");
	assert_int_equal(series->threads[1].counter, 2);
	series = fixture_find(fixture, ASTSHM_KIND_TIMING, "t");
	assert_int_equal(series->histogram.count, 3);
	assert_int_equal(series->thread_count, 2);
	const struct astshm_histogram *part = &series->threads[1].histogram;
	assert_int_equal(part->count, 2);
	assert_int_equal(part->sum, 6000);
	assert_int_equal(part->min, 3000);
	assert_int_equal(part->slot_count, 1);
	assert_int_equal(part->slots[0], 2);
	assert_int_equal(series->threads[0].histogram.slots[0], 1);
	series = fixture_find(fixture, ASTSHM_KIND_GAUGE, "g");
	assert_int_equal(series->thread_count, 1);
	assert_int_equal(series->threads[0].gauge.count, 1);
	assert_int_equal(fixture_find(fixture, ASTSHM_KIND_GAUGE, "g")->gauge.count, 1);
}

static void snapshot_without_the_flag_has_no_threads(void **state)
{
	struct fixture *fixture = *state;
	uint32_t counter = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_count(&fixture->image, counter, 0, 2);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_find(fixture, ASTSHM_KIND_COUNTER, "c")->thread_count, 0);
}

static void snapshot_describes_its_segment(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_segment_header *header = fixture->image.header;
	image_slot(&fixture->image, 7, "t");
	header->dropped_records = 3;
	header->dropped_registrations = 4;
	header->other_tag_sets = 5;
	header->recording = 0;
	header->heartbeat_period_ns = 1000000000;
	header->heartbeat_monotonic_ns = header->reset_monotonic_ns + 2500000000u;
	header->state = ASTSHM_SEGMENT_CLOSED;
	fixture_open(fixture);
	const struct astshm_snapshot *snapshot = fixture_snapshot(fixture, 0);
	const struct astshm_segment_info *info = astshm_snapshot_segment(snapshot);
	assert_string_equal(info->name, "image");
	assert_int_equal(info->pid, header->pid);
	assert_int_equal(info->state, ASTSHM_STATE_CLOSED);
	assert_int_equal(info->generation, header->generation);
	assert_false(info->recording);
	assert_int_equal(info->threads, 2);
	assert_int_equal(info->dropped, 7);
	assert_int_equal(info->other_tag_sets, 5);
	assert_int_equal(info->bytes, header->committed_bytes);
	assert_int_equal(info->heartbeat_age_ns, 0); /* it lies ahead */
	/* A closed writer's uptime ends at its last beat. */
	assert_int_equal(astshm_snapshot_uptime_ns(snapshot), 2500000000u);
	assert_true(astshm_snapshot_timestamp_ns(snapshot) >= header->created_realtime_ns);
	assert_int_equal(astshm_snapshot_interval_ns(snapshot), 0);
	assert_null(astshm_snapshot_source(snapshot, 0));
}

static void snapshot_without_heartbeat_has_age_minus_one(void **state)
{
	struct fixture *fixture = *state;
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->heartbeat_age_ns, -1);
}

static void snapshot_outlives_its_reader(void **state)
{
	struct fixture *fixture = *state;
	static const struct astshm_tag tag = { "k", "v" };
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "u", "h");
	uint32_t series = image_series(&fixture->image, family, &tag, 1);
	image_count(&fixture->image, series, 0, 9);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	astshm_reader_close(&fixture->reader);
	assert_null(fixture->reader);
	assert_int_equal(fixture_counter(fixture, "n[k=v]"), 9);
	const struct astshm_series *found = astshm_snapshot_at(fixture->snapshot, 0);
	assert_string_equal(found->tags[0].value, "v");
	assert_string_equal(found->family->unit, "u");
}

static void snapshot_refuses_unknown_flags(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_snapshot *snapshot = NULL;
	fixture_open(fixture);
	assert_int_equal(astshm_reader_snapshot(fixture->reader, 1u << 30, &snapshot, NULL),
			 -EINVAL);
	assert_null(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(snapshot_of_an_empty_segment_has_no_series),
		FIXTURE_TEST(snapshot_adds_a_counter_over_all_threads),
		FIXTURE_TEST(snapshot_tells_counters_of_several_chunks_apart),
		FIXTURE_TEST(snapshot_subtracts_the_baseline_of_the_counters_epoch),
		FIXTURE_TEST(snapshot_shows_an_up_down_counter_below_zero),
		FIXTURE_TEST(snapshot_adds_the_shared_cell_of_a_signal_safe_counter),
		FIXTURE_TEST(snapshot_shows_a_gauge_and_its_statistics),
		FIXTURE_TEST(snapshot_adds_histograms_slot_by_slot),
		FIXTURE_TEST(snapshot_carries_sums_into_the_high_word),
		FIXTURE_TEST(snapshot_skips_block_of_older_epoch),
		FIXTURE_TEST(snapshot_hides_series_by_name_until_touched_after_a_reset),
		FIXTURE_TEST(snapshot_sorts_by_kind_and_key),
		FIXTURE_TEST(snapshot_escapes_tags_in_keys),
		FIXTURE_TEST(snapshot_shows_each_thread_when_asked),
		FIXTURE_TEST(snapshot_without_the_flag_has_no_threads),
		FIXTURE_TEST(snapshot_describes_its_segment),
		FIXTURE_TEST(snapshot_without_heartbeat_has_age_minus_one),
		FIXTURE_TEST(snapshot_outlives_its_reader),
		FIXTURE_TEST(snapshot_refuses_unknown_flags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
