/* SPDX-License-Identifier: MIT */
/* One snapshot of several processes. */
#include "cmocka_all.h"

#include <errno.h>
#include <math.h>

#include "sample.h"

struct parts {
	struct astshm_snapshot *one, *two, *merged;
};

static struct parts two_parts(void)
{
	struct parts parts = { sample_begin(), sample_begin(), NULL };
	parts.two->segment.name = "other";
	parts.two->segment.state = ASTSHM_STATE_DEAD;
	parts.two->timestamp_ns += 5;
	parts.two->uptime_ns -= 5;
	return parts;
}

static int merge(struct parts *parts, struct astshm_error *error)
{
	const struct astshm_snapshot *both[] = { parts->one, parts->two };
	sample_end(parts->one);
	sample_end(parts->two);
	return astshm_snapshot_merge(both, 2, &parts->merged, error);
}

static void free_parts(struct parts *parts)
{
	astshm_snapshot_free(&parts->one);
	astshm_snapshot_free(&parts->two);
	astshm_snapshot_free(&parts->merged);
}

static const struct astshm_series *find(const struct parts *parts, enum astshm_kind kind,
					const char *key)
{
	const struct astshm_series *series = astshm_snapshot_find(parts->merged, kind, key);
	assert_non_null(series);
	return series;
}

static void counters_add_up(void **state)
{
	struct parts parts = two_parts();
	(void)state;
	sample_counter(parts.one, "both", 40);
	sample_counter(parts.two, "both", 2);
	sample_counter(parts.two, "one", 7);
	assert_int_equal(merge(&parts, NULL), 0);
	assert_int_equal(astshm_snapshot_count(parts.merged), 2);
	assert_int_equal(find(&parts, ASTSHM_KIND_COUNTER, "both")->counter.value, 42);
	assert_int_equal(find(&parts, ASTSHM_KIND_COUNTER, "one")->counter.value, 7);
	free_parts(&parts);
}

static void sources_take_the_place_of_the_segment(void **state)
{
	struct parts parts = two_parts();
	(void)state;
	assert_int_equal(merge(&parts, NULL), 0);
	assert_null(astshm_snapshot_segment(parts.merged));
	assert_string_equal(astshm_snapshot_source(parts.merged, 0)->name, "sample");
	assert_string_equal(astshm_snapshot_source(parts.merged, 1)->name, "other");
	assert_int_equal(astshm_snapshot_source(parts.merged, 1)->state, ASTSHM_STATE_DEAD);
	assert_null(astshm_snapshot_source(parts.merged, 2));
	assert_int_equal(astshm_snapshot_timestamp_ns(parts.merged), SAMPLE_TIMESTAMP_NS + 5);
	assert_int_equal(astshm_snapshot_uptime_ns(parts.merged), 3600500000000);
	free_parts(&parts);
}

static void histograms_are_those_of_all_samples_together(void **state)
{
	static const int64_t all[] = { 0, 1000, 2000000, 2000000, INT64_MAX, 77777 };
	struct parts parts = two_parts();
	struct astshm_snapshot *expected = sample_begin();
	(void)state;
	sample_timing(parts.one, "t", all, 3);
	sample_timing(parts.two, "t", all + 3, 3);
	sample_timing(expected, "t", all, 6);
	assert_int_equal(merge(&parts, NULL), 0);
	const struct astshm_histogram *sum = &find(&parts, ASTSHM_KIND_TIMING, "t")->histogram;
	const struct astshm_histogram *want = &expected->series[0].histogram;
	assert_int_equal(sum->count, want->count);
	assert_int_equal(sum->sum, want->sum);
	assert_int_equal(sum->zero_count, 1);
	assert_int_equal(sum->overflow_count, 1);
	assert_int_equal(sum->min, 0);
	assert_int_equal(sum->max, INT64_MAX);
	assert_true(sum->has_extremes);
	for (uint32_t i = 0; i < sum->slot_count; i++)
		assert_int_equal(sum->slots[i], want->slots[sum->first_slot + i - 1]);
	astshm_snapshot_free(&expected);
	free_parts(&parts);
}

static void gauges_merge_as_their_mode_says(void **state)
{
	static const struct {
		enum astshm_merge merge;
		const char *name;
		double expected;
	} cases[] = {
		{ ASTSHM_MERGE_LAST, "last", 2 }, /* the newer snapshot's */
		{ ASTSHM_MERGE_SUM, "sum", 7 },
		{ ASTSHM_MERGE_MIN, "min", 2 },
		{ ASTSHM_MERGE_MAX, "max", 5 },
	};
	struct parts parts = two_parts();
	(void)state;
	for (int i = 0; i < 4; i++) {
		sample_gauge(parts.one, cases[i].name, 5);
		sample_gauge(parts.two, cases[i].name, 2);
		sample_family(parts.one, ASTSHM_KIND_GAUGE, cases[i].name)->merge = cases[i].merge;
		sample_family(parts.two, ASTSHM_KIND_GAUGE, cases[i].name)->merge = cases[i].merge;
	}
	assert_int_equal(merge(&parts, NULL), 0);
	for (int i = 0; i < 4; i++) {
		const struct astshm_gauge_value *gauge =
			&find(&parts, ASTSHM_KIND_GAUGE, cases[i].name)->gauge;
		assert_true(gauge->current == cases[i].expected);
		assert_int_equal(gauge->count, 2);
		assert_true(gauge->sum == 7 && gauge->min == 2 && gauge->max == 5);
	}
	free_parts(&parts);
}

static void last_gauge_is_the_newest_whatever_the_order(void **state)
{
	struct parts parts = two_parts();
	(void)state;
	parts.two->timestamp_ns -= 10;
	sample_gauge(parts.one, "g", 5);
	sample_gauge(parts.two, "g", 2);
	assert_int_equal(merge(&parts, NULL), 0);
	assert_true(find(&parts, ASTSHM_KIND_GAUGE, "g")->gauge.current == 5);
	free_parts(&parts);
}

static void unknown_gauge_gives_way_to_a_number(void **state)
{
	struct parts parts = two_parts();
	(void)state;
	sample_gauge(parts.one, "g", NAN);
	sample_gauge(parts.two, "g", 2);
	sample_family(parts.one, ASTSHM_KIND_GAUGE, "g")->merge = ASTSHM_MERGE_SUM;
	assert_int_equal(merge(&parts, NULL), 0);
	assert_true(find(&parts, ASTSHM_KIND_GAUGE, "g")->gauge.current == 2);
	free_parts(&parts);
}

static void family_keeps_what_any_source_said(void **state)
{
	struct parts parts = two_parts();
	(void)state;
	sample_counter(parts.one, "c", 1);
	sample_counter(parts.two, "c", 1);
	sample_describe(parts.two, ASTSHM_KIND_COUNTER, "c", "bytes", "Help");
	sample_family(parts.two, ASTSHM_KIND_COUNTER, "c")->monotonic = false;
	assert_int_equal(merge(&parts, NULL), 0);
	assert_int_equal(astshm_snapshot_family_count(parts.merged), 1);
	const struct astshm_family *family = astshm_snapshot_family_at(parts.merged, 0);
	assert_string_equal(family->unit, "bytes");
	assert_string_equal(family->help, "Help");
	assert_false(family->monotonic);
	assert_ptr_equal(find(&parts, ASTSHM_KIND_COUNTER, "c")->family, family);
	free_parts(&parts);
}

static void different_units_do_not_add_up(void **state)
{
	struct parts parts = two_parts();
	struct astshm_error error;
	(void)state;
	sample_counter(parts.one, "c", 1);
	sample_counter(parts.two, "c", 1);
	sample_describe(parts.one, ASTSHM_KIND_COUNTER, "c", "seconds", "");
	sample_describe(parts.two, ASTSHM_KIND_COUNTER, "c", "bytes", "");
	assert_int_equal(merge(&parts, &error), -EINVAL);
	assert_string_equal(error.text, "one metric has two different units");
	assert_null(parts.merged);
	free_parts(&parts);
}

static void threads_of_different_processes_stay_apart(void **state)
{
	struct parts parts = { sample_threads(), sample_threads(), NULL };
	(void)state;
	assert_int_equal(merge(&parts, NULL), 0);
	const struct astshm_series *series = find(&parts, ASTSHM_KIND_COUNTER, "events.received");
	assert_int_equal(series->thread_count, 4);
	free_parts(&parts);
}

static void timing_without_buckets_is_an_error(void **state)
{
	static const int64_t times[] = { 1000 };
	struct parts parts = two_parts();
	struct astshm_error error;
	(void)state;
	sample_timing(parts.one, "t", times, 1);
	sample_timing(parts.two, "t", times, 1);
	parts.two->series[0].histogram.has_buckets = false;
	assert_int_equal(merge(&parts, &error), -ENODATA);
	assert_string_equal(error.text, "a histogram comes without buckets");
	free_parts(&parts);
}

static void merging_nothing_gives_nothing(void **state)
{
	struct astshm_snapshot *merged = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_merge(NULL, 0, &merged, NULL), 0);
	assert_int_equal(astshm_snapshot_count(merged), 0);
	astshm_snapshot_free(&merged);
}

static void merge_of_merges_has_all_sources(void **state)
{
	struct parts parts = { sample_rich(), sample_rich(), NULL };
	struct astshm_snapshot *twice = NULL;
	(void)state;
	assert_int_equal(merge(&parts, NULL), 0);
	const struct astshm_snapshot *again[] = { parts.merged, parts.one };
	assert_int_equal(astshm_snapshot_merge(again, 2, &twice, NULL), 0);
	free_parts(&parts);
	assert_non_null(astshm_snapshot_source(twice, 2));
	const struct astshm_series *series =
		astshm_snapshot_find(twice, ASTSHM_KIND_COUNTER, "events.received");
	assert_int_equal(series->counter.value, 3 * 15420);
	astshm_snapshot_free(&twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_add_up),
		cmocka_unit_test(sources_take_the_place_of_the_segment),
		cmocka_unit_test(histograms_are_those_of_all_samples_together),
		cmocka_unit_test(gauges_merge_as_their_mode_says),
		cmocka_unit_test(last_gauge_is_the_newest_whatever_the_order),
		cmocka_unit_test(unknown_gauge_gives_way_to_a_number),
		cmocka_unit_test(family_keeps_what_any_source_said),
		cmocka_unit_test(different_units_do_not_add_up),
		cmocka_unit_test(threads_of_different_processes_stay_apart),
		cmocka_unit_test(timing_without_buckets_is_an_error),
		cmocka_unit_test(merging_nothing_gives_nothing),
		cmocka_unit_test(merge_of_merges_has_all_sources),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
