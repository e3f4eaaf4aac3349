/* SPDX-License-Identifier: MIT */
/*
 * How the host's process and this library are, as metrics like any other:
 * recorded by the tick (ASTSHM_OPEN_HEALTH), in the names that Prometheus'
 * client libraries use. doc/metrics.md lists them.
 */
#ifndef WRITER_HEALTH_H
#define WRITER_HEALTH_H

#include "state.h"

/* Records what the process and the segment are now. Ticks take turns. */
void writer_health_tick(struct astshm_writer *writer);

/* A tick that took so long has ended. */
void writer_health_ticked(struct astshm_writer *writer, int64_t ns);

/* In a forked child: what is counted begins anew, the handles stay. */
void writer_health_restart(struct astshm_writer *writer);
void writer_health_close(struct astshm_writer *writer);

#endif
