/* SPDX-License-Identifier: MIT */
/* The questions, one file each. */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

#include "report.h"
#include "rounds.h"

struct bench_options {
	bool quick;         /* short: to prove that it works, not to measure */
	size_t rounds;      /* 0: what the subcommand thinks is enough */
	const char *server; /* path of ast-server; NULL: none */
	const char *json;
	const char *compare;
};

/* What rounds and the length of a sample come to. */
static inline struct bench_plan bench_plan(const struct bench_options *options)
{
	struct bench_plan plan = { .rounds = 31, .sample_ns = 1000000,
				   .patience_ns = UINT64_C(30000000000) };

	if (options->quick)
		plan = (struct bench_plan){ .rounds = 3, .sample_ns = 20000 };
	if (options->rounds > 0)
		plan.rounds = options->rounds;
	return plan;
}

void bench_record(const struct bench_options *options, struct bench_report *report);
void bench_threads(const struct bench_options *options, struct bench_report *report);
void bench_registry(const struct bench_options *options, struct bench_report *report);
void bench_snapshot(const struct bench_options *options, struct bench_report *report);
void bench_history(const struct bench_options *options, struct bench_report *report);
void bench_readers(const struct bench_options *options, struct bench_report *report);
void bench_memory(const struct bench_options *options, struct bench_report *report);
void bench_server(const struct bench_options *options, struct bench_report *report);

#endif
