/* SPDX-License-Identifier: MIT */
/*
 * Behind the gate: a thread's first touch of a series since it was attached,
 * since a reset, or since recording was switched on again.
 */
#ifndef WRITER_TOUCH_H
#define WRITER_TOUCH_H

#include "state.h"

/*
 * Finds or makes the calling thread's cell or block of a series and opens its
 * gate. NULL: switched off, closed, forked, not this kind's series, or no room
 * (which is counted). With *shared the target belongs to slot 0 and the lock
 * is HELD: record into it, then unlock.
 */
void *writer_touch(struct astshm_writer *writer, uint32_t index, enum astshm_kind kind,
		   bool *shared);

/* Without the lock: would a touch need room that a full segment has not? */
bool writer_touch_hopeless(const struct astshm_writer *writer, uint32_t index);

/* One record or registration that found no room. */
void writer_count_dropped(uint64_t *word);

#endif
