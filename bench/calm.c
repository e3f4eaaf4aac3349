/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "calm.h"
#include "clock.h"

#define STEPS 50000u
/* Clocks and frequencies differ by less between one run and the next. */
#define TOLERANCE 1.06

/* Of all runs so far in this process, on whichever core. */
static uint64_t least_ns = UINT64_MAX;

static uint64_t spin(void)
{
	uint64_t start = bench_wall_ns();

	for (uint64_t i = 0; i < STEPS; i++)
		BENCH_STEP(i);
	return bench_wall_ns() - start;
}

bool bench_calm(void)
{
	uint64_t ns = spin();

	if (ns < least_ns)
		least_ns = ns;
	return (double)ns <= (double)least_ns * TOLERANCE;
}

bool bench_calm_wait(uint64_t *patience_ns)
{
	uint64_t start = bench_wall_ns();

	while (!bench_calm()) {
		uint64_t waited = bench_wall_ns() - start;
		if (waited >= *patience_ns) {
			*patience_ns = 0;
			return false;
		}
	}
	uint64_t waited = bench_wall_ns() - start;
	*patience_ns -= waited < *patience_ns ? waited : *patience_ns;
	return true;
}

uint64_t bench_interruptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_nivcsw + (uint64_t)usage.ru_nvcsw;
}
