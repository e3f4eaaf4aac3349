/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "predecessor.h"

/* Looked at before it is opened: opening a device may already do something. */
static int check_kind(const struct stat *found, const char *path, struct astshm_error *error)
{
	if (S_ISREG(found->st_mode))
		return 0;
	if (S_ISLNK(found->st_mode))
		return shm_fail(error, -ELOOP, "%.120s is a symbolic link; a segment's name must "
				"be the file itself", path);
	if (S_ISDIR(found->st_mode))
		return shm_fail(error, -EISDIR, "%.120s is a directory", path);
	return shm_fail(error, -EEXIST, "%.120s exists and is not a regular file", path);
}

static int fail_open(const struct stat *found, int code, const char *path,
		     struct astshm_error *error)
{
	if (code == -EACCES || code == -EPERM)
		return shm_fail(error, code, "%.120s belongs to user %u and may not be replaced",
				path, (unsigned)found->st_uid);
	return shm_fail(error, code, "cannot open %.120s: %s", path, strerror(-code));
}

/* 1 and the descriptor; 0 if there is nothing any more; or an error. */
static int open_segment(const char *path, int *fd, struct astshm_error *error)
{
	struct stat found;
	if (lstat(path, &found))
		return errno == ENOENT ? 0 : shm_fail(error, -errno, "cannot look at %.120s: %s",
						      path, strerror(errno));
	int code = check_kind(&found, path, error);
	if (code)
		return code;
	/* Read and write: a write lock needs both. */
	int opened = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (opened < 0)
		return errno == ENOENT ? 0 : fail_open(&found, -errno, path, error);
	struct shm_identity identity;
	if (shm_file_identity(opened, &identity)) {
		close(opened);
		return shm_fail(error, -EEXIST, "%.120s exists and is not a segment", path);
	}
	*fd = opened;
	return 1;
}

static int fail_busy(int fd, int code, const char *path, struct astshm_error *error)
{
	struct shm_identity identity;
	if (code == -EBUSY && shm_file_identity(fd, &identity) == 0)
		return shm_fail(error, -EBUSY, "%.120s is in use by a living writer, pid %u",
				path, identity.pid);
	if (code == -EBUSY || code == -EAGAIN) {
		shm_fail(error, -EBUSY, "%.120s has no writer, but some process holds a lock on it",
			 path);
		return code;
	}
	return shm_fail(error, code, "cannot lock %.120s: %s", path, strerror(-code));
}

static void numbered_path(const char *path, uint32_t number, char *numbered)
{
	if (number == 0)
		snprintf(numbered, PATH_MAX, "%s", path);
	else if (snprintf(numbered, PATH_MAX, "%s~%u", path, number) >= PATH_MAX)
		numbered[0] = '\0'; /* shm_name_of_path left room: never */
}

static int fail_in_the_way(const char *path, int code, struct astshm_error *error)
{
	return shm_fail(error, code, "%.120s is in the way of a dead segment (%s)", path,
			strerror(-code));
}

/* A dead segment is under `path`: 1; nothing: 0; anything else is an error. */
static int find_dead(const char *path, struct astshm_error *error)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_in_the_way(path, -errno, error);
	struct shm_identity identity;
	bool dead = shm_file_identity(fd, &identity) == 0 && shm_lock_state(fd) == SHM_LOCK_NONE;
	close(fd);
	return dead ? 1 : fail_in_the_way(path, -EEXIST, error);
}

/* The first free number of 1 to keep, `keep` itself if none is free. */
static int find_free_number(const char *path, uint32_t keep, uint32_t *number,
			    struct astshm_error *error)
{
	char numbered[PATH_MAX];
	for (*number = 1; ; ++*number) {
		numbered_path(path, *number, numbered);
		int found = find_dead(numbered, error);
		if (found <= 0)
			return found;
		if (*number == keep)
			break;
	}
	if (unlink(numbered) && errno != ENOENT)
		return shm_fail(error, -errno, "cannot remove %.120s: %s", numbered,
				strerror(errno));
	return 0;
}

/* Never over another file, where the file system can promise that. */
static int move(const char *from, const char *to, struct astshm_error *error)
{
	int failed = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
	if (failed && (errno == EINVAL || errno == ENOSYS))
		failed = rename(from, to);
	if (failed && errno != ENOENT)
		return shm_fail(error, -errno, "cannot rename %.100s: %s", from, strerror(errno));
	return 0;
}

static int shift(const char *path, uint32_t keep, struct astshm_error *error)
{
	uint32_t number;
	int code = find_free_number(path, keep, &number, error);
	for (; code == 0 && number > 0; number--) {
		char from[PATH_MAX], to[PATH_MAX];
		numbered_path(path, number - 1, from);
		numbered_path(path, number, to);
		code = move(from, to, error);
	}
	return code;
}

static int remove_name(const char *path, struct astshm_error *error)
{
	if (unlink(path) && errno != ENOENT)
		return shm_fail(error, -errno, "cannot remove %.120s: %s", path, strerror(errno));
	return 0;
}

/*
 * The lock keeps every other starting writer out; what it cannot keep out is a
 * name that leads elsewhere by now, because the lock was taken on a file that
 * had just been replaced. So the two are compared once the lock is held.
 */
static int retire(int fd, const char *path, uint32_t keep, struct astshm_error *error)
{
	struct stat locked;
	int code = shm_lock_retire(fd);
	if (code)
		return fail_busy(fd, code, path, error);
	if (fstat(fd, &locked))
		return shm_fail(error, -errno, "cannot look at %.120s: %s", path, strerror(errno));
	if (!shm_file_is_at(path, locked.st_dev, locked.st_ino))
		return 0;
	if (keep == 0)
		return remove_name(path, error);
	return shift(path, keep < SHM_KEEP_MAX ? keep : SHM_KEEP_MAX, error);
}

int shm_predecessor_clear(const char *path, uint32_t keep, struct astshm_error *error)
{
	int fd = -1;
	int code = open_segment(path, &fd, error);
	if (code <= 0)
		return code;
	code = retire(fd, path, keep, error);
	close(fd);
	return code;
}
