/* SPDX-License-Identifier: MIT */
/* What a subcommand found: rows of figures, and targets they are held to. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "statistics.h"

struct bench_row {
	char name[80];
	char variant[64];      /* how it was done; "" */
	const char *parameter; /* what x counts: "threads", "series"; NULL: no x */
	double x;
	const char *unit;
	bool more_is_better;
	struct bench_summary value;
	double instructions; /* NaN: not counted */
};

struct bench_target {
	char name[96];
	double value, limit;
	bool at_least; /* value >= limit; else <= */
	const char *unit;
};

struct bench_report {
	const char *subcommand;
	bool quick;
	struct bench_row *rows;
	size_t row_count, row_room;
	struct bench_target *targets;
	size_t target_count, target_room;
};

/* A row to be filled in; name, variant and x are set. Lives until the next. */
struct bench_row *bench_report_add(struct bench_report *report, const char *name,
				   const char *variant, const char *parameter, double x,
				   const char *unit);
/* Median of a row that was added. Fails if there is none. */
double bench_report_median(const struct bench_report *report, const char *name,
			   const char *variant, double x);
void bench_report_at_most(struct bench_report *report, const char *name, double value,
			  double limit, const char *unit);
void bench_report_at_least(struct bench_report *report, const char *name, double value,
			   double limit, const char *unit);
void bench_report_print(const struct bench_report *report);
void bench_report_free(struct bench_report *report);

/* Writes the document of doc/performance.md; fails if it cannot. */
void bench_report_write(const struct bench_report *report, const char *path);
/* Prints what became slower or faster; true if anything became slower. */
bool bench_report_compare(const struct bench_report *report, const char *path);

#endif
