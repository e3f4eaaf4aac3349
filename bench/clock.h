/* SPDX-License-Identifier: MIT */
/* Time as the bench takes it, and fences around a single operation. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

uint64_t bench_wall_ns(void);
/* Of the calling thread: what a neighbour on the same core took is not in it. */
uint64_t bench_thread_cpu_ns(void);
/* Nanoseconds of one tick of bench_ticks, measured against CLOCK_MONOTONIC. */
double bench_tick_ns(void);

/* No instruction behind it starts before all in front of it are done. */
static inline void bench_fence(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* A clock fine enough for one operation; fenced on both sides. */
static inline uint64_t bench_ticks(void)
{
	bench_fence();
#if defined(__x86_64__)
	uint64_t now = __rdtsc();
#else
	uint64_t now = bench_wall_ns();
#endif
	bench_fence();
	return now;
}

/* Keeps a loop a loop: the compiler must have counted up to here. */
#define BENCH_STEP(i) __asm__ volatile("" : "+r"(i))

#endif
