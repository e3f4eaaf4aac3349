/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "operations.h"
#include "fail.h"
#include "thread_latency.h"

#define ROUNDS 7u
#define RECORDS 100000u /* of a thread and round */
#define RECORDS_QUICK 500u

/* The empty loop shows what the clock and its fences take. */
static const char *const compared[] = {
	"empty loop",	       "counter add",	      "timing record", "increment by name, 1 tag",
	"shared lock xadd",    "mutex and increment", "mutex + log-linear histogram",
	"original: increment, 1 tag",
};
#define COMPARED (sizeof compared / sizeof compared[0])

static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0 };
#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

struct trial {
	const struct bench_operation *operation;
	struct bench_subject *subject;
	unsigned threads;
	size_t records;
	double *ticks; /* records for each thread */
};

static void time_each(void *context, unsigned thread)
{
	const struct trial *trial = context;
	double *ticks = trial->ticks + thread * trial->records;

	for (size_t i = 0; i < trial->records; i++) {
		uint64_t start = bench_ticks();
		trial->operation->run[BENCH_BACK_TO_BACK](trial->subject, 1);
		ticks[i] = (double)(bench_ticks() - start);
	}
}

static void run_trial(struct trial *trial, struct bench_team *team, double tick_ns,
		      double values[QUANTILES])
{
	struct bench_job job = { trial->threads, time_each, trial };
	uint64_t cpu_ns, wall_ns;
	size_t count = trial->threads * trial->records;

	bench_team_run(team, &job, &cpu_ns, &wall_ns);
	bench_sort(trial->ticks, count);
	for (size_t q = 0; q < QUANTILES; q++)
		values[q] = bench_quantile(trial->ticks, count, quantiles[q]) * tick_ns;
}

static void report_trial(const struct trial *trial, double samples[QUANTILES][ROUNDS],
			 struct bench_report *report)
{
	char variant[48];

	snprintf(variant, sizeof variant, "latency of one, %u thread%s", trial->threads,
		 trial->threads == 1 ? "" : "s");
	for (size_t q = 0; q < QUANTILES; q++)
		bench_report_add(report, trial->operation->name, variant, "quantile", quantiles[q],
				 "ns")
			->value = bench_summarize(samples[q], ROUNDS);
}

static void measure(struct trial *trial, struct bench_team *team, double tick_ns,
		    struct bench_report *report)
{
	double samples[QUANTILES][ROUNDS], values[QUANTILES];

	for (size_t round = 0; round < ROUNDS; round++) {
		run_trial(trial, team, tick_ns, values);
		for (size_t q = 0; q < QUANTILES; q++)
			samples[q][round] = values[q];
	}
	report_trial(trial, samples, report);
	bench_subject_check(trial->subject, trial->operation,
			    ROUNDS * trial->threads * trial->records);
}

void bench_thread_latency(struct bench_scene *scene, struct bench_team *team, unsigned most,
			  const struct bench_options *options, struct bench_report *report)
{
	size_t records = options->quick ? RECORDS_QUICK : RECORDS;
	double *ticks = bench_array(most * records, sizeof *ticks);
	double tick_ns = bench_tick_ns();
	char label[32];

	for (size_t i = 0; i < COMPARED; i++) {
		for (unsigned threads = 1; threads <= most; threads *= 2) {
			struct trial trial = { bench_operation(compared[i]), NULL, threads,
					       records, ticks };
			snprintf(label, sizeof label, "latency.%zu.%u", i, threads);
			trial.subject = bench_subject_create(scene, label, trial.operation);
			measure(&trial, team, tick_ns, report);
			bench_subject_free(trial.subject);
		}
	}
	free(ticks);
}
