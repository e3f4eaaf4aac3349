/* SPDX-License-Identifier: MIT */
/*
 * File systems without O_TMPFILE and a posix_fallocate that is interrupted: the
 * linker puts these wrappers in between (-Wl,--wrap).
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fixture;
static int unnamed_error; /* 0: O_TMPFILE works */
static bool proc_missing;
static int interruptions; /* of posix_fallocate, before it works */
static int calls;
static char temporary[PATH_MAX]; /* the last one that was made */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __real_posix_fallocate(int fd, off_t from, off_t length);
int __wrap_posix_fallocate(int fd, off_t from, off_t length);

/* What the two are called where off_t was made 64 bits wide by a macro. */
int __wrap_open64(const char *path, int flags, ...) __attribute__((alias("__wrap_open")));
int __wrap_posix_fallocate64(int fd, off_t from, off_t length)
	__attribute__((alias("__wrap_posix_fallocate")));

int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (unnamed_error && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = unnamed_error;
		return -1;
	}
	int fd = __real_open(path, flags, mode);
	if (fd >= 0 && strncmp(path, "/dev/shm/.astshm-", 17) == 0)
		snprintf(temporary, sizeof temporary, "%s", path);
	return fd;
}

static bool is_hidden_proc(const char *path)
{
	return proc_missing && strncmp(path, "/proc/", 6) == 0;
}

int __wrap_access(const char *path, int mode)
{
	errno = ENOENT;
	return is_hidden_proc(path) ? -1 : __real_access(path, mode);
}

int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	errno = ENOENT;
	return is_hidden_proc(from) ? -1 : __real_linkat(from_fd, from, to_fd, to, flags);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t length)
{
	sigset_t blocked;
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	calls++;
	if (!sigismember(&blocked, SIGALRM) || !sigismember(&blocked, SIGXFSZ))
		return EPERM;
	if (interruptions > 0) {
		interruptions--;
		return EINTR;
	}
	return __real_posix_fallocate(fd, from, length);
}

static bool temporary_exists(void)
{
	struct stat found;
	return temporary[0] && lstat(temporary, &found) == 0;
}

static void assert_publishes_and_leaves_no_litter(const char *name)
{
	struct shm_segment segment, reader;
	struct stat found;
	fixture_init(&fixture, name);
	assert_int_equal(fixture_create(&fixture, &segment), 0);
	assert_true(temporary_exists());
	assert_int_equal(lstat(fixture.path, &found), -1);
	assert_int_equal(shm_publish(&segment, &fixture.how, &fixture.error), 0);
	assert_false(temporary_exists());
	assert_int_equal(lstat(fixture.path, &found), 0);
	assert_int_equal(found.st_nlink, 1);
	assert_int_equal(found.st_mode & 07777, 0640);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), 0);
	shm_close(&reader, NULL);
	assert_int_equal(unlink(fixture.path), 0);
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	assert_int_equal(shm_is_named(&segment), 1);
	assert_false(temporary_exists());
	shm_close(&segment, NULL);
}

static void segment_is_made_where_files_cannot_be_unnamed(void **state)
{
	(void)state;
	const int errors[] = { EOPNOTSUPP, EISDIR, EINVAL };
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		unnamed_error = errors[i];
		assert_publishes_and_leaves_no_litter(__func__);
		fixture_fini(&fixture);
	}
}

static void segment_is_made_without_proc(void **state)
{
	(void)state;
	proc_missing = true;
	assert_publishes_and_leaves_no_litter(__func__);
}

static void other_errors_are_not_taken_for_a_missing_feature(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	unnamed_error = ENOSPC;
	assert_int_equal(fixture_create(&fixture, &segment), -ENOSPC);
	unnamed_error = EMFILE;
	assert_int_equal(fixture_create(&fixture, &segment), -EMFILE);
}

static void unpublished_segment_takes_its_temporary_name_along(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	unnamed_error = EOPNOTSUPP;
	assert_int_equal(fixture_create(&fixture, &segment), 0);
	assert_true(temporary_exists());
	shm_close(&segment, NULL);
	assert_false(temporary_exists());
	temporary[0] = '\0';
	/* Allocation fails after the file was made. */
	interruptions = 1 << 20;
	assert_int_equal(fixture_create(&fixture, &segment), -EINTR);
	assert_true(temporary[0] != '\0');
	assert_false(temporary_exists());
}

static void interrupted_growth_goes_on_and_gives_up_in_the_end(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	interruptions = 20;
	assert_int_equal(shm_grow(&segment, 20000, &fixture.error), 0);
	assert_true(segment.file_bytes >= 20000);
	interruptions = 1 << 20;
	uint64_t before = segment.file_bytes;
	assert_int_equal(shm_grow(&segment, before + 1, &fixture.error), -EINTR);
	assert_true(segment.file_bytes == before);
	shm_close(&segment, NULL);
}

static void growth_steps_are_at_most_a_mebibyte(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	calls = 0;
	assert_int_equal(shm_grow(&segment, 3 << 20, &fixture.error), 0);
	assert_int_equal(calls, 3);
	shm_close(&segment, NULL);
}

static int teardown(void **state)
{
	(void)state;
	unnamed_error = 0;
	proc_missing = false;
	interruptions = 0;
	temporary[0] = '\0';
	fixture_fini(&fixture);
	return 0;
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(segment_is_made_where_files_cannot_be_unnamed),
		CASE(segment_is_made_without_proc),
		CASE(other_errors_are_not_taken_for_a_missing_feature),
		CASE(unpublished_segment_takes_its_temporary_name_along),
		CASE(interrupted_growth_goes_on_and_gives_up_in_the_end),
		CASE(growth_steps_are_at_most_a_mebibyte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
