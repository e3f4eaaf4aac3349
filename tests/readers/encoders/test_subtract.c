/* SPDX-License-Identifier: MIT */
/* The interval between two snapshots, and what is noticed in between. */
#include "cmocka_all.h"

#include <errno.h>

#include "sample.h"

#define SECOND_NS 1000000000ull

/* Two passes 2 s apart over the same segment, and the interval made of them. */
struct passes {
	struct astshm_snapshot *older, *newer, *interval;
};

static struct passes two_passes(void)
{
	struct passes passes = { sample_begin(), sample_begin(), NULL };
	passes.older->timestamp_ns -= 2 * SECOND_NS;
	passes.older->uptime_ns -= 2 * SECOND_NS;
	return passes;
}

static void subtract(struct passes *passes)
{
	sample_end(passes->older);
	sample_end(passes->newer);
	assert_int_equal(astshm_snapshot_subtract(passes->newer, passes->older, &passes->interval,
						  NULL), 0);
}

static void free_passes(struct passes *passes)
{
	astshm_snapshot_free(&passes->older);
	astshm_snapshot_free(&passes->newer);
	astshm_snapshot_free(&passes->interval);
}

static const struct astshm_counter_value *counter_of(const struct passes *passes, const char *key)
{
	const struct astshm_series *series =
		astshm_snapshot_find(passes->interval, ASTSHM_KIND_COUNTER, key);
	assert_non_null(series);
	assert_true(series->counter.has_rate);
	return &series->counter;
}

static const struct astshm_histogram *timing_of(const struct passes *passes, const char *key)
{
	const struct astshm_series *series =
		astshm_snapshot_find(passes->interval, ASTSHM_KIND_TIMING, key);
	assert_non_null(series);
	return &series->histogram;
}

static void counters_have_increase_and_rate(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 107);
	sample_counter(passes.older, "gone", 1);
	sample_counter(passes.newer, "new", 4);
	subtract(&passes);
	assert_int_equal(astshm_snapshot_interval_ns(passes.interval), 2 * SECOND_NS);
	assert_int_equal(counter_of(&passes, "a")->increase, 7);
	assert_int_equal(counter_of(&passes, "a")->value, 107);
	assert_true(counter_of(&passes, "a")->rate == 3.5);
	assert_int_equal(counter_of(&passes, "new")->increase, 4);
	assert_null(astshm_snapshot_find(passes.interval, ASTSHM_KIND_COUNTER, "gone"));
	free_passes(&passes);
}

static void up_down_counters_may_fall(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "clients", 5);
	sample_counter(passes.newer, "clients", 3);
	passes.newer->series[0].monotonic = false;
	passes.newer->segment.epoch++; /* a reset leaves them */
	subtract(&passes);
	assert_int_equal(counter_of(&passes, "clients")->increase, -2);
	assert_true(counter_of(&passes, "clients")->rate == -1);
	free_passes(&passes);
}

static void timings_hold_the_interval_alone(void **state)
{
	static const int64_t times[] = { 1000000, 64000000, 2000000, 3000000 };
	struct passes passes = two_passes();
	(void)state;
	sample_timing(passes.older, "t", times, 2);
	sample_timing(passes.newer, "t", times, 4);
	subtract(&passes);
	const struct astshm_histogram *histogram = timing_of(&passes, "t");
	assert_int_equal(histogram->count, 2);
	assert_int_equal(histogram->sum, 5000000);
	assert_false(histogram->has_extremes);
	double p50 = astshm_histogram_quantile(histogram, ASTSHM_KIND_TIMING, 0.5);
	double p99 = astshm_histogram_quantile(histogram, ASTSHM_KIND_TIMING, 0.99);
	assert_true(p50 > 1975000 && p50 < 2025000);
	assert_true(p99 > 2960000 && p99 < 3040000);
	free_passes(&passes);
}

static void quiet_timing_has_no_samples(void **state)
{
	static const int64_t times[] = { 0, 1000000 };
	struct passes passes = two_passes();
	(void)state;
	sample_timing(passes.older, "t", times, 2);
	sample_timing(passes.newer, "t", times, 2);
	subtract(&passes);
	assert_int_equal(timing_of(&passes, "t")->count, 0);
	assert_int_equal(timing_of(&passes, "t")->sum, 0);
	assert_int_equal(timing_of(&passes, "t")->slot_count, 0);
	free_passes(&passes);
}

static void reset_of_counters_leaves_timings(void **state)
{
	static const int64_t times[] = { 1000000, 1000000, 1000000 };
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 107); /* past it already: no fall to see */
	sample_timing(passes.older, "t", times, 2);
	sample_timing(passes.newer, "t", times, 3);
	passes.newer->segment.counters_epoch++;
	subtract(&passes);
	assert_int_equal(counter_of(&passes, "a")->increase, 107);
	assert_int_equal(timing_of(&passes, "t")->count, 1);
	free_passes(&passes);
}

static void interval_begins_at_a_reset(void **state)
{
	static const int64_t times[] = { 1000000, 1000000, 1000000 };
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 107);
	sample_timing(passes.older, "t", times, 2);
	sample_timing(passes.newer, "t", times, 3);
	passes.newer->segment.epoch++;
	passes.newer->uptime_ns = SECOND_NS / 2;
	subtract(&passes);
	assert_int_equal(astshm_snapshot_interval_ns(passes.interval), SECOND_NS / 2);
	assert_true(counter_of(&passes, "a")->rate == 214);
	assert_int_equal(timing_of(&passes, "t")->count, 3);
	assert_true(timing_of(&passes, "t")->has_extremes);
	free_passes(&passes);
}

static void restart_begins_everything_anew(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "clients", 5);
	sample_counter(passes.newer, "clients", 6);
	passes.newer->series[0].monotonic = false;
	passes.newer->segment.generation++;
	subtract(&passes);
	assert_int_equal(counter_of(&passes, "clients")->increase, 6);
	free_passes(&passes);
}

static void series_made_again_begins_anew(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 107);
	passes.older->series[0].created_realtime_ns = 1;
	passes.newer->series[0].created_realtime_ns = 2;
	subtract(&passes);
	assert_int_equal(counter_of(&passes, "a")->increase, 107);
	free_passes(&passes);
}

/* As after decoding, where nothing tells when a series was made. */
static void what_went_down_began_anew(void **state)
{
	static const int64_t before[] = { 1000000, 1000000 }, after[] = { 9000000, 1000000 };
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 7);
	sample_timing(passes.older, "t", before, 2);
	sample_timing(passes.newer, "t", after, 2);
	subtract(&passes);
	assert_int_equal(counter_of(&passes, "a")->increase, 7);
	assert_int_equal(timing_of(&passes, "t")->count, 2);
	free_passes(&passes);
}

static void threads_are_subtracted_by_slot(void **state)
{
	struct passes passes = { sample_threads(), sample_threads(), NULL };
	(void)state;
	passes.older->timestamp_ns -= SECOND_NS;
	const struct astshm_series *series =
		astshm_snapshot_find(passes.newer, ASTSHM_KIND_COUNTER, "events.received");
	((struct astshm_thread_value *)(uintptr_t)series->threads)[1].counter = 5;
	subtract(&passes);
	series = astshm_snapshot_find(passes.interval, ASTSHM_KIND_COUNTER, "events.received");
	assert_int_equal(series->thread_count, 2);
	assert_int_equal(series->threads[0].counter, 0);
	assert_int_equal(series->threads[1].counter, 5);
	free_passes(&passes);
}

static void order_of_arguments_is_checked(void **state)
{
	struct passes passes = two_passes();
	struct astshm_error error;
	(void)state;
	sample_end(passes.older);
	sample_end(passes.newer);
	assert_int_equal(astshm_snapshot_subtract(passes.older, passes.newer, &passes.interval,
						  &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_null(passes.interval);
	assert_int_equal(astshm_snapshot_subtract(passes.newer, passes.newer, &passes.interval,
						  NULL), -EINVAL);
	free_passes(&passes);
}

/* By an hour, between two passes that are 2 s apart: the rate is not an
 * eighteen-hundredth. Of a dead writer only the wall clock tells. */
static void clock_set_forward_does_not_lengthen_the_interval(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 100);
	sample_counter(passes.newer, "a", 110);
	passes.newer->timestamp_ns += 3600 * SECOND_NS;
	subtract(&passes);
	assert_int_equal(astshm_snapshot_interval_ns(passes.interval), 2 * SECOND_NS);
	assert_true(counter_of(&passes, "a")->rate == 5);
	astshm_snapshot_free(&passes.interval);
	passes.newer->segment.state = ASTSHM_STATE_DEAD;
	assert_int_equal(astshm_snapshot_subtract(passes.newer, passes.older, &passes.interval,
						  NULL), 0);
	assert_int_equal(astshm_snapshot_interval_ns(passes.interval), 3602 * SECOND_NS);
	free_passes(&passes);
}

static void clock_set_back_is_no_obstacle(void **state)
{
	struct passes passes = two_passes();
	(void)state;
	sample_counter(passes.older, "a", 1);
	sample_counter(passes.newer, "a", 3);
	passes.newer->timestamp_ns -= 3600 * SECOND_NS;
	subtract(&passes);
	assert_int_equal(astshm_snapshot_interval_ns(passes.interval), 2 * SECOND_NS);
	assert_true(counter_of(&passes, "a")->rate == 1);
	free_passes(&passes);
}

static void timing_without_buckets_is_an_error(void **state)
{
	static const int64_t times[] = { 1000000 };
	struct passes passes = two_passes();
	struct astshm_error error;
	(void)state;
	sample_timing(passes.older, "t", times, 1);
	sample_timing(passes.newer, "t", times, 1);
	passes.older->series[0].histogram.has_buckets = false;
	sample_end(passes.older);
	sample_end(passes.newer);
	assert_int_equal(astshm_snapshot_subtract(passes.newer, passes.older, &passes.interval,
						  &error), -ENODATA);
	assert_string_equal(error.text, "a histogram comes without buckets");
	free_passes(&passes);
}

static void interval_outlives_what_it_was_made_of(void **state)
{
	struct passes passes = { sample_rich(), sample_rich(), NULL };
	(void)state;
	passes.older->timestamp_ns -= SECOND_NS;
	subtract(&passes);
	astshm_snapshot_free(&passes.older);
	astshm_snapshot_free(&passes.newer);
	assert_string_equal(astshm_snapshot_segment(passes.interval)->name, "sample");
	assert_non_null(timing_of(&passes, "event.processing.duration[event_type=device_param]"));
	free_passes(&passes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_have_increase_and_rate),
		cmocka_unit_test(up_down_counters_may_fall),
		cmocka_unit_test(timings_hold_the_interval_alone),
		cmocka_unit_test(quiet_timing_has_no_samples),
		cmocka_unit_test(reset_of_counters_leaves_timings),
		cmocka_unit_test(interval_begins_at_a_reset),
		cmocka_unit_test(restart_begins_everything_anew),
		cmocka_unit_test(series_made_again_begins_anew),
		cmocka_unit_test(what_went_down_began_anew),
		cmocka_unit_test(threads_are_subtracted_by_slot),
		cmocka_unit_test(order_of_arguments_is_checked),
		cmocka_unit_test(clock_set_forward_does_not_lengthen_the_interval),
		cmocka_unit_test(clock_set_back_is_no_obstacle),
		cmocka_unit_test(timing_without_buckets_is_an_error),
		cmocka_unit_test(interval_outlives_what_it_was_made_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
