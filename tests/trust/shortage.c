/* SPDX-License-Identifier: MIT */
#include "shortage.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

static unsigned until_failure; /* 0: none is due */
static bool failed;

static bool fails(void)
{
	if (until_failure == 0 || --until_failure > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void shortage_begin(unsigned n)
{
	failed = false;
	until_failure = n;
}

bool shortage_end(void)
{
	until_failure = 0;
	return failed;
}

/* Seen from the sanitizers' libraries too, whose linking takes them for the real ones. */
#define WRAP(type, name, parameters, arguments, nothing)            \
	type __real_##name parameters;                              \
	__attribute__((visibility("default"))) type __wrap_##name parameters; \
	type __wrap_##name parameters                               \
	{                                                           \
		return fails() ? (nothing) : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(void *, realloc, (void *memory, size_t size), (memory, size), NULL)
WRAP(void *, reallocarray, (void *memory, size_t count, size_t size), (memory, count, size), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), NULL)
WRAP(void *, mmap, (void *at, size_t size, int protection, int flags, int file, off_t off),
     (at, size, protection, flags, file, off), MAP_FAILED)
WRAP(void *, mmap64, (void *at, size_t size, int protection, int flags, int file, off_t off),
     (at, size, protection, flags, file, off), MAP_FAILED)
