/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* What is known while the segments of one process are looked for. */
struct search {
	uint32_t pid;       /* as the caller sees it */
	uint32_t inner_pid; /* as the process sees itself: what its header says */
	uint64_t start_ticks;
	uint32_t found;     /* segments so far; the first is in `path` */
	int exhausted;      /* -EMFILE, -ENFILE: not everything could be opened */
	dev_t device;
	ino_t inode;
	char path[PATH_MAX];
	char second[PATH_MAX];
};

/*
 * Is the segment behind `fd` written by this very process? In a folder that
 * several containers share many a writer is pid 1: the start time tells them
 * apart, where both sides know it.
 */
static bool is_written_by(const struct search *search, int fd)
{
	struct shm_identity identity;
	if (shm_file_identity(fd, &identity) || shm_lock_state(fd) != SHM_LOCK_WRITER)
		return false;
	if (identity.pid != search->pid && identity.pid != search->inner_pid)
		return false;
	return !identity.pid_start_ticks || !search->start_ticks ||
	       identity.pid_start_ticks == search->start_ticks;
}

/* A file that vanished or is not ours to read is none; one that there was no
 * descriptor for may be the one that is sought. */
static void note_failed_open(struct search *search)
{
	if (errno == EMFILE || errno == ENFILE)
		search->exhausted = -errno;
}

static void note_found(struct search *search, const char *path, const struct stat *file)
{
	if (search->found && file->st_dev == search->device && file->st_ino == search->inode)
		return;
	char *into = search->found ? search->second : search->path;
	snprintf(into, PATH_MAX, "%s", path);
	if (!search->found) {
		search->device = file->st_dev;
		search->inode = file->st_ino;
	}
	search->found++;
}

/* `fd` is an open file that `path` leads to. */
static void consider(struct search *search, int fd, const char *path)
{
	struct stat file;
	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && is_written_by(search, fd))
		note_found(search, path, &file);
}

static bool join(char *path, const char *folder, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* The process's own default folder, by way of its root. */
static int search_default_folder(struct search *search)
{
	char folder[64], path[PATH_MAX];
	snprintf(folder, sizeof folder, "/proc/%u/root" SHM_FOLDER, search->pid);
	DIR *list = opendir(folder);
	if (!list)
		return -errno;
	for (struct dirent *entry; (entry = readdir(list));) {
		if (strncmp(entry->d_name, SHM_PREFIX, SHM_PREFIX_LEN) != 0 ||
		    !join(path, folder, entry->d_name))
			continue;
		int fd = openat(dirfd(list), entry->d_name,
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0) {
			note_failed_open(search);
			continue;
		}
		consider(search, fd, path);
		close(fd);
	}
	closedir(list);
	return 0;
}

/* The name in `folder` that leads to the file. */
static bool find_name(struct search *search, const char *folder, const struct stat *file,
		      char *path)
{
	bool found = false;
	DIR *list = opendir(folder);
	if (!list) {
		note_failed_open(search);
		return false;
	}
	for (struct dirent *entry; !found && (entry = readdir(list));)
		found = entry->d_ino == file->st_ino && join(path, folder, entry->d_name) &&
			shm_file_is_at(path, file->st_dev, file->st_ino);
	closedir(list);
	return found;
}

/*
 * A descriptor of the process. Its link names a file that was made unnamed as
 * "/folder/#123 (deleted)" even after it was linked, so only the folder is of
 * use, and the name is looked for there.
 */
static void consider_descriptor(struct search *search, const char *link)
{
	char target[PATH_MAX], rooted[PATH_MAX], folder[PATH_MAX], path[PATH_MAX];
	struct stat file;
	ssize_t length = readlink(link, target, sizeof target - 1);
	if (length <= 0 || target[0] != '/' || stat(link, &file) || !S_ISREG(file.st_mode))
		return;
	target[length] = '\0';
	if (snprintf(rooted, sizeof rooted, "/proc/%u/root%s", search->pid, target) >= PATH_MAX)
		return;
	int fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		note_failed_open(search);
		return;
	}
	shm_folder_of_path(rooted, folder);
	if (is_written_by(search, fd) && find_name(search, folder, &file, path))
		note_found(search, path, &file);
	close(fd);
}

/* For segments at explicit paths. */
static int search_descriptors(struct search *search)
{
	char folder[64], link[PATH_MAX];
	snprintf(folder, sizeof folder, "/proc/%u/fd", search->pid);
	DIR *list = opendir(folder);
	if (!list)
		return -errno;
	for (struct dirent *entry; (entry = readdir(list));)
		if (entry->d_name[0] != '.' && join(link, folder, entry->d_name))
			consider_descriptor(search, link);
	closedir(list);
	return 0;
}

/* The shorter path, which outlives the process, where the folder is ours too. */
static void prefer_own_folder(struct search *search)
{
	char own[PATH_MAX], prefix[64];
	int length = snprintf(prefix, sizeof prefix, "/proc/%u/root", search->pid);
	if (strncmp(search->path, prefix, (size_t)length) != 0)
		return;
	snprintf(own, sizeof own, "%s", search->path + length);
	if (shm_file_is_at(own, search->device, search->inode))
		memcpy(search->path, own, sizeof own);
}

static int resolve_pid(uint32_t pid, char *path, struct astshm_error *error)
{
	struct search search = {
		.pid = pid,
		.inner_pid = shm_process_inner_pid(pid),
		.start_ticks = shm_process_start_ticks(pid),
	};
	int code = search_default_folder(&search);
	if (search.found == 0)
		code = search_descriptors(&search);
	if (search.found == 0 && search.exhausted)
		return shm_fail(error, search.exhausted, "cannot look for process %u's segment: %s",
				pid, strerror(-search.exhausted));
	if (search.found == 0 && (code == -EACCES || code == -EPERM))
		return shm_fail(error, code, "no permission to look for process %u's segment", pid);
	if (search.found == 0)
		return shm_fail(error, -ENOENT, "neither a segment '%u' nor a process %u that "
				"writes one", pid, pid);
	if (search.found > 1)
		return shm_fail(error, -ENOTUNIQ, "process %u writes %u segments: %.80s, %.80s%s",
				pid, search.found, search.path, search.second,
				search.found > 2 ? ", ..." : "");
	prefer_own_folder(&search);
	memcpy(path, search.path, PATH_MAX);
	return 0;
}

/* Digits alone, a number that a pid can be; 0 if not. */
static uint32_t parse_pid(const char *text)
{
	size_t length = strspn(text, "0123456789");
	if (length == 0 || length > 9 || text[length])
		return 0;
	return (uint32_t)strtoul(text, NULL, 10);
}

static bool exists(const char *path)
{
	struct stat found;
	return lstat(path, &found) == 0;
}

int shm_resolve(const char *argument, char *path, struct astshm_error *error)
{
	char named[PATH_MAX];
	int code = shm_name_to_path(argument, named, error);
	if (code)
		return code;
	uint32_t pid = parse_pid(argument);
	if (pid && !exists(named))
		return resolve_pid(pid, path, error);
	memcpy(path, named, sizeof named);
	return 0;
}
