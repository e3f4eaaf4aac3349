/* SPDX-License-Identifier: MIT */
/*
 * Does the core run at full speed? A neighbour on the other hardware thread of
 * a core halves what one gets out of it, for seconds at a time, and is not seen
 * in any clock or load. A loop that fills the core's front end tells.
 */
#ifndef BENCH_CALM_H
#define BENCH_CALM_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the loop, 20 us, on the calling thread: is it as fast as it ever was? */
bool bench_calm(void);

/* Runs it until it is, or until *patience_ns, which becomes less, is used up. */
bool bench_calm_wait(uint64_t *patience_ns);

/* How often the calling thread was put off its core so far: whoever had it
 * meanwhile left other things in its caches. */
uint64_t bench_interruptions(void);

#endif
