/* SPDX-License-Identifier: MIT */
/*
 * Memory whose last byte is followed by pages that nobody may touch. It has to
 * begin at a multiple of 64, so that up to 63 bytes may lie between the end and
 * the pages; AddressSanitizer guards those, and all that lies before the start.
 */
#ifndef FUZZ_FLUSH_H
#define FUZZ_FLUSH_H

#include <stddef.h>
#include <stdint.h>

/* A copy of `size` bytes. There is one at a time; it is constant no more than its
 * owner wants. Aborts where there are more than FUZZ_INPUT_MAX. */
uint8_t *flush_put(const uint8_t *bytes, size_t size);

#endif
