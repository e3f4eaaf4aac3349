/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "window.h"

#define HEAD "{\"timestamp\":\"2026-11-22T10:30:00.123456789Z\",\"uptime_seconds\":3600.5,"

/* Ends the snapshot, encodes it and frees it. */
static void assert_summary(struct astshm_snapshot *snapshot, const char *expected)
{
	if (!snapshot->first[SNAPSHOT_KINDS])
		sample_end(snapshot);
	struct sample_output output = sample_encode(astshm_encode_summary, snapshot, 0);
	assert_string_equal(output.bytes, expected);
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

#define EMPTY "\"event_processing\":{},\"udp_listener\":{},\"websocket\":{},"

static void summary_without_metrics_keeps_its_sections(void **state)
{
	(void)state;
	assert_summary(sample_begin(), HEAD EMPTY "\"cache\":{},\"errors\":{}}");
}

static void add_events(struct astshm_snapshot *snapshot)
{
	static const int64_t took[] = { 5200001 };
	sample_counter(snapshot, "events.processed", 15420);
	sample_timing(snapshot, "event.processing.duration", took, 1);
	sample_counter(snapshot, "udp.packet.received", 15500);
	sample_counter(snapshot, "udp.packet.dropped", 80);
	sample_counter(snapshot, "websocket.broadcast.success", 15420);
	sample_gauge(snapshot, "websocket.clients", 3);
	sample_gauge(snapshot, "cache.hit_rate", 0.57);
}

static void add_errors(struct astshm_snapshot *snapshot)
{
	static const struct astshm_tag value[] = { { "error_type", "ValueError" } };
	static const struct astshm_tag key[] = { { "error_type", "KeyError" } };
	sample_counter(snapshot, "errors.event_processing", 2);
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "errors.event_processing.by_type", key, 1)
		->counter.value = 2;
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "errors.validation", value, 1)
		->counter.value = 4;
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "errors.validation", key, 1)->counter.value =
		1;
	sample_counter(snapshot, "errorsnot", 9);
}

static void summary_is_exactly_this(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	add_events(snapshot);
	add_errors(snapshot);
	assert_summary(snapshot, HEAD
		       "\"event_processing\":{\"total_processed\":15420,\"latency_ms\":"
		       "{\"p50\":5.200001,\"p95\":5.200001,\"p99\":5.200001}},"
		       "\"udp_listener\":{\"packets_received\":15500,\"packets_dropped\":80},"
		       "\"websocket\":{\"clients_connected\":3,\"broadcasts_sent\":15420},"
		       "\"cache\":{\"hit_rate_percent\":57.0},"
		       "\"errors\":{\"errors.event_processing\":2,\"errors.validation\":5}}");
}

static void add_tagged_timing(struct astshm_snapshot *snapshot, const char *type, int64_t took)
{
	const struct astshm_tag tags[] = { { "event_type", type } };
	const int64_t times[] = { took, took, took };
	struct astshm_series *series = sample_series(snapshot, ASTSHM_KIND_TIMING,
						     "event.processing.duration", tags, 1);
	sample_fill(snapshot, &series->histogram, ASTSHM_KIND_TIMING, times, 3);
}

/* The same as if all samples had been recorded without a tag. */
static void latency_of_tagged_timings_is_added_up(void **state)
{
	static const int64_t all[] = { 1000000, 1000000, 1000000, 9000000, 9000000, 9000000 };
	struct astshm_snapshot *tagged = sample_begin(), *whole = sample_begin();
	(void)state;
	add_tagged_timing(tagged, "a", 1000000);
	add_tagged_timing(tagged, "b", 9000000);
	sample_end(tagged);
	sample_timing(whole, "event.processing.duration", all, 6);
	sample_end(whole);
	struct sample_output expected = sample_encode(astshm_encode_summary, whole, 0);
	assert_non_null(strstr(expected.bytes, "\"p95\":9.0,\"p99\":9.0"));
	assert_summary(tagged, expected.bytes);
	free(expected.bytes);
	astshm_snapshot_free(&whole);
}

static void untagged_timing_counts_alone(void **state)
{
	static const int64_t took[] = { 2000000 };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	add_tagged_timing(snapshot, "a", 9000000);
	sample_timing(snapshot, "event.processing.duration", took, 1);
	assert_summary(snapshot, HEAD
		       "\"event_processing\":{\"latency_ms\":"
		       "{\"p50\":2.0,\"p95\":2.0,\"p99\":2.0}},"
		       "\"udp_listener\":{},\"websocket\":{},\"cache\":{},\"errors\":{}}");
}

static void latency_without_samples_is_null(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_timing(snapshot, "event.processing.duration", NULL, 0);
	assert_summary(snapshot, HEAD
		       "\"event_processing\":{\"latency_ms\":"
		       "{\"p50\":null,\"p95\":null,\"p99\":null}},"
		       "\"udp_listener\":{},\"websocket\":{},\"cache\":{},\"errors\":{}}");
}

static void clients_may_be_an_up_down_counter(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_counter(snapshot, "websocket.clients", 4);
	assert_summary(snapshot, HEAD
		       "\"event_processing\":{},\"udp_listener\":{},"
		       "\"websocket\":{\"clients_connected\":4},\"cache\":{},\"errors\":{}}");
}

static void interval_view_shows_increases(void **state)
{
	struct astshm_snapshot *older = sample_begin(), *newer = sample_begin(), *interval = NULL;
	(void)state;
	sample_counter(older, "events.processed", 100);
	sample_counter(newer, "events.processed", 130);
	sample_counter(newer, "errors.parse", 2);
	sample_end(older);
	sample_end(newer);
	older->timestamp_ns -= 1000000000;
	assert_int_equal(astshm_snapshot_subtract(newer, older, &interval, NULL), 0);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	assert_summary(interval, HEAD
		       "\"event_processing\":{\"total_processed\":30},\"udp_listener\":{},"
		       "\"websocket\":{},\"cache\":{},\"errors\":{\"errors.parse\":2}}");
}

/* The same with a window of 2.5 s in which `newer` has come about. */
static struct astshm_snapshot *with_window(struct astshm_snapshot *newer,
					   struct astshm_snapshot *older)
{
	older->timestamp_ns -= 2500000000;
	older->uptime_ns -= 2500000000;
	assert_int_equal(window_between(newer, older, NULL, &newer->window, NULL), 0);
	astshm_snapshot_free(&older);
	return newer;
}

static void all_figures_of_a_window_are_its_own(void **state)
{
	static const int64_t before[] = { 5200001 }, after[] = { 5200001, 90000000 };
	struct astshm_snapshot *older = sample_begin(), *newer = sample_begin();
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct astshm_snapshot *snapshot = i ? newer : older;
		sample_counter(snapshot, "events.processed", 100 + 7 * i);
		sample_timing(snapshot, "event.processing.duration", i ? after : before, 1u + i);
		sample_counter(snapshot, "udp.packet.received", 1000 + 30 * i);
		sample_counter(snapshot, "udp.packet.dropped", 80);
		sample_counter(snapshot, "cache.hit", 1000 + i);
		sample_counter(snapshot, "cache.miss", 10 + 3 * i);
		sample_counter(snapshot, "errors.event_processing", 4 + i);
		sample_gauge(snapshot, "websocket.clients", 3 + i);
		sample_gauge(snapshot, "cache.hit_rate", 0.98);
		sample_end(snapshot);
	}
	assert_summary(with_window(newer, older), HEAD "\"window_seconds\":2.5,"
		       "\"event_processing\":{\"total_processed\":7,\"latency_ms\":"
		       "{\"p50\":90.0,\"p95\":90.0,\"p99\":90.0}},"
		       "\"udp_listener\":{\"packets_received\":30,\"packets_dropped\":0},"
		       "\"websocket\":{\"clients_connected\":4},"
		       "\"cache\":{\"hit_rate_percent\":25.0},"
		       "\"errors\":{\"errors.event_processing\":1}}");
}

/* As where there was room for counters, but for no gauge any more. */
static void hit_rate_without_a_sample_is_what_was_counted(void **state)
{
	(void)state;
	for (uint64_t samples = 0; samples < 2; samples++) {
		struct astshm_snapshot *snapshot = sample_begin();
		sample_counter(snapshot, "cache.hit", 3);
		sample_counter(snapshot, "cache.miss", 1);
		sample_series(snapshot, ASTSHM_KIND_GAUGE, "cache.hit_rate", NULL, 0)->gauge.count =
			samples;
		assert_summary(snapshot, samples ? HEAD EMPTY
			       "\"cache\":{\"hit_rate_percent\":0.0},\"errors\":{}}"
			       : HEAD EMPTY
			       "\"cache\":{\"hit_rate_percent\":75.0},\"errors\":{}}");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summary_without_metrics_keeps_its_sections),
		cmocka_unit_test(summary_is_exactly_this),
		cmocka_unit_test(latency_of_tagged_timings_is_added_up),
		cmocka_unit_test(untagged_timing_counts_alone),
		cmocka_unit_test(latency_without_samples_is_null),
		cmocka_unit_test(clients_may_be_an_up_down_counter),
		cmocka_unit_test(interval_view_shows_increases),
		cmocka_unit_test(all_figures_of_a_window_are_its_own),
		cmocka_unit_test(hit_rate_without_a_sample_is_what_was_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
