/* SPDX-License-Identifier: MIT */
/*
 * Liveness is a lock of the open file description (fcntl(2), F_OFD_SETLK): the
 * kernel drops it when the writer's last descriptor goes, SIGKILL included,
 * and pids, their reuse and their namespaces do not matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

/*
 * Asks for a read lock, which only a write lock can refuse: a reader that
 * holds a read lock of its own does not look like a writer.
 */
enum shm_lock_state shm_lock_state(int fd)
{
	struct flock lock = whole_file(F_RDLCK);
	if (fcntl(fd, F_OFD_GETLK, &lock))
		return SHM_LOCK_UNKNOWN;
	return lock.l_type == F_UNLCK ? SHM_LOCK_NONE : SHM_LOCK_WRITER;
}

int shm_lock_take(int fd)
{
	struct flock lock = whole_file(F_WRLCK);
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	return shm_lock_state(fd) == SHM_LOCK_WRITER ? -EBUSY : -EAGAIN;
}
