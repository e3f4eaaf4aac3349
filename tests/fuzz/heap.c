/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);

/* Not hidden: the linker may give them to a shared library as well. */
#pragma GCC visibility push(default)
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
#pragma GCC visibility pop

/* Relaxed atomics: the writer of the seeds has threads, and sums are all that
 * is wanted of them. */
static size_t taken, start, most, allowed = SIZE_MAX;

static size_t load(const size_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

void heap_limit(size_t limit)
{
	start = most = load(&taken);
	allowed = limit;
}

size_t heap_peak(void)
{
	return most - start;
}

/* Before it is given: what is too much might not be there. */
static void ask(size_t count, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) && bytes <= allowed &&
	    (allowed == SIZE_MAX || load(&taken) <= start ||
	     load(&taken) - start <= allowed - bytes))
		return;
	if (allowed == SIZE_MAX)
		return;
	fprintf(stderr, "%zu * %zu bytes are asked for, %zu are taken, %zu are allowed\n", count,
		size, load(&taken) - start, allowed);
	abort();
}

static void *give(void *memory)
{
	size_t now = __atomic_add_fetch(&taken, memory ? malloc_usable_size(memory) : 0,
					__ATOMIC_RELAXED);

	if (now > load(&most))
		__atomic_store_n(&most, now, __ATOMIC_RELAXED);
	return memory;
}

static void take_back(size_t bytes)
{
	__atomic_sub_fetch(&taken, bytes, __ATOMIC_RELAXED);
}

void *__wrap_malloc(size_t size)
{
	ask(1, size);
	return give(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	ask(count, size);
	return give(__real_calloc(count, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	ask(1, size);
	return give(__real_aligned_alloc(alignment, size));
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	size_t before = memory ? malloc_usable_size(memory) : 0;

	ask(count, size);
	void *larger = __real_reallocarray(memory, count, size);
	if (!larger)
		return NULL;
	take_back(before);
	return give(larger);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return __wrap_reallocarray(memory, 1, size);
}

void __wrap_free(void *memory)
{
	take_back(memory ? malloc_usable_size(memory) : 0);
	__real_free(memory);
}
