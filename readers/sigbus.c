/* SPDX-License-Identifier: MIT */
/*
 * Mappings that a SIGBUS handler may mend. A fixed table, because a signal
 * handler can neither lock nor allocate, and may run while another thread
 * enters or leaves a range.
 */
#include "sigbus.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <astshm/reader.h>

#define RANGES 256u

struct sigbus_range {
	uint64_t bytes; /* 0: free, 1: being entered. Stored last, release */
	uintptr_t base;
	uint64_t page_bytes;
	uint32_t broken;
};

static struct sigbus_range ranges[RANGES];

struct sigbus_range *sigbus_enter(const void *base, uint64_t bytes)
{
	long page_bytes = sysconf(_SC_PAGESIZE);
	for (unsigned i = 0; i < RANGES && bytes > 1 && page_bytes > 0; i++) {
		struct sigbus_range *range = &ranges[i];
		uint64_t expected = 0;
		/* Acquire: pairs with the release in sigbus_leave. */
		if (!__atomic_compare_exchange_n(&range->bytes, &expected, 1, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&range->base, (uintptr_t)base, __ATOMIC_RELAXED);
		__atomic_store_n(&range->page_bytes, (uint64_t)page_bytes, __ATOMIC_RELAXED);
		__atomic_store_n(&range->broken, 0, __ATOMIC_RELAXED);
		/* Pairs with the acquire in find_range: base before bytes. */
		__atomic_store_n(&range->bytes, bytes, __ATOMIC_RELEASE);
		return range;
	}
	return NULL;
}

void sigbus_leave(struct sigbus_range *range)
{
	/* Release: pairs with the acquire of the one who enters next. */
	if (range != NULL)
		__atomic_store_n(&range->bytes, 0, __ATOMIC_RELEASE);
}

bool sigbus_broken(const struct sigbus_range *range)
{
	/* Relaxed: the handler ran on this thread, in the middle of the reads
	 * that are being judged. */
	return range != NULL && __atomic_load_n(&range->broken, __ATOMIC_RELAXED) != 0;
}

static struct sigbus_range *find_range(uintptr_t address)
{
	for (unsigned i = 0; i < RANGES; i++) {
		uint64_t bytes = __atomic_load_n(&ranges[i].bytes, __ATOMIC_ACQUIRE);
		uintptr_t base = __atomic_load_n(&ranges[i].base, __ATOMIC_RELAXED);
		if (bytes > 1 && address >= base && address - base < bytes)
			return &ranges[i];
	}
	return NULL;
}

bool astshm_reader_handle_sigbus(const void *address)
{
	struct sigbus_range *range = find_range((uintptr_t)address);
	if (range == NULL)
		return false;
	int saved = errno;
	uint64_t page_bytes = __atomic_load_n(&range->page_bytes, __ATOMIC_RELAXED);
	uintptr_t page = (uintptr_t)address & ~(uintptr_t)(page_bytes - 1);
	void *mended = mmap((void *)page, page_bytes, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	errno = saved;
	if (mended == MAP_FAILED)
		return false;
	__atomic_store_n(&range->broken, 1, __ATOMIC_RELAXED);
	return true;
}
