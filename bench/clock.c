/* SPDX-License-Identifier: MIT */
#include "clock.h"

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_wall_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_thread_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double bench_tick_ns(void)
{
	uint64_t ns = bench_wall_ns(), ticks = bench_ticks();

	while (bench_wall_ns() - ns < 20000000) {
	}
	ticks = bench_ticks() - ticks;
	return (double)(bench_wall_ns() - ns) / (double)ticks;
}
