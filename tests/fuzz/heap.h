/* SPDX-License-Identifier: MIT */
/*
 * What the code under test takes from the heap. Programs that use it are linked
 * with --wrap of malloc, calloc, realloc, reallocarray, aligned_alloc and free.
 */
#ifndef FUZZ_HEAP_H
#define FUZZ_HEAP_H

#include <stddef.h>

/* From here on no more than `limit` bytes beyond what is taken now: whoever asks
 * for more aborts the program. SIZE_MAX: any number. */
void heap_limit(size_t limit);
/* The most that was taken since, beyond what was taken then. */
size_t heap_peak(void);

#endif
