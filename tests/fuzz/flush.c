/* SPDX-License-Identifier: MIT */
#include "flush.h"

#include <string.h>
#include <sys/mman.h>

#include "target.h"

#define ALIGNMENT 64u
#define GUARD_BYTES ((size_t)1 << 24)

#if defined(__SANITIZE_ADDRESS__)
#define FLUSH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLUSH_ASAN 1
#endif
#endif

#ifdef FLUSH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

/* Guards on both sides: an offset that wraps leads before the start. */
static uint8_t *area(void)
{
	static uint8_t *first;

	if (!first) {
		uint8_t *all = mmap(NULL, FUZZ_INPUT_MAX + 2 * GUARD_BYTES, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		fuzz_expect(all != MAP_FAILED, "address space");
		first = all + GUARD_BYTES;
		fuzz_expect(mprotect(first, FUZZ_INPUT_MAX, PROT_READ | PROT_WRITE) == 0,
			    "memory");
	}
	return first;
}

uint8_t *flush_put(const uint8_t *bytes, size_t size)
{
	uint8_t *first = area(), *end = first + FUZZ_INPUT_MAX;

	fuzz_expect(size <= FUZZ_INPUT_MAX, "an image of the size that there is room for");
	uint8_t *base = end - (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	ASAN_UNPOISON_MEMORY_REGION(first, FUZZ_INPUT_MAX);
	memcpy(base, bytes, size);
	ASAN_POISON_MEMORY_REGION(first, (size_t)(base - first));
	ASAN_POISON_MEMORY_REGION(base + size, (size_t)(end - base) - size);
	return base;
}
