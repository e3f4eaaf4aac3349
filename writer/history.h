/* SPDX-License-Identifier: MIT */
/*
 * The recent past inside the segment (doc/segment.md, "History"): the tick
 * appends what all series were. Ticks take turns (tick.c), so nothing here needs
 * a lock of its own.
 */
#ifndef WRITER_HISTORY_H
#define WRITER_HISTORY_H

#include "state.h"

/*
 * A pass as an entry, through the writer's own reader (get.c), which is locked
 * until writer_read_end: the bytes are in its memory. Not so after an error.
 */
int writer_read(struct astshm_writer *writer, const void **bytes,
		struct astshm_history_entry *head);
void writer_read_end(struct astshm_writer *writer);

/* Forgets the entries of a segment that is no more. */
void writer_history_clear(struct writer_history *history);

/*
 * Appends an entry if one is due. Takes the reader's lock for the pass and the
 * writer's for room; recording waits for neither but where a first touch does.
 * What cannot be kept (no room, no memory) is counted in the segment.
 */
void writer_history_tick(struct astshm_writer *writer);

#endif
