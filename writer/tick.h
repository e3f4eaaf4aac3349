/* SPDX-License-Identifier: MIT */
/* The library's own housekeeping thread, if the host asked for one. */
#ifndef WRITER_TICK_H
#define WRITER_TICK_H

#include "state.h"

/* Without a thread (no memory, no permission) the heartbeat just goes stale. */
void writer_tick_start(struct astshm_writer *writer);
void writer_tick_stop(struct astshm_writer *writer);

#endif
