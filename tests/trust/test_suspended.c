/* SPDX-License-Identifier: MIT */
/*
 * A writer whose heart beats by itself, suspended: alive, and late, in the list,
 * in documents and on the screen; and again on time when it goes on.
 *
 * usage: test_suspended ASTSHM-LS ASTSHM-CAT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

#define PERIOD_MS 20u
#define PATIENCE_MS 60000
#define LATE_NS (3 * PERIOD_MS * UINT64_C(1000000)) /* three beats missed */

static const char *ls, *cat;
static char name[64], path[96];

static int live(void *unused)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_writer *writer;
	(void)unused;
	options.flags = ASTSHM_OPEN_TICK_THREAD;
	options.tick_ms = PERIOD_MS;
	if (astshm_writer_open(&writer, name, &options, NULL) < 0)
		return 1;
	astshm_increment(writer, "counted", 7, ASTSHM_NO_TAGS);
	(void)astshm_writer_tick(writer, NULL); /* who never beats is never late */
	scene_report_ready();
	for (;;)
		pause();
}

static struct astshm_listing listing(void)
{
	struct astshm_listing item;
	assert_int_equal(astshm_list_path(path, &item, NULL), 0);
	assert_int_equal(item.error, 0);
	return item;
}

static bool is_late(void)
{
	struct astshm_listing item = listing();
	assert_int_equal(item.state, ASTSHM_STATE_LIVE);
	return item.heartbeat_age_ns != UINT64_MAX && item.heartbeat_age_ns > LATE_NS;
}

/* Waits until it is late, or not. */
static void await(bool late)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	for (int i = 0; is_late() != late; i++) {
		if (i == PATIENCE_MS)
			fail_msg("never became %s", late ? "late" : "punctual");
		nanosleep(&pause, NULL);
	}
}

/* The whole process: until the thread that the signal chose runs, the others go on. */
static void suspend(int pid)
{
	int status;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

/* What a tool prints about the segment; static storage. */
static const char *output(const char *tool, const char *options)
{
	static char text[16384];
	char command[1024];
	snprintf(command, sizeof command, "'%s' %s '%s'", tool, options, name);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static void assert_shows(const char *tool, const char *options, const char *first,
			 const char *second)
{
	const char *text = output(tool, options);
	if (!strstr(text, first) || !strstr(text, second))
		fail_msg("%s %s lacks '%s' or '%s':\n%s", tool, options, first, second, text);
}

static double heartbeat_age_seconds(void)
{
	const char *text = output(cat, "-f json");
	const char *at = strstr(text, "\"heartbeat_age_seconds\":");
	assert_non_null(at);
	return strtod(at + strlen("\"heartbeat_age_seconds\":"), NULL);
}

static void suspended_writer_is_shown_alive_and_late(void **state)
{
	(void)state;
	int pid = scene_fork(live, NULL);
	scene_await_ready(1);
	await(false);
	suspend(pid);
	await(true);
	assert_shows(ls, "", "live", "heartbeat");
	assert_shows(ls, "--json", "\"state\":\"live\"", "\"heartbeat_age_seconds\":");
	assert_shows(cat, "-f table", "live", "heartbeat");
	assert_shows(cat, "-f json", "\"state\":\"live\"", "\"counted\":{\"value\":7");
	assert_true(heartbeat_age_seconds() > 0.06);
	kill(pid, SIGCONT);
	await(false);
	kill(pid, SIGKILL);
	assert_int_equal(scene_join(pid), 128 + SIGKILL);
	assert_int_equal(listing().state, ASTSHM_STATE_DEAD);
	assert_shows(ls, "", "dead", "heartbeat");
}

/* Suspended with its lock held: nobody else gets the name. */
static void suspended_writer_keeps_its_name(void **state)
{
	struct astshm_writer *other;
	struct astshm_error error;
	char pid_text[32];
	(void)state;
	int pid = scene_fork(live, NULL);
	scene_await_ready(1);
	suspend(pid);
	await(true);
	assert_true(astshm_writer_open(&other, name, NULL, &error) < 0);
	snprintf(pid_text, sizeof pid_text, "pid %d", pid);
	assert_non_null(strstr(error.text, pid_text));
	kill(pid, SIGKILL); /* acts on a stopped process too */
	assert_int_equal(scene_join(pid), 128 + SIGKILL);
	assert_int_equal(astshm_writer_open(&other, name, NULL, &error), 0);
	astshm_writer_close(&other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(suspended_writer_is_shown_alive_and_late, scene_teardown),
		cmocka_unit_test_teardown(suspended_writer_keeps_its_name, scene_teardown),
	};
	if (argc != 3) {
		fprintf(stderr, "usage: test_suspended ASTSHM-LS ASTSHM-CAT\n");
		return 2;
	}
	if (getenv("UNDER_QEMU_USER")) {
		printf("skipped: the tools would need a qemu-user of their own\n");
		return 77;
	}
	ls = argv[1];
	cat = argv[2];
	snprintf(name, sizeof name, "%s", scene_name("suspended"));
	snprintf(path, sizeof path, "/dev/shm/astshm.%s", name);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
