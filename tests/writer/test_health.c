/* SPDX-License-Identifier: MIT */
/* What ticks record of the process and of the library itself. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "emulation.h"
#include "scene.h"

/* The library calls this one: the system's real-time clock no test may set. */
static time_t real_time_step;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += real_time_step;
	return (int)result;
}

static struct astshm_writer *open_healthy(const char *name)
{
	struct astshm_writer_options options = scene_options();

	options.flags = ASTSHM_OPEN_HEALTH;
	return scene_open(name, &options);
}

static double gauge(struct astshm_writer *writer, const char *name)
{
	struct astshm_gauge_value value;

	assert_int_equal(astshm_get_gauge(writer, name, ASTSHM_NO_TAGS, &value), 0);
	return value.current;
}

static double series(struct astshm_writer *writer, const char *kind)
{
	struct astshm_gauge_value value;
	struct astshm_tag tag = { "kind", kind };

	assert_int_equal(astshm_get_gauge(writer, "astshm.series", &tag, 1, &value), 0);
	return value.current;
}

static int64_t counter(struct astshm_writer *writer, const char *name, const char *type)
{
	struct astshm_tag tag = { "type", type };
	int64_t value = -1;

	assert_int_equal(astshm_get_counter(writer, name, &tag, type ? 1 : 0, &value), 0);
	return value;
}

static void nothing_unless_it_is_asked_for(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;

	(void)state;
	assert_int_equal(astshm_writer_tick(writer, NULL), 0);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 0);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void memory_follows_what_is_mapped(void **state)
{
	enum { BYTES = 64 << 20 };
	struct astshm_writer *writer = open_healthy(__func__);

	(void)state;
	astshm_writer_tick(writer, NULL);
	double resident = gauge(writer, "process.resident_memory.bytes");
	double whole = gauge(writer, "process.virtual_memory.bytes");
	char *more = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(more != MAP_FAILED);
	memset(more, 1, BYTES);
	int64_t faults = counter(writer, "process.page_faults", "minor");
	astshm_writer_tick(writer, NULL);
	assert_true(gauge(writer, "process.resident_memory.bytes") - resident > 0.9 * BYTES);
	assert_true(gauge(writer, "process.virtual_memory.bytes") - whole >= BYTES);
	assert_true(counter(writer, "process.page_faults", "minor") > faults);
	munmap(more, BYTES);
	astshm_writer_close(&writer);
}

static void descriptors_and_threads_are_counted(void **state)
{
	struct rlimit limit;
	int fds[2];

	(void)state;
	skip_under_qemu_user("its /proc/self/stat has no count of threads");
	struct astshm_writer *writer = open_healthy(__func__);
	astshm_writer_tick(writer, NULL);
	double open_fds = gauge(writer, "process.open_fds");
	assert_int_equal(pipe(fds), 0);
	astshm_writer_tick(writer, NULL);
	assert_true(gauge(writer, "process.open_fds") == open_fds + 2);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(gauge(writer, "process.max_fds") == (double)limit.rlim_cur);
	assert_true(gauge(writer, "process.threads") >= 1);
	astshm_writer_close(&writer);
}

static void a_process_started_before_now(void **state)
{
	struct astshm_writer *writer = open_healthy(__func__);

	(void)state;
	astshm_writer_tick(writer, NULL);
	double age = (double)time(NULL) - gauge(writer, "process.start_time.seconds");
	assert_true(age > -2 && age < 3600);
	astshm_writer_close(&writer);
}

/* Prometheus takes a change for a restart. */
static void a_clock_that_is_set_moves_no_start(void **state)
{
	struct astshm_writer *writer = open_healthy(__func__);

	(void)state;
	astshm_writer_tick(writer, NULL);
	double started = gauge(writer, "process.start_time.seconds");
	real_time_step = 100;
	astshm_writer_tick(writer, NULL);
	real_time_step = 0;
	assert_true(gauge(writer, "process.start_time.seconds") == started);
	astshm_writer_close(&writer);
}

static void cpu_time_is_the_kernels(void **state)
{
	struct astshm_writer *writer = open_healthy(__func__);
	struct timespec now;

	(void)state;
	for (volatile int i = 0; i < 10000000; i++)
		;
	astshm_writer_tick(writer, NULL);
	int64_t first = counter(writer, "process.cpu.seconds", NULL);
	for (volatile int i = 0; i < 10000000; i++)
		;
	astshm_writer_tick(writer, NULL);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	int64_t limit = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	int64_t second = counter(writer, "process.cpu.seconds", NULL);
	assert_true(first > 0 && second > first && second <= limit);
	assert_true(counter(writer, "process.context_switches", "voluntary") >= 0);
	astshm_writer_close(&writer);
}

static void the_library_tells_of_itself(void **state)
{
	struct astshm_writer *writer = open_healthy(__func__);
	struct astshm_statistics ticks;
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	astshm_observe(writer, "d", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "", 1, ASTSHM_NO_TAGS); /* no name: dropped */
	astshm_writer_tick(writer, NULL);
	astshm_writer_tick(writer, NULL);
	assert_true(series(writer, "counter") == 1 + 6);
	assert_true(series(writer, "gauge") == 12);
	assert_true(series(writer, "timing") == 1);
	assert_true(series(writer, "distribution") == 1);
	assert_true(gauge(writer, "astshm.thread_slots") == 1);
	assert_int_equal(counter(writer, "astshm.dropped", NULL), 1);
	assert_int_equal(astshm_get_timing(writer, "astshm.tick.duration", ASTSHM_NO_TAGS, &ticks),
			 0);
	assert_int_equal(ticks.count, 2);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_true(gauge(writer, "astshm.segment.bytes") <=
		    (double)astshm_snapshot_segment(snapshot)->bytes);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void a_child_counts_its_own(void **state)
{
	struct astshm_writer_options options = scene_options();
	int status;

	(void)state;
	options.flags = ASTSHM_OPEN_HEALTH;
	struct astshm_writer *writer = scene_open("health-{pid}", &options);
	for (volatile int i = 0; i < 50000000; i++)
		;
	astshm_writer_tick(writer, NULL);
	int64_t parents = counter(writer, "process.cpu.seconds", NULL);
	pid_t child = fork();
	if (child == 0) {
		bool good = astshm_writer_reopen(writer, NULL) == 0 &&
			    astshm_writer_tick(writer, NULL) == 0;
		int64_t mine = counter(writer, "process.cpu.seconds", NULL);
		astshm_writer_close(&writer);
		_exit(good && mine > 0 && mine < parents ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_unless_it_is_asked_for),
		cmocka_unit_test(memory_follows_what_is_mapped),
		cmocka_unit_test(descriptors_and_threads_are_counted),
		cmocka_unit_test(a_process_started_before_now),
		cmocka_unit_test(a_clock_that_is_set_moves_no_start),
		cmocka_unit_test(cpu_time_is_the_kernels),
		cmocka_unit_test(the_library_tells_of_itself),
		cmocka_unit_test(a_child_counts_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
