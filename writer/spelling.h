/* SPDX-License-Identifier: MIT */
/*
 * Is a caller's spelling of a series, name and tags as C strings, that of a
 * canonical key? Answered without building the caller's key, which takes the
 * length of each string first.
 */
#ifndef WRITER_SPELLING_H
#define WRITER_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <astshm/hotpath.h>

#include "key.h"

/* The smallest page there is: what lies in one is mapped whole. */
#define SPELLING_PAGE 4096u

#if defined(__SANITIZE_ADDRESS__) || defined(ASTSHM_TSAN)
#define SPELLING_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPELLING_SANITIZED 1
#endif
#endif

static inline uint64_t spelling_word(const void *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return word;
}

static inline uint32_t spelling_half(const void *bytes)
{
	uint32_t half;
	memcpy(&half, bytes, sizeof half);
	return half;
}

/* memcmp(text, bytes, length) == 0 in a few words that may overlap. */
static inline bool spelling_equal(const char *text, const uint8_t *bytes, size_t length)
{
	if (length >= 8) {
		for (; length > 16; text += 8, bytes += 8, length -= 8)
			if (spelling_word(text) != spelling_word(bytes))
				return false;
		size_t last = length - 8;
		return ((spelling_word(text) ^ spelling_word(bytes)) |
			(spelling_word(text + last) ^ spelling_word(bytes + last))) == 0;
	}
	if (length >= 4) {
		size_t last = length - 4;
		return ((spelling_half(text) ^ spelling_half(bytes)) |
			(spelling_half(text + last) ^ spelling_half(bytes + last))) == 0;
	}
	for (size_t i = 0; i < length; i++)
		if (text[i] != (char)bytes[i])
			return false;
	return true;
}

/*
 * Is `text`, NUL-terminated, these bytes, none of which is NUL? May say no of
 * a text that lies across two pages. One that is shorter than the bytes may be
 * read up to their length within its page: no access that could fault, and what
 * is behind the NUL decides nothing. Sanitizers, who are not told of that, get
 * strncmp.
 */
static inline bool spelling_is(const char *text, const uint8_t *bytes, size_t length)
{
#ifdef SPELLING_SANITIZED
	return strncmp(text, (const char *)bytes, length) == 0 && text[length] == '\0';
#else
	return (uintptr_t)text % SPELLING_PAGE + length < SPELLING_PAGE &&
	       spelling_equal(text, bytes, length) && text[length] == '\0';
#endif
}

/* May say no of strings across two pages, and does of tags out of order. */
__attribute__((always_inline)) static inline bool
spelling_of_key(const uint8_t *key, enum astshm_kind kind, const char *name,
		const struct astshm_tag *tags, size_t tag_count)
{
	size_t name_len = key[1];

	if (key[0] != kind || !name || !spelling_is(name, key + 2, name_len))
		return false;
	const uint8_t *at = key + 2 + name_len;
	if (*at++ != tag_count)
		return false;
	for (size_t i = 0; i < tag_count; i++) {
		size_t key_len = at[0], value_len = at[1];
		if (!tags[i].key || !spelling_is(tags[i].key, at + 2, key_len))
			return false;
		at += 2 + key_len;
		if (!tags[i].value || !spelling_is(tags[i].value, at, value_len))
			return false;
		at += value_len;
	}
	return true;
}

#endif
