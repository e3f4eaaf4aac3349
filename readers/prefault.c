/* SPDX-License-Identifier: MIT */
#include "prefault.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below this the system call costs as much as the faults it saves. */
#define HEAP_LEAST_BYTES ((size_t)16 << 10)
/* What a stranger's counts may make us take without our using it. */
#define HEAP_MOST_BYTES ((size_t)16 << 20)

#ifdef MADV_POPULATE_WRITE

void prefault_heap(void *memory, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	if (bytes < HEAP_LEAST_BYTES)
		return;
	if (bytes > HEAP_MOST_BYTES)
		bytes = HEAP_MOST_BYTES;
	uintptr_t from = ((uintptr_t)memory + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)memory + bytes) & ~(page - 1);
	int before = errno;
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
	errno = before;
}

#else

void prefault_heap(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}

#endif
