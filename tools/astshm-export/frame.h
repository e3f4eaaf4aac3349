/* SPDX-License-Identifier: MIT */
/*
 * One snapshot on its way to consumers: encoded once, shared by all of them.
 *
 * Our own framing (doc/feeds.md) is a head in front of the document:
 *
 *      0  4  magic, c1 61 73 66: c1 begins nothing in msgpack
 *      4  1  version, 1
 *      5  1  flags, 0
 *      6  2  bytes of this head, big endian as all of it: 20
 *      8  8  number of the snapshot, from 1 on: a gap is what was lost
 *     16  4  bytes of the document that follows
 */
#ifndef EXPORT_FRAME_H
#define EXPORT_FRAME_H

#include <stdint.h>

#include <astshm/reader.h>

#include "buffer.h"
#include "target.h"

#define FRAME_HEAD_BYTES 20

struct frame {
	unsigned users;
	uint64_t number;
	uint64_t turn; /* in which it was made */
	struct buffer forms[FRAMINGS];
};

/*
 * The snapshot of the segment `name`, in our own framing, and in Fluentd's if
 * `fluentd` says so: there it is an event with the tag astshm.NAME. The caller is
 * its user. -ENOMEM; -EFBIG: 4 GiB are not enough.
 */
int frame_make(struct frame **frame, const struct astshm_snapshot *snapshot, const char *name,
	       uint64_t number, bool fluentd);

struct frame *frame_hold(struct frame *frame);
/* *frame becomes NULL; NULL is allowed. */
void frame_release(struct frame **frame);

#endif
