/* SPDX-License-Identifier: MIT */
/* Windows, cut out of the history that ticks keep in the segment. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history_scene.h"

static void a_reset_begins_a_new_run(void **state)
{
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_increment(writer, "c", 100, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", 1000, ASTSHM_NO_TAGS);
	tick(writer);
	astshm_reset(writer);
	astshm_increment(writer, "c", 3, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", 5000, ASTSHM_NO_TAGS);
	struct astshm_reader *reader = reader_of(writer);
	assert_int_equal(astshm_reader_window(reader, 60000000000, 0, &snapshot, NULL), 0);
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);
	assert_int_equal(
		astshm_snapshot_find(window, ASTSHM_KIND_COUNTER, "c")->counter.increase, 3);
	assert_int_equal(astshm_snapshot_find(window, ASTSHM_KIND_TIMING, "t")->histogram.count, 1);
	assert_int_equal(astshm_snapshot_interval_ns(window), astshm_snapshot_uptime_ns(snapshot));
	astshm_snapshot_free(&snapshot);
	/* Of counters alone: the timing goes on. */
	tick(writer);
	astshm_reset_counters(writer);
	astshm_increment(writer, "c", 2, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_reader_window(reader, 1, 0, &snapshot, NULL), 0);
	window = astshm_snapshot_window(snapshot);
	assert_int_equal(
		astshm_snapshot_find(window, ASTSHM_KIND_COUNTER, "c")->counter.increase, 2);
	assert_int_equal(astshm_snapshot_find(window, ASTSHM_KIND_TIMING, "t")->histogram.count, 0);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void a_window_is_exact_bucket_by_bucket(void **state)
{
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *snapshot;

	(void)state;
	for (int i = 0; i < 1000; i++)
		astshm_time(writer, "t", 1000 + i, ASTSHM_NO_TAGS); /* before the window */
	astshm_set(writer, "g", 50, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", 2, ASTSHM_NO_TAGS);
	tick(writer);
	astshm_time(writer, "t", 2000000, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", 1500, ASTSHM_NO_TAGS);
	astshm_increment(writer, "c", 4, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", 60, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", 3, ASTSHM_NO_TAGS);
	struct astshm_reader *reader = reader_of(writer);
	assert_int_equal(astshm_reader_window(reader, 1, 0, &snapshot, NULL), 0);
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);
	const struct astshm_histogram *t =
		&astshm_snapshot_find(window, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_int_equal(t->count, 2);
	assert_int_equal(t->sum, 2001500);
	assert_int_equal(t->max, 2000000); /* the lifetime's, reached in the window */
	assert_true(t->has_extremes && t->min >= 1484 && t->min <= 1500);
	const struct astshm_gauge_value *g =
		&astshm_snapshot_find(window, ASTSHM_KIND_GAUGE, "g")->gauge;
	assert_true(g->current == 3 && g->min == 2 && g->max == 60); /* 50 was before */
	assert_int_equal(g->count, 2);
	assert_true(g->sum == 63);
	const struct astshm_counter_value *c =
		&astshm_snapshot_find(window, ASTSHM_KIND_COUNTER, "c")->counter;
	assert_int_equal(c->increase, 4);
	double seconds = (double)astshm_snapshot_interval_ns(window) / 1e9;
	assert_true(fabs(c->rate - 4 / seconds) < 1e-9 * c->rate);
	/* The lifetime's values are there as well. */
	assert_int_equal(astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "t")->histogram.count,
			 1002);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void a_gauge_that_was_not_set_is_what_it_is(void **state)
{
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_set(writer, "idle", 9, ASTSHM_NO_TAGS);
	astshm_set(writer, "idle", 4, ASTSHM_NO_TAGS);
	astshm_set(writer, "unknown", (double)NAN, ASTSHM_NO_TAGS);
	astshm_set(writer, "lost", 6, ASTSHM_NO_TAGS);
	tick(writer);
	astshm_set(writer, "lost", (double)NAN, ASTSHM_NO_TAGS);
	struct astshm_reader *reader = reader_of(writer);
	assert_int_equal(astshm_reader_window(reader, 1, 0, &snapshot, NULL), 0);
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);
	const struct astshm_gauge_value *g =
		&astshm_snapshot_find(window, ASTSHM_KIND_GAUGE, "idle")->gauge;
	assert_true(g->current == 4 && g->min == 4 && g->max == 4 && g->sum == 4);
	assert_int_equal(g->count, 1);
	g = &astshm_snapshot_find(window, ASTSHM_KIND_GAUGE, "unknown")->gauge;
	assert_int_equal(g->count, 0);
	g = &astshm_snapshot_find(window, ASTSHM_KIND_GAUGE, "lost")->gauge;
	assert_true(isnan(g->current) && g->min == 6 && g->max == 6);
	/* Series by series in the same places. */
	assert_int_equal(astshm_snapshot_count(window), astshm_snapshot_count(snapshot));
	for (size_t i = 0; i < astshm_snapshot_count(window); i++)
		assert_string_equal(astshm_snapshot_at(window, i)->key,
				    astshm_snapshot_at(snapshot, i)->key);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void intervals_of_the_history_are_windows(void **state)
{
	struct astshm_writer_options options = every_tick(8, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *interval;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		astshm_increment(writer, "c", i, ASTSHM_NO_TAGS);
		astshm_time(writer, "t", 1000 * i, ASTSHM_NO_TAGS);
		astshm_set(writer, "g", i, ASTSHM_NO_TAGS);
		if (i == 3) {
			astshm_reset(writer);
			astshm_time(writer, "t", 7000, ASTSHM_NO_TAGS);
		}
		tick(writer);
	}
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	assert_int_equal(astshm_history_interval(history, 0, &interval, NULL), -EINVAL);
	assert_int_equal(astshm_history_interval(history, 3, &interval, NULL), -EINVAL);
	assert_int_equal(astshm_history_interval(history, 1, &interval, NULL), 0);
	assert_int_equal(astshm_snapshot_find(interval, ASTSHM_KIND_COUNTER, "c")->counter.increase,
			 2);
	const struct astshm_histogram *t =
		&astshm_snapshot_find(interval, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_true(t->count == 1 && t->max == 2000 && t->has_extremes);
	const struct astshm_gauge_value *g =
		&astshm_snapshot_find(interval, ASTSHM_KIND_GAUGE, "g")->gauge;
	assert_true(g->min == 1 && g->max == 2 && g->current == 2);
	struct astshm_snapshot *one = entry_of(history, 0), *two = entry_of(history, 1);
	assert_int_equal(astshm_snapshot_interval_ns(interval),
			 astshm_snapshot_uptime_ns(two) - astshm_snapshot_uptime_ns(one));
	assert_int_equal(astshm_snapshot_timestamp_ns(interval),
			 astshm_snapshot_timestamp_ns(two));
	astshm_snapshot_free(&one);
	astshm_snapshot_free(&two);
	astshm_snapshot_free(&interval);
	assert_int_equal(astshm_history_interval(history, 2, &interval, NULL), 0);
	t = &astshm_snapshot_find(interval, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_true(t->count == 1 && t->min == 7000); /* what was before the reset is gone */
	astshm_snapshot_free(&interval);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void the_nearest_entry_is_taken(void **state)
{
	struct astshm_writer_options options = every_tick(64, 1, 1000);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	for (int i = 0; i < 40; i++)
		tick(writer);
	struct astshm_reader *reader = reader_of(writer);
	struct astshm_history *history = history_of(reader);
	struct astshm_snapshot *oldest = entry_of(history, 0);
	uint64_t then_ns = astshm_snapshot_uptime_ns(oldest);
	for (int64_t wanted_ns = 1000000; wanted_ns < 32000000; wanted_ns *= 2) {
		assert_int_equal(astshm_reader_window(reader, wanted_ns, 0, &snapshot, NULL), 0);
		int64_t most = (int64_t)(astshm_snapshot_uptime_ns(snapshot) - then_ns);
		int64_t real = (int64_t)astshm_snapshot_interval_ns(
			astshm_snapshot_window(snapshot));
		/* No entry is nearer: the real length, whatever the machine's pace. */
		int64_t off = llabs(real - wanted_ns);
		for (size_t i = 0; i < astshm_history_count(history); i++) {
			struct astshm_snapshot *entry = entry_of(history, i);
			int64_t age = (int64_t)(astshm_snapshot_uptime_ns(snapshot) -
						astshm_snapshot_uptime_ns(entry));
			assert_true(llabs(age - wanted_ns) >= off);
			astshm_snapshot_free(&entry);
		}
		assert_true(real <= most);
		astshm_snapshot_free(&snapshot);
	}
	/* Longer than it lived: all its life. */
	assert_int_equal(astshm_reader_window(reader, INT64_MAX, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_interval_ns(astshm_snapshot_window(snapshot)),
			 astshm_snapshot_uptime_ns(snapshot));
	astshm_snapshot_free(&snapshot);
	astshm_snapshot_free(&oldest);
	astshm_history_free(&history);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

/* Of all entries there is room for: what they say of the day and the writer's age. */
static void set_entries_ahead(struct astshm_writer *writer, uint64_t ns)
{
	struct astshm_segment_header header;
	struct astshm_segment_history head;
	FILE *file = fopen(astshm_writer_path(writer), "r+b");

	assert_non_null(file);
	assert_int_equal(fread(&header, sizeof header, 1, file), 1);
	assert_int_equal(fseek(file, (long)header.history_off, SEEK_SET), 0);
	assert_int_equal(fread(&head, sizeof head, 1, file), 1);
	for (uint32_t i = 0; i < head.entry_count; i++) {
		struct astshm_history_entry entry;
		long off = (long)(header.history_off + head.header_bytes + i * head.entry_bytes);
		assert_int_equal(fseek(file, off, SEEK_SET), 0);
		assert_int_equal(fread(&entry, sizeof entry, 1, file), 1);
		entry.realtime_ns += ns;
		entry.uptime_ns += ns;
		assert_int_equal(fseek(file, off, SEEK_SET), 0);
		assert_int_equal(fwrite(&entry, sizeof entry, 1, file), 1);
	}
	assert_int_equal(fclose(file), 0);
}

static void an_entry_that_is_yet_to_come_is_no_window(void **state)
{
	struct astshm_writer_options options = every_tick(4, 4, 10);
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	(void)state;
	astshm_increment(writer, "c", 2, ASTSHM_NO_TAGS);
	tick(writer);
	set_entries_ahead(writer, UINT64_C(3600000000000));
	struct astshm_reader *reader = reader_of(writer);
	assert_int_equal(astshm_reader_window(reader, 1, 0, &snapshot, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "no older"));
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

static void without_a_history_only_its_life_is_a_window(void **state)
{
	struct astshm_writer_options options = every_tick(4, 4, 10);
	struct astshm_error error;
	struct astshm_snapshot *snapshot;
	struct astshm_history *history;

	(void)state;
	options.history_ms = ASTSHM_HISTORY_NONE;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_increment(writer, "c", 2, ASTSHM_NO_TAGS);
	tick(writer);
	struct astshm_reader *reader = reader_of(writer);
	assert_int_equal(astshm_reader_history(reader, &history, &error), -ENODATA);
	assert_non_null(strstr(error.text, "no history"));
	assert_int_equal(astshm_reader_window(reader, 1, 0, &snapshot, &error), -ENODATA);
	assert_int_equal(astshm_reader_window(reader, 0, 0, &snapshot, &error), -EINVAL);
	assert_int_equal(astshm_get_window(writer, INT64_MAX, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_find(astshm_snapshot_window(snapshot),
					      ASTSHM_KIND_COUNTER, "c")->counter.increase, 2);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_begins_a_new_run),
		cmocka_unit_test(a_window_is_exact_bucket_by_bucket),
		cmocka_unit_test(a_gauge_that_was_not_set_is_what_it_is),
		cmocka_unit_test(intervals_of_the_history_are_windows),
		cmocka_unit_test(the_nearest_entry_is_taken),
		cmocka_unit_test(an_entry_that_is_yet_to_come_is_no_window),
		cmocka_unit_test(without_a_history_only_its_life_is_a_window),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
