/* SPDX-License-Identifier: MIT */
/*
 * One snapshot on its way to consumers: encoded once, shared by all of them.
 */
#ifndef EXPORT_FRAME_H
#define EXPORT_FRAME_H

#include <stdint.h>

#include <astshm/reader.h>

#include "buffer.h"
#include "target.h"

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
