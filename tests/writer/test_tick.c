/* SPDX-License-Identifier: MIT */
/* Housekeeping: heartbeat, and a name that vanished. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"

static int64_t heartbeat_age(const char *name)
{
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_reader_open(&reader, name, NULL, NULL), 0);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	int64_t age = astshm_snapshot_segment(snapshot)->heartbeat_age_ns;
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	return age;
}

static void the_tick_beats_the_heart(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	/* Nobody beats until the first tick. */
	assert_int_equal(heartbeat_age(scene_name(__func__)), -1);
	assert_int_equal(astshm_writer_tick(writer, NULL), 0);
	usleep(50000);
	int64_t before = heartbeat_age(scene_name(__func__)), after;
	int64_t end = scene_seconds() + SCENE_PATIENCE_SECONDS;
	assert_true(before >= 50000000);
	/* Off its core after the tick, it may find the beat as old as the one before. */
	do {
		assert_int_equal(astshm_writer_tick(writer, NULL), 0);
		after = heartbeat_age(scene_name(__func__));
	} while (after >= before && scene_seconds() < end);
	assert_in_range(after, 0, before - 1);
	astshm_writer_close(&writer);
}

static void a_thread_of_the_library_beats_it(void **state)
{
	struct astshm_writer_options options = scene_options();
	int64_t end = scene_seconds() + SCENE_PATIENCE_SECONDS, age;

	(void)state;
	options.flags = ASTSHM_OPEN_TICK_THREAD;
	options.tick_ms = 10;
	struct astshm_writer *writer = scene_open(__func__, &options);
	usleep(200000);
	/* Of a single beat it would be 200 ms, and older with each look; of none, -1. */
	do {
		age = heartbeat_age(scene_name(__func__));
	} while ((age < 0 || age > 100000000) && scene_seconds() < end && usleep(10000) == 0);
	assert_in_range(age, 0, 100000000);
	astshm_writer_close(&writer);
}

struct load {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	char path[256];
	int finished;
};

#define RECORDS 300000
#define THREADS 3

static void record_or_unlink(unsigned number, void *argument)
{
	struct load *load = argument;

	if (number == 0) {
		while (__atomic_load_n(&load->finished, __ATOMIC_ACQUIRE) < THREADS) {
			unlink(load->path);
			assert_int_equal(astshm_writer_tick(load->writer, NULL), 0);
			assert_int_equal(access(load->path, F_OK), 0);
			usleep(1000);
		}
		return;
	}
	for (int i = 0; i < RECORDS; i++) {
		astshm_counter_add(load->counter, 1);
		astshm_timing_record(load->timing, 1000 + i);
	}
	__atomic_fetch_add(&load->finished, 1, __ATOMIC_RELEASE);
}

static void a_vanished_name_is_linked_again_with_all_counts(void **state)
{
	struct load load = { .writer = scene_open(__func__, NULL) };
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;

	(void)state;
	snprintf(load.path, sizeof load.path, "%s", astshm_writer_path(load.writer));
	astshm_counter_register(load.writer, &(struct astshm_metric){ .name = "c" }, &load.counter,
				NULL);
	astshm_timing_register(load.writer, &(struct astshm_metric){ .name = "t" }, &load.timing,
			       NULL);
	assert_int_equal(astshm_reader_open(&reader, load.path, NULL, NULL), 0);
	scene_threads(THREADS + 1, record_or_unlink, &load);
	/* At most the one record in flight per thread and move is at stake, and
	 * those are carried over; what was recorded must be there. */
	assert_int_equal(scene_counter(load.writer, "c"), THREADS * RECORDS);
	assert_int_equal(scene_timing(load.writer, "t").count, THREADS * RECORDS);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "c")->counter.value,
			 THREADS * RECORDS);
	assert_int_equal(astshm_snapshot_segment(snapshot)->state, ASTSHM_STATE_LIVE);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&load.writer);
	assert_int_equal(access(load.path, F_OK), -1);
}

static void a_name_taken_by_another_file_is_left_alone(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_error error;
	char path[256];

	(void)state;
	snprintf(path, sizeof path, "%s", astshm_writer_path(writer));
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(astshm_writer_tick(writer, &error), -EAGAIN);
	assert_non_null(strstr(error.text, "another file"));
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 1);
	astshm_writer_close(&writer);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tick_beats_the_heart),
		cmocka_unit_test(a_thread_of_the_library_beats_it),
		cmocka_unit_test(a_vanished_name_is_linked_again_with_all_counts),
		cmocka_unit_test(a_name_taken_by_another_file_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
