/* SPDX-License-Identifier: MIT */
/* The clock of timers: chosen when the library is loaded, so by a new process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

#define SLEEP_US 20000
#define WRONG_PACE 1
#define WRONG_SOURCE 2

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A timer against CLOCK_MONOTONIC in front of and behind each of its readings:
 * however long the process was kept waiting, within 1 % it lies between. */
static int keeps_pace(void)
{
	int64_t before = monotonic_ns();
	struct astshm_timer timer = astshm_timer_start();
	int64_t started = monotonic_ns();

	usleep(SLEEP_US);
	int64_t ending = monotonic_ns();
	int64_t ns = astshm_timer_elapsed_ns(timer);
	int64_t after = monotonic_ns();
	return ns < (ending - started) * 99 / 100 || ns > (after - before) * 101 / 100;
}

/* In the new process, whose exit status tells. */
static int look(const char *source)
{
	struct astshm_writer *writer = scene_open("clock", NULL);
	int wrong = keeps_pace() ? WRONG_PACE : 0;

	if (source[0] != '\0' && astshm_clock.source != (uint32_t)atoi(source))
		wrong |= WRONG_SOURCE;
	astshm_writer_close(&writer);
	return wrong;
}

static int status_with(const char *wish, const char *source)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("ASTSHM_CLOCK", wish, 1);
		execl("/proc/self/exe", "test_clock", source, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void gettime_is_used_where_it_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(status_with("gettime", "0"), 0);
}

/* Whether this processor's counter is constant is for the library to say. */
static void every_wish_gives_a_clock_that_keeps_pace(void **state)
{
	static const char *const wishes[] = { "cycles", "gettime", "", "no such clock" };

	(void)state;
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
		assert_int_equal(status_with(wishes[i], ""), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gettime_is_used_where_it_is_asked_for),
		cmocka_unit_test(every_wish_gives_a_clock_that_keeps_pace),
	};
	if (argc > 1)
		return look(argv[1]);
	if (getenv("UNDER_QEMU_USER")) {
		printf("skipped: the program that it starts would need a qemu-user of its own\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
