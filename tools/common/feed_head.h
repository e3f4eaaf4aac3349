/* SPDX-License-Identifier: MIT */
/*
 * What stands in front of each document of a feed (doc/feeds.md), big endian:
 *
 *      0  4  magic, c1 61 73 66: c1 begins nothing in msgpack
 *      4  1  version, 1
 *      5  1  flags, 0
 *      6  2  bytes of this head, 20
 *      8  8  number of the snapshot, from 1 on: a gap is what was lost
 *     16  4  bytes of the document that follows
 */
#ifndef TOOLS_FEED_HEAD_H
#define TOOLS_FEED_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_HEAD_BYTES 20

struct feed_head {
	uint8_t version;
	uint8_t flags;
	uint16_t head_bytes; /* where the document begins */
	uint64_t number;
	uint32_t document_bytes;
};

void feed_head_write(unsigned char bytes[FEED_HEAD_BYTES], uint64_t number,
		     uint32_t document_bytes);

/* Could `count` bytes, four or more, begin a feed? */
bool feed_head_magic(const void *bytes, size_t count);

/* Where in these bytes the next magic begins, or could begin, cut off by their end;
 * `count`: nowhere. */
size_t feed_head_find(const void *bytes, size_t count);

/*
 * Reads the head of a frame and looks whether all of it is there. -ENODATA: it is
 * cut off; -EBADMSG: is none; -EPROTONOSUPPORT: *head has the version alone.
 */
int feed_head_read(const void *bytes, size_t count, struct feed_head *head);

#endif
