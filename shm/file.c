/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* Hidden, and without the prefix: nobody takes it for a segment. */
static void temporary_path(const char *path, uint64_t generation, char *temporary)
{
	char folder[PATH_MAX];
	shm_folder_of_path(path, folder);
	if (snprintf(temporary, PATH_MAX, "%s/.astshm-%016" PRIx64, folder, generation) >= PATH_MAX)
		temporary[0] = '\0'; /* leads nowhere; paths this long are refused before */
}

static int create_temporary(const char *path, uint64_t generation)
{
	char temporary[PATH_MAX];
	temporary_path(path, generation, temporary);
	int fd = open(temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Only /proc/self/fd turns an unnamed file into a named one without privilege. */
static bool can_link_unnamed(void)
{
	return access("/proc/self/fd", X_OK) == 0;
}

static int create_unnamed(const char *path)
{
	char folder[PATH_MAX];
	shm_folder_of_path(path, folder);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* open(2): file systems and kernels without O_TMPFILE say one of these. */
static bool is_unnamed_unsupported(int code)
{
	return code == -EOPNOTSUPP || code == -EISDIR || code == -EINVAL;
}

int shm_file_create(const char *path, uint64_t generation, int *fd)
{
	int made = can_link_unnamed() ? create_unnamed(path) : -EOPNOTSUPP;
	if (is_unnamed_unsupported(made))
		made = create_temporary(path, generation);
	if (made < 0)
		return made;
	*fd = made;
	return 0;
}

/* The group first: changing it may clear mode bits. fchmod is not subject to
 * the umask, which belongs to the host and is never touched. */
int shm_file_set_owner(int fd, mode_t mode, gid_t group)
{
	if (group != (gid_t)-1 && fchown(fd, (uid_t)-1, group))
		return -errno;
	return fchmod(fd, mode) ? -errno : 0;
}

bool shm_file_is_at(const char *path, dev_t device, ino_t inode)
{
	struct stat found;
	return lstat(path, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

static bool has_temporary_name(int fd, const char *temporary)
{
	struct stat own;
	return fstat(fd, &own) == 0 && shm_file_is_at(temporary, own.st_dev, own.st_ino);
}

static int link_path(const char *from, const char *path, int flags)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, path, flags) ? -errno : 0;
}

int shm_file_link(int fd, const char *path, uint64_t generation)
{
	char from[32], temporary[PATH_MAX];
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	temporary_path(path, generation, temporary);
	int code = link_path(from, path, AT_SYMLINK_FOLLOW);
	if (code && code != -EEXIST && has_temporary_name(fd, temporary))
		code = link_path(temporary, path, 0);
	if (code == 0)
		shm_file_forget(fd, path, generation);
	return code;
}

void shm_file_forget(int fd, const char *path, uint64_t generation)
{
	char temporary[PATH_MAX];
	temporary_path(path, generation, temporary);
	if (has_temporary_name(fd, temporary))
		unlink(temporary);
}

int shm_file_identity(int fd, struct shm_identity *identity)
{
	struct astshm_segment_header header;
	const size_t wanted = offsetof(struct astshm_segment_header, name);
	if (pread(fd, &header, wanted, 0) != (ssize_t)wanted ||
	    header.magic != ASTSHM_SEGMENT_MAGIC)
		return -EBADMSG;
	identity->pid = header.pid;
	identity->pid_start_ticks = header.pid_start_ticks;
	identity->generation = header.generation;
	return 0;
}
