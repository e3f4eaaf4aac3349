/* SPDX-License-Identifier: MIT */
/*
 * Liveness is a lock of the open file description (fcntl(2), F_OFD_SETLK): the
 * kernel drops it when the writer's last descriptor goes, SIGKILL included,
 * and pids, their reuse and their namespaces do not matter.
 *
 * A writer locks the whole file. Whoever replaces or removes a dead writer's
 * file locks all but its first byte: the two keep each other out, and a reader,
 * who asks about the first byte, is not told meanwhile that the dead one lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

/* The range [from, from + length); length 0: to the end, wherever that is. */
static struct flock range(short type, off_t from, off_t length)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = from,
			       .l_len = length };
}

/*
 * Asks for a read lock, which only a write lock can refuse: a reader that
 * holds a read lock of its own does not look like a writer.
 */
enum shm_lock_state shm_lock_state(int fd)
{
	struct flock lock = range(F_RDLCK, 0, 1);
	if (fcntl(fd, F_OFD_GETLK, &lock))
		return SHM_LOCK_UNKNOWN;
	return lock.l_type == F_UNLCK ? SHM_LOCK_NONE : SHM_LOCK_WRITER;
}

static int take(int fd, off_t from)
{
	struct flock lock = range(F_WRLCK, from, 0);
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	return shm_lock_state(fd) == SHM_LOCK_WRITER ? -EBUSY : -EAGAIN;
}

int shm_lock_take(int fd)
{
	return take(fd, 0);
}

int shm_lock_retire(int fd)
{
	return take(fd, 1);
}
