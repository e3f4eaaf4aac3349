/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Reads the beginning of /proc/PID/FILE; the length, 0 if there is none. */
static size_t read_process_file(uint32_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	if (pid)
		snprintf(path, sizeof path, "/proc/%u/%s", pid, file);
	else
		snprintf(path, sizeof path, "/proc/self/%s", file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

uint64_t shm_process_start_ticks(uint32_t pid)
{
	char text[1024];
	if (read_process_file(pid, "stat", text, sizeof text) == 0)
		return 0;
	/* Field 2 is the command in parentheses and may hold any byte, ')' too:
	 * field 3 follows the last one (proc(5)). */
	char *at = strrchr(text, ')');
	if (!at)
		return 0;
	for (int field = 2; field < 22; field++) {
		at = strchr(at + 1, ' ');
		if (!at)
			return 0;
	}
	return strtoull(at + 1, NULL, 10);
}

uint32_t shm_process_inner_pid(uint32_t pid)
{
	char text[4096];
	if (read_process_file(pid, "status", text, sizeof text) == 0)
		return pid;
	char *at = strstr(text, "\nNSpid:");
	if (!at)
		return pid;
	/* One pid for each nested namespace, the innermost last. */
	char *end = strchr(at + 1, '\n');
	if (end)
		*end = '\0';
	char *last = strrchr(at + 1, '\t');
	unsigned long inner = last ? strtoul(last + 1, NULL, 10) : 0;
	return inner ? (uint32_t)inner : pid;
}
