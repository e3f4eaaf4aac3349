/* SPDX-License-Identifier: MIT */
#include "feed_head.h"

#include <errno.h>
#include <string.h>

#define VERSION 1

static const unsigned char magic[4] = { 0xc1, 'a', 's', 'f' };

static void put(unsigned char *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
}

static uint64_t get(const unsigned char *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

void feed_head_write(unsigned char bytes[FEED_HEAD_BYTES], uint64_t number,
		     uint32_t document_bytes)
{
	memcpy(bytes, magic, sizeof(magic));
	bytes[4] = VERSION;
	bytes[5] = 0;
	put(bytes + 6, FEED_HEAD_BYTES, 2);
	put(bytes + 8, number, 8);
	put(bytes + 16, document_bytes, 4);
}

bool feed_head_magic(const void *bytes, size_t count)
{
	return count >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

size_t feed_head_find(const void *bytes, size_t count)
{
	const unsigned char *at = bytes, *end = at + count;

	while (at < end && (at = memchr(at, magic[0], (size_t)(end - at)))) {
		size_t left = (size_t)(end - at);

		if (memcmp(at, magic, left < sizeof(magic) ? left : sizeof(magic)) == 0)
			return (size_t)(at - (const unsigned char *)bytes);
		at++;
	}
	return count;
}

int feed_head_read(const void *bytes, size_t count, struct feed_head *head)
{
	const unsigned char *at = bytes;

	if (memcmp(at, magic, count < sizeof(magic) ? count : sizeof(magic)) != 0)
		return -EBADMSG;
	if (count < FEED_HEAD_BYTES)
		return -ENODATA;
	head->version = at[4];
	if (head->version != VERSION)
		return -EPROTONOSUPPORT;
	head->flags = at[5];
	head->head_bytes = (uint16_t)get(at + 6, 2);
	head->number = get(at + 8, 8);
	head->document_bytes = (uint32_t)get(at + 16, 4);
	if (head->head_bytes < FEED_HEAD_BYTES)
		return -EBADMSG;
	return head->head_bytes > count || head->document_bytes > count - head->head_bytes
		       ? -ENODATA
		       : 0;
}
