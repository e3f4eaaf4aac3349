/* SPDX-License-Identifier: MIT */
/*
 * The clock is a number that the cases choose, so nothing waits: inotify has an
 * event when the call that caused it returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "watch.h"

#define SKIPPED 77

static char folder[64], error[WATCH_ERROR_MAX];
static struct watch *watch;
static int64_t now_ms;

/* --- files, all in the folder ----------------------------------------- */

static int run(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/test-watch.%ld.XXXXXX", (long)getpid());
	now_ms = 5000;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir("sets", 0700) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	watch_close(&watch);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? run(command) : -1;
}

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void begin(const char *path)
{
	if (watch_open(&watch, path, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(watch_timeout_ms(watch, now_ms), -1);
	assert_false(watch_due(watch, now_ms));
}

/* --- what is expected ------------------------------------------------- */

static void expect_nothing(void)
{
	assert_false(watch_due(watch, now_ms));
	assert_int_equal(watch_timeout_ms(watch, now_ms), -1);
}

/* Due once, and not before everything has been quiet for long enough. */
static void expect_due(void)
{
	assert_false(watch_due(watch, now_ms));
	assert_int_equal(watch_timeout_ms(watch, now_ms), WATCH_SETTLE_MS);
	now_ms += WATCH_SETTLE_MS - 1;
	assert_false(watch_due(watch, now_ms));
	assert_int_equal(watch_timeout_ms(watch, now_ms), 1);
	now_ms++;
	assert_int_equal(watch_timeout_ms(watch, now_ms), 0);
	assert_true(watch_due(watch, now_ms));
	expect_nothing();
}

/* --- cases ------------------------------------------------------------ */

static void overwriting_in_place_is_due_once_it_settled(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	write_file("sets/a.als", "new");
	expect_due();
	write_file("sets/a.als", "new"); /* identical: the caller finds no difference */
	expect_due();
}

static void slow_write_is_due_after_its_end(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	int fd = open("sets/a.als", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(write(fd, "part", 4), 4);
		now_ms += 10 * WATCH_SETTLE_MS;
		expect_nothing();
	}
	close(fd);
	expect_due();
}

static void each_of_several_writes_starts_the_wait_anew(void **state)
{
	(void)state;
	begin("sets/a.als");
	for (int i = 0; i < 5; i++) {
		write_file("sets/a.als", "part");
		assert_false(watch_due(watch, now_ms));
		now_ms += WATCH_SETTLE_MS - 1;
		assert_false(watch_due(watch, now_ms));
	}
	write_file("sets/a.als", "last");
	expect_due();
}

static void rename_into_place_is_due(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	for (int i = 0; i < 2; i++) {
		write_file("sets/a.tmp", "new");
		expect_nothing();
		assert_int_equal(rename("sets/a.tmp", "sets/a.als"), 0);
		expect_due();
	}
	write_file("elsewhere", "new");
	assert_int_equal(rename("elsewhere", "sets/a.als"), 0);
	expect_due();
}

static void file_may_vanish_and_come_back(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	assert_int_equal(unlink("sets/a.als"), 0);
	expect_nothing();
	write_file("sets/a.als", "new");
	expect_due();
	assert_int_equal(rename("sets/a.als", "sets/b.als"), 0);
	expect_nothing();
	assert_int_equal(link("sets/b.als", "sets/a.als"), 0);
	expect_due();
}

static void file_that_is_gone_when_it_settles_is_not_due(void **state)
{
	(void)state;
	begin("sets/a.als");
	write_file("sets/a.als", "new");
	assert_int_equal(unlink("sets/a.als"), 0);
	assert_false(watch_due(watch, now_ms));
	now_ms += WATCH_SETTLE_MS;
	assert_false(watch_due(watch, now_ms));
	expect_nothing();
}

static void other_files_of_the_directory_are_ignored(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	write_file("sets/a.als~", "other");
	write_file("sets/b.als", "other");
	assert_int_equal(mkdir("sets/a", 0700), 0);
	assert_int_equal(rename("sets/b.als", "sets/a.alsx"), 0);
	assert_int_equal(link("sets/a.als", "sets/c.als"), 0);
	assert_int_equal(chmod("sets/a.als", 0400), 0);
	expect_nothing();
}

static void path_may_be_relative_and_without_a_directory(void **state)
{
	(void)state;
	assert_int_equal(chdir("sets"), 0);
	write_file("a.als", "old");
	begin("a.als");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(chdir(folder), 0);
	write_file("a.als", "of another directory");
	expect_nothing();
	write_file("sets/a.als", "new");
	expect_due();
}

static void many_events_are_one_change(void **state)
{
	(void)state;
	begin("sets/a.als");
	for (int i = 0; i < 2000; i++) {
		write_file("sets/b.als", "other");
		write_file("sets/a.als", "new");
	}
	for (int i = 0; i < 100; i++) /* a call leaves what it does not get to */
		assert_false(watch_due(watch, now_ms));
	expect_due();
}

static void target_of_a_symbolic_link_is_watched(void **state)
{
	(void)state;
	assert_int_equal(mkdir("real", 0700), 0);
	write_file("real/set.als", "old");
	assert_int_equal(symlink("../real/set.als", "sets/inner.als"), 0);
	assert_int_equal(symlink("inner.als", "sets/a.als"), 0);
	begin("sets/a.als");
	write_file("real/set.als", "new");
	expect_due();
	write_file("real/a.als", "other");
	write_file("sets/set.als", "other");
	expect_nothing();
}

static void link_that_is_replaced_is_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("one", 0700), 0);
	assert_int_equal(mkdir("two", 0700), 0);
	write_file("one/set.als", "1");
	write_file("two/set.als", "2");
	assert_int_equal(symlink("../one/set.als", "sets/a.als"), 0);
	begin("sets/a.als");
	assert_int_equal(symlink("../two/set.als", "sets/a.tmp"), 0);
	assert_int_equal(rename("sets/a.tmp", "sets/a.als"), 0);
	expect_due();
	write_file("one/set.als", "not ours any more");
	expect_nothing();
	write_file("two/set.als", "new");
	expect_due();
	assert_int_equal(unlink("sets/a.als"), 0);
	assert_int_equal(symlink("../one/set.als", "sets/a.als"), 0);
	expect_due();
	assert_int_equal(unlink("one/set.als"), 0); /* the link dangles */
	expect_nothing();
	write_file("one/set.als", "new");
	expect_due();
}

static void expect_problem(const char *reason)
{
	const char *problem;

	assert_false(watch_due(watch, now_ms));
	problem = watch_problem(watch);
	assert_non_null(problem);
	if (!strstr(problem, "sets/a.als") || !strstr(problem, reason))
		fail_msg("'%s' lacks '%s' or the path", problem, reason);
	assert_null(watch_problem(watch)); /* told once */
}

static void directory_may_vanish_and_come_back(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	assert_null(watch_problem(watch));
	assert_int_equal(run("rm -r sets"), 0);
	expect_problem("No such file or directory");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(watch_timeout_ms(watch, now_ms), WATCH_RETRY_MS);
		now_ms += WATCH_RETRY_MS;
		assert_false(watch_due(watch, now_ms));
		assert_null(watch_problem(watch));
	}
	assert_int_equal(mkdir("sets", 0700), 0);
	write_file("sets/a.als", "new");
	now_ms += WATCH_RETRY_MS;
	expect_due();
	write_file("sets/a.als", "newer");
	expect_due();
}

static void directory_may_be_replaced(void **state)
{
	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	assert_int_equal(mkdir("next", 0700), 0);
	write_file("next/a.als", "new");
	assert_int_equal(rename("sets", "former"), 0);
	assert_int_equal(rename("next", "sets"), 0);
	expect_due();
	assert_null(watch_problem(watch));
	write_file("former/a.als", "not ours any more");
	expect_nothing();
	write_file("sets/a.als", "newer");
	expect_due();
	assert_int_equal(rename("sets", "next"), 0);
	expect_problem("No such file or directory");
}

static void paths_without_a_way_are_refused(void **state)
{
	(void)state;
	assert_int_equal(watch_open(&watch, "none/a.als", error), -ENOENT);
	assert_non_null(strstr(error, "none/a.als cannot be watched: No such file"));
	write_file("file", "");
	assert_int_equal(watch_open(&watch, "file/a.als", error), -ENOTDIR);
	assert_int_equal(watch_open(&watch, "", error), -EISDIR);
	assert_int_equal(watch_open(&watch, "sets/", error), -EISDIR);
	assert_int_equal(symlink("b.als", "sets/a.als"), 0);
	assert_int_equal(symlink("a.als", "sets/b.als"), 0);
	assert_int_equal(watch_open(&watch, "sets/a.als", error), -ELOOP);
	assert_null(watch);
	begin("sets/absent.als"); /* the file itself may be absent */
}

static long queue_length(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	long length = -1;

	if (file) {
		if (fscanf(file, "%ld", &length) != 1)
			length = -1;
		fclose(file);
	}
	return length;
}

/* What was lost may have been a change, and a new way to the file. */
static void overflow_of_the_queue_counts_as_a_change(void **state)
{
	long length = queue_length();

	(void)state;
	write_file("sets/a.als", "old");
	begin("sets/a.als");
	for (long i = 0; i <= length / 2; i++) { /* two names: equal neighbours would merge */
		write_file("sets/b.als", "");
		write_file("sets/c.als", "");
	}
	for (long i = 0; i < length / 1000; i++)
		assert_false(watch_due(watch, now_ms));
	expect_due();
}

#define watch_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(overwriting_in_place_is_due_once_it_settled),
		watch_test(slow_write_is_due_after_its_end),
		watch_test(each_of_several_writes_starts_the_wait_anew),
		watch_test(rename_into_place_is_due),
		watch_test(file_may_vanish_and_come_back),
		watch_test(file_that_is_gone_when_it_settles_is_not_due),
		watch_test(other_files_of_the_directory_are_ignored),
		watch_test(path_may_be_relative_and_without_a_directory),
		watch_test(many_events_are_one_change),
		watch_test(target_of_a_symbolic_link_is_watched),
		watch_test(link_that_is_replaced_is_followed),
		watch_test(directory_may_vanish_and_come_back),
		watch_test(directory_may_be_replaced),
		watch_test(paths_without_a_way_are_refused),
		watch_test(overflow_of_the_queue_counts_as_a_change),
	};

	if (queue_length() < 1 || queue_length() > 200000) {
		fprintf(stderr, "no inotify, or a queue too long to fill: %ld\n", queue_length());
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
