/* SPDX-License-Identifier: MIT */
/* Grouping, filtering and sorting: other views of one snapshot. */
#include "cmocka_all.h"

#include <string.h>

#include "sample.h"

static void add(struct astshm_snapshot *snapshot, const char *host, const char *type,
		int64_t value)
{
	const struct astshm_tag tags[] = { { "host", host }, { "type", type } };
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "events", tags, 2)->counter.value = value;
}

static struct astshm_snapshot *events(void)
{
	struct astshm_snapshot *snapshot = sample_begin();
	add(snapshot, "a", "x", 1);
	add(snapshot, "a", "y", 2);
	add(snapshot, "b", "x", 4);
	sample_counter(snapshot, "events", 8);
	sample_counter(snapshot, "other", 16);
	sample_end(snapshot);
	return snapshot;
}

static int64_t value_of(const struct astshm_snapshot *snapshot, const char *key)
{
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, key);
	if (!series)
		fail_msg("no series %s", key);
	return series->counter.value;
}

static void groups_add_up_over_all_other_tags(void **state)
{
	static const char *const keys[] = { "type" };
	struct astshm_snapshot *snapshot = events(), *grouped = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_group(snapshot, keys, 1, &grouped, NULL), 0);
	astshm_snapshot_free(&snapshot);
	assert_int_equal(astshm_snapshot_count(grouped), 4);
	assert_int_equal(value_of(grouped, "events[type=x]"), 5);
	assert_int_equal(value_of(grouped, "events[type=y]"), 2);
	assert_int_equal(value_of(grouped, "events"), 8);
	assert_int_equal(value_of(grouped, "other"), 16);
	const struct astshm_series *series =
		astshm_snapshot_find(grouped, ASTSHM_KIND_COUNTER, "events[type=x]");
	assert_int_equal(series->tag_count, 1);
	assert_string_equal(series->tags[0].key, "type");
	astshm_snapshot_free(&grouped);
}

static void groups_without_keys_add_up_over_all_tags(void **state)
{
	struct astshm_snapshot *snapshot = events(), *grouped = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_group(snapshot, NULL, 0, &grouped, NULL), 0);
	assert_int_equal(astshm_snapshot_count(grouped), 2);
	assert_int_equal(value_of(grouped, "events"), 15);
	assert_int_equal(astshm_snapshot_family_count(grouped), 2);
	astshm_snapshot_free(&snapshot);
	astshm_snapshot_free(&grouped);
}

static void groups_of_timings_add_buckets_and_threads(void **state)
{
	struct astshm_snapshot *snapshot = sample_threads(), *grouped = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_group(snapshot, NULL, 0, &grouped, NULL), 0);
	astshm_snapshot_free(&snapshot);
	const struct astshm_series *series = astshm_snapshot_find(
		grouped, ASTSHM_KIND_TIMING, "event.processing.duration");
	assert_int_equal(series->histogram.count, 8);
	assert_int_equal(series->histogram.max, 45300000);
	assert_int_equal(series->thread_count, 2); /* one process: slot by slot */
	assert_int_equal(series->threads[0].slot, 1);
	assert_int_equal(series->threads[0].histogram.count, 8);
	assert_int_equal(series->threads[1].histogram.count, 0);
	astshm_snapshot_free(&grouped);
}

/* Of a series of several, where a thread has a part in more than one. */
static unsigned check_threads(const struct astshm_series *series)
{
	int64_t counted = 0;
	uint64_t samples = 0;

	for (uint32_t i = 0; i < series->thread_count; i++) {
		counted += series->kind == ASTSHM_KIND_COUNTER ? series->threads[i].counter : 0;
		samples += series->kind == ASTSHM_KIND_GAUGE ? series->threads[i].gauge.count : 0;
	}
	if (series->kind == ASTSHM_KIND_COUNTER)
		assert_int_equal(counted, series->counter.value);
	if (series->kind == ASTSHM_KIND_GAUGE)
		assert_int_equal(samples, series->gauge.count);
	return series->thread_count;
}

static void groups_of_counters_and_gauges_add_what_each_thread_did(void **state)
{
	struct astshm_snapshot *snapshot = sample_threads(), *grouped = NULL;
	unsigned parts = 0;
	(void)state;
	assert_int_equal(astshm_snapshot_group(snapshot, NULL, 0, &grouped, NULL), 0);
	assert_true(astshm_snapshot_count(grouped) < astshm_snapshot_count(snapshot));
	for (size_t i = 0; i < astshm_snapshot_count(grouped); i++)
		parts += check_threads(astshm_snapshot_at(grouped, i));
	assert_true(parts > 0);
	astshm_snapshot_free(&snapshot);
	astshm_snapshot_free(&grouped);
}

static void groups_of_an_interval_add_rates(void **state)
{
	struct astshm_snapshot *older = events(), *newer = events(), *interval, *grouped;
	(void)state;
	older->timestamp_ns -= 1000000000;
	newer->series[1].counter.value += 10;
	newer->series[2].counter.value += 5;
	assert_int_equal(astshm_snapshot_subtract(newer, older, &interval, NULL), 0);
	assert_int_equal(astshm_snapshot_group(interval, NULL, 0, &grouped, NULL), 0);
	const struct astshm_series *series =
		astshm_snapshot_find(grouped, ASTSHM_KIND_COUNTER, "events");
	assert_int_equal(series->counter.increase, 15);
	assert_true(series->counter.rate == 15);
	assert_int_equal(astshm_snapshot_interval_ns(grouped), 1000000000);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	astshm_snapshot_free(&interval);
	astshm_snapshot_free(&grouped);
}

static bool is_small(const struct astshm_series *series, void *context)
{
	return series->counter.value < *(int64_t *)context;
}

static void filter_keeps_series_and_their_families(void **state)
{
	struct astshm_snapshot *snapshot = events(), *filtered = NULL;
	int64_t limit = 8;
	(void)state;
	assert_int_equal(astshm_snapshot_filter(snapshot, is_small, &limit, &filtered, NULL), 0);
	astshm_snapshot_free(&snapshot);
	assert_int_equal(astshm_snapshot_count(filtered), 3);
	assert_int_equal(value_of(filtered, "events[host=b,type=x]"), 4);
	assert_null(astshm_snapshot_find(filtered, ASTSHM_KIND_COUNTER, "other"));
	assert_int_equal(astshm_snapshot_family_count(filtered), 1);
	assert_string_equal(astshm_snapshot_family_at(filtered, 0)->name, "events");
	astshm_snapshot_free(&filtered);
}

/* Largest first, but for one bit, so that there are equal ones. */
static int by_value(const struct astshm_series *a, const struct astshm_series *b, void *context)
{
	int64_t left = a->counter.value | 1, right = b->counter.value | 1;
	(void)context;
	return (left < right) - (left > right);
}

static void sorted_snapshot_is_walked_in_its_order(void **state)
{
	static const int64_t expected[] = { 16, 8, 4, 2, 1 };
	struct astshm_snapshot *snapshot = events(), *sorted = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_sort(snapshot, by_value, NULL, &sorted, NULL), 0);
	astshm_snapshot_free(&snapshot);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(astshm_snapshot_at(sorted, i)->counter.value, expected[i]);
	assert_int_equal(value_of(sorted, "events[host=a,type=y]"), 2);
	assert_null(astshm_snapshot_find(sorted, ASTSHM_KIND_COUNTER, "absent"));
	astshm_snapshot_free(&sorted);
}

static int all_equal(const struct astshm_series *a, const struct astshm_series *b, void *context)
{
	(void)a, (void)b, (void)context;
	return 0;
}

static void sorting_keeps_kinds_together_and_equal_ones_in_order(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich(), *sorted = NULL;
	(void)state;
	assert_int_equal(astshm_snapshot_sort(snapshot, all_equal, NULL, &sorted, NULL), 0);
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++)
		assert_string_equal(astshm_snapshot_at(sorted, i)->key,
				    astshm_snapshot_at(snapshot, i)->key);
	astshm_snapshot_free(&snapshot);
	astshm_snapshot_free(&sorted);
}

static void sorted_snapshot_still_groups_and_filters(void **state)
{
	struct astshm_snapshot *snapshot = events(), *sorted, *filtered, *grouped;
	int64_t limit = 8;
	(void)state;
	assert_int_equal(astshm_snapshot_sort(snapshot, by_value, NULL, &sorted, NULL), 0);
	assert_int_equal(astshm_snapshot_filter(sorted, is_small, &limit, &filtered, NULL), 0);
	assert_int_equal(astshm_snapshot_at(filtered, 0)->counter.value, 4);
	assert_int_equal(astshm_snapshot_group(filtered, NULL, 0, &grouped, NULL), 0);
	assert_int_equal(value_of(grouped, "events"), 7);
	astshm_snapshot_free(&snapshot);
	astshm_snapshot_free(&sorted);
	astshm_snapshot_free(&filtered);
	astshm_snapshot_free(&grouped);
}

static bool is_timing(const struct astshm_series *series, void *context)
{
	(void)context;
	return series->kind == ASTSHM_KIND_TIMING;
}

static int by_key_backwards(const struct astshm_series *a, const struct astshm_series *b,
			    void *context)
{
	(void)context;
	return strcmp(b->key, a->key);
}

static void assert_same_places(const struct astshm_snapshot *snapshot)
{
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);
	assert_non_null(window);
	assert_int_equal(astshm_snapshot_count(window), astshm_snapshot_count(snapshot));
	assert_int_equal(astshm_snapshot_family_count(window),
			 astshm_snapshot_family_count(snapshot));
	for (size_t i = 0; i < astshm_snapshot_count(window); i++) {
		assert_string_equal(astshm_snapshot_at(window, i)->key,
				    astshm_snapshot_at(snapshot, i)->key);
		assert_int_equal(astshm_snapshot_at(window, i)->kind,
				 astshm_snapshot_at(snapshot, i)->kind);
	}
	assert_int_equal(astshm_snapshot_interval_ns(window), 59875000000);
}

static void windows_are_filtered_sorted_and_grouped_alike(void **state)
{
	struct astshm_snapshot *snapshot = sample_window(), *sorted, *filtered, *grouped;
	(void)state;
	assert_int_equal(astshm_snapshot_sort(snapshot, by_key_backwards, NULL, &sorted, NULL), 0);
	astshm_snapshot_free(&snapshot);
	assert_same_places(sorted);
	assert_int_equal(astshm_snapshot_filter(sorted, is_timing, NULL, &filtered, NULL), 0);
	assert_same_places(filtered);
	assert_int_equal(astshm_snapshot_count(filtered), 4);
	assert_int_equal(astshm_snapshot_group(sorted, NULL, 0, &grouped, NULL), 0);
	assert_same_places(grouped);
	/* Of the two series of events one had a sample, and the queue's depth was seen. */
	const struct astshm_snapshot *window = astshm_snapshot_window(grouped);
	const struct astshm_series *took =
		astshm_snapshot_find(window, ASTSHM_KIND_TIMING, "event.processing.duration");
	assert_true(took->histogram.count == 1 && took->histogram.max == 250000000);
	const struct astshm_series *queue =
		astshm_snapshot_find(window, ASTSHM_KIND_GAUGE, "queue.depth");
	assert_true(queue->gauge.min == 2 && queue->gauge.max == 12 && queue->gauge.current == 5);
	astshm_snapshot_free(&sorted);
	astshm_snapshot_free(&filtered);
	astshm_snapshot_free(&grouped);
}

static void differences_and_merged_snapshots_have_no_window(void **state)
{
	struct astshm_snapshot *parts[] = { sample_window(), sample_window() }, *made;
	(void)state;
	assert_int_equal(astshm_snapshot_merge((const struct astshm_snapshot *const *)parts, 2,
					       &made, NULL), 0);
	assert_null(astshm_snapshot_window(made));
	astshm_snapshot_free(&made);
	parts[0]->timestamp_ns += 1000;
	parts[0]->uptime_ns += 1000;
	assert_int_equal(astshm_snapshot_subtract(parts[0], parts[1], &made, NULL), 0);
	assert_null(astshm_snapshot_window(made));
	for (int i = 0; i < 2; i++)
		astshm_snapshot_free(&parts[i]);
	astshm_snapshot_free(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_add_up_over_all_other_tags),
		cmocka_unit_test(groups_without_keys_add_up_over_all_tags),
		cmocka_unit_test(groups_of_timings_add_buckets_and_threads),
		cmocka_unit_test(groups_of_counters_and_gauges_add_what_each_thread_did),
		cmocka_unit_test(groups_of_an_interval_add_rates),
		cmocka_unit_test(filter_keeps_series_and_their_families),
		cmocka_unit_test(sorted_snapshot_is_walked_in_its_order),
		cmocka_unit_test(sorting_keeps_kinds_together_and_equal_ones_in_order),
		cmocka_unit_test(sorted_snapshot_still_groups_and_filters),
		cmocka_unit_test(windows_are_filtered_sorted_and_grouped_alike),
		cmocka_unit_test(differences_and_merged_snapshots_have_no_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
