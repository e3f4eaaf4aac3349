/* SPDX-License-Identifier: MIT */
/*
 * Instructions of an operation, counted by letting the processor trap after
 * each one: exact, needs no performance counters (virtual machines seldom have
 * them) and no other program. x86-64 alone.
 */
#ifndef BENCH_INSTRUCTIONS_H
#define BENCH_INSTRUCTIONS_H

#include <stdint.h>

/* For one iteration of run; NaN where it cannot be done. */
double bench_instructions(void (*run)(void *context, uint64_t iterations), void *context,
			  uint64_t *iterations);

#endif
