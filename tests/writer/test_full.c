/* SPDX-License-Identifier: MIT */
/* No room: the host goes on, what was lost is counted. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

static uint64_t dropped(struct astshm_writer *writer)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	uint64_t count = astshm_snapshot_segment(snapshot)->dropped;
	astshm_snapshot_free(&snapshot);
	return count;
}

/* Timings until there is no room; each takes a block of 24 KiB. */
static int fill(struct astshm_writer *writer)
{
	char name[32];
	int count = 0;

	for (; count < 100000 && dropped(writer) == 0; count++) {
		snprintf(name, sizeof name, "t.%d", count);
		astshm_time(writer, name, 100, ASTSHM_NO_TAGS);
	}
	return count;
}

static void a_full_segment_keeps_what_it_has(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_counter counter;

	(void)state;
	options.max_bytes = 1 << 20;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter, NULL);
	astshm_counter_add(counter, 1);
	int count = fill(writer);
	assert_in_range(count, 20, 45);
	uint64_t before = dropped(writer);
	for (int i = 0; i < 1000; i++) {
		astshm_counter_add(counter, 1);
		astshm_time(writer, "t.0", 100, ASTSHM_NO_TAGS);
		astshm_time(writer, "one.more", 100, ASTSHM_NO_TAGS);
	}
	assert_int_equal(scene_counter(writer, "c"), 1001);
	assert_int_equal(scene_timing(writer, "t.0").count, 1001);
	assert_int_equal(dropped(writer), before + 1000);
	/* A reset closes every gate; the blocks are still there. */
	astshm_reset(writer);
	astshm_time(writer, "t.0", 100, ASTSHM_NO_TAGS);
	assert_int_equal(scene_timing(writer, "t.0").count, 1);
	astshm_writer_close(&writer);
}

/* Names until there is room for none, nor for a counter's cells. */
static void fill_to_the_brim(struct astshm_writer *writer)
{
	char name[32];
	uint64_t before = dropped(writer);

	for (int i = 0; i < 10000 && dropped(writer) == before; i++) {
		snprintf(name, sizeof name, "c.%d", i);
		astshm_increment(writer, name, 1, ASTSHM_NO_TAGS);
	}
	assert_true(dropped(writer) > before);
}

static void the_tick_warns_while_something_finds_no_room(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_error error = { 0 };
	char counted[64];

	(void)state;
	options.max_bytes = 1 << 20;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_increment(writer, "", 1, ASTSHM_NO_TAGS); /* counted, but no lack of room */
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_string_equal(error.text, "");
	for (int i = 0; i < 100; i++)
		astshm_observe(writer, i < 50 ? "d" : "e", 100, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_string_equal(error.text, "");
	int count = 0;
	for (uint64_t before = dropped(writer); dropped(writer) == before; count++) {
		snprintf(counted, sizeof counted, "t.%d", count);
		astshm_time(writer, counted, 100, ASTSHM_NO_TAGS);
	}
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_int_equal(error.code, 0);
	assert_string_equal(error.text, "1 records and 1 registrations were dropped so far: "
			    "the segment's maximum of 1048576 bytes is reached");
	/* Full as before, but nobody wanted more. */
	error.text[0] = '\0';
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_string_equal(error.text, "");
	astshm_time(writer, "t.0", 100, ASTSHM_NO_TAGS);
	astshm_time(writer, counted, 100, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_ptr_equal(strstr(error.text, "2 records and 1 registrations"), error.text);
	astshm_writer_close(&writer);
}

static void the_tick_tells_which_limit_there_is(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_error error = { 0 };

	(void)state;
	options.max_series = 2;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_increment(writer, "a", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "b", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_writer_tick(writer, &error), 0);
	assert_string_equal(error.text, "0 records and 1 registrations were dropped so far: "
			    "all of its 2 series are taken");
	astshm_writer_close(&writer);
}

/* Whoever looks for it finds astshm.dropped, though it needs cells like others. */
static void what_is_dropped_is_recorded_without_room(void **state)
{
	enum { BEFORE = ASTSHM_CHUNK_CELLS - 5 }; /* a chunk's first cell is then its own */
	struct astshm_writer_options options = scene_options();
	struct astshm_counter counter;
	char name[32];

	(void)state;
	options.max_bytes = 1 << 20;
	options.flags = ASTSHM_OPEN_HEALTH;
	struct astshm_writer *writer = scene_open(__func__, &options);
	for (int i = 0; i < BEFORE; i++) {
		snprintf(name, sizeof name, "before.%d", i);
		astshm_counter_register(writer, &(struct astshm_metric){ .name = name }, &counter,
					NULL);
	}
	astshm_writer_tick(writer, NULL);
	fill(writer);
	fill_to_the_brim(writer);
	astshm_writer_tick(writer, NULL);
	assert_int_equal(scene_counter(writer, "astshm.dropped"), dropped(writer));
	astshm_writer_close(&writer);
}

struct crowd {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	pthread_barrier_t turns;
};

static void record_both(const struct crowd *crowd)
{
	astshm_counter_add(crowd->counter, 1);
	astshm_timing_record(crowd->timing, 100);
}

static void *hold_the_slot(void *argument)
{
	struct crowd *crowd = argument;

	record_both(crowd);
	pthread_barrier_wait(&crowd->turns);
	pthread_barrier_wait(&crowd->turns);
	return NULL;
}

static void *record_as_heir(void *argument)
{
	record_both(argument);
	return NULL;
}

/* Neither the shared slot nor an heir's needs room for what is there already. */
static void a_full_segment_serves_every_thread_that_has_blocks(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct crowd crowd;
	pthread_t thread;

	(void)state;
	options.max_bytes = 1 << 20;
	options.max_threads = 1;
	crowd.writer = scene_open(__func__, &options);
	astshm_counter_register(crowd.writer, &(struct astshm_metric){ .name = "c" },
				&crowd.counter, NULL);
	astshm_timing_register(crowd.writer, &(struct astshm_metric){ .name = "t" },
			       &crowd.timing, NULL);
	pthread_barrier_init(&crowd.turns, NULL, 2);
	pthread_create(&thread, NULL, hold_the_slot, &crowd);
	pthread_barrier_wait(&crowd.turns);
	record_both(&crowd);
	fill(crowd.writer);
	record_both(&crowd);
	assert_int_equal(scene_timing(crowd.writer, "t").count, 3);
	assert_int_equal(scene_counter(crowd.writer, "c"), 3);
	pthread_barrier_wait(&crowd.turns);
	pthread_join(thread, NULL);
	astshm_time(crowd.writer, "full.again", 1, ASTSHM_NO_TAGS);
	pthread_create(&thread, NULL, record_as_heir, &crowd);
	pthread_join(thread, NULL);
	assert_int_equal(scene_timing(crowd.writer, "t").count, 4);
	assert_int_equal(scene_counter(crowd.writer, "c"), 4);
	pthread_barrier_destroy(&crowd.turns);
	astshm_writer_close(&crowd.writer);
}

static void a_segment_too_small_to_start_is_refused(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_writer *writer;
	struct astshm_error error;

	(void)state;
	options.max_bytes = 8192;
	assert_true(astshm_writer_open(&writer, scene_name(__func__), &options, &error) < 0);
	assert_true(strlen(error.text) > 10);
	assert_int_equal(astshm_writer_open(&writer, scene_name(__func__), NULL, &error), 0);
	astshm_writer_close(&writer);
}

static int record_under_a_file_size_limit(void *unused)
{
	struct rlimit limit = { 400000, 400000 };
	struct astshm_writer *writer;

	(void)unused;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (astshm_writer_open(&writer, scene_name("fsize"), NULL, NULL) < 0)
		return 2;
	int count = fill(writer);
	astshm_increment(writer, "after", 1, ASTSHM_NO_TAGS);
	astshm_writer_close(&writer);
	return count > 5 && count < 20 ? 0 : 3;
}

static void the_file_size_limit_is_no_signal(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(record_under_a_file_size_limit, NULL)), 0);
}

/* 77: this environment does not let us mount. */
static int record_on_a_small_tmpfs(void *folder)
{
	struct astshm_writer *writer;
	struct astshm_error error;
	char path[128];

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=512k") < 0)
		return 77;
	snprintf(path, sizeof path, "%s/segment", (const char *)folder);
	if (astshm_writer_open(&writer, path, NULL, &error) < 0)
		return 1;
	int count = fill(writer);
	astshm_increment(writer, "t.0", 1, ASTSHM_NO_TAGS);
	astshm_time(writer, "t.0", 1, ASTSHM_NO_TAGS);
	int result = scene_timing(writer, "t.0").count == 2 && count > 5 && count < 25 ? 0 : 2;
	astshm_writer_close(&writer);
	return result;
}

static void a_full_tmpfs_is_no_sigbus(void **state)
{
	char folder[] = "/tmp/astshm-full-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	int result = scene_join(scene_fork(record_on_a_small_tmpfs, folder));
	rmdir(folder);
	if (result == 77)
		print_message("not allowed to mount a tmpfs: only the file size limit was tried\n");
	else
		assert_int_equal(result, 0);
}

static void a_path_on_a_disk_is_warned_about(void **state)
{
	char path[128];
	struct astshm_writer *writer;
	struct astshm_error error;

	(void)state;
	snprintf(path, sizeof path, "/var/tmp/astshm-t%ld", (long)getpid());
	assert_int_equal(astshm_writer_open(&writer, path, NULL, &error), 0);
	assert_int_equal(error.code, 0);
	assert_non_null(strstr(error.text, "tmpfs"));
	assert_string_equal(astshm_writer_path(writer), path);
	astshm_writer_close(&writer);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_segment_keeps_what_it_has),
		cmocka_unit_test(the_tick_warns_while_something_finds_no_room),
		cmocka_unit_test(the_tick_tells_which_limit_there_is),
		cmocka_unit_test(what_is_dropped_is_recorded_without_room),
		cmocka_unit_test(a_full_segment_serves_every_thread_that_has_blocks),
		cmocka_unit_test(a_segment_too_small_to_start_is_refused),
		cmocka_unit_test(the_file_size_limit_is_no_signal),
		cmocka_unit_test(a_full_tmpfs_is_no_sigbus),
		cmocka_unit_test(a_path_on_a_disk_is_warned_about),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
