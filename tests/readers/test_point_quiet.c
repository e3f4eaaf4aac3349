/* SPDX-License-Identifier: MIT */
/*
 * Point reads allocate nothing and make no system call: they are made in a
 * child under strict seccomp, which kills it at any call but read, write, exit
 * and at any look at the clock; the allocator is wrapped (--wrap).
 */
#include "fixture.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define SKIP 77

static unsigned long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	allocations++;
	return __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	allocations++;
	return __real_reallocarray(memory, count, size);
}

struct points {
	struct astshm_reader *reader;
	struct astshm_point counter;
	struct astshm_point gauge;
	struct astshm_point timing;
};

/* Runs in the child; its status is what the parent learns. */
static int do_nothing(const struct points *points)
{
	return points != NULL;
}

static int read_points(const struct points *points)
{
	static uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct astshm_gauge_value gauge;
	struct astshm_histogram histogram;
	int64_t counter;
	unsigned long before = allocations;
	for (int i = 0; i < 1000; i++) {
		if (astshm_reader_counter(points->reader, &points->counter, &counter) != 0 ||
		    counter != 42)
			return 1;
		if (astshm_reader_gauge(points->reader, &points->gauge, &gauge) != 0 ||
		    gauge.count != 1)
			return 2;
		if (astshm_reader_histogram(points->reader, &points->timing, &histogram, slots) !=
			    0 || histogram.sum != 1000)
			return 3;
	}
	return allocations == before ? 0 : 4;
}

static int run_strictly(int (*run)(const struct points *points), const struct points *points)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
			_exit(SKIP);
		syscall(SYS_exit, run(points));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void point_reads_make_no_system_call_and_allocate_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint32_t counter = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	uint32_t gauge = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	uint32_t timing = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	image_count(&fixture->image, counter, 0, 42);
	image_set(&fixture->image, gauge, 0, 1.0);
	image_record(&fixture->image, timing, 0, 1000);
	fixture_open_file(fixture, "point-quiet", true);
	struct points points = { .reader = fixture->reader };
	struct astshm_reader *reader = fixture->reader;
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "c", NULL, 0,
					       &points.counter), 0);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_GAUGE, "g", NULL, 0,
					       &points.gauge), 0);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_TIMING, "t", NULL, 0,
					       &points.timing), 0);
	int status = run_strictly(read_points, &points);
	if (WIFSIGNALED(status))
		fail_msg("a system call: killed by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(point_reads_make_no_system_call_and_allocate_nothing),
	};
#ifdef READER_TSAN
	puts("skipped: ThreadSanitizer's runtime makes system calls of its own");
	return SKIP;
#endif
	int status = run_strictly(do_nothing, NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		puts("skipped: strict seccomp is not to be had here");
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
