/* SPDX-License-Identifier: MIT */
/*
 * For the examples: work that takes time and is not optimized away. The server
 * around the metrics calls is simulated; the metrics calls are not.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

static volatile uint64_t workload_result;

/* Some microseconds for each thousand steps. */
static inline void workload_run(uint64_t steps)
{
	uint64_t state = workload_result + 1;

	for (uint64_t i = 0; i < steps; i++)
		state = state * 6364136223846793005u + 1442695040888963407u;
	workload_result = state;
}

#endif
