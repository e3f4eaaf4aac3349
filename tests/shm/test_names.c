/* SPDX-License-Identifier: MIT */
#include "emulation.h"
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIDDEN_START "it tells a process another start time than /proc tells others"

static struct fixture fixture;

static void utf8_is_accepted_and_refused_as_unicode_says(void **state)
{
	(void)state;
	const char *good[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
			       "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
			       "\xf4\x8f\xbf\xbf", "gr\xc3\xbc\xc3\x9f" };
	const char *bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
			      "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe1\x80", "\xe1\x80\x41",
			      "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
			      "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe",
			      "\xff", "a\xf0\x90\x80" };
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(shm_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(shm_utf8_valid(bad[i], strlen(bad[i])));
	assert_false(shm_utf8_valid("a\0b", 3));
	assert_false(shm_utf8_valid("\xe2\x82\xac", 2)); /* cut by the length */
}

static void names_become_paths(void **state)
{
	(void)state;
	char path[PATH_MAX], longest[201];
	memset(longest, 'x', 200);
	longest[200] = '\0';
	assert_int_equal(shm_name_to_path("ast-server", path, NULL), 0);
	assert_string_equal(path, "/dev/shm/astshm.ast-server");
	assert_int_equal(shm_name_to_path("gr\xc3\xbc\xc3\x9f e", path, NULL), 0);
	assert_int_equal(shm_name_to_path(longest, path, NULL), 0);
	assert_int_equal(shm_name_to_path("dead~1", path, NULL), 0);
	assert_int_equal(shm_name_to_path("./x", path, NULL), 0);
	assert_string_equal(path, "./x");
}

static void hostile_names_are_refused(void **state)
{
	(void)state;
	char path[PATH_MAX], too_long[202], too_deep[PATH_MAX + 10];
	memset(too_long, 'x', 201);
	too_long[201] = '\0';
	memset(too_deep, '/', sizeof too_deep);
	too_deep[PATH_MAX + 9] = '\0';
	const char *bad[] = { "", ".", "..", ".hidden", "a\nb", "\x1b[2J", "a\x7f",
			      ("\xc2\x9b" "2J"), "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", too_long };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memset(&fixture.error, 0, sizeof fixture.error);
		assert_int_equal(shm_name_to_path(bad[i], path, &fixture.error), -EINVAL);
		assert_int_equal(fixture.error.code, -EINVAL);
		for (const char *c = fixture.error.text; *c; c++)
			assert_true((unsigned char)*c >= 0x20);
	}
	assert_int_equal(shm_name_to_path(NULL, path, NULL), -EINVAL);
	assert_int_equal(shm_name_to_path(too_deep, path, NULL), -ENAMETOOLONG);
}

static void names_of_dead_segments_are_not_for_writers(void **state)
{
	(void)state;
	struct shm_segment segment;
	const char *bad[] = { "x~1", "x~12", "~0", "/dev/shm/astshm.x~3", "/dev/shm/",
			      "/dev/shm/..", "./\x01", "/" };
	const char *good[] = { "~", "x~", "x~1a", "1~x" };
	fixture_init(&fixture, __func__);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fixture.how.name = bad[i];
		assert_int_equal(fixture_create(&fixture, &segment), -EINVAL);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		fixture.how.name = good[i];
		assert_int_equal(fixture_create(&fixture, &segment), 0);
		shm_close(&segment, NULL);
	}
}

static void path_too_long_for_its_dead_is_refused(void **state)
{
	(void)state;
	struct shm_segment segment;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	memset(path, '/', sizeof path);
	memcpy(path + PATH_MAX - 10, "astshm.x", 9);
	fixture.how.name = path;
	assert_int_equal(fixture_create(&fixture, &segment), -ENAMETOOLONG);
}

static void argument_with_a_slash_is_a_path(void **state)
{
	(void)state;
	char path[PATH_MAX];
	assert_int_equal(shm_resolve("./123", path, NULL), 0);
	assert_string_equal(path, "./123");
	assert_int_equal(shm_resolve("/none/at/all", path, NULL), 0);
	assert_string_equal(path, "/none/at/all");
}

static void name_that_does_not_exist_resolves_to_where_it_would_be(void **state)
{
	(void)state;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	assert_int_equal(shm_resolve(fixture.name, path, NULL), 0);
	assert_string_equal(path, fixture.path);
	assert_int_equal(shm_resolve("a\nb", path, NULL), -EINVAL);
}

static void pid_of_a_writer_resolves_to_its_segment(void **state)
{
	(void)state;
	skip_under_qemu_user(HIDDEN_START);
	struct fixture_holder holder;
	char path[PATH_MAX], pid[32];
	fixture_init(&fixture, __func__);
	fixture_hold(&fixture, &holder);
	snprintf(pid, sizeof pid, "%d", (int)holder.pid);
	int code = shm_resolve(pid, path, &fixture.error);
	fixture_reap(&holder, SIGKILL);
	assert_int_equal(code, 0);
	assert_string_equal(path, fixture.path);
	/* The writer is dead, its file is still there. */
	assert_int_equal(shm_resolve(pid, path, &fixture.error), -ENOENT);
}

static void pid_finds_a_segment_at_an_explicit_path(void **state)
{
	(void)state;
	skip_under_qemu_user(HIDDEN_START);
	struct fixture_holder holder;
	struct shm_segment reader;
	char path[PATH_MAX], pid[32], explicit[PATH_MAX], folder[] = "/tmp/astshm-names-XXXXXX";
	fixture_init(&fixture, __func__);
	assert_non_null(mkdtemp(folder));
	snprintf(explicit, sizeof explicit, "%s/numbers", folder);
	fixture.how.name = explicit;
	fixture_hold(&fixture, &holder);
	snprintf(pid, sizeof pid, "%d", (int)holder.pid);
	int code = shm_resolve(pid, path, &fixture.error);
	int attached = code ? code : shm_attach(&reader, path, &fixture.error);
	fixture_reap(&holder, 0);
	unlink(explicit);
	rmdir(folder);
	assert_int_equal(code, 0);
	assert_string_equal(path, explicit);
	assert_int_equal(attached, 0);
	shm_close(&reader, NULL);
}

static void segment_named_like_a_pid_comes_before_the_pid(void **state)
{
	(void)state;
	struct fixture_holder holder;
	struct fixture named;
	struct shm_segment segment;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	fixture_init(&named, "named");
	fixture_hold(&fixture, &holder);
	snprintf(named.name, sizeof named.name, "%d", (int)holder.pid);
	snprintf(named.path, sizeof named.path, "/dev/shm/astshm.%s", named.name);
	int published = fixture_publish(&named, &segment);
	int code = shm_resolve(named.name, path, &fixture.error);
	fixture_reap(&holder, SIGKILL);
	fixture_fini(&named);
	assert_int_equal(published, 0);
	assert_int_equal(code, 0);
	assert_string_equal(path, named.path);
	shm_close(&segment, NULL);
}

static void pid_with_two_segments_is_ambiguous(void **state)
{
	(void)state;
	skip_under_qemu_user(HIDDEN_START);
	struct fixture other;
	struct shm_segment first, second;
	char path[PATH_MAX], pid[32];
	fixture_init(&fixture, __func__);
	fixture_init(&other, "other");
	assert_int_equal(fixture_publish(&fixture, &first), 0);
	assert_int_equal(fixture_publish(&other, &second), 0);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	/* Asked by another process: one's own lock is none to oneself. */
	pid_t child = fork();
	if (child == 0)
		_exit(shm_resolve(pid, path, NULL) == -ENOTUNIQ ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	shm_close(&first, NULL);
	shm_close(&second, NULL);
	fixture_fini(&other);
	assert_int_equal(status, 0);
}

static void number_that_is_no_process_is_no_segment(void **state)
{
	(void)state;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	assert_int_equal(shm_resolve("999999999", path, &fixture.error), -ENOENT);
	assert_non_null(strstr(fixture.error.text, "999999999"));
	/* Too long for a pid: a name. */
	assert_int_equal(shm_resolve("99999999999999999999", path, &fixture.error), 0);
	assert_string_equal(path, "/dev/shm/astshm.99999999999999999999");
}

struct seen {
	char last[256];
	int ours;
	int hostile;
	int stop_at;
};

static int see(const char *name, const char *path, void *context)
{
	struct seen *seen = context;
	assert_true(strcmp(seen->last, name) < 0);
	assert_true(strlen(name) < sizeof seen->last);
	strcpy(seen->last, name);
	assert_string_equal(path + strlen("/dev/shm/astshm."), name);
	seen->ours += strncmp(name, fixture.name, strlen(fixture.name)) == 0;
	seen->hostile += strchr(name, '\x1b') != NULL;
	return seen->stop_at && seen->ours == seen->stop_at ? 77 : 0;
}

static void list_is_sorted_and_shows_the_dead_but_nothing_hostile(void **state)
{
	(void)state;
	struct seen seen = { .stop_at = 0 };
	struct shm_segment segment;
	char hostile[PATH_MAX], link[PATH_MAX];
	fixture_init(&fixture, __func__);
	fixture_leave_dead(&fixture);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	snprintf(hostile, sizeof hostile, "%.200s\x1b[2J", fixture.path);
	close(open(hostile, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(link, sizeof link, "%.200s.link", fixture.path);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	int code = shm_list(see, &seen);
	unlink(hostile);
	unlink(link);
	assert_int_equal(code, 0);
	assert_int_equal(seen.ours, 2); /* NAME and NAME~1 */
	assert_int_equal(seen.hostile, 0);
	struct seen stopping = { .stop_at = 1 };
	assert_int_equal(shm_list(see, &stopping), 77);
	assert_int_equal(stopping.ours, 1);
	shm_close(&segment, NULL);
}

static void error_texts_stay_one_line_and_terminated(void **state)
{
	(void)state;
	struct astshm_error error;
	char longer[400];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	memset(&error, 0xff, sizeof error);
	assert_int_equal(shm_fail(&error, -EIO, "a\nb\t%s", longer), -EIO);
	assert_int_equal(error.code, -EIO);
	assert_true(error.position == 0);
	assert_int_equal(strnlen(error.text, sizeof error.text), sizeof error.text - 1);
	assert_memory_equal(error.text, "a?b?xxx", 7);
	assert_int_equal(shm_fail(NULL, -EIO, "nobody asks"), -EIO);
	/* Neither bytes that are no UTF-8, nor a character cut in two, nor C1. */
	shm_fail(&error, -EIO, "\xff\xc3\xa4%.1s\xc2\x9b.", "\xc3\xa4");
	assert_string_equal(error.text, "?\xc3\xa4???.");
}

static int teardown(void **state)
{
	(void)state;
	fixture_fini(&fixture);
	return 0;
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_accepted_and_refused_as_unicode_says),
		cmocka_unit_test(names_become_paths),
		cmocka_unit_test(hostile_names_are_refused),
		CASE(names_of_dead_segments_are_not_for_writers),
		CASE(path_too_long_for_its_dead_is_refused),
		cmocka_unit_test(argument_with_a_slash_is_a_path),
		CASE(name_that_does_not_exist_resolves_to_where_it_would_be),
		CASE(pid_of_a_writer_resolves_to_its_segment),
		CASE(pid_finds_a_segment_at_an_explicit_path),
		CASE(segment_named_like_a_pid_comes_before_the_pid),
		CASE(pid_with_two_segments_is_ambiguous),
		CASE(number_that_is_no_process_is_no_segment),
		CASE(list_is_sorted_and_shows_the_dead_but_nothing_hostile),
		cmocka_unit_test(error_texts_stay_one_line_and_terminated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
