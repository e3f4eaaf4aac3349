/* SPDX-License-Identifier: MIT */
/* Forked children: they record nothing, may open a segment of their own, and
 * never keep their parent looking alive. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulation.h"
#include "scene.h"

struct handles {
	struct astshm_writer *writer;
	struct astshm_counter counter, signals;
	struct astshm_timing timing;
	struct astshm_gauge gauge;
};

static struct handles open_handles(const char *test, const char *name,
				   const struct astshm_writer_options *options)
{
	struct handles handles;

	if (!name)
		handles.writer = scene_open(test, options);
	else
		assert_int_equal(astshm_writer_open(&handles.writer, name, options, NULL), 0);
	astshm_counter_register(handles.writer,
				&(struct astshm_metric){ .name = "c", .help = "C." },
				&handles.counter, NULL);
	astshm_counter_register(handles.writer,
				&(struct astshm_metric){ .name = "s",
							 .flags = ASTSHM_SIGNAL_SAFE },
				&handles.signals, NULL);
	astshm_timing_register(handles.writer, &(struct astshm_metric){ .name = "t" },
			       &handles.timing, NULL);
	astshm_gauge_register(handles.writer, &(struct astshm_metric){ .name = "g" },
			      &handles.gauge, NULL);
	return handles;
}

static void record_all(const struct handles *handles)
{
	astshm_counter_add(handles->counter, 1);
	astshm_counter_add_signal(handles->signals, 1);
	astshm_timing_record(handles->timing, 100);
	astshm_gauge_add(handles->gauge, 1.0);
	astshm_increment(handles->writer, "named", 1, ASTSHM_TAGS({ "k", "v" }));
	astshm_time(handles->writer, "named", 5, ASTSHM_NO_TAGS);
}

static int record_as_child(void *argument)
{
	const struct handles *handles = argument;
	struct astshm_counter counter;
	int64_t value;

	for (int i = 0; i < 100; i++)
		record_all(handles);
	astshm_reset(handles->writer);
	if (astshm_counter_register(handles->writer, &(struct astshm_metric){ .name = "new" },
				    &counter, NULL) != -ENOENT)
		return 1;
	if (astshm_get_counter(handles->writer, "c", ASTSHM_NO_TAGS, &value) != -ENOENT)
		return 2;
	if (astshm_remove(handles->writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS) != -ENOENT)
		return 3;
	struct astshm_writer *writer = handles->writer;
	astshm_writer_close(&writer);
	record_all(handles);
	return 0;
}

static void a_child_records_nothing(void **state)
{
	struct handles handles = open_handles(__func__, NULL, NULL);

	(void)state;
	record_all(&handles);
	assert_int_equal(scene_join(scene_fork(record_as_child, &handles)), 0);
	record_all(&handles);
	assert_int_equal(scene_counter(handles.writer, "c"), 2);
	assert_int_equal(scene_counter(handles.writer, "s"), 2);
	assert_int_equal(scene_timing(handles.writer, "t").count, 2);
	astshm_writer_close(&handles.writer);
}

/* What is mapped in the parent is not in the child. */
static int change_everything(struct astshm_writer *writer)
{
	astshm_reset(writer);
	astshm_reset_counters(writer);
	astshm_writer_set_recording(writer, false);
	if (astshm_writer_tick(writer, NULL) != 0)
		return 1;
	if (astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS) != -ENOENT ||
	    astshm_remove_match(writer, 0, "*", NULL, 0) != -ENOENT)
		return 2;
	astshm_writer_close(&writer); /* the tick's thread is not in the child */
	return 0;
}

/* clone(2) without the C library's fork hooks. */
static void a_child_without_hooks_records_nothing(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct handles handles;
	int status = -1;

	(void)state;
	skip_under_qemu_user("MADV_WIPEONFORK is not passed on, and no hook runs here");
#ifndef ASTSHM_TSAN
	/* ThreadSanitizer takes the child's memory for its parent's. */
	options.flags = ASTSHM_OPEN_TICK_THREAD;
#endif
	handles = open_handles(__func__, NULL, &options);
	record_all(&handles);
	long pid = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		for (int i = 0; i < 100; i++)
			record_all(&handles);
		_exit(change_everything(handles.writer));
	}
	waitpid((pid_t)pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(scene_counter(handles.writer, "c"), 1);
	assert_int_equal(astshm_writer_tick(handles.writer, NULL), 0);
	astshm_writer_close(&handles.writer);
}

static int reopen_and_record(void *argument)
{
	struct handles *handles = argument;
	struct astshm_error error;
	int64_t value = -1;

	if (astshm_writer_reopen(handles->writer, &error) < 0) {
		printf("reopen: %s\n", error.text);
		return 1;
	}
	if (astshm_get_counter(handles->writer, "c", ASTSHM_NO_TAGS, &value) < 0 || value != 0)
		return 2;
	for (int i = 0; i < 3; i++)
		record_all(handles);
	if (astshm_get_counter(handles->writer, "c", ASTSHM_NO_TAGS, &value) < 0 || value != 3)
		return 3;
	if (astshm_get_counter(handles->writer, "s", ASTSHM_NO_TAGS, &value) < 0 || value != 3)
		return 4;
	if (astshm_get_counter(handles->writer, "named", ASTSHM_TAGS({ "k", "v" }), &value) < 0 ||
	    value != 3)
		return 5;
	struct astshm_statistics statistics;
	if (astshm_get_timing(handles->writer, "t", ASTSHM_NO_TAGS, &statistics) < 0 ||
	    statistics.count != 3)
		return 6;
	if (astshm_remove_match(handles->writer, 0, "*", NULL, 0) != 6)
		return 7;
	astshm_writer_close(&handles->writer);
	return 0;
}

static void a_child_reopens_with_all_handles_valid(void **state)
{
	struct handles handles = open_handles(__func__, "t{pid}-reopen", NULL);

	(void)state;
	record_all(&handles);
	astshm_remove(handles.writer, ASTSHM_KIND_TIMING, "gone", ASTSHM_NO_TAGS);
	assert_int_equal(astshm_writer_reopen(handles.writer, NULL), -EINVAL);
	assert_int_equal(scene_join(scene_fork(reopen_and_record, &handles)), 0);
	assert_int_equal(scene_counter(handles.writer, "c"), 1);
	astshm_writer_close(&handles.writer);
}

static int reopen_is_busy(void *argument)
{
	const struct handles *handles = argument;

	return astshm_writer_reopen(handles->writer, NULL) == -EBUSY ? 0 : 1;
}

static void reopening_the_parents_name_is_busy(void **state)
{
	struct handles handles = open_handles(__func__, NULL, NULL);

	(void)state;
	assert_int_equal(scene_join(scene_fork(reopen_is_busy, &handles)), 0);
	astshm_writer_close(&handles.writer);
}

struct doomed {
	char name[128];
	int report[2]; /* a pipe: the grandchild's pid, once it runs */
};

/* A writer that forks and is then killed: its child must not keep it alive. */
static int fork_then_die(void *argument)
{
	const struct doomed *doomed = argument;
	struct astshm_writer *writer;
	char byte;
	int ready[2];

	if (astshm_writer_open(&writer, doomed->name, NULL, NULL) < 0 || pipe(ready) < 0)
		return 1;
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	int child = fork();
	if (child == 0) {
		/* Its fork hook is done: the lock's descriptor is closed. */
		if (write(ready[1], "x", 1) == 1)
			pause();
		return 1;
	}
	if (read(ready[0], &byte, 1) != 1 ||
	    write(doomed->report[1], &child, sizeof child) != sizeof child)
		return 1;
	raise(SIGKILL);
	return 0;
}

static void a_living_child_does_not_hide_its_parents_death(void **state)
{
	struct astshm_reader *reader;
	struct doomed doomed;
	int child = 0;

	(void)state;
	skip_under_qemu_user("MADV_DONTFORK is not passed on: the child's mapping keeps the lock");
	snprintf(doomed.name, sizeof doomed.name, "%s", scene_name(__func__));
	assert_int_equal(pipe(doomed.report), 0);
	assert_int_equal(scene_join(scene_fork(fork_then_die, &doomed)), 128 + SIGKILL);
	assert_int_equal(read(doomed.report[0], &child, sizeof child), sizeof child);
	assert_int_equal(kill(child, 0), 0);
	assert_int_equal(astshm_reader_open(&reader, doomed.name, NULL, NULL), 0);
	assert_int_equal(astshm_reader_state(reader), ASTSHM_STATE_DEAD);
	astshm_reader_close(&reader);
	kill(child, SIGKILL);
	close(doomed.report[0]);
	close(doomed.report[1]);
}

static void fork_by_name(unsigned number, void *argument)
{
	const struct handles *handles = argument;

	if (number > 0) {
		for (int i = 0; i < 20000; i++) {
			record_all(handles);
			if (i % 500 == 0)
				astshm_remove_match(handles->writer, 0, "named", NULL, 0);
		}
		return;
	}
	for (int i = 0; i < 30; i++) {
		int pid = fork();
		if (pid == 0) {
			alarm(60);
			record_all(handles);
			_exit(0);
		}
		int status = -1;
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

static void forks_while_others_record_and_remove_do_not_hang(void **state)
{
	struct handles handles = open_handles(__func__, NULL, NULL);

	(void)state;
	alarm(120);
	scene_threads(3, fork_by_name, &handles);
	alarm(0);
	assert_int_equal(scene_counter(handles.writer, "c"), 40000);
	astshm_writer_close(&handles.writer);
}

static void *fail_to_open(void *unused)
{
	struct astshm_writer *writer;

	(void)unused;
	assert_int_equal(astshm_writer_open(&writer, "no~1", NULL, NULL), -EINVAL);
	return NULL;
}

/* Each by a thread that liburcu does not know yet. */
static void fork_or_fail_to_open(unsigned number, void *unused)
{
	(void)unused;
	for (int i = 0; i < 300; i++) {
		pthread_t thread;
		if (number > 0) {
			assert_int_equal(pthread_create(&thread, NULL, fail_to_open, NULL), 0);
			pthread_join(thread, NULL);
			continue;
		}
		int pid = fork();
		if (pid == 0)
			_exit(0);
		assert_int_equal(scene_join(pid), 0);
	}
}

static void forks_while_others_fail_to_open_do_not_hang(void **state)
{
	struct handles handles = open_handles(__func__, NULL, NULL);

	(void)state;
	alarm(600); /* qemu-user forks slowly */
	scene_threads(3, fork_or_fail_to_open, NULL);
	alarm(0);
	astshm_writer_close(&handles.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_records_nothing),
		cmocka_unit_test(a_child_without_hooks_records_nothing),
		cmocka_unit_test(a_child_reopens_with_all_handles_valid),
		cmocka_unit_test(reopening_the_parents_name_is_busy),
		cmocka_unit_test(a_living_child_does_not_hide_its_parents_death),
		cmocka_unit_test(forks_while_others_record_and_remove_do_not_hang),
		cmocka_unit_test(forks_while_others_fail_to_open_do_not_hang),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
