/* SPDX-License-Identifier: MIT */
#ifndef READERS_SORT_H
#define READERS_SORT_H

#include <stddef.h>
#include <stdint.h>

/* A text to sort and what it belongs to. `word` is the sorter's own. */
struct sort_key {
	uint64_t word;
	const char *text; /* without NULs inside; compared as unsigned bytes */
	uint32_t length;
	uint32_t place;
};

/*
 * Sorts fewer than 2^32 keys by text, then by place. Allocates nothing; stack bounded by
 * log2(count); no input, however hostile, makes it quadratic for sure.
 */
void sort_keys(struct sort_key *keys, size_t count);

#endif
