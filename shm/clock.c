/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "segment.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t shm_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t shm_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
