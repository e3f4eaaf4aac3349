/* SPDX-License-Identifier: MIT */
/*
 * Segments that cannot be had: no room, no permission, somebody else's name,
 * limits. In each of them the host serves all the same, nothing that was under
 * the name is touched, nothing is left behind, and the text of the error tells
 * an operator which file and why.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host.h"
#include "scene.h"

#define NAME "forbidden"
#define PATH "/dev/shm/astshm." NAME
#define NOBODY 65534
#define MAY_NOT 77 /* this environment does not let us */

/* What stands in a host's way, and what it is told. */
struct obstacle {
	const char *title;
	int (*raise)(void); /* 0, or 1: could not be raised */
	int code;
	const char *words[3]; /* all of them in the text */
	const char *mount;    /* options of its /dev/shm, NULL: plenty */
	const char *segment;  /* NULL: NAME */
};

/* --- obstacles ------------------------------------------------------------- */

static int none(void)
{
	return 0;
}

static int limit(int resource, rlim_t value)
{
	return setrlimit((__rlimit_resource_t)resource, &(struct rlimit){ value, value }) ? 1 : 0;
}

static int file_size_limit(void)
{
	return limit(RLIMIT_FSIZE, 4096);
}

static int descriptor_limit(void)
{
	return limit(RLIMIT_NOFILE, 0);
}

/* As much as the process has, and a little. */
static int address_space_limit(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%lu", &pages) != 1)
		return 1;
	fclose(file);
	return limit(RLIMIT_AS, pages * 4096 + (64 << 20));
}

static int become_nobody(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY);
}

static int closed_folder(void)
{
	return chmod("/dev/shm", 0755) || become_nobody();
}

static int read_only(void)
{
	return mount("none", "/dev/shm", "none", MS_REMOUNT | MS_RDONLY, NULL) ? 1 : 0;
}

static int no_folder(void)
{
	return mount("tmpfs", "/dev", "tmpfs", 0, NULL) ? 1 : 0;
}

static int symbolic_link(void)
{
	return symlink("/etc/passwd", PATH);
}

static int dangling_link(void)
{
	return symlink("/dev/shm/planted", PATH);
}

static int folder(void)
{
	return mkdir(PATH, 0700);
}

static int fifo(void)
{
	return mkfifo(PATH, 0600);
}

static int unix_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = PATH };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address);
}

static int write_file(const char *text)
{
	FILE *file = fopen(PATH, "w");
	return !file || fputs(text, file) < 0 || fclose(file);
}

static int other_file(void)
{
	return write_file("somebody's notes\n");
}

static int empty_file(void)
{
	return write_file("");
}

static void live_until(int end, bool lives, int ready)
{
	struct astshm_writer *writer;
	char byte;
	if (astshm_writer_open(&writer, NAME, NULL, NULL) < 0 || write(ready, "r", 1) != 1)
		_exit(1);
	if (lives)
		(void)!read(end, &byte, 1); /* ends with the process that forked it */
	_exit(0);
}

/* Of root, who died or, with `lives`, holds it. */
static int leave_segment(bool lives)
{
	int ready[2], end[2];
	char byte;
	if (pipe(ready) || pipe(end))
		return 1;
	pid_t pid = fork();
	if (pid == 0) {
		close(end[1]);
		live_until(end[0], lives, ready[1]);
	}
	close(ready[1]);
	close(end[0]);
	return pid < 0 || read(ready[0], &byte, 1) != 1;
}

static int segment_of_another_user(void)
{
	return leave_segment(false) || become_nobody();
}

static int living_segment(void)
{
	return leave_segment(true);
}

static int living_segment_of_another_user(void)
{
	return leave_segment(true) || become_nobody();
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct obstacle obstacles[] = {
	{ "full file system", none, -ENOSPC, { PATH, "No space left" }, "size=16k", NULL },
	{ "no inode left", none, -ENOSPC, { PATH, "No space left" }, "nr_inodes=1", NULL },
	{ "file size limit", file_size_limit, -EFBIG, { PATH, "RLIMIT_FSIZE" }, NULL, NULL },
	{ "descriptor limit", descriptor_limit, -EMFILE, { PATH, "RLIMIT_NOFILE" }, NULL, NULL },
	{ "address space limit", address_space_limit, -ENOMEM, { PATH, "RLIMIT_AS" }, NULL, NULL },
	{ "closed folder", closed_folder, -EACCES, { PATH, "Permission denied" }, NULL, NULL },
	{ "read-only file system", read_only, -EROFS, { PATH, "Read-only" }, NULL, NULL },
	{ "no folder", no_folder, -ENOENT, { PATH, "No such file" }, NULL, NULL },
	{ "symbolic link", symbolic_link, -ELOOP, { PATH, "symbolic link" }, NULL, NULL },
	{ "dangling link", dangling_link, -ELOOP, { PATH, "symbolic link" }, NULL, NULL },
	{ "folder under the name", folder, -EISDIR, { PATH, "directory" }, NULL, NULL },
	{ "FIFO under the name", fifo, -EEXIST, { PATH, "not a regular file" }, NULL, NULL },
	{ "socket under the name", unix_socket, -EEXIST, { PATH, "not a regular file" }, NULL,
	  NULL },
	{ "other file under the name", other_file, -EEXIST, { PATH, "not a segment" }, NULL, NULL },
	{ "empty file under the name", empty_file, -EEXIST, { PATH, "not a segment" }, NULL, NULL },
	{ "another user's segment", segment_of_another_user, -EACCES, { PATH, "user 0" }, NULL,
	  NULL },
	{ "another user's living segment", living_segment_of_another_user, -EACCES,
	  { PATH, "user 0" }, NULL, NULL },
	{ "living segment", living_segment, -EBUSY, { PATH, "living writer", "pid" }, NULL, NULL },
	{ "no name", none, -EINVAL, { "name" }, NULL, "" },
	{ "hidden name", none, -EINVAL, { "name", ".hidden" }, NULL, ".hidden" },
	{ "dots", none, -EINVAL, { "name" }, NULL, ".." },
	{ "name with a newline", none, -EINVAL, { "name" }, NULL, "two\nlines" },
	{ "name that moves the cursor", none, -EINVAL, { "name" }, NULL, "x\033[2J" },
	{ "name that is not UTF-8", none, -EINVAL, { "name" }, NULL, "\xff\xfe" },
	{ "overlong UTF-8", none, -EINVAL, { "name" }, NULL, "\xc0\xaf" },
	{ "name of 210 bytes", none, -EINVAL, { "name" }, NULL, LONG LONG LONG },
	{ "name of a dead segment", none, -EINVAL, { "~" }, NULL, NAME "~1" },
	{ "path to a folder", none, -EINVAL, { "/dev/shm/" }, NULL, "/dev/shm/" },
	{ "path out of the folder", none, -EEXIST, { "passwd", "not a segment" }, NULL,
	  "/dev/shm/../../etc/passwd" },
	{ "path through a file", none, -ENOTDIR, { "passwd/s", "Not a directory" }, NULL,
	  "/etc/passwd/s" },
	{ "path to a device", none, -EEXIST, { "/dev/full", "not a regular file" }, NULL,
	  "/dev/full" },
	{ "path into /proc", none, -EPERM, { "/proc/self/s" }, NULL, "/proc/self/s" },
};
enum { OBSTACLES = sizeof obstacles / sizeof obstacles[0] };

/* --- a host before each ---------------------------------------------------------- */

/* What is in /dev/shm: names, kinds, sizes and times, as one number. */
static uint64_t folder_digest(void)
{
	uint64_t digest = 0;
	DIR *list = opendir("/dev/shm");
	for (struct dirent *entry; list && (entry = readdir(list));) {
		struct stat file;
		uint64_t one = 14695981039346656037u;
		if (entry->d_name[0] == '.' && strspn(entry->d_name, ".") == strlen(entry->d_name))
			continue;
		if (fstatat(dirfd(list), entry->d_name, &file, AT_SYMLINK_NOFOLLOW))
			continue;
		for (const char *at = entry->d_name; *at; at++)
			one = (one ^ (uint8_t)*at) * 1099511628211u;
		one ^= (uint64_t)file.st_ino * 31 + (uint64_t)file.st_mode * 131071 +
		       (uint64_t)file.st_size + (uint64_t)file.st_mtim.tv_nsec;
		digest += one * 0x9e3779b97f4a7c15u;
	}
	if (list)
		closedir(list);
	return digest;
}

static int check_text(const struct obstacle *obstacle, const struct astshm_error *error)
{
	HOST_MUST(error->code == obstacle->code);
	HOST_MUST(strlen(error->text) > 0 && !strchr(error->text, '\n'));
	for (int i = 0; i < 3 && obstacle->words[i]; i++)
		if (!strstr(error->text, obstacle->words[i])) {
			fprintf(stderr, "'%s' lacks '%s'\n", error->text, obstacle->words[i]);
			return 1;
		}
	return 0;
}

static int face(void *context)
{
	const struct obstacle *obstacle = context;
	struct host host;
	if (!host_isolate(obstacle->mount ? obstacle->mount : "mode=1777"))
		return MAY_NOT;
	HOST_MUST(obstacle->raise() == 0);
	mode_t mask = umask(022);
	umask(mask);
	uint64_t before = folder_digest();
	host_start(&host, obstacle->segment ? obstacle->segment : NAME);
	host_serve(&host, HOST_REQUESTS);
	if (host.code != obstacle->code)
		fprintf(stderr, "code %d, wanted %d: %s\n", host.code, obstacle->code,
			host.error.text);
	HOST_MUST(host.code == obstacle->code);
	HOST_MUST(host.writer == NULL);
	HOST_MUST(host.answered == HOST_REQUESTS);
	HOST_MUST(folder_digest() == before);
	HOST_MUST(umask(mask) == mask);
	printf("%s: %s\n", obstacle->title, host.error.text);
	return check_text(obstacle, &host.error);
}

static void host_serves_without(void **state)
{
	int result = scene_join(scene_fork(face, *state));
	assert_int_equal(result, 0);
}

static int try_to_isolate(void *unused)
{
	(void)unused;
	return host_isolate("mode=1777") ? 0 : MAY_NOT;
}

int main(void)
{
	struct CMUnitTest tests[OBSTACLES];
	size_t count = 0;
	if (scene_join(scene_fork(try_to_isolate, NULL)) == MAY_NOT) {
		printf("skipped: needs a mount namespace (root)\n");
		return MAY_NOT;
	}
	for (size_t i = 0; i < OBSTACLES; i++) {
		if (!HOST_CAN_LIMIT_ADDRESSES && obstacles[i].raise == address_space_limit)
			continue;
		tests[count++] = (struct CMUnitTest){ obstacles[i].title, host_serves_without,
						      NULL, NULL,
						      (void *)(uintptr_t)&obstacles[i] };
	}
	return _cmocka_run_group_tests("forbidden", tests, count, NULL, NULL);
}
