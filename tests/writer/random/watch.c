/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PER_THREAD_EVERY 4u

#define POLL_US 500

/*
 * Shared with the process, which lives as long as the program: forked before
 * there are threads, since AddressSanitizer's allocator does not survive a fork
 * in the midst of them.
 */
static struct board {
	char segment[64];
	unsigned long started, finished; /* segments, by the process */
	bool stop;
	unsigned long passes[2];
	int wrong[2];
} *board;

static pthread_t thread;
static pid_t process;

/* --- one snapshot --------------------------------------------------------- */

static uint64_t sum_of_slots(const struct astshm_histogram *histogram)
{
	uint64_t sum = histogram->zero_count + histogram->overflow_count;

	for (uint32_t i = 0; i < histogram->slot_count; i++)
		sum += histogram->slots[i];
	return sum;
}

static int check_histogram(const struct astshm_series *series)
{
	const struct astshm_histogram *whole = &series->histogram;
	uint64_t parts = 0;

	for (uint32_t i = 0; i < series->thread_count; i++)
		parts += series->threads[i].histogram.count;
	if (sum_of_slots(whole) == whole->count &&
	    (series->thread_count == 0 || parts == whole->count) &&
	    (whole->count == 0 || !whole->has_extremes || whole->min <= whole->max))
		return 0;
	printf("  %s: count %" PRIu64 ", buckets %" PRIu64 ", threads %" PRIu64 ", min %" PRIu64
	       ", max %" PRIu64 "\n", series->key, whole->count, sum_of_slots(whole), parts,
	       whole->min, whole->max);
	return 1;
}

/* --- two of them ----------------------------------------------------------- */

/* Is it the same series, and was there no reset in between? */
static bool comparable(const struct astshm_snapshot *now, const struct astshm_snapshot *before,
		       const struct astshm_series *new, const struct astshm_series *old)
{
	const struct astshm_segment_info *a = astshm_snapshot_segment(now);
	const struct astshm_segment_info *b = astshm_snapshot_segment(before);

	return new && new->created_realtime_ns == old->created_realtime_ns &&
	       a->generation == b->generation && a->epoch == b->epoch &&
	       a->counters_epoch == b->counters_epoch;
}

static bool stepped_back(const struct astshm_series *new, const struct astshm_series *old)
{
	switch (new->kind) {
	case ASTSHM_KIND_COUNTER:
		return new->monotonic && new->counter.value < old->counter.value;
	case ASTSHM_KIND_GAUGE:
		return new->gauge.count < old->gauge.count;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		return new->histogram.count < old->histogram.count;
	}
	return true;
}

static int check_pair(const struct astshm_snapshot *now, const struct astshm_snapshot *before)
{
	for (size_t i = 0; i < astshm_snapshot_count(before); i++) {
		const struct astshm_series *old = astshm_snapshot_at(before, i);
		const struct astshm_series *new = astshm_snapshot_find(now, old->kind, old->key);
		if (!comparable(now, before, new, old) || !stepped_back(new, old))
			continue;
		printf("  %s stepped back\n", old->key);
		return 1;
	}
	return 0;
}

static int check(const struct astshm_snapshot *now, const struct astshm_snapshot *before)
{
	uint64_t bad = astshm_snapshot_segment(now)->bad_records;
	int wrong = before ? check_pair(now, before) : 0;

	for (size_t i = 0; i < astshm_snapshot_count(now); i++) {
		const struct astshm_series *series = astshm_snapshot_at(now, i);
		if (series->kind >= ASTSHM_KIND_TIMING)
			wrong |= check_histogram(series);
	}
	if (bad)
		printf("  a reader skipped %" PRIu64 " bad records\n", bad);
	return wrong || bad;
}

static int poll_until_stopped(struct astshm_reader *reader, unsigned long *passes)
{
	struct astshm_snapshot *before = NULL, *now;
	struct astshm_error error;
	int wrong = 0;

	while (!wrong && !__atomic_load_n(&board->stop, __ATOMIC_RELAXED)) {
		unsigned flags = *passes % PER_THREAD_EVERY ? 0 : ASTSHM_PER_THREAD;
		if (astshm_reader_snapshot(reader, flags, &now, &error) < 0) {
			printf("  a reader: %s\n", error.text);
			wrong = 1;
			break;
		}
		wrong = check(now, before);
		astshm_snapshot_free(&before);
		before = now;
		++*passes;
	}
	astshm_snapshot_free(&before);
	return wrong;
}

static void watch(unsigned place)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_reader *reader;
	struct astshm_error error;

	options.follow = true;
	/* The name may be gone for a moment; and passes wait for slow machines. */
	options.wait_ns = options.deadline_ns = INT64_C(60000000000);
	if (astshm_reader_open(&reader, board->segment, &options, &error) < 0) {
		printf("  a reader: %s\n", error.text);
		board->wrong[place] = 1;
		return;
	}
	board->wrong[place] = poll_until_stopped(reader, &board->passes[place]);
	astshm_reader_close(&reader);
}

static void *watch_in_thread(void *unused)
{
	(void)unused;
	watch(0);
	return NULL;
}

/* Acquire and release: the board's other words belong to the segment's number. */
static void serve(void)
{
	for (unsigned long number = 1;; number++) {
		while (__atomic_load_n(&board->started, __ATOMIC_ACQUIRE) < number)
			(void)usleep(POLL_US);
		watch(1);
		(void)fflush(stdout);
		__atomic_store_n(&board->finished, number, __ATOMIC_RELEASE);
	}
}

int watch_init(void)
{
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		return -errno;
	process = fork();
	if (process == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve();
	}
	return process < 0 ? -errno : 0;
}

void watch_fini(void)
{
	(void)kill(process, SIGKILL);
	(void)waitpid(process, NULL, 0);
}

int watch_start(const char *segment)
{
	snprintf(board->segment, sizeof board->segment, "%s", segment);
	board->stop = false;
	board->wrong[0] = board->wrong[1] = 0;
	__atomic_store_n(&board->started, board->started + 1, __ATOMIC_RELEASE);
	return -pthread_create(&thread, NULL, watch_in_thread, NULL);
}

int watch_stop(unsigned long *passes)
{
	__atomic_store_n(&board->stop, true, __ATOMIC_RELAXED);
	(void)pthread_join(thread, NULL);
	while (__atomic_load_n(&board->finished, __ATOMIC_ACQUIRE) < board->started) {
		if (waitpid(process, NULL, WNOHANG) != 0) {
			printf("  the reading process has ended\n");
			return 1;
		}
		(void)usleep(POLL_US);
	}
	*passes = board->passes[0] + board->passes[1];
	return board->wrong[0] + board->wrong[1];
}
