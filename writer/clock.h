/* SPDX-License-Identifier: MIT */
/* The timer's clock: which one, and how long a cycle is. */
#ifndef WRITER_CLOCK_H
#define WRITER_CLOCK_H

/* Measures the cycle's length if that has not been done; at open. Takes up to
 * a millisecond the first time. */
void writer_clock_calibrate(void);
/* Measures again over the longer time since then; starts over after a sleep. */
void writer_clock_refine(void);

#endif
