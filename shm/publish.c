/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "predecessor.h"

/* A writer that is just closing gets this long; then the name is busy. */
#define BUSY_NS ((uint64_t)100000000)
/* Whoever takes a dead writer's place, or prunes it, locks its file for a moment: which
 * lasts as long as its process waits for a processor. */
#define RETIRING_NS ((uint64_t)5000000000)
#define PAUSE_NS 5000000L
/* How often the name may change hands meanwhile. Counted, not timed: a starting
 * writer that is suspended for a while has lost nothing. */
#define CHANGES_MAX 1000u

static void pause_shortly(void)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };
	nanosleep(&pause, NULL);
}

/* RAM, so that no page of it is ever written back to a disk: a writeback makes
 * the next store to the page fault and wait. */
static bool is_in_memory(int fd)
{
	struct statfs found;
	if (fstatfs(fd, &found))
		return true;
	uint64_t type = (uint64_t)found.f_type & 0xffffffffu;
	return type == TMPFS_MAGIC || type == HUGETLBFS_MAGIC || type == RAMFS_MAGIC;
}

static int fail_link(const struct shm_segment *segment, int code, struct astshm_error *error)
{
	return shm_fail(error, code, "cannot give the segment its name %.120s: %s", segment->path,
			strerror(-code));
}

struct patience {
	uint64_t busy_since_ns; /* 0: the name is not busy */
	unsigned changes;
};

/* Is another try worth it, after one that ended with `code`? */
static bool may_retry(struct patience *patience, int code)
{
	uint64_t now = shm_monotonic_ns();
	if (code != -EBUSY && code != -EAGAIN) {
		patience->busy_since_ns = 0;
		return code == 0 && ++patience->changes < CHANGES_MAX;
	}
	if (!patience->busy_since_ns)
		patience->busy_since_ns = now;
	if (now - patience->busy_since_ns > (code == -EBUSY ? BUSY_NS : RETIRING_NS))
		return false;
	pause_shortly();
	return true;
}

/* -EEXIST starts over: whoever took the name since is looked at afresh. */
static int take_name(struct shm_segment *segment, uint32_t keep, struct astshm_error *error)
{
	struct patience patience = { 0 };
	for (;;) {
		int code = shm_file_link(segment->fd, segment->path, segment->generation);
		if (code == 0)
			return 0;
		if (code != -EEXIST)
			return fail_link(segment, code, error);
		code = shm_predecessor_clear(segment->path, keep, error);
		if (may_retry(&patience, code))
			continue;
		if (code)
			return code == -EAGAIN ? -EBUSY : code;
		return shm_fail(error, -EBUSY, "%.120s changes hands too often", segment->path);
	}
}

int shm_publish(struct shm_segment *segment, const struct shm_create *how,
		struct astshm_error *error)
{
	int code = take_name(segment, how->keep, error);
	if (code == 0 && !is_in_memory(segment->fd))
		shm_fail(error, 0, "%.120s is not on tmpfs: writing it back to a disk will stall "
			 "the writer now and then", segment->path);
	return code;
}

int shm_is_named(const struct shm_segment *segment)
{
	return shm_file_is_at(segment->path, segment->device, segment->inode);
}

void shm_remove_name(const struct shm_segment *segment)
{
	if (shm_is_named(segment))
		unlink(segment->path);
}
