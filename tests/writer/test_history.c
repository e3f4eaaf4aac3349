/* SPDX-License-Identifier: MIT */
/* The history that ticks keep in the segment. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "history_scene.h"

static int64_t counter_in(const struct astshm_history *history, size_t i, const char *key)
{
	struct astshm_snapshot *snapshot = entry_of(history, i);
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, key);
	int64_t value = series ? series->counter.value : INT64_MIN;

	astshm_snapshot_free(&snapshot);
	return value;
}

/* Documents are equal but for when they were made. */
static int collect(void *context, const void *bytes, size_t count)
{
	char *text = context;
	size_t length = strlen(text);

	assert_true(length + count < 65536);
	memcpy(text + length, bytes, count);
	text[length + count] = '\0';
	return 0;
}

static char *metrics_of(const struct astshm_snapshot *snapshot, char text[65536])
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	const struct astshm_sink sink = { collect, text };

	options.flags = ASTSHM_ENCODE_BUCKETS;
	text[0] = '\0';
	assert_int_equal(astshm_encode_json(snapshot, &sink, &options), 0);
	char *metrics = strstr(text, "\"families\"");
	assert_non_null(metrics);
	return metrics;
}

static void record_all_kinds(struct astshm_writer *writer, int round)
{
	static const int64_t odd[] = { 0, -5, INT64_MAX, 1 };

	astshm_increment(writer, "up", 3, ASTSHM_TAGS({ "k", "v" }));
	astshm_decrement(writer, "down", 2, ASTSHM_NO_TAGS);
	astshm_set(writer, "gauge", -1.5 * round, ASTSHM_NO_TAGS);
	astshm_set(writer, "infinite", (double)INFINITY, ASTSHM_NO_TAGS);
	for (int64_t i = 1; i < 400; i++)
		astshm_time(writer, "timing", i * i * i * round, ASTSHM_NO_TAGS);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		astshm_observe(writer, "bytes", odd[i], ASTSHM_NO_TAGS);
}

static void an_entry_is_what_a_snapshot_was(void **state)
{
	static char now[3][65536], then[65536];
	char *expected[3];
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct astshm_snapshot *snapshot;
		record_all_kinds(writer, round + 1);
		assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
		expected[round] = metrics_of(snapshot, now[round]);
		astshm_snapshot_free(&snapshot);
		tick(writer);
	}
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	astshm_reader_close(&reader); /* a history outlives its reader */
	assert_int_equal(astshm_history_count(history), 3);
	for (size_t i = 0; i < 3; i++) {
		struct astshm_snapshot *snapshot = entry_of(history, i);
		assert_string_equal(metrics_of(snapshot, then), expected[i]);
		astshm_snapshot_free(&snapshot);
	}
	astshm_history_free(&history);
	astshm_writer_close(&writer);
}

/* Counts as large as nobody waits for, put where a record would count. */
static void every_length_of_a_count_is_kept(void **state)
{
	static char now[65536], then[65536];
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_timing timing;
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing, NULL);
	astshm_timing_record(timing, 1000);
	astshm_timing_record(timing, INT64_C(1) << 40);
	struct astshm_histogram_block *block =
		(void *)astshm_row_entry(timing.writer, timing.index);
	uint64_t slot = astshm_bucket_slot_any(astshm_timing_table, 1000);
	for (unsigned bit = 0; bit < 63; bit++, slot += 3) {
		const uint64_t counts[] = { (UINT64_C(1) << bit) - 1, UINT64_C(1) << bit };
		for (size_t i = 0; i < 2 && counts[i] >> 58 == 0; i++) {
			block->slots[slot + i] += counts[i];
			block->count += counts[i];
		}
	}
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	const char *expected = metrics_of(snapshot, now);
	astshm_snapshot_free(&snapshot);
	tick(writer);
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	snapshot = entry_of(history, 0);
	assert_string_equal(metrics_of(snapshot, then), expected);
	assert_non_null(strstr(expected, "144115188075855872")); /* 2^57 */
	astshm_snapshot_free(&snapshot);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void the_ring_keeps_the_youngest_and_the_coarse(void **state)
{
	struct astshm_writer_options options = every_tick(5, 4, 10);
	struct astshm_writer *writer = scene_open(__func__, &options);

	(void)state;
	for (int i = 0; i < 100; i++) {
		astshm_increment(writer, "ticks", 1, ASTSHM_NO_TAGS);
		tick(writer);
	}
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	size_t count = astshm_history_count(history);
	/* The youngest may be coarse themselves. */
	/* The youngest, one that only the next tick forgets, and the coarse. */
	assert_int_equal(count, 5 + 1 + 4);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(counter_in(history, count - 1 - i, "ticks"), 100 - (int64_t)i);
	/* The coarse are beats of 10 ms, none of which comes twice. The last may be early
	 * by half a tick. The first may be late by one beat, and then by another between
	 * the tick's look at the clock and the entry's; later still, the next beats move. */
	struct astshm_snapshot *first = entry_of(history, 0);
	struct astshm_snapshot *last = entry_of(history, 3);
	assert_true(astshm_snapshot_uptime_ns(last) - astshm_snapshot_uptime_ns(first) +
			    20500000 >= 3 * 10000000);
	astshm_snapshot_free(&first);
	astshm_snapshot_free(&last);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void no_entries_at_all_are_no_history(void **state)
{
	struct astshm_writer_options options =
		every_tick(ASTSHM_HISTORY_NONE, ASTSHM_HISTORY_NONE, 3);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history;
	struct astshm_error error;

	(void)state;
	for (int i = 0; i < 3; i++) {
		tick(writer);
		assert_int_equal(astshm_reader_history(reader, &history, &error), -ENODATA);
	}
	assert_non_null(strstr(error.text, "no history"));
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

/* The first of each 3 ms is coarse, and no coarse ones are kept: but it is young. */
static void no_coarse_entries_leave_no_holes(void **state)
{
	struct astshm_writer_options options =
		every_tick(8, ASTSHM_HISTORY_NONE, 3);
	struct astshm_writer *writer = scene_open(__func__, &options);

	(void)state;
	for (int i = 0; i < 20; i++) {
		astshm_increment(writer, "ticks", 1, ASTSHM_NO_TAGS);
		tick(writer);
	}
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	size_t count = astshm_history_count(history);
	assert_true(count >= 8);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(counter_in(history, count - 1 - i, "ticks"), 20 - (int64_t)i);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void series_that_come_and_go_are_told_apart(void **state)
{
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);

	(void)state;
	astshm_increment(writer, "gone", 7, ASTSHM_NO_TAGS);
	astshm_increment(writer, "stays", 1, ASTSHM_NO_TAGS);
	tick(writer);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "gone", NULL, 0), 1);
	astshm_increment(writer, "new", 5, ASTSHM_NO_TAGS); /* where `gone` was */
	tick(writer);
	astshm_increment(writer, "later", 1, ASTSHM_NO_TAGS);
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	assert_int_equal(counter_in(history, 0, "gone"), INT64_MIN);
	assert_int_equal(counter_in(history, 0, "new"), INT64_MIN);
	assert_int_equal(counter_in(history, 0, "stays"), 1);
	assert_int_equal(counter_in(history, 1, "new"), 5);
	assert_int_equal(counter_in(history, 1, "later"), INT64_MIN);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void less_room_keeps_fewer_entries(void **state)
{
	struct astshm_writer_options options = every_tick(64, 64, 10);
	struct astshm_metric metric = { .name = "g" };
	struct astshm_gauge gauge;
	char name[16];

	(void)state;
	options.history_bytes = 16384 + 130 * 128; /* 15 chunks, and the table */
	struct astshm_writer *writer = scene_open(__func__, &options);
	for (int i = 0; i < 100; i++) { /* some 30 bytes of an entry each */
		metric.name = name;
		snprintf(name, sizeof name, "g%d", i);
		assert_int_equal(astshm_gauge_register(writer, &metric, &gauge, NULL), 0);
		astshm_gauge_set(gauge, i);
	}
	for (int i = 0; i < 20; i++)
		tick(writer);
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	assert_in_range(astshm_history_count(history), 2, 5);
	assert_int_equal(astshm_history_info(history)->skipped, 0);
	assert_true(astshm_history_info(history)->bytes <= 16384 + 130 * 128);
	astshm_history_free(&history);
	/* An entry larger than all there is: counted, and recording goes on. */
	for (int i = 100; i < 700; i++) {
		snprintf(name, sizeof name, "g%d", i);
		assert_int_equal(astshm_gauge_register(writer, &metric, &gauge, NULL), 0);
		astshm_gauge_set(gauge, i);
	}
	tick(writer);
	history = history_of(reader);
	assert_int_equal(astshm_history_info(history)->skipped, 1);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void a_full_segment_still_records(void **state)
{
	struct astshm_writer_options options = every_tick(64, 64, 10);
	struct astshm_snapshot *snapshot;

	(void)state;
	options.max_bytes = 1 << 20;
	options.max_series = 1000;
	options.max_threads = 16;
	options.history_bytes = 64 << 20;
	struct astshm_writer *writer = scene_open(__func__, &options);
	for (int i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof name, "g%d", i % 100);
		astshm_set(writer, name, i, ASTSHM_NO_TAGS);
		astshm_time(writer, "t", i * 1000, ASTSHM_NO_TAGS);
		tick(writer);
	}
	astshm_time(writer, "t2", 1000, ASTSHM_NO_TAGS); /* a block of 24 KiB */
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->dropped, 0);
	assert_non_null(astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "t2"));
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

#define THREADS 3
#define ROUNDS 300
#define WINDOW_SECONDS 100

struct crowd {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	int done;
	int windows; /* the reading thread's */
};

static int windows(const struct crowd *crowd)
{
	return __atomic_load_n(&crowd->windows, __ATOMIC_RELAXED);
}

static void record_tick_or_read(unsigned number, void *argument)
{
	struct crowd *crowd = argument;

	if (number == 0) {
		/* On a busy machine until the reading thread, which needs to stay on its core
		 * for as long as three ticks take, has had its turn. */
		int64_t end = scene_seconds() + WINDOW_SECONDS;
		for (int i = 0; i < ROUNDS || (windows(crowd) == 0 && scene_seconds() < end); i++)
			tick(crowd->writer);
		__atomic_store_n(&crowd->done, 1, __ATOMIC_RELEASE);
	} else if (number < THREADS) {
		for (int64_t i = 0; !__atomic_load_n(&crowd->done, __ATOMIC_ACQUIRE); i++) {
			astshm_counter_add(crowd->counter, 1);
			astshm_timing_record(crowd->timing, i % 100000);
		}
	}
}

static void check_order(const struct astshm_history *history)
{
	int64_t count = 0;
	uint64_t samples = 0;

	for (size_t i = 0; i < astshm_history_count(history); i++) {
		struct astshm_snapshot *entry = entry_of(history, i);
		const struct astshm_series *c =
			astshm_snapshot_find(entry, ASTSHM_KIND_COUNTER, "c");
		const struct astshm_series *t =
			astshm_snapshot_find(entry, ASTSHM_KIND_TIMING, "t");
		assert_true(c && t && c->counter.value >= count);
		assert_true(t->histogram.count >= samples);
		count = c->counter.value;
		samples = t->histogram.count;
		astshm_snapshot_free(&entry);
	}
}

static void *read_on(void *argument)
{
	struct crowd *crowd = argument;
	struct astshm_reader *reader = reader_of(crowd->writer);
	struct astshm_history *history;
	struct astshm_snapshot *snapshot;

	while (!__atomic_load_n(&crowd->done, __ATOMIC_ACQUIRE)) {
		if (astshm_reader_history(reader, &history, NULL) == 0) {
			assert_int_equal(astshm_history_info(history)->bad, 0);
			check_order(history);
			astshm_history_free(&history);
		}
		/* Held up for three ticks: nothing is left from before its pass. */
		int code = astshm_reader_window(reader, 3000000, 0, &snapshot, NULL);
		assert_true(code == 0 || code == -ENODATA || code == -ETIMEDOUT);
		if (code != 0)
			continue;
		__atomic_store_n(&crowd->windows, windows(crowd) + 1, __ATOMIC_RELAXED);
		assert_int_equal(astshm_snapshot_segment(
					 astshm_snapshot_window(snapshot))->bad_records, 0);
		astshm_snapshot_free(&snapshot);
	}
	astshm_reader_close(&reader);
	return NULL;
}

static void entries_are_whole_while_they_are_overwritten(void **state)
{
	struct astshm_writer_options options = every_tick(2, 1, 3);
	struct crowd crowd = { .writer = scene_open(__func__, &options) };
	pthread_t reader;

	(void)state;
	astshm_counter_register(crowd.writer, &(struct astshm_metric){ .name = "c" },
				&crowd.counter, NULL);
	astshm_timing_register(crowd.writer, &(struct astshm_metric){ .name = "t" },
			       &crowd.timing, NULL);
	tick(crowd.writer);
	assert_int_equal(pthread_create(&reader, NULL, read_on, &crowd), 0);
	scene_threads(THREADS, record_tick_or_read, &crowd);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_true(windows(&crowd) > 0);
	astshm_writer_close(&crowd.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_what_a_snapshot_was),
		cmocka_unit_test(every_length_of_a_count_is_kept),
		cmocka_unit_test(the_ring_keeps_the_youngest_and_the_coarse),
		cmocka_unit_test(no_entries_at_all_are_no_history),
		cmocka_unit_test(no_coarse_entries_leave_no_holes),
		cmocka_unit_test(series_that_come_and_go_are_told_apart),
		cmocka_unit_test(less_room_keeps_fewer_entries),
		cmocka_unit_test(a_full_segment_still_records),
		cmocka_unit_test(entries_are_whole_while_they_are_overwritten),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
