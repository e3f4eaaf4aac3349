/* SPDX-License-Identifier: MIT */
/*
 * Loading, watching and loading again, with the threads that a server has. What
 * should come is waited for; what should not is seen by what comes after it.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "dialogue.h"
#include "housekeeping.h"

#define DEADLINE_MS 60000

/* --- what was broadcast, for any thread ------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last[512]; /* the beginning of the newest message */
static unsigned count;

static void hear(void *context, struct message *message)
{
	(void)context;
	assert_non_null(message);
	pthread_mutex_lock(&lock);
	snprintf(last, sizeof last, "%.*s", (int)message->length, message_text(message));
	count++;
	pthread_mutex_unlock(&lock);
	message_release(message);
}

static unsigned heard(void)
{
	pthread_mutex_lock(&lock);
	unsigned now = count;
	pthread_mutex_unlock(&lock);
	return now;
}

/* Waits for the n-th message of all, which must have `words` near its beginning. */
static void expect_nth(unsigned n, const char *words)
{
	int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;

	while (heard() < n && clock_now_ms() < deadline_ms)
		usleep(5000);
	pthread_mutex_lock(&lock);
	if (count != n || !strstr(last, words))
		fail_msg("message %u is not the %u-th with %s: %s", count, n, words, last);
	pthread_mutex_unlock(&lock);
}

/* --- a server that keeps house ------------------------------------------------------ */

static struct ast_server *server;
static struct housekeeping *housekeeping;
static pthread_t thread;
static int stop_fd = -1;

/* Waits until so many files were read. */
static void expect_loads(int64_t n)
{
	int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;

	while (fixture_samples(server, "operation.load_project", NULL) < n &&
	       clock_now_ms() < deadline_ms)
		usleep(5000);
	assert_int_equal(fixture_samples(server, "operation.load_project", NULL), n);
}

static void *keep_house(void *argument)
{
	(void)argument;
	housekeeping_run(housekeeping);
	return NULL;
}

static void create(const char *case_name)
{
	server = fixture_create(case_name, 100);
	server->broadcast = hear;
	count = 0;
	last[0] = '\0';
	assert_int_equal(ast_server_start(server), 0);
}

static void begin(const char *case_name, const struct housekeeping_options *options)
{
	create(case_name);
	stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(stop_fd >= 0);
	assert_int_equal(housekeeping_begin(&housekeeping, server, options, stop_fd), 0);
	assert_int_equal(pthread_create(&thread, NULL, keep_house, NULL), 0);
}

static void stop(void)
{
	uint64_t one = 1;

	assert_int_equal(write(stop_fd, &one, sizeof one), sizeof one);
	pthread_join(thread, NULL);
	close(stop_fd);
	stop_fd = -1;
}

/* Told to stop before it runs, it looks around once. */
static void run_once(const struct housekeeping_options *options)
{
	uint64_t one = 1;
	int stopped = eventfd(0, EFD_CLOEXEC);

	assert_true(stopped >= 0);
	assert_int_equal(housekeeping_begin(&housekeeping, server, options, stopped), 0);
	assert_int_equal(write(stopped, &one, sizeof one), sizeof one);
	housekeeping_run(housekeeping);
	close(stopped);
}

static int tear_down(void **state)
{
	if (stop_fd >= 0)
		stop();
	housekeeping_end(&housekeeping);
	assert_null(housekeeping);
	return fixture_teardown(state);
}

static const char *write_set(const char *track_name)
{
	static const char old[] = "2-Audio";
	const char *at = strstr(fixture_live_set, old);
	char text[8192];

	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - fixture_live_set), fixture_live_set,
		 track_name, at + sizeof old - 1);
	return fixture_file(text);
}

/* --- the cases ------------------------------------------------------------------------ */

static void without_a_file_it_only_ticks(void **state)
{
	struct housekeeping_options options = { .watch = true, .reload_on_gap = 0 };

	(void)state;
	create("no-file");
	/* Much is lost, and there is nothing to load. */
	server->intake.seen_lost = 100;
	run_once(&options);
	ast_server_stop(server);
	assert_null(server->project.tree);
	assert_int_equal(heard(), 0);
}

static void file_that_cannot_be_loaded_ends_it_at_once(void **state)
{
	struct housekeeping_options options = { .watch = true, .reload_on_gap = GAP_OFF };

	(void)state;
	create("broken");
	options.file = fixture_file("<Ableton>");
	assert_int_equal(housekeeping_begin(&housekeeping, server, &options, -1), -EBADMSG);
	assert_null(housekeeping);
	options.file = "/nonexistent/set.als";
	assert_int_equal(housekeeping_begin(&housekeeping, server, &options, -1), -ENOENT);
	assert_null(housekeeping);
	ast_server_stop(server);
	assert_int_equal(fixture_counter(server, "errors.project_load"), 2);
}

static void each_new_content_is_one_message(void **state)
{
	struct housekeeping_options options = { .watch = true, .reload_on_gap = GAP_OFF };

	(void)state;
	options.file = write_set("first");
	begin("watch", &options);
	expect_nth(1, "FULL_AST");
	write_set("second");
	expect_nth(2, "DIFF_UPDATE");
	assert_non_null(strstr(last, "second"));
	/* The same again is silent: the next message is about what follows it, once it was read. */
	write_set("second");
	expect_loads(3);
	fixture_file("<Ableton>");
	expect_nth(3, "Reload failed");
	write_set("third");
	expect_nth(4, "DIFF_UPDATE");
	assert_non_null(strstr(last, "third"));
	stop();
	ast_server_stop(server);
	assert_int_equal(fixture_counter(server, "errors.reload"), 1);
	assert_int_equal(heard(), 4);
}

static void too_much_lost_loads_the_file_that_nobody_watches(void **state)
{
	struct housekeeping_options options = { .reload_on_gap = 3 };

	(void)state;
	options.file = write_set("first");
	begin("gap", &options);
	expect_nth(1, "FULL_AST");
	write_set("second");
	/* As the UDP thread does; housekeeping reads them so. */
	__atomic_store_n(&server->intake.seen_lost, 4, __ATOMIC_RELAXED);
	expect_nth(2, "DIFF_UPDATE");
	assert_non_null(strstr(last, "second"));
	stop();
	assert_int_equal(heard(), 2);
}

static void house_is_left_at_once_when_told(void **state)
{
	struct housekeeping_options options = { .watch = true, .reload_on_gap = 0 };

	(void)state;
	create("stop");
	options.file = write_set("first");
	run_once(&options); /* returns */
	expect_nth(1, "FULL_AST");
}

static void stop_ends_a_load(void **state)
{
	struct housekeeping_options options = { .watch = true, .reload_on_gap = GAP_OFF };
	int stopped = eventfd(1, EFD_CLOEXEC);

	(void)state;
	create("cancel");
	options.file = write_set("first");
	assert_true(stopped >= 0);
	assert_int_equal(housekeeping_begin(&housekeeping, server, &options, stopped), -ECANCELED);
	close(stopped);
	ast_server_stop(server);
	assert_int_equal(count, 0);
	assert_int_equal(fixture_counter(server, "errors.project_load"), 0);
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_a_file_it_only_ticks),
		CASE(file_that_cannot_be_loaded_ends_it_at_once),
		CASE(each_new_content_is_one_message),
		CASE(too_much_lost_loads_the_file_that_nobody_watches),
		CASE(house_is_left_at_once_when_told),
		CASE(stop_ends_a_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
