/* SPDX-License-Identifier: MIT */
/* Threads that keep something going until they are stopped. */
#ifndef BENCH_BACKGROUND_H
#define BENCH_BACKGROUND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BENCH_BACKGROUND_MAX 64u

struct bench_background {
	/* One step of `thread`; called again and again. */
	void (*step)(void *context, unsigned thread);
	void *context;
	unsigned first_core;
	unsigned count;
	uint32_t stop; /* relaxed: a switch, it orders nothing */
	uint32_t next;
	uint64_t steps; /* all threads' together, once stopped */
	pthread_t threads[BENCH_BACKGROUND_MAX];
};

/* Sets step, context, first_core beforehand. Returns once all have made a step. */
void bench_background_start(struct bench_background *background, unsigned count);
void bench_background_stop(struct bench_background *background);

#endif
