/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define STEP_MIN_BYTES ((uint64_t)64 << 10)
#define STEP_MAX_BYTES ((uint64_t)1 << 20)

/* With every signal blocked only a freezer or a tracer interrupts, now and
 * then; far more often than this is never. */
#define INTERRUPTIONS_MAX 1000

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t shm_round_to_pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	return (bytes + page - 1) / page * page;
}

/* The largest size the process may give a file (setrlimit(2)). */
static uint64_t file_size_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

static int allocate_step(int fd, uint64_t from, uint64_t to)
{
	int code = EINTR;
	for (int i = 0; code == EINTR && i < INTERRUPTIONS_MAX; i++)
		code = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
	return -code;
}

/*
 * The limit was looked at before, but another thread may lower it meanwhile.
 * SIGXFSZ is then pending for this thread and blocked: it is taken away here,
 * unless it was pending before and so is not ours.
 */
static void swallow_sigxfsz(bool was_pending)
{
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGXFSZ);
	if (!was_pending)
		sigtimedwait(&only, NULL, &(struct timespec){ 0 });
}

/* tmpfs gives up half-way, and undoes it, when a signal is pending: a host with
 * a fast timer would never get its pages. Hence all signals wait. */
static int allocate_step_undisturbed(int fd, uint64_t from, uint64_t to)
{
	sigset_t all, before, pending;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sigpending(&pending);
	int code = allocate_step(fd, from, to);
	if (code == -EFBIG)
		swallow_sigxfsz(sigismember(&pending, SIGXFSZ) == 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

/* Steps of at most 1 MiB, so that signals wait for microseconds. */
int shm_file_allocate(int fd, uint64_t from, uint64_t to)
{
	if (to > file_size_limit())
		return -EFBIG;
	while (from < to) {
		uint64_t end = min_u64(to, from + STEP_MAX_BYTES);
		int code = allocate_step_undisturbed(fd, from, end);
		if (code)
			return code;
		from = end;
	}
	return 0;
}

/* An eighth more, so that a growing segment asks rarely and wastes little. */
static uint64_t comfortable_size(uint64_t have, uint64_t need, uint64_t max)
{
	uint64_t step = have / 8;
	if (step < STEP_MIN_BYTES)
		step = STEP_MIN_BYTES;
	uint64_t wish = shm_round_to_pages(have + min_u64(step, STEP_MAX_BYTES));
	wish = min_u64(min_u64(wish, max), file_size_limit());
	return wish > need ? wish : need;
}

static int fail_growth(const struct shm_segment *segment, int code, uint64_t bytes,
		       struct astshm_error *error)
{
	unsigned long long wanted = bytes;
	if (code == -EFBIG)
		return shm_fail(error, code, "%llu bytes are more than the file size limit "
				"of this process (RLIMIT_FSIZE)", wanted);
	if (code == -ENOSPC)
		return shm_fail(error, code, "the file system of %.120s has no room for %llu bytes",
				segment->path, wanted);
	return shm_fail(error, code, "cannot grow %.120s to %llu bytes: %s", segment->path, wanted,
			strerror(-code));
}

int shm_grow(struct shm_segment *segment, uint64_t bytes, struct astshm_error *error)
{
	uint64_t have = segment->file_bytes;
	if (bytes <= have)
		return 0;
	if (bytes > segment->map_bytes)
		return shm_fail(error, -ENOSPC, "the segment's maximum of %llu bytes is reached",
				(unsigned long long)segment->map_bytes);
	uint64_t need = min_u64(shm_round_to_pages(bytes), segment->map_bytes);
	uint64_t size = comfortable_size(have, need, segment->map_bytes);
	int code = shm_file_allocate(segment->fd, have, size);
	if (code && size > need) {
		size = need;
		code = shm_file_allocate(segment->fd, have, size);
	}
	if (code)
		return fail_growth(segment, code, need, error);
	segment->file_bytes = size;
	struct astshm_segment_header *header = (void *)segment->base;
	/* Release: the pages are there before a reader's acquire load in
	 * shm_committed sees that it may touch them. */
	__atomic_store_n(&header->committed_bytes, size, __ATOMIC_RELEASE);
	return 0;
}
