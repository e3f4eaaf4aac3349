/* SPDX-License-Identifier: MIT */
/* Opening and closing writers: names, options, who holds what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

static void closed_segment_is_unlinked(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	char path[256];

	(void)state;
	snprintf(path, sizeof path, "%s", astshm_writer_path(writer));
	assert_int_equal(access(path, F_OK), 0);
	astshm_writer_close(&writer);
	assert_null(writer);
	assert_int_equal(access(path, F_OK), -1);
}

static void kept_segment_reads_as_closed(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;

	(void)state;
	options.flags = ASTSHM_OPEN_KEEP;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_increment(writer, "kept", 7, ASTSHM_NO_TAGS);
	astshm_writer_close(&writer);

	assert_int_equal(astshm_reader_open(&reader, scene_name(__func__), NULL, NULL), 0);
	assert_int_equal(astshm_reader_state(reader), ASTSHM_STATE_CLOSED);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "kept")->counter.value,
			 7);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}

static void second_writer_of_a_name_is_busy_with_pid(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_writer *second = writer;
	struct astshm_error error;
	char pid[32];

	(void)state;
	assert_int_equal(astshm_writer_open(&second, scene_name(__func__), NULL, &error), -EBUSY);
	assert_null(second);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	assert_non_null(strstr(error.text, pid));
	astshm_writer_close(&writer);
}

static void fifth_writer_is_one_too_many(void **state)
{
	struct astshm_writer *writers[5];
	char test[64];

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(test, sizeof test, "%s-%d", __func__, i);
		writers[i] = scene_open(test, NULL);
	}
	assert_int_equal(astshm_writer_open(&writers[4], "fifth", NULL, NULL), -EMFILE);
	for (int i = 0; i < 4; i++) {
		snprintf(test, sizeof test, "in.%d", i);
		astshm_increment(writers[i], test, (uint64_t)i + 1, ASTSHM_NO_TAGS);
		assert_int_equal(scene_counter(writers[i], test), i + 1);
	}
	for (int i = 0; i < 4; i++)
		astshm_writer_close(&writers[i]);
}

static void mode_is_set_whatever_the_umask(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct stat status;

	(void)state;
	for (int i = 0; i < 2; i++) {
		mode_t before = umask(i ? 0 : 077);
		options.mode = i ? 0600 : 0;
		struct astshm_writer *writer = scene_open(__func__, &options);
		umask(before);
		assert_int_equal(stat(astshm_writer_path(writer), &status), 0);
		assert_int_equal(status.st_mode & 0777, i ? 0600 : 0640);
		astshm_writer_close(&writer);
	}
}

static void bad_options_are_named(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_writer *writer;
	struct astshm_error error;

	(void)state;
	options.max_series = 1u << 20;
	assert_int_equal(astshm_writer_open(&writer, "x", &options, &error), -EINVAL);
	assert_non_null(strstr(error.text, "max_series"));
	options = scene_options();
	options.group = "no-such-group-here";
	assert_int_equal(astshm_writer_open(&writer, "x", &options, &error), -EINVAL);
	assert_non_null(strstr(error.text, "no-such-group-here"));
	assert_int_equal(astshm_writer_open(&writer, "", NULL, &error), -EINVAL);
	assert_int_equal(astshm_writer_open(&writer, "a~1", NULL, &error), -EINVAL);
	assert_null(writer);
}

static void foreign_abi_is_refused(void **state)
{
	struct astshm_writer *writer;
	struct astshm_error error;

	(void)state;
	assert_int_equal(astshm_writer_open_abi(&writer, "x", NULL, ASTSHM_ABI + 1, &error),
			 -EPROTONOSUPPORT);
	assert_non_null(strstr(error.text, "ABI"));
}

static void record_everything(struct astshm_writer *writer)
{
	struct astshm_counter counter;
	struct astshm_gauge gauge;
	struct astshm_timing timing;
	struct astshm_distribution distribution;
	const struct astshm_metric metric = { .name = "x" };

	assert_int_equal(astshm_counter_register(writer, &metric, &counter, NULL), 0);
	assert_int_equal(astshm_gauge_register(writer, &metric, &gauge, NULL), 0);
	assert_int_equal(astshm_timing_register(writer, &metric, &timing, NULL), 0);
	assert_int_equal(astshm_distribution_register(writer, &metric, &distribution, NULL), 0);
	assert_int_equal(counter.index, 0);
	astshm_counter_add(counter, 1);
	astshm_counter_sub(counter, 1);
	astshm_counter_add_signal(counter, 1);
	astshm_gauge_set(gauge, 1);
	astshm_gauge_add(gauge, 1);
	astshm_timing_record(timing, 1);
	astshm_distribution_record(distribution, 1);
	astshm_timer_stop(timing, astshm_timer_start());
	astshm_increment(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_decrement(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_set(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_add(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_time(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_observe(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "x", "u", "h", NULL);
	astshm_reset(writer);
	astshm_reset_counters(writer);
	astshm_writer_set_recording(writer, true);
	assert_false(astshm_writer_recording(writer));
	assert_int_equal(astshm_writer_tick(writer, NULL), 0);
	assert_string_equal(astshm_writer_path(writer), "");
	int64_t value;
	assert_int_equal(astshm_get_counter(writer, "x", ASTSHM_NO_TAGS, &value), -ENOENT);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "x", ASTSHM_NO_TAGS), -ENOENT);
}

static void null_writer_records_nothing(void **state)
{
	(void)state;
	record_everything(NULL);
}

static void disabled_writer_makes_no_segment(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_reader *reader;

	(void)state;
	options.flags = ASTSHM_OPEN_DISABLED;
	struct astshm_writer *writer = scene_open(__func__, &options);
	record_everything(writer);
	assert_int_equal(astshm_reader_open(&reader, scene_name(__func__), NULL, NULL), -ENOENT);
	astshm_writer_close(&writer);
}

static void environment_disables(void **state)
{
	(void)state;
	setenv("ASTSHM_DISABLE", "1", 1);
	struct astshm_writer *writer = scene_open(__func__, NULL);
	unsetenv("ASTSHM_DISABLE");
	record_everything(writer);
	astshm_writer_close(&writer);
}

static void recording_switches_off_and_on(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;

	(void)state;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter, NULL);
	astshm_counter_add(counter, 1);
	astshm_time(writer, "t", 5, ASTSHM_NO_TAGS);
	astshm_writer_set_recording(writer, false);
	assert_false(astshm_writer_recording(writer));
	astshm_counter_add(counter, 10);
	astshm_time(writer, "t", 5, ASTSHM_NO_TAGS);
	astshm_increment(writer, "new", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 1);
	astshm_writer_set_recording(writer, true);
	astshm_counter_add(counter, 100);
	astshm_time(writer, "t", 5, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 101);
	assert_int_equal(scene_timing(writer, "t").count, 2);
	int64_t value;
	assert_int_equal(astshm_get_counter(writer, "new", ASTSHM_NO_TAGS, &value), -ENOENT);
	astshm_writer_close(&writer);
}

static void handles_of_a_closed_writer_are_dead(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;
	struct astshm_timing timing;

	(void)state;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter, NULL);
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing, NULL);
	astshm_counter_add(counter, 1);
	astshm_timing_record(timing, 1);
	astshm_writer_close(&writer);
	astshm_counter_add(counter, 1);
	astshm_timing_record(timing, 1);
	writer = scene_open(__func__, NULL);
	astshm_increment(writer, "other", 5, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "other"), 5);
	astshm_writer_close(&writer);
}

/* Out of the new writer's range: an access past its records is a sanitizer's. */
static void handles_of_a_larger_writer_reach_nothing(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;
	char name[32];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "level.%d", i);
		astshm_counter_register(writer,
					&(struct astshm_metric){ .name = name,
								 .flags = ASTSHM_UP_DOWN },
					&counter, NULL);
	}
	astshm_writer_close(&writer);
	options.max_series = 64;
	writer = scene_open(__func__, &options);
	astshm_increment(writer, "c", 5, ASTSHM_NO_TAGS);
	astshm_counter_add(counter, 1);
	astshm_counter_sub(counter, 1);
	astshm_counter_add_signal(counter, 1);
	assert_int_equal(scene_counter(writer, "c"), 5);
	astshm_writer_close(&writer);
}

static void pid_in_the_name_is_expanded(void **state)
{
	struct astshm_writer *writer;
	char expected[64];

	(void)state;
	assert_int_equal(astshm_writer_open(&writer, "t{pid}-template", NULL, NULL), 0);
	snprintf(expected, sizeof expected, "astshm.t%ld-template", (long)getpid());
	assert_non_null(strstr(astshm_writer_path(writer), expected));
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_segment_is_unlinked),
		cmocka_unit_test(kept_segment_reads_as_closed),
		cmocka_unit_test(second_writer_of_a_name_is_busy_with_pid),
		cmocka_unit_test(fifth_writer_is_one_too_many),
		cmocka_unit_test(mode_is_set_whatever_the_umask),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(foreign_abi_is_refused),
		cmocka_unit_test(null_writer_records_nothing),
		cmocka_unit_test(disabled_writer_makes_no_segment),
		cmocka_unit_test(environment_disables),
		cmocka_unit_test(recording_switches_off_and_on),
		cmocka_unit_test(handles_of_a_closed_writer_are_dead),
		cmocka_unit_test(handles_of_a_larger_writer_reach_nothing),
		cmocka_unit_test(pid_in_the_name_is_expanded),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
