/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* A descriptor that somebody made non-blocking. */
static int wait_writable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	return poll(&polled, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_all(int fd, const struct buffer *document)
{
	size_t at = 0;

	while (at < document->count) {
		ssize_t count = write(fd, document->bytes + at, document->count - at);
		int result = 0;

		if (count >= 0)
			at += (size_t)count;
		else if (errno == EAGAIN)
			result = wait_writable(fd);
		else if (errno != EINTR)
			result = -errno;
		if (result < 0)
			return result;
	}
	return 0;
}

int output_stdout(const struct buffer *document)
{
	return write_all(STDOUT_FILENO, document);
}

static mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* The file itself behind symbolic links, and the mode its successor gets. */
static int find_target(const char *path, char target[PATH_MAX], mode_t *mode)
{
	struct stat status;

	if (stat(path, &status) < 0) {
		if (errno != ENOENT)
			return -errno;
		if (strlen(path) >= PATH_MAX)
			return -ENAMETOOLONG;
		strcpy(target, path);
		*mode = 0666 & ~current_umask();
		return 0;
	}
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	*mode = status.st_mode & 07777;
	return realpath(path, target) ? 0 : -errno;
}

/* In the same folder, since rename does not cross file systems. */
static int create_beside(const char *target, char name[PATH_MAX])
{
	const char *slash = strrchr(target, '/');
	int folder = slash ? (int)(slash - target + 1) : 0;
	int length = snprintf(name, PATH_MAX, "%.*s.%s.XXXXXX", folder, target, target + folder);
	int fd;

	if (length < 0 || length >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = mkstemp(name);
	return fd < 0 ? -errno : fd;
}

int output_file(const char *path, const struct buffer *document)
{
	char target[PATH_MAX], name[PATH_MAX];
	mode_t mode = 0;
	int result = find_target(path, target, &mode), fd;

	if (result < 0)
		return result;
	fd = create_beside(target, name);
	if (fd < 0)
		return fd;
	result = write_all(fd, document);
	if (result == 0 && fchmod(fd, mode) < 0)
		result = -errno;
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result == 0 && rename(name, target) < 0)
		result = -errno;
	if (result < 0)
		unlink(name);
	return result;
}

enum exit_status output_report(const char *path, int result)
{
	if (result == 0)
		return EXIT_OK;
	message("cannot write %s: %s", path ? path : "to stdout",
		result == -EINVAL ? "not a regular file" : strerror(-result));
	return EXIT_OTHER;
}
