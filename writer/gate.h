/* SPDX-License-Identifier: MIT */
/*
 * Closing the gate in front of series: clearing entries in the rows of all
 * threads that have touched them. Under the lock; only existing blocks are
 * walked, so rows nobody used stay unmapped memory.
 */
#ifndef WRITER_GATE_H
#define WRITER_GATE_H

#include "state.h"

/* Of one series (for a counter: the entries of its cell). */
void writer_gate_shut(struct astshm_writer *writer, uint32_t index);
/* Of all histograms and gauges (reset). */
void writer_gate_shut_stamped(struct astshm_writer *writer);
/* Of everything (recording switched off, segment closed). */
void writer_gate_shut_all(struct astshm_writer *writer);

/* Calls `each` for every block on a list of the writer's own making. */
void writer_each_block(struct astshm_writer *writer, uint64_t head_off,
		       void (*each)(struct astshm_writer *writer, void *block, void *context),
		       void *context);

#endif
