/* SPDX-License-Identifier: MIT */
/*
 * Interleaved rounds: every case once a round, each round beginning with
 * another case, so that what the machine does meanwhile falls on all alike.
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "statistics.h"

struct bench_case {
	const char *name;
	const char *form;
	void (*run)(void *context, uint64_t iterations);
	/* Makes what the next sample uses up; not timed; NULL: nothing. */
	void (*prepare)(void *context, uint64_t iterations);
	void *context;
	uint64_t iterations; /* of a sample; 0: as many as fill plan.sample_ns */
	uint64_t total;      /* iterations so far, all of them */
	double instructions; /* of an iteration; NaN: not counted */
	double *samples;     /* ns an iteration, one for each round */
};

struct bench_plan {
	size_t rounds;
	uint64_t sample_ns;
	/* Time to spend on waiting for a core at full speed (calm.h), and on
	 * taking samples again; becomes less. */
	uint64_t patience_ns;
	/* So far, and how many of them on a core that was slower. */
	size_t samples, disturbed;
};

/* Fills samples and total of each case, on the calling thread's CPU time. */
void bench_rounds(struct bench_case *cases, size_t count, struct bench_plan *plan);
/* The same in steps, for who has something to do in between. */
void bench_rounds_begin(struct bench_case *cases, size_t count, const struct bench_plan *plan);
void bench_rounds_step(struct bench_case *cases, size_t count, size_t round,
		       struct bench_plan *plan);
/* Of the samples; frees them. */
struct bench_summary bench_case_summary(struct bench_case *it, const struct bench_plan *plan);

#endif
