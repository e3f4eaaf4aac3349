/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static struct astshm_snapshot *decode(struct sample_output bytes)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error;
	size_t used = 0;
	int code = astshm_decode_msgpack(bytes.bytes, bytes.size, &used, &snapshot, &error);
	if (code < 0)
		fail_msg("%d at %llu: %s", code, (unsigned long long)error.position, error.text);
	assert_int_equal(used, bytes.size);
	return snapshot;
}

/* Encodes, decodes, encodes: the same bytes, and the same JSON. Frees it. */
static void assert_round_trip(struct astshm_snapshot *snapshot)
{
	struct sample_output first = sample_encode(astshm_encode_msgpack, snapshot, 0);
	struct astshm_snapshot *decoded = decode(first);
	struct sample_output second = sample_encode(astshm_encode_msgpack, decoded, 0);
	struct sample_output json = sample_encode(astshm_encode_json, snapshot,
						  ASTSHM_ENCODE_BUCKETS);
	struct sample_output again = sample_encode(astshm_encode_json, decoded,
						   ASTSHM_ENCODE_BUCKETS);
	assert_string_equal(again.bytes, json.bytes);
	assert_int_equal(second.size, first.size);
	assert_memory_equal(second.bytes, first.bytes, first.size);
	free(first.bytes);
	free(second.bytes);
	free(json.bytes);
	free(again.bytes);
	astshm_snapshot_free(&decoded);
	astshm_snapshot_free(&snapshot);
}

static int backwards(const struct astshm_series *a, const struct astshm_series *b, void *context)
{
	(void)context;
	return strcmp(b->key, a->key);
}

static void decoded_snapshot_encodes_to_the_same_bytes(void **state)
{
	(void)state;
	assert_round_trip(sample_rich());
	assert_round_trip(sample_threads());
}

static void time_below_zero_survives(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "time.left", "seconds", "");
	sample_counter(snapshot, "time.left", -1500000001);
	sample_end(snapshot);
	assert_round_trip(snapshot);
}

static void decoded_interval_encodes_to_the_same_bytes(void **state)
{
	struct astshm_snapshot *older = sample_threads(), *newer = sample_threads(), *interval;
	(void)state;
	older->timestamp_ns -= 7777777777;
	for (size_t i = older->first[0]; i < older->first[1]; i++)
		older->series[i].counter.value -= (int64_t)i * 12345677;
	assert_int_equal(astshm_snapshot_subtract(newer, older, &interval, NULL), 0);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	assert_round_trip(interval);
}

static void decoded_merge_encodes_to_the_same_bytes(void **state)
{
	struct astshm_snapshot *one = sample_rich(), *two = sample_threads(), *merged;
	const struct astshm_snapshot *parts[] = { one, two };
	(void)state;
	two->segment.heartbeat_age_ns = -1;
	two->segment.recording = false;
	assert_int_equal(astshm_snapshot_merge(parts, 2, &merged, NULL), 0);
	astshm_snapshot_free(&one);
	astshm_snapshot_free(&two);
	assert_round_trip(merged);
}

static void decoded_window_encodes_to_the_same_bytes(void **state)
{
	struct astshm_snapshot *sorted = NULL, *snapshot = sample_window();
	(void)state;
	assert_int_equal(astshm_snapshot_sort(snapshot, backwards, NULL, &sorted, NULL), 0);
	assert_round_trip(snapshot);
	/* The series of a document may stand in any order; ours are sorted when read. */
	struct sample_output bytes = sample_encode(astshm_encode_msgpack, sorted, 0);
	struct astshm_snapshot *decoded = decode(bytes);
	assert_round_trip(decoded);
	free(bytes.bytes);
	astshm_snapshot_free(&sorted);
}

static struct astshm_snapshot *decode_window(const char *from, const char *to)
{
	struct astshm_snapshot *snapshot = sample_window(), *decoded = NULL;
	struct sample_output bytes = sample_encode(astshm_encode_msgpack, snapshot, 0);
	char *window = memmem(bytes.bytes, bytes.size, "\xa6window", 7);
	size_t used;
	assert_non_null(window);
	char *at = memmem(window, bytes.size - (size_t)(window - bytes.bytes), from, strlen(from));
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	if (astshm_decode_msgpack(bytes.bytes, bytes.size, &used, &decoded, NULL) < 0)
		decoded = NULL;
	free(bytes.bytes);
	astshm_snapshot_free(&snapshot);
	return decoded;
}

static void windows_take_nothing_on_trust(void **state)
{
	struct astshm_snapshot *decoded;
	(void)state;
	assert_null(decode_window("seconds", "sekunds")); /* no length */
	assert_null(decode_window("2026-11-22T10:30:00", "2026-13-22T10:30:00"));
	assert_null(decode_window("increase", "increose"));
	assert_null(decode_window("\xa5scale\x06", "\xa5scale\x05"));
	/* A series that "metrics" lacks is ignored; the one that lacks values has none. */
	decoded = decode_window("events.received", "events.retrieve");
	assert_non_null(decoded);
	const struct astshm_series *series = astshm_snapshot_find(
		astshm_snapshot_window(decoded), ASTSHM_KIND_COUNTER, "events.received");
	assert_true(series != NULL && series->counter.increase == 0 && series->counter.has_rate);
	astshm_snapshot_free(&decoded);
}

static void stream_holds_one_document_after_the_other(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich(), *decoded = NULL;
	struct sample_output one = sample_encode(astshm_encode_msgpack, snapshot, 0);
	char *stream = malloc(2 * one.size);
	size_t used = 0;
	(void)state;
	memcpy(stream, one.bytes, one.size);
	memcpy(stream + one.size, one.bytes, one.size);
	assert_int_equal(astshm_decode_msgpack(stream, 2 * one.size, &used, &decoded, NULL), 0);
	assert_int_equal(used, one.size);
	astshm_snapshot_free(&decoded);
	free(stream);
	free(one.bytes);
	astshm_snapshot_free(&snapshot);
}

/* Exactly sized copies, so that a sanitizer sees a read behind the end. */
static int decode_copy(const void *bytes, size_t size)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	char *copy = malloc(size ? size : 1);
	size_t used;
	memcpy(copy, bytes, size);
	int code = astshm_decode_msgpack(copy, size, &used, &snapshot, &error);
	if (code < 0) {
		assert_null(snapshot);
		assert_int_equal(error.code, code);
		assert_in_range(error.position, 0, size);
		assert_true(error.text[0] != '\0');
	} else {
		assert_in_range(used, 1, size);
		free(sample_encode(astshm_encode_json, snapshot, 0).bytes);
	}
	astshm_snapshot_free(&snapshot);
	free(copy);
	return code;
}

static void every_truncation_ends_too_early(void **state)
{
	struct astshm_snapshot *snapshot = sample_window();
	struct sample_output whole = sample_encode(astshm_encode_msgpack, snapshot, 0);
	(void)state;
	for (size_t size = 0; size < whole.size; size++)
		assert_int_equal(decode_copy(whole.bytes, size), -ENODATA);
	free(whole.bytes);
	astshm_snapshot_free(&snapshot);
}

/* Every seventh byte: those of long runs of counts are much alike. */
static void mutated_bytes_give_an_error_or_a_snapshot(void **state)
{
	struct astshm_snapshot *snapshot = sample_window();
	struct sample_output whole = sample_encode(astshm_encode_msgpack, snapshot, 0);
	uint64_t random = 88172645463325252ull;
	int decoded = 0;
	(void)state;
	for (size_t i = 0; i < whole.size; i += 7) {
		char before = whole.bytes[i];
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		whole.bytes[i] = (char)(random >> 56);
		decoded += decode_copy(whole.bytes, whole.size) == 0;
		whole.bytes[i] = before;
	}
	assert_in_range(decoded, 1, whole.size); /* most letters of a help text may change */
	free(whole.bytes);
	astshm_snapshot_free(&snapshot);
}

static void hostile_counts_reserve_nothing(void **state)
{
	static const char *const starts[] = {
		"\xdf\xff\xff\xff\xff",             /* a map of 2^32 - 1 */
		"\xdd\xff\xff\xff\xff",             /* an array */
		"\xdb\xff\xff\xff\xff",             /* a string */
		"\xc6\xff\xff\xff\xff",             /* bytes */
		"\xc9\xff\xff\xff\xff",             /* an extension */
		"\x81\xa6schema\xdf\xff\xff\xff\xff",
		"\x82\xa7metrics\xdf\x7f\xff\xff\xff",
	};
	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		assert_int_equal(decode_copy(starts[i], strlen(starts[i])), -ENODATA);
}

static void depth_has_an_end(void **state)
{
	enum { DEPTH = 100000 };
	char *deep = malloc(DEPTH);
	(void)state;
	memset(deep, 0x91, DEPTH); /* arrays of one array */
	assert_int_equal(decode_copy(deep, DEPTH), -EBADMSG);
	free(deep);
}

static void other_documents_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(decode_copy("\x80", 1), -EBADMSG);
	assert_int_equal(decode_copy("\x2a", 1), -EBADMSG);
	assert_int_equal(decode_copy("\xc1", 1), -EBADMSG);
	assert_int_equal(decode_copy("{\"schema\":", 10), -EBADMSG);
	assert_int_equal(decode_copy("\x81\xa6schema\xb1" "astshm.snapshot/2", 26),
			 -EPROTONOSUPPORT);
}

/* Replaces one text in the document by another of the same length. */
static int decode_changed(const char *old, const char *new)
{
	struct astshm_snapshot *snapshot = sample_rich();
	struct sample_output whole = sample_encode(astshm_encode_msgpack, snapshot, 0);
	char *at = memmem(whole.bytes, whole.size, old, strlen(old));
	assert_non_null(at);
	memcpy(at, new, strlen(old));
	int code = decode_copy(whole.bytes, whole.size);
	free(whole.bytes);
	astshm_snapshot_free(&snapshot);
	return code;
}

static void unknown_keys_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(decode_changed("bad_records", "new_records"), 0);
	assert_int_equal(decode_changed("other_tag_sets", "other_tag_seas"), 0);
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	assert_int_equal(decode_changed("\xa4kind\xa5gauge", "\xa4kind\xa5gouge"), -EBADMSG);
	assert_int_equal(decode_changed("\xa5scale\x06", "\xa5scale\x05"), -EBADMSG);
	/* slots before the first */
	assert_int_equal(decode_changed("\xa6offset\xd1\xfb", "\xa6offset\xd1\x80"), -EBADMSG);
	assert_int_equal(decode_changed("\xa5state\xa4live", "\xa5state\xa4life"), -EBADMSG);
	assert_int_equal(decode_changed("sample\xa3pid", "sam\0le\xa3pid"), -EBADMSG);
}

static void error_says_where(void **state)
{
	struct astshm_snapshot *snapshot = sample_rich(), *decoded = NULL;
	struct sample_output whole = sample_encode(astshm_encode_msgpack, snapshot, 0);
	char *scale = memmem(whole.bytes, whole.size, "\xa5scale\x06", 7);
	struct astshm_error error;
	size_t used;
	(void)state;
	scale[6] = 5;
	assert_int_equal(astshm_decode_msgpack(whole.bytes, whole.size, &used, &decoded, &error),
			 -EBADMSG);
	/* The series that holds these buckets begins before them. */
	assert_in_range(error.position, (uint64_t)(scale - whole.bytes) - 200,
			(uint64_t)(scale - whole.bytes));
	free(whole.bytes);
	astshm_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoded_snapshot_encodes_to_the_same_bytes),
		cmocka_unit_test(time_below_zero_survives),
		cmocka_unit_test(decoded_interval_encodes_to_the_same_bytes),
		cmocka_unit_test(decoded_merge_encodes_to_the_same_bytes),
		cmocka_unit_test(decoded_window_encodes_to_the_same_bytes),
		cmocka_unit_test(windows_take_nothing_on_trust),
		cmocka_unit_test(stream_holds_one_document_after_the_other),
		cmocka_unit_test(every_truncation_ends_too_early),
		cmocka_unit_test(mutated_bytes_give_an_error_or_a_snapshot),
		cmocka_unit_test(hostile_counts_reserve_nothing),
		cmocka_unit_test(depth_has_an_end),
		cmocka_unit_test(other_documents_are_told_apart),
		cmocka_unit_test(unknown_keys_are_ignored),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(error_says_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
