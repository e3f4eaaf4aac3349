/* SPDX-License-Identifier: MIT */
/*
 * Loaded before a program's libraries (LD_PRELOAD): the allocation number SHORTAGE from
 * its start fails, that one alone, and leaves the file SHORTAGE_MARK to say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own, under names that nobody takes from it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define API __attribute__((visibility("default")))

static unsigned long until_failure; /* 0: none is due */
static const char *mark;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("SHORTAGE");

	mark = getenv("SHORTAGE_MARK");
	until_failure = number && mark ? strtoul(number, NULL, 10) : 0;
}

static int fails(void)
{
	if (until_failure == 0 || --until_failure > 0)
		return 0;
	int file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file >= 0)
		close(file);
	errno = ENOMEM;
	return 1;
}

API void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

API void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

API void *realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}

API void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}
