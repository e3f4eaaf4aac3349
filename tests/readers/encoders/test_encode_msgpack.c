/* SPDX-License-Identifier: MIT */
/* That msgpack says the same as JSON is check_documents.py's to show. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "sample.h"

static const msgpack_object *at(const msgpack_object *map, const char *key)
{
	assert_int_equal(map->type, MSGPACK_OBJECT_MAP);
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *pair = &map->via.map.ptr[i];
		if (pair->key.via.str.size == strlen(key) &&
		    memcmp(pair->key.via.str.ptr, key, strlen(key)) == 0)
			return &pair->val;
	}
	fail_msg("no key %s", key);
	return NULL;
}

struct packed {
	struct astshm_snapshot *snapshot;
	struct sample_output output;
	msgpack_unpacked unpacked;
	const msgpack_object *metrics;
};

static int pack(void **state)
{
	struct packed *packed = calloc(1, sizeof *packed);
	size_t used = 0;
	packed->snapshot = sample_rich();
	packed->output = sample_encode(astshm_encode_msgpack, packed->snapshot, 0);
	msgpack_unpacked_init(&packed->unpacked);
	int code = msgpack_unpack_next(&packed->unpacked, packed->output.bytes,
				       packed->output.size, &used);
	*state = packed;
	if (code != MSGPACK_UNPACK_SUCCESS || used != packed->output.size)
		return -1; /* a count in the document was wrong */
	packed->metrics = at(&packed->unpacked.data, "metrics");
	return 0;
}

static int unpack(void **state)
{
	struct packed *packed = *state;
	msgpack_unpacked_destroy(&packed->unpacked);
	free(packed->output.bytes);
	astshm_snapshot_free(&packed->snapshot);
	free(packed);
	return 0;
}

static void document_is_one_object_to_its_last_byte(void **state)
{
	struct packed *packed = *state;
	const msgpack_object *schema = at(&packed->unpacked.data, "schema");
	assert_int_equal(schema->type, MSGPACK_OBJECT_STR);
	assert_memory_equal(schema->via.str.ptr, "astshm.snapshot/1", schema->via.str.size);
	assert_int_equal(at(packed->metrics, "counters")->via.map.size, 6);
}

static void integers_stay_integers(void **state)
{
	struct packed *packed = *state;
	const msgpack_object *counters = at(packed->metrics, "counters");
	const msgpack_object *largest = at(at(counters, "counter.largest"), "value");
	const msgpack_object *negative = at(at(counters, "websocket.pending"), "value");
	assert_int_equal(largest->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
	assert_int_equal(largest->via.u64, INT64_MAX);
	assert_int_equal(negative->type, MSGPACK_OBJECT_NEGATIVE_INTEGER);
	assert_int_equal(negative->via.i64, -3);
}

static void seconds_are_doubles(void **state)
{
	struct packed *packed = *state;
	const msgpack_object *counters = at(packed->metrics, "counters");
	const msgpack_object *time = at(at(counters, "process.cpu"), "value");
	assert_int_equal(time->type, MSGPACK_OBJECT_FLOAT64);
	assert_true(time->via.f64 == 12.000000345);
}

static void unknown_numbers_are_nil(void **state)
{
	struct packed *packed = *state;
	const msgpack_object *gauges = at(packed->metrics, "gauges");
	const msgpack_object *timings = at(packed->metrics, "timings");
	assert_int_equal(at(at(gauges, "gauge.nan"), "current")->type, MSGPACK_OBJECT_NIL);
	assert_int_equal(at(at(gauges, "gauge.infinite"), "current")->type, MSGPACK_OBJECT_NIL);
	assert_int_equal(at(at(timings, "timing.empty"), "mean")->type, MSGPACK_OBJECT_NIL);
}

static void buckets_are_always_there_and_sums_past_int64_are_digits(void **state)
{
	struct packed *packed = *state;
	const msgpack_object *odd = at(at(packed->metrics, "timings"), "timing.odd");
	const msgpack_object *sum = at(at(odd, "buckets"), "sum");
	assert_int_equal(sum->type, MSGPACK_OBJECT_STR);
	assert_int_equal(sum->via.str.size, 20);
	assert_memory_equal(sum->via.str.ptr, "27670116110687784211", 20);
	assert_int_equal(at(at(odd, "buckets"), "max")->via.u64, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_is_one_object_to_its_last_byte),
		cmocka_unit_test(integers_stay_integers),
		cmocka_unit_test(seconds_are_doubles),
		cmocka_unit_test(unknown_numbers_are_nil),
		cmocka_unit_test(buckets_are_always_there_and_sums_past_int64_are_digits),
	};
	return cmocka_run_group_tests(tests, pack, unpack);
}
