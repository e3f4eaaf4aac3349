/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <astshm/buckets.h>

#include "sample.h"
#include "window.h"

static void assert_has(const struct sample_output *output, const char *line)
{
	const char *at = strstr(output->bytes, line);
	if (!at || (at != output->bytes && at[-1] != '\n'))
		fail_msg("no line %s in\n%s", line, output->bytes);
}

static struct sample_output encode_and_free(struct astshm_snapshot *snapshot)
{
	sample_end(snapshot);
	struct sample_output output = sample_encode(astshm_encode_prometheus, snapshot, 0);
	astshm_snapshot_free(&snapshot);
	return output;
}

static void counters_and_gauges_are_exactly_this(void **state)
{
	static const struct astshm_tag mute[] = { { "event_type", "/live/track/mute" } };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "events.received.by_type", "",
			"By \\\ntype");
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "events.received.by_type", mute, 1)
		->counter.value = 7;
	sample_counter(snapshot, "events.received_total", 8);
	sample_gauge(snapshot, "queue-depth", 2);
	struct sample_output output = encode_and_free(snapshot);
	assert_string_equal(
		output.bytes,
		"# HELP events_received_by_type_total By \\\\\\ntype\n"
		"# TYPE events_received_by_type_total counter\n"
		"events_received_by_type_total{event_type=\"/live/track/mute\"} 7\n"
		"# HELP events_received_total counter events.received_total\n"
		"# TYPE events_received_total counter\n"
		"events_received_total 8\n"
		"# HELP queue_depth gauge queue-depth\n"
		"# TYPE queue_depth gauge\n"
		"queue_depth 2.0\n");
	free(output.bytes);
}

static void states_are_gauges_and_time_is_seconds(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich();
	struct sample_output output = sample_encode(astshm_encode_prometheus, snapshot, 0);
	(void)state;
	assert_has(&output, "# TYPE websocket_pending gauge\nwebsocket_pending -3\n");
	assert_has(&output, "process_cpu_seconds_total 12.000000345\n");
	assert_has(&output, "gauge_nan NaN\n");
	assert_has(&output, "gauge_infinite +Inf\n");
	assert_has(&output, "message_size_bytes_sum 78768\n");
	assert_has(&output, "hostile_total{a_b_c=\"[x]\\\\y\",quote=\"\\\"\\n\t\x01");
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static uint64_t bucket_at(const struct sample_output *output, const char *name, const char *le)
{
	char start[128];
	snprintf(start, sizeof start, "%s_bucket{le=\"%s\"} ", name, le);
	assert_has(output, start);
	return strtoull(strstr(output->bytes, start) + strlen(start), NULL, 10);
}

static void value_equal_to_a_bound_is_inside(void **state)
{
	static const int64_t times[] = { 1000000000, 1000000001, 5000000, 1000 };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_timing(snapshot, "t", times, 4);
	struct sample_output output = encode_and_free(snapshot);
	assert_int_equal(bucket_at(&output, "t_seconds", "1e-06"), 1);
	assert_int_equal(bucket_at(&output, "t_seconds", "1.0"), 3);
	assert_int_equal(bucket_at(&output, "t_seconds", "2.5"), 4);
	assert_int_equal(bucket_at(&output, "t_seconds", "+Inf"), 4);
	assert_has(&output, "t_seconds_sum 2.005001001\nt_seconds_count 4\n");
	free(output.bytes);
}

static void lowest_and_highest_of_a_straddling_bucket_are_known(void **state)
{
	static const int64_t above = 5000001, equal = 5000000, below = 4999999;
	const struct {
		int64_t times[3];
		size_t count;
		uint64_t inside;
	} cases[] = { { { equal }, 1, 1 },
		      { { above }, 1, 0 },
		      { { above, above }, 2, 0 },
		      { { below, above }, 2, 1 },
		      { { equal, equal, above }, 3, 2 },
		      { { below, equal, 9000000 }, 3, 2 } };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct astshm_snapshot *snapshot = sample_begin();
		sample_timing(snapshot, "t", cases[i].times, cases[i].count);
		struct sample_output output = encode_and_free(snapshot);
		assert_int_equal(bucket_at(&output, "t_seconds", "0.005"), cases[i].inside);
		assert_int_equal(bucket_at(&output, "t_seconds", "0.0025"), 0);
		assert_int_equal(bucket_at(&output, "t_seconds", "0.01"), cases[i].count);
		free(output.bytes);
	}
}

/* Prometheus takes a count that falls for one that began anew. */
static void no_sample_makes_a_bucket_fall(void **state)
{
	enum { SAMPLES = 40, RUNS = 50 };
	uint32_t slot = astshm_bucket_slot_any(astshm_timing_table, 5000000);
	int64_t low = (int64_t)floor(astshm_histogram_bound(ASTSHM_KIND_TIMING, slot - 1)) - 5;
	int64_t high = (int64_t)floor(astshm_histogram_bound(ASTSHM_KIND_TIMING, slot)) + 5;
	const int64_t near[] = { low, low + 5, low + 6, 4999999, 5000000,
				 5000001, high - 5, high - 4, high };
	uint64_t random = 42;
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		int64_t times[SAMPLES];
		uint64_t before = 0;
		for (size_t i = 0; i < SAMPLES; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			times[i] = near[(random >> 33) % (sizeof near / sizeof near[0])];
			struct astshm_snapshot *snapshot = sample_begin();
			sample_timing(snapshot, "t", times, i + 1);
			struct sample_output output = encode_and_free(snapshot);
			uint64_t below = bucket_at(&output, "t_seconds", "0.005");
			assert_in_range(below, before, i + 1);
			before = below;
			free(output.bytes);
		}
	}
}

static void buckets_never_fall_and_end_at_the_count(void **state)
{
	enum { SAMPLES = 500 };
	int64_t values[SAMPLES];
	uint64_t random = 42, before = 0;
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	for (int i = 0; i < SAMPLES; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		values[i] = (int64_t)(random >> 33) >> (random >> 59);
	}
	sample_describe(snapshot, ASTSHM_KIND_DISTRIBUTION, "size", "bytes", "");
	struct astshm_series *series =
		sample_series(snapshot, ASTSHM_KIND_DISTRIBUTION, "size", NULL, 0);
	sample_fill(snapshot, &series->histogram, ASTSHM_KIND_DISTRIBUTION, values, SAMPLES);
	struct sample_output output = encode_and_free(snapshot);
	for (uint64_t bound = 1; bound <= 1 << 30; bound *= 4) {
		char le[32];
		snprintf(le, sizeof le, "%llu.0", (unsigned long long)bound);
		uint64_t below = bucket_at(&output, "size_bytes", le), exact = 0;
		for (int i = 0; i < SAMPLES; i++)
			exact += (uint64_t)values[i] <= bound;
		assert_in_range(below, before, SAMPLES);
		assert_int_equal(below, exact); /* powers of two are bounds of buckets */
		before = below;
	}
	assert_int_equal(bucket_at(&output, "size_bytes", "+Inf"), SAMPLES);
	free(output.bytes);
}

static void keep_line(void *context, const char *line)
{
	snprintf(context, 256, "%s", line);
}

static int discard(void *context, const void *bytes, size_t count)
{
	(void)context, (void)bytes, (void)count;
	return 0;
}

static void later_of_two_names_that_collapse_is_left_out(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	char line[256] = "";
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { discard, NULL };
	(void)state;
	sample_gauge(snapshot, "queue-depth", 1);
	sample_gauge(snapshot, "queue.depth", 2);
	sample_end(snapshot);
	options.warn = keep_line;
	options.warn_context = line;
	assert_int_equal(astshm_encode_prometheus(snapshot, &sink, &options), 0);
	assert_string_equal(line,
			    "left out: gauge queue.depth: its name is taken already: queue_depth");
	struct sample_output output = sample_encode(astshm_encode_prometheus, snapshot, 0);
	assert_has(&output, "queue_depth 1.0\n");
	assert_null(strstr(output.bytes, "queue_depth 2.0"));
	assert_has(&output, "# left out: gauge queue.depth");
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void sample_names_of_a_histogram_are_taken_too(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_timing(snapshot, "wait", NULL, 0);
	sample_gauge(snapshot, "wait_seconds_count", 1);
	struct sample_output output = encode_and_free(snapshot);
	assert_has(&output, "# left out: gauge wait_seconds_count");
	assert_has(&output, "wait_seconds_count 0\n");
	free(output.bytes);
}

static void labels_that_collapse_stay_apart(void **state)
{
	static const struct astshm_tag tags[] = { { "__name__", "x" }, { "a-b", "1" },
						  { "a.b", "2" }, { "le", "3" } };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_series(snapshot, ASTSHM_KIND_TIMING, "t", tags, 4);
	sample_series(snapshot, ASTSHM_KIND_TIMING, "t", tags + 1, 1);
	sample_series(snapshot, ASTSHM_KIND_TIMING, "t", tags + 2, 1);
	struct sample_output output = encode_and_free(snapshot);
	assert_has(&output, "t_seconds_count{tag___name__=\"x\",a_b=\"1\","
			    "a_b_2=\"2\",tag_le=\"3\"} 0\n");
	assert_has(&output, "t_seconds_count{a_b=\"1\"} 0\n");
	assert_has(&output, "t_seconds_count{a_b_2=\"2\"} 0\n");
	free(output.bytes);
}

/* In key order `a.b` stands between `a` and `a[x=1]`. */
static void family_stands_in_one_piece(void **state)
{
	static const struct astshm_tag tags[] = { { "x", "1" } };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_gauge(snapshot, "a", 1);
	sample_gauge(snapshot, "a.b", 2);
	sample_series(snapshot, ASTSHM_KIND_GAUGE, "a", tags, 1)->gauge.current = 3;
	struct sample_output output = encode_and_free(snapshot);
	assert_has(&output, "# TYPE a gauge\na 1.0\na{x=\"1\"} 3.0\n# HELP a_b ");
	free(output.bytes);
}

static void a_window_is_told_by_gauges_and_summaries(void **state)
{
	struct sample_output output = encode_and_free(sample_window());
	(void)state;
	assert_has(&output, "# TYPE astshm_window_seconds gauge\nastshm_window_seconds 59.875\n");
	assert_has(&output, "# TYPE events_received_window_rate gauge\n"
			    "events_received_window_rate 0.167014613778705");
	assert_has(&output, "process_cpu_seconds_window_rate 0.02505219");
	assert_has(&output, "websocket_pending_window_rate -0.0668");
	assert_has(&output, "# TYPE queue_depth_window_min gauge\n"
			    "queue_depth_window_min{queue=\"udp\"} 2.0\n");
	assert_has(&output, "queue_depth_window_max{queue=\"udp\"} 12.0\n");
	assert_has(&output, "gauge_nan_window_max NaN\n");
	assert_has(&output, "# TYPE event_processing_duration_seconds_window summary\n");
	assert_has(&output, "event_processing_duration_seconds_window_count 6\n");
	assert_has(&output, "event_processing_duration_seconds_window_sum 0.320701\n");
	assert_has(&output, "event_processing_duration_seconds_window{quantile=\"0.95\"} 0.25\n");
	assert_has(&output, "event_processing_duration_seconds_window{quantile=\"1\"} 0.25\n");
	assert_has(&output, "event_processing_duration_seconds_window_rate 0.01670");
	/* The totals stay totals; without a sample there is no quantile. */
	assert_has(&output, "events_received_total 15430\n");
	assert_null(strstr(output.bytes, "timing_empty_seconds_window{"));
	free(output.bytes);
}

static void names_of_a_window_give_way(void **state)
{
	static const struct astshm_tag tags[] = { { "quantile", "q" } };
	struct astshm_snapshot *parts[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		parts[i] = sample_begin();
		sample_counter(parts[i], "events", 3 + i);
		sample_gauge(parts[i], "events.window.rate", 5);
		sample_gauge(parts[i], "astshm.window_seconds", 6);
		sample_series(parts[i], ASTSHM_KIND_TIMING, "t", tags, 1);
		sample_timing(parts[i], "t", (const int64_t[]){ 7, 1000000000 }, 1u + i);
		sample_end(parts[i]);
	}
	parts[0]->timestamp_ns -= 1000000000;
	parts[0]->uptime_ns -= 1000000000;
	assert_int_equal(window_between(parts[1], parts[0], NULL, &parts[1]->window, NULL), 0);
	astshm_snapshot_free(&parts[0]);
	struct sample_output output = encode_and_free(parts[1]);
	assert_has(&output, "events_window_rate 5.0\n");
	assert_has(&output, "# left out: counter events: a name of its window is taken already: ");
	assert_has(&output, "astshm_window_seconds 6.0\n");
	assert_null(strstr(output.bytes, "astshm_window_seconds 1.0"));
	assert_has(&output, "t_seconds_window_rate{tag_quantile=\"q\"} 0.0\n");
	assert_has(&output, "t_seconds_window{quantile=\"0.5\"} 1.0\n");
	assert_has(&output, "t_seconds_count{quantile=\"q\"} 0\n");
	free(output.bytes);
}

static void openmetrics_is_exactly_this(void **state)
{
	static const struct astshm_tag odd[] = { { "k", "a\"b\\\n" } };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "busy", "seconds", "Say \"when\"");
	struct astshm_series *busy =
		sample_series(snapshot, ASTSHM_KIND_COUNTER, "busy", NULL, 0);
	busy->counter.value = 1500000000;
	busy->created_realtime_ns = 1700000000000000001;
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "hits_total", odd, 1)->counter.value = 7;
	sample_gauge(snapshot, "queue-depth", 2);
	sample_end(snapshot);
	struct sample_output output = sample_encode(astshm_encode_prometheus, snapshot,
						    ASTSHM_ENCODE_OPENMETRICS);
	assert_string_equal(output.bytes,
			    "# HELP busy_seconds Say \\\"when\\\"\n"
			    "# TYPE busy_seconds counter\n"
			    "# UNIT busy_seconds seconds\n"
			    "busy_seconds_total 1.5\n"
			    "busy_seconds_created 1700000000.000000001\n"
			    "# HELP hits counter hits_total\n"
			    "# TYPE hits counter\n"
			    "hits_total{k=\"a\\\"b\\\\\\n\"} 7\n"
			    "# HELP queue_depth gauge queue-depth\n"
			    "# TYPE queue_depth gauge\n"
			    "queue_depth 2.0\n"
			    "# EOF\n");
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

/* In the text form a counter and a gauge of one name are jobs_total and jobs. */
static void openmetrics_has_one_family_of_a_name(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_counter(snapshot, "jobs", 1);
	sample_gauge(snapshot, "jobs", 2);
	sample_gauge(snapshot, "jobs.created", 3);
	sample_end(snapshot);
	struct sample_output text = sample_encode(astshm_encode_prometheus, snapshot, 0);
	struct sample_output output = sample_encode(astshm_encode_prometheus, snapshot,
						    ASTSHM_ENCODE_OPENMETRICS);
	assert_has(&text, "jobs_total 1\n");
	assert_has(&text, "jobs 2.0\n");
	assert_has(&text, "jobs_created 3.0\n");
	assert_string_equal(output.bytes, "# HELP jobs counter jobs\n# TYPE jobs counter\n"
					  "jobs_total 1\n# EOF\n");
	free(text.bytes);
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges_are_exactly_this),
		cmocka_unit_test(states_are_gauges_and_time_is_seconds),
		cmocka_unit_test(value_equal_to_a_bound_is_inside),
		cmocka_unit_test(lowest_and_highest_of_a_straddling_bucket_are_known),
		cmocka_unit_test(no_sample_makes_a_bucket_fall),
		cmocka_unit_test(buckets_never_fall_and_end_at_the_count),
		cmocka_unit_test(later_of_two_names_that_collapse_is_left_out),
		cmocka_unit_test(sample_names_of_a_histogram_are_taken_too),
		cmocka_unit_test(labels_that_collapse_stay_apart),
		cmocka_unit_test(family_stands_in_one_piece),
		cmocka_unit_test(a_window_is_told_by_gauges_and_summaries),
		cmocka_unit_test(names_of_a_window_give_way),
		cmocka_unit_test(openmetrics_is_exactly_this),
		cmocka_unit_test(openmetrics_has_one_family_of_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
