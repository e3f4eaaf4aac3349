/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *scene_name(const char *test)
{
	static char name[128];

	snprintf(name, sizeof name, "t%ld-%s", (long)getpid(), test);
	return name;
}

struct astshm_writer_options scene_options(void)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	return options;
}

struct astshm_writer *scene_open(const char *test, const struct astshm_writer_options *options)
{
	struct astshm_writer *writer;
	struct astshm_error error;

	if (astshm_writer_open(&writer, scene_name(test), options, &error) < 0)
		fail_msg("open: %s", error.text);
	return writer;
}

int scene_reader_open(struct astshm_reader **reader, const char *segment)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;

	options.deadline_ns = SCENE_PATIENCE_SECONDS * INT64_C(1000000000);
	return astshm_reader_open(reader, segment, &options, NULL);
}

int scene_teardown(void **state)
{
	char pattern[64];
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof pattern, "/dev/shm/astshm.t%ld-*", (long)getpid());
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	return 0;
}

int64_t scene_counter(struct astshm_writer *writer, const char *name)
{
	int64_t value = 0;
	int result = astshm_get_counter(writer, name, ASTSHM_NO_TAGS, &value);

	if (result < 0)
		fail_msg("counter %s: %s", name, strerror(-result));
	return value;
}

struct astshm_statistics scene_timing(struct astshm_writer *writer, const char *name)
{
	struct astshm_statistics value = { 0 };
	int result = astshm_get_timing(writer, name, ASTSHM_NO_TAGS, &value);

	if (result < 0)
		fail_msg("timing %s: %s", name, strerror(-result));
	return value;
}

struct astshm_gauge_value scene_gauge(struct astshm_writer *writer, const char *name)
{
	struct astshm_gauge_value value = { 0 };
	int result = astshm_get_gauge(writer, name, ASTSHM_NO_TAGS, &value);

	if (result < 0)
		fail_msg("gauge %s: %s", name, strerror(-result));
	return value;
}

int64_t scene_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

struct start {
	pthread_barrier_t *barrier;
	unsigned number;
	void (*main)(unsigned number, void *argument);
	void *argument;
};

static void *start_thread(void *argument)
{
	const struct start *start = argument;

	pthread_barrier_wait(start->barrier);
	start->main(start->number, start->argument);
	return NULL;
}

void scene_threads(unsigned count, void (*main)(unsigned number, void *argument), void *argument)
{
	pthread_barrier_t barrier;
	pthread_t threads[64];
	struct start starts[64];

	assert_true(count <= 64);
	pthread_barrier_init(&barrier, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		starts[i] = (struct start){ &barrier, i, main, argument };
		assert_int_equal(pthread_create(&threads[i], NULL, start_thread, &starts[i]), 0);
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static unsigned *ready_count; /* shared with the forked processes */

int scene_fork(int (*check)(void *argument), void *argument)
{
	if (!ready_count)
		ready_count = mmap(NULL, sizeof *ready_count, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(ready_count != MAP_FAILED);
	fflush(NULL);
	int pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(120); /* a reader that hangs fails the test */
		int result = check(argument);
		fflush(NULL);
		_exit(result);
	}
	return pid;
}

void scene_report_ready(void)
{
	/* Pairs with the acquire in scene_await_ready. */
	__atomic_fetch_add(ready_count, 1, __ATOMIC_RELEASE);
}

void scene_await_ready(unsigned count)
{
	for (int i = 0; __atomic_load_n(ready_count, __ATOMIC_ACQUIRE) < count; i++) {
		if (i == 60000)
			fail_msg("of %u readers only %u came", count, *ready_count);
		usleep(1000);
	}
	*ready_count = 0;
}

int scene_join(int pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A thread that was put off its core inside of its first record leaves no extremes: torn. */
static int check_histogram(const struct astshm_series *series, bool torn)
{
	static const double q[] = { 0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0 };
	const struct astshm_histogram *histogram = &series->histogram;
	uint64_t sum = histogram->zero_count + histogram->overflow_count;
	double values[7];

	for (uint32_t i = 0; i < histogram->slot_count; i++)
		sum += histogram->slots[i];
	if (sum != histogram->count) {
		printf("%s: count %lu, buckets %lu\n", series->key, histogram->count, sum);
		return 1;
	}
	if (histogram->count == 0)
		return 0;
	if (!histogram->has_extremes && torn)
		return 0;
	astshm_histogram_quantiles(histogram, series->kind, q, values, 7);
	for (int i = 0; i < 7; i++) {
		if (values[i] >= (double)histogram->min && values[i] <= (double)histogram->max &&
		    (i == 0 || values[i] >= values[i - 1]))
			continue;
		printf("%s: q%g = %g, min %lu, max %lu\n", series->key, q[i], values[i],
		       histogram->min, histogram->max);
		return 1;
	}
	return 0;
}

int scene_check_snapshot(const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);
	bool torn = segment && segment->torn > 0;
	int wrong = 0;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (series->kind >= ASTSHM_KIND_TIMING)
			wrong |= check_histogram(series, torn);
	}
	return wrong;
}
