/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "number.h"
#include "sample.h"

static json_t *parse(struct sample_output output)
{
	json_error_t error;
	json_t *document = json_loadb(output.bytes, output.size, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		fail_msg("%s at %d: %s", error.text, error.position, output.bytes);
	free(output.bytes);
	return document;
}

/* The value behind keys that lead from map to map; NULL ends them. */
static json_t *at(json_t *value, ...)
{
	va_list keys;
	const char *key;
	va_start(keys, value);
	while ((key = va_arg(keys, const char *))) {
		value = json_object_get(value, key);
		if (!value)
			fail_msg("no key %s", key);
	}
	va_end(keys);
	return value;
}

static void json_is_exactly_this(void **state)
{
	static const int64_t times[] = { 5000000, 5000000 };
	static const struct astshm_tag tags[] = { { "event_type", "/live/track/mute" } };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "events", "", "All");
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "events", tags, 1)->counter.value = 7;
	sample_gauge(snapshot, "depth", 2.5);
	sample_timing(snapshot, "took", times, 2);
	sample_end(snapshot);
	struct sample_output output = sample_encode(astshm_encode_json, snapshot, 0);
	assert_string_equal(
		output.bytes,
		"{\"schema\":\"astshm.snapshot/1\","
		"\"timestamp\":\"2026-11-22T10:30:00.123456789Z\","
		"\"timestamp_ns\":1795343400123456789,\"uptime_seconds\":3600.5,"
		"\"segment\":{\"name\":\"sample\",\"pid\":4711,\"state\":\"live\","
		"\"generation\":\"0123456789abcdef\",\"enabled\":true,\"epoch\":3,"
		"\"counters_epoch\":5,\"heartbeat_age_seconds\":0.25,\"bytes\":1048576,"
		"\"series\":{\"counters\":1,\"gauges\":1,\"timings\":1,\"distributions\":0},"
		"\"threads\":4,\"dropped\":0,\"other_tag_sets\":0,\"torn\":0,\"bad_records\":0},"
		"\"families\":{\"depth\":{\"kind\":\"gauge\",\"unit\":\"\",\"help\":\"\","
		"\"monotonic\":null,\"merge\":\"last\"},"
		"\"events\":{\"kind\":\"counter\",\"unit\":\"\",\"help\":\"All\","
		"\"monotonic\":true,\"merge\":null},"
		"\"took\":{\"kind\":\"timing\",\"unit\":\"seconds\",\"help\":\"\","
		"\"monotonic\":null,\"merge\":null}},"
		"\"metrics\":{\"timings\":{\"took\":{\"count\":2,\"sum\":0.01,\"mean\":0.005,"
		"\"min\":0.005,\"max\":0.005,\"p50\":0.005,\"p90\":0.005,\"p95\":0.005,"
		"\"p99\":0.005,\"p999\":0.005,\"unit\":\"seconds\"}},"
		"\"counters\":{\"events[event_type=/live/track/mute]\":{\"value\":7,"
		"\"name\":\"events\",\"tags\":{\"event_type\":\"/live/track/mute\"}}},"
		"\"gauges\":{\"depth\":{\"current\":2.5,\"count\":1,\"min\":2.5,\"max\":2.5,"
		"\"mean\":2.5}},\"distributions\":{}}}");
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void json_is_read_back_by_jansson(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich();
	(void)state;
	json_t *document = parse(sample_encode(astshm_encode_json, snapshot, 0));
	json_t *metrics = at(document, "metrics", NULL);
	assert_int_equal(json_integer_value(at(metrics, "counters", "events.received", "value",
					       NULL)), 15420);
	assert_int_equal(json_integer_value(at(metrics, "counters", "counter.largest", "value",
					       NULL)), INT64_MAX);
	assert_int_equal(json_integer_value(at(metrics, "counters", "websocket.pending", "value",
					       NULL)), -3);
	assert_true(json_is_false(at(document, "families", "websocket.pending", "monotonic",
				     NULL)));
	assert_true(json_is_null(at(metrics, "gauges", "gauge.nan", "current", NULL)));
	assert_true(json_is_null(at(metrics, "timings", "timing.empty", "p99", NULL)));
	assert_true(json_real_value(at(metrics, "gauges", "gauge.third", "current", NULL)) ==
		    1.0 / 3);
	json_decref(document);
	astshm_snapshot_free(&snapshot);
}

static void tags_of_strangers_survive_json(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich();
	const struct astshm_series *hostile = NULL;
	(void)state;
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		if (strcmp(astshm_snapshot_at(snapshot, i)->family->name, "hostile") == 0)
			hostile = astshm_snapshot_at(snapshot, i);
	}
	json_t *document = parse(sample_encode(astshm_encode_json, snapshot, 0));
	json_t *tags = at(document, "metrics", "counters", hostile->key, "tags", NULL);
	assert_int_equal(json_object_size(tags), 2);
	assert_string_equal(json_string_value(at(tags, "a=b,c", NULL)), "[x]\\y");
	assert_string_equal(json_string_value(at(tags, "quote", NULL)), hostile->tags[1].value);
	json_decref(document);
	astshm_snapshot_free(&snapshot);
}

static void counters_of_time_are_seconds_with_all_digits(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich();
	struct sample_output output = sample_encode(astshm_encode_json, snapshot, 0);
	(void)state;
	assert_non_null(strstr(output.bytes, "\"process.cpu\":{\"value\":12.000000345}"));
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void time_below_zero_has_its_sign_and_all_digits(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "time.left", "seconds", "");
	sample_counter(snapshot, "time.left", -1500000001);
	sample_end(snapshot);
	struct sample_output output = sample_encode(astshm_encode_json, snapshot, 0);
	assert_non_null(strstr(output.bytes, "\"time.left\":{\"value\":-1.500000001}"));
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void families_of_one_name_share_one_key(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich();
	(void)state;
	json_t *document = parse(sample_encode(astshm_encode_json, snapshot, 0));
	json_t *family = at(document, "families", "message.size", NULL);
	assert_string_equal(json_string_value(at(family, "kind", NULL)), "gauge");
	json_t *also = json_array_get(at(family, "also", NULL), 0);
	assert_string_equal(json_string_value(at(also, "kind", NULL)), "distribution");
	assert_string_equal(json_string_value(at(also, "unit", NULL)), "bytes");
	json_decref(document);
	astshm_snapshot_free(&snapshot);
}

static void buckets_are_dense_from_first_to_last(void **state)
{
	static const int64_t sizes[] = { 0, 1, 4, INT64_MAX, INT64_MAX, INT64_MAX };
	struct astshm_snapshot *snapshot = sample_begin();
	struct astshm_series *series =
		sample_series(snapshot, ASTSHM_KIND_DISTRIBUTION, "size", NULL, 0);
	(void)state;
	sample_fill(snapshot, &series->histogram, ASTSHM_KIND_DISTRIBUTION, sizes, 6);
	sample_end(snapshot);
	struct sample_output output =
		sample_encode(astshm_encode_json, snapshot, ASTSHM_ENCODE_BUCKETS);
	/* 3 * (2^63 - 1) + 5: no integer that jansson would take */
	assert_non_null(strstr(output.bytes, "\"count\":6,\"sum\":27670116110564327426.0,"));
	assert_non_null(strstr(output.bytes, "\"overflow_count\":3,"
					     "\"sum\":\"27670116110564327426\","
					     "\"min\":0,\"max\":9223372036854775807}"));
	json_t *document = parse(output);
	json_t *buckets = at(document, "metrics", "distributions", "size", "buckets", NULL);
	json_t *counts = at(buckets, "counts", NULL);
	/* 1 is the upper bound of (2^(-1/64), 1]: index -1; 4 of index 127. */
	assert_int_equal(json_integer_value(at(buckets, "offset", NULL)), -1);
	assert_int_equal(json_array_size(counts), 129);
	assert_int_equal(json_integer_value(json_array_get(counts, 0)), 1);
	assert_int_equal(json_integer_value(json_array_get(counts, 1)), 0);
	assert_int_equal(json_integer_value(json_array_get(counts, 128)), 1);
	assert_int_equal(json_integer_value(at(buckets, "zero_count", NULL)), 1);
	json_decref(document);
	astshm_snapshot_free(&snapshot);
}

static void threads_come_with_slot_tid_name_and_owners(void **state)
{
	struct astshm_snapshot *snapshot = sample_threads();
	(void)state;
	json_t *document = parse(sample_encode(astshm_encode_json, snapshot, 0));
	json_t *threads =
		at(document, "metrics", "counters", "events.received", "per_thread", NULL);
	assert_int_equal(json_array_size(threads), 2);
	json_t *first = json_array_get(threads, 0);
	assert_int_equal(json_integer_value(at(first, "slot", NULL)), 1);
	assert_int_equal(json_integer_value(at(first, "tid", NULL)), 5000);
	assert_int_equal(json_integer_value(at(first, "owners", NULL)), 2);
	assert_int_equal(json_integer_value(at(first, "value", NULL)), 15420);
	assert_string_equal(json_string_value(at(first, "name", NULL)), "event \xc3\xa4");
	json_decref(document);
	astshm_snapshot_free(&snapshot);
}

static void pretty_is_the_same_document(void **state)
{
	struct astshm_snapshot *snapshot = sample_threads();
	unsigned flags = ASTSHM_ENCODE_BUCKETS;
	(void)state;
	json_t *plain = parse(sample_encode(astshm_encode_json, snapshot, flags));
	struct sample_output output =
		sample_encode(astshm_encode_json, snapshot, flags | ASTSHM_ENCODE_PRETTY);
	assert_memory_equal(output.bytes, "{\n  \"schema\": ", 14);
	json_t *pretty = parse(output);
	assert_true(json_equal(plain, pretty));
	json_decref(plain);
	json_decref(pretty);
	astshm_snapshot_free(&snapshot);
}

/* --- the sink ------------------------------------------------------------- */

struct broken {
	int calls;
	int after; /* calls that succeed */
	size_t largest;
};

static int write_broken(void *context, const void *bytes, size_t count)
{
	struct broken *broken = context;
	(void)bytes;
	if (count > broken->largest)
		broken->largest = count;
	return ++broken->calls > broken->after ? -EPIPE : 0;
}

static struct astshm_snapshot *many_counters(void)
{
	struct astshm_snapshot *snapshot = sample_begin();
	for (int i = 0; i < SAMPLE_SERIES_MAX; i++) {
		char name[32] = "counter.";
		*number_put_u64(name + 8, (uint64_t)i) = '\0';
		sample_counter(snapshot, name, i);
	}
	sample_end(snapshot);
	return snapshot;
}

static void error_of_the_sink_ends_the_encoding(void **state)
{
	static const sample_encoder encoders[] = { astshm_encode_json, astshm_encode_msgpack,
						   astshm_encode_prometheus, astshm_encode_table,
						   astshm_encode_summary };
	struct astshm_snapshot *snapshot = many_counters();
	(void)state;
	for (size_t i = 0; i < sizeof encoders / sizeof encoders[0]; i++) {
		struct broken broken = { 0 };
		struct astshm_sink sink = { write_broken, &broken };
		assert_int_equal(encoders[i](snapshot, &sink, NULL), -EPIPE);
		assert_int_equal(broken.calls, 1); /* and is not tried again */
	}
	astshm_snapshot_free(&snapshot);
}

static void documents_stream_in_pieces_of_some_kib(void **state)
{
	struct astshm_snapshot *snapshot = many_counters();
	struct broken broken = { .after = 1000000 };
	struct astshm_sink sink = { write_broken, &broken };
	(void)state;
	assert_int_equal(astshm_encode_json(snapshot, &sink, NULL), 0);
	assert_in_range(broken.calls, 8, 100);
	assert_in_range(broken.largest, 4096, 65536);
	astshm_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_exactly_this),
		cmocka_unit_test(json_is_read_back_by_jansson),
		cmocka_unit_test(tags_of_strangers_survive_json),
		cmocka_unit_test(counters_of_time_are_seconds_with_all_digits),
		cmocka_unit_test(time_below_zero_has_its_sign_and_all_digits),
		cmocka_unit_test(families_of_one_name_share_one_key),
		cmocka_unit_test(buckets_are_dense_from_first_to_last),
		cmocka_unit_test(threads_come_with_slot_tid_name_and_owners),
		cmocka_unit_test(pretty_is_the_same_document),
		cmocka_unit_test(error_of_the_sink_ends_the_encoding),
		cmocka_unit_test(documents_stream_in_pieces_of_some_kib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
