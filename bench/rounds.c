/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "calm.h"
#include "clock.h"
#include "fail.h"
#include "instructions.h"
#include "rounds.h"

static uint64_t timed(struct bench_case *it, uint64_t iterations)
{
	if (it->prepare)
		it->prepare(it->context, iterations);
	uint64_t start = bench_thread_cpu_ns();
	it->run(it->context, iterations);
	uint64_t ns = bench_thread_cpu_ns() - start;
	it->total += iterations;
	return ns;
}

/* Of the better of two: a first touch or a page fault must not pass for work. */
static bool long_enough(struct bench_case *it, uint64_t sample_ns)
{
	for (int i = 0; i < 2; i++)
		if (timed(it, it->iterations) < sample_ns)
			return false;
	return true;
}

/* Doubles until a sample is long enough; warms up caches and predictors too. */
static void calibrate(struct bench_case *it, uint64_t sample_ns)
{
	it->iterations = 16;
	while (!long_enough(it, sample_ns) && it->iterations < UINT64_C(1) << 40)
		it->iterations *= 2;
}

static void begin(struct bench_case *it, const struct bench_plan *plan)
{
	it->samples = bench_array(plan->rounds, sizeof *it->samples);
	it->instructions = NAN;
	if (it->iterations != 0)
		return;
	calibrate(it, plan->sample_ns);
	it->instructions = bench_instructions(it->run, it->context, &it->total);
}

void bench_rounds_begin(struct bench_case *cases, size_t count, const struct bench_plan *plan)
{
	for (size_t i = 0; i < count; i++)
		begin(&cases[i], plan);
}

/*
 * One sample; taken again while the core is slower behind it or in front of it
 * than it can be, or was taken away, as long as patience lasts. What uses up what it was prepared
 * is taken once.
 */
static uint64_t sample(struct bench_case *it, struct bench_plan *plan)
{
	for (;;) {
		bool calm = bench_calm_wait(&plan->patience_ns);
		uint64_t interruptions = bench_interruptions();
		uint64_t ns = timed(it, it->iterations);
		calm = bench_interruptions() == interruptions && bench_calm() && calm;
		plan->samples++;
		if (calm || it->prepare || plan->patience_ns <= ns) {
			plan->disturbed += !calm;
			return ns;
		}
		plan->samples--;
		plan->patience_ns -= ns;
	}
}

void bench_rounds_step(struct bench_case *cases, size_t count, size_t round,
		       struct bench_plan *plan)
{
	for (size_t i = 0; i < count; i++) {
		struct bench_case *it = &cases[(i + round) % count];
		uint64_t ns = sample(it, plan);
		it->samples[round] = (double)ns / (double)it->iterations;
	}
}

void bench_rounds(struct bench_case *cases, size_t count, struct bench_plan *plan)
{
	bench_rounds_begin(cases, count, plan);
	for (size_t round = 0; round < plan->rounds; round++)
		bench_rounds_step(cases, count, round, plan);
}

struct bench_summary bench_case_summary(struct bench_case *it, const struct bench_plan *plan)
{
	struct bench_summary summary = bench_summarize(it->samples, plan->rounds);

	free(it->samples);
	it->samples = NULL;
	return summary;
}
