/* SPDX-License-Identifier: MIT */
/*
 * What a msgpack document of ours mostly consists of, texts and counts, packed
 * straight into the sink: through msgpack-c each part of each of them is a call
 * through a pointer. Shortest forms, as msgpack-c writes them.
 */
#ifndef READERS_PACK_H
#define READERS_PACK_H

#include <stdint.h>
#include <string.h>

/* The most bytes that a head or an integer takes, and what storing one may
 * touch: a whole word behind its first byte. */
#define PACK_BYTES 9u

/* `bytes` low bytes of a value, the highest first, at p, and garbage up to 8. */
static inline char *pack_big_endian(char *p, uint64_t value, unsigned bytes)
{
	uint64_t word = __builtin_bswap64(value << (64 - 8 * bytes));
	memcpy(p, &word, sizeof word);
	return p + bytes;
}

/* 0 to 3: the value fits into 1, 2, 4 or 8 bytes. */
static inline unsigned pack_size_class(uint64_t value)
{
	return (unsigned)(value > UINT8_MAX) + (value > UINT16_MAX) + (value > UINT32_MAX);
}

static inline char *pack_unsigned(char *p, uint64_t value)
{
	if (value < 128) {
		*p = (char)value; /* positive fixint */
		return p + 1;
	}
	unsigned size_class = pack_size_class(value);
	*p = (char)(0xcc + size_class); /* uint 8, 16, 32, 64 */
	return pack_big_endian(p + 1, value, 1u << size_class);
}

/* In front of the bytes of a text. */
static inline char *pack_text_head(char *p, uint32_t length)
{
	if (length < 32) {
		*p = (char)(0xa0 | length); /* fixstr */
		return p + 1;
	}
	unsigned size_class = pack_size_class(length);
	*p = (char)(0xd9 + size_class); /* str 8, 16, 32 */
	return pack_big_endian(p + 1, length, 1u << size_class);
}

#endif
