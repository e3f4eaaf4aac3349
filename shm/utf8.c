/* SPDX-License-Identifier: MIT */
#include "segment.h"

struct sequence {
	unsigned char lead_from, lead_to;
	unsigned char second_from, second_to;
	size_t length;
};

/*
 * The Unicode Standard, table 3-7 (well-formed UTF-8 byte sequences): what is
 * missing here is overlong, a surrogate, or beyond U+10FFFF.
 */
static const struct sequence sequences[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool is_within(unsigned char byte, unsigned char from, unsigned char to)
{
	return byte >= from && byte <= to;
}

static bool matches(const struct sequence *sequence, const unsigned char *bytes, size_t left)
{
	if (!is_within(bytes[0], sequence->lead_from, sequence->lead_to) ||
	    left < sequence->length ||
	    !is_within(bytes[1], sequence->second_from, sequence->second_to))
		return false;
	for (size_t i = 2; i < sequence->length; i++)
		if (!is_within(bytes[i], 0x80, 0xbf))
			return false;
	return true;
}

size_t shm_utf8_length(const char *text, size_t left)
{
	const unsigned char *bytes = (const unsigned char *)text;
	if (left == 0)
		return 0;
	if (is_within(bytes[0], 0x01, 0x7f))
		return 1;
	for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
		if (matches(&sequences[i], bytes, left))
			return sequences[i].length;
	return 0;
}

bool shm_utf8_valid(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t step = shm_utf8_length(text + i, length - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}
