/* SPDX-License-Identifier: MIT */
/* What each kind records, by handle and by name. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "scene.h"

static void counter_adds_by_handle_and_by_name(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;

	(void)state;
	assert_int_equal(astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" },
						 &counter, NULL), 0);
	astshm_counter_add(counter, 3);
	astshm_counter_add(counter, 4);
	astshm_increment(writer, "c", 5, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 12);
	astshm_writer_close(&writer);
}

static void monotonic_counter_does_not_fall_by_handle(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;

	(void)state;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter, NULL);
	astshm_counter_add(counter, 3);
	astshm_counter_sub(counter, 1);
	assert_int_equal(scene_counter(writer, "c"), 3);
	astshm_writer_close(&writer);
}

static bool is_monotonic(struct astshm_writer *writer, const char *key)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	bool monotonic = astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, key)->monotonic;
	astshm_snapshot_free(&snapshot);
	return monotonic;
}

static void up_down_counter_falls_below_zero(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;

	(void)state;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c",
								 .flags = ASTSHM_UP_DOWN },
				&counter, NULL);
	astshm_counter_add(counter, 3);
	astshm_counter_sub(counter, 5);
	assert_int_equal(scene_counter(writer, "c"), -2);
	assert_false(is_monotonic(writer, "c"));
	astshm_writer_close(&writer);
}

static void decrement_by_name_makes_an_up_down_counter(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	astshm_increment(writer, "websocket.clients", 2, ASTSHM_NO_TAGS);
	assert_true(is_monotonic(writer, "websocket.clients"));
	astshm_decrement(writer, "websocket.clients", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "websocket.clients"), 1);
	assert_false(is_monotonic(writer, "websocket.clients"));
	astshm_decrement(writer, "fresh", 4, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "fresh"), -4);
	astshm_writer_close(&writer);
}

static void gauge_keeps_current_and_statistics(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_gauge gauge;

	(void)state;
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "g" }, &gauge, NULL);
	astshm_gauge_set(gauge, -5.0);
	astshm_gauge_set(gauge, 3.0);
	astshm_set(writer, "g", -1.0, ASTSHM_NO_TAGS);
	struct astshm_gauge_value value = scene_gauge(writer, "g");
	assert_true(value.current == -1.0 && value.min == -5.0 && value.max == 3.0);
	assert_true(value.sum == -3.0 && value.count == 3);
	astshm_gauge_add(gauge, 2.5);
	astshm_add(writer, "g", 0.5, ASTSHM_NO_TAGS);
	value = scene_gauge(writer, "g");
	assert_true(value.current == 2.0 && value.count == 5);
	astshm_writer_close(&writer);
}

static void negative_gauge_has_a_negative_maximum(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	astshm_set(writer, "g", -7.0, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", -3.0, ASTSHM_NO_TAGS);
	assert_true(scene_gauge(writer, "g").max == -3.0);
	astshm_writer_close(&writer);
}

static void nan_is_kept_as_current_only(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	astshm_set(writer, "g", 2.0, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", INFINITY, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", NAN, ASTSHM_NO_TAGS);
	struct astshm_gauge_value value = scene_gauge(writer, "g");
	assert_true(isnan(value.current) && value.count == 1 && value.max == 2.0);
	astshm_writer_close(&writer);
}

static void timing_counts_every_value(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_timing timing;

	(void)state;
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing, NULL);
	for (int64_t i = 1; i <= 1000; i++)
		astshm_timing_record(timing, i * 1000);
	struct astshm_statistics value = scene_timing(writer, "t");
	assert_int_equal(value.count, 1000);
	assert_true(value.sum == 500500.0 * 1000);
	assert_true(value.min == 1000 && value.max == 1000000);
	assert_true(fabs(value.p50 - 500e3) < 500e3 * 0.011);
	assert_true(fabs(value.p99 - 990e3) < 990e3 * 0.011);
	astshm_writer_close(&writer);
}

static void odd_durations_are_counted_at_the_edges(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_time(writer, "t", 0, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", -5, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", INT64_MIN, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", INT64_MAX, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", INT64_MAX, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", INT64_MAX, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	const struct astshm_histogram *histogram =
		&astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_int_equal(histogram->zero_count, 3);
	assert_int_equal(histogram->overflow_count, 3);
	assert_int_equal(histogram->count, 6);
	assert_int_equal(histogram->min, 0);
	assert_int_equal(histogram->max, INT64_MAX);
	assert_int_equal(histogram->sum_hi, 1);
	assert_int_equal(histogram->sum, 3 * (uint64_t)INT64_MAX);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void distribution_keeps_its_own_unit(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_distribution distribution;
	struct astshm_statistics value;

	(void)state;
	astshm_distribution_register(writer, &(struct astshm_metric){ .name = "size",
								      .unit = "bytes" },
				     &distribution, NULL);
	astshm_distribution_record(distribution, 512);
	astshm_observe(writer, "size", 2048, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_get_distribution(writer, "size", ASTSHM_NO_TAGS, &value), 0);
	assert_true(value.count == 2 && value.min == 512 && value.max == 2048 && value.sum == 2560);
	astshm_writer_close(&writer);
}

static void time_two_scopes(struct astshm_writer *writer, struct astshm_timing timing)
{
	ASTSHM_TIME_SCOPE(timing);
	ASTSHM_TIME_SCOPE_NAMED(writer, "named", ASTSHM_NO_TAGS);
}

static void scopes_time_until_the_block_ends(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_timing timing;

	(void)state;
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "scope" }, &timing, NULL);
	time_two_scopes(writer, timing);
	struct astshm_timer timer = astshm_timer_start();
	int64_t ns = astshm_timer_stop(timing, timer);
	assert_true(ns >= 0);
	assert_int_equal(scene_timing(writer, "scope").count, 2);
	assert_int_equal(scene_timing(writer, "named").count, 1);
	astshm_writer_close(&writer);
}

static struct astshm_counter signal_counter;

static void on_signal(int number)
{
	(void)number;
	/* Made for it. NOLINTNEXTLINE(bugprone-signal-handler) */
	astshm_counter_add_signal(signal_counter, 2);
}

static void signal_handler_adds_to_a_signal_safe_counter(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	assert_int_equal(astshm_counter_register(
				 writer,
				 &(struct astshm_metric){ .name = "signals",
							  .flags = ASTSHM_SIGNAL_SAFE },
				 &signal_counter, NULL), 0);
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 10; i++)
		raise(SIGUSR1);
	astshm_counter_add(signal_counter, 1);
	assert_int_equal(scene_counter(writer, "signals"), 21);
	astshm_reset_counters(writer);
	raise(SIGUSR1);
	assert_int_equal(scene_counter(writer, "signals"), 2);
	astshm_writer_close(&writer);
	raise(SIGUSR1); /* a dead handle does nothing */
	signal(SIGUSR1, SIG_DFL);
}

static void tags_in_any_order_are_one_series(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	int64_t value;

	(void)state;
	astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "b", "2" }, { "a", "1" }));
	astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "a", "1" }, { "b", "2" }));
	astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "a", "1" }));
	assert_int_equal(astshm_get_counter(writer, "c",
					    ASTSHM_TAGS({ "b", "2" }, { "a", "1" }), &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_NO_TAGS, &value), -ENOENT);
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_adds_by_handle_and_by_name),
		cmocka_unit_test(monotonic_counter_does_not_fall_by_handle),
		cmocka_unit_test(up_down_counter_falls_below_zero),
		cmocka_unit_test(decrement_by_name_makes_an_up_down_counter),
		cmocka_unit_test(gauge_keeps_current_and_statistics),
		cmocka_unit_test(negative_gauge_has_a_negative_maximum),
		cmocka_unit_test(nan_is_kept_as_current_only),
		cmocka_unit_test(timing_counts_every_value),
		cmocka_unit_test(odd_durations_are_counted_at_the_edges),
		cmocka_unit_test(distribution_keeps_its_own_unit),
		cmocka_unit_test(scopes_time_until_the_block_ends),
		cmocka_unit_test(signal_handler_adds_to_a_signal_safe_counter),
		cmocka_unit_test(tags_in_any_order_are_one_series),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
