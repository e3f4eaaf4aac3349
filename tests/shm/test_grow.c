/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static uint64_t file_size(const struct shm_segment *segment)
{
	struct stat found;
	assert_int_equal(fstat(segment->fd, &found), 0);
	return (uint64_t)found.st_size;
}

static uint64_t committed(const struct shm_segment *segment)
{
	return ((const struct astshm_segment_header *)(const void *)segment->base)->committed_bytes;
}

static void growth_reaches_readers_without_a_remap(void **state)
{
	(void)state;
	struct shm_segment writer, reader;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), 0);
	const uint8_t *before = reader.base;
	assert_int_equal(shm_grow(&writer, 500000, &fixture.error), 0);
	memset(writer.base + 499990, 42, 10);
	assert_true(shm_committed(&reader) >= 500000);
	assert_ptr_equal(reader.base, before);
	assert_int_equal(reader.base[499999], 42);
	shm_close(&reader, NULL);
	shm_close(&writer, NULL);
}

static void growth_goes_in_bounded_steps_to_the_maximum(void **state)
{
	(void)state;
	struct shm_segment writer;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	while (committed(&writer) < FIXTURE_MAX_BYTES) {
		uint64_t before = committed(&writer);
		assert_int_equal(shm_grow(&writer, before + 1, &fixture.error), 0);
		assert_true(committed(&writer) > before);
		assert_true(committed(&writer) - before <= (uint64_t)1 << 20);
		assert_true(file_size(&writer) >= committed(&writer));
	}
	assert_true(committed(&writer) == FIXTURE_MAX_BYTES);
	memset(writer.base + FIXTURE_FIRST_BYTES, 1, FIXTURE_MAX_BYTES - FIXTURE_FIRST_BYTES);
	assert_int_equal(shm_grow(&writer, FIXTURE_MAX_BYTES, &fixture.error), 0);
	assert_int_equal(shm_grow(&writer, FIXTURE_MAX_BYTES + 1, &fixture.error), -ENOSPC);
	assert_non_null(strstr(fixture.error.text, "maximum"));
	assert_int_equal(shm_grow(&writer, UINT64_MAX, &fixture.error), -ENOSPC);
	assert_true(committed(&writer) == FIXTURE_MAX_BYTES);
	shm_close(&writer, NULL);
}

static void what_is_there_already_costs_nothing(void **state)
{
	(void)state;
	struct shm_segment writer;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	assert_int_equal(shm_grow(&writer, 100, &fixture.error), 0);
	assert_int_equal(shm_grow(&writer, FIXTURE_FIRST_BYTES, &fixture.error), 0);
	assert_int_equal(committed(&writer), FIXTURE_FIRST_BYTES);
	shm_close(&writer, NULL);
}

/* SIGXFSZ has its default action here: it would end the child. */
static int grow_under_limit(void)
{
	struct shm_segment writer;
	struct rlimit limit = { .rlim_cur = 100000, .rlim_max = RLIM_INFINITY };
	if (fixture_publish(&fixture, &writer) || setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	if (shm_grow(&writer, 200000, &fixture.error) != -EFBIG)
		return 2;
	if (!strstr(fixture.error.text, "RLIMIT_FSIZE"))
		return 3;
	/* The comfortable step would be too much, the need itself is not. */
	if (shm_grow(&writer, 90000, &fixture.error) || committed(&writer) > 100000)
		return 4;
	if (shm_grow(&writer, 100001, &fixture.error) != -EFBIG)
		return 5;
	struct shm_segment other;
	fixture.how.name = "unused";
	if (shm_create(&other, &fixture.how, 150000, &fixture.error) != -EFBIG)
		return 6;
	return 0;
}

static void file_size_limit_is_an_error_and_no_signal(void **state)
{
	(void)state;
	int status;
	fixture_init(&fixture, __func__);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_DFL);
		_exit(grow_under_limit());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* Every 50 us, without SA_RESTART: posix_fallocate alone would give up. */
static void growth_ends_under_a_fast_timer(void **state)
{
	(void)state;
	struct shm_segment writer;
	struct itimerval fast = { { 0, 50 }, { 0, 50 } }, none = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = count_alarm }, before;
	fixture_init(&fixture, __func__);
	fixture.how.max_bytes = (uint64_t)64 << 20;
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &fast, NULL);
	int code = shm_grow(&writer, (uint64_t)32 << 20, &fixture.error);
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_int_equal(code, 0);
	assert_true(file_size(&writer) >= (uint64_t)32 << 20);
	assert_true(alarms > 0);
	shm_close(&writer, NULL);
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	fixture.how.max_bytes = FIXTURE_FIRST_BYTES - 1;
	assert_int_equal(fixture_create(&fixture, &segment), -EINVAL);
	fixture.how.max_bytes = ((uint64_t)1 << 40) + 1;
	assert_int_equal(fixture_create(&fixture, &segment), -EINVAL);
	fixture.how.max_bytes = UINT64_MAX;
	assert_int_equal(fixture_create(&fixture, &segment), -EINVAL);
	assert_int_equal(segment.fd, -1);
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
		CASE(growth_reaches_readers_without_a_remap),
		CASE(growth_goes_in_bounded_steps_to_the_maximum),
		CASE(what_is_there_already_costs_nothing),
		CASE(file_size_limit_is_an_error_and_no_signal),
		CASE(growth_ends_under_a_fast_timer),
		CASE(sizes_that_make_no_sense_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
