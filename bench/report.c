/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "machine.h"
#include "report.h"

/* One more element; the array grows by doubling. */
static void *extend(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room > 0 ? *room * 2 : 64;
	void *larger = realloc(array, *room * size);
	if (!larger)
		bench_fail("no memory for the report");
	return larger;
}

struct bench_row *bench_report_add(struct bench_report *report, const char *name,
				   const char *variant, const char *parameter, double x,
				   const char *unit)
{
	report->rows = extend(report->rows, report->row_count, &report->row_room,
			      sizeof *report->rows);
	struct bench_row *row = &report->rows[report->row_count++];
	*row = (struct bench_row){
		.parameter = parameter, .x = x, .unit = unit, .instructions = NAN
	};
	snprintf(row->name, sizeof row->name, "%s", name);
	snprintf(row->variant, sizeof row->variant, "%s", variant);
	return row;
}

double bench_report_median(const struct bench_report *report, const char *name,
			   const char *variant, double x)
{
	for (size_t i = 0; i < report->row_count; i++) {
		const struct bench_row *row = &report->rows[i];
		if (strcmp(row->name, name) == 0 && strcmp(row->variant, variant) == 0 &&
		    (!row->parameter || row->x == x))
			return row->value.median;
	}
	bench_fail("no row %s, %s, %g", name, variant, x);
}

static void add_target(struct bench_report *report, const char *name, double value, double limit,
		       bool at_least, const char *unit)
{
	report->targets = extend(report->targets, report->target_count, &report->target_room,
				 sizeof *report->targets);
	struct bench_target *target = &report->targets[report->target_count++];
	*target = (struct bench_target){
		.value = value, .limit = limit, .at_least = at_least, .unit = unit
	};
	snprintf(target->name, sizeof target->name, "%s", name);
}

void bench_report_at_most(struct bench_report *report, const char *name, double value,
			  double limit, const char *unit)
{
	add_target(report, name, value, limit, false, unit);
}

void bench_report_at_least(struct bench_report *report, const char *name, double value,
			   double limit, const char *unit)
{
	add_target(report, name, value, limit, true, unit);
}

/* As many digits as make sense for a figure of this size. */
static const char *number(double value, char text[32])
{
	double size = fabs(value);
	int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;

	if (isnan(value))
		return strcpy(text, "n/a");
	snprintf(text, 32, "%.*f", digits, value);
	return text;
}

static void print_row(const struct bench_row *row)
{
	char what[208], median[32], deviation[32], first[32], third[32], least[32], steps[32];
	char x[48] = "";

	if (row->parameter)
		snprintf(x, sizeof x, "%s%g %s", row->variant[0] ? ", " : "", row->x,
			 row->parameter);
	snprintf(what, sizeof what, "%s%s%s%s", row->name,
		 row->variant[0] || x[0] ? ": " : "", row->variant, x);
	printf("%-72s %9s %-6s +-%8s %10s %10s %10s %4zu %8s\n", what,
	       number(row->value.median, median), row->unit,
	       number(row->value.deviation, deviation), number(row->value.least, least),
	       number(row->value.first_quartile, first),
	       number(row->value.third_quartile, third), row->value.runs,
	       number(row->instructions, steps));
}

static bool reached(const struct bench_target *target)
{
	return target->at_least ? target->value >= target->limit : target->value <= target->limit;
}

static void print_targets(const struct bench_report *report)
{
	char value[32], limit[32];

	printf("\n%-60s %10s %10s\n", "target", "measured", "limit");
	for (size_t i = 0; i < report->target_count; i++) {
		const struct bench_target *target = &report->targets[i];
		printf("%-60s %10s %s%9s %-8s %s\n", target->name, number(target->value, value),
		       target->at_least ? ">" : "<", number(target->limit, limit), target->unit,
		       reached(target) ? "reached" : "MISSED");
	}
}

void bench_report_print(const struct bench_report *report)
{
	struct bench_machine machine;

	bench_machine_look(&machine);
	printf("astshm-bench %s%s: %s, %u cores, Linux %s, %s\n", report->subcommand,
	       report->quick ? " --quick" : "", machine.processor, machine.cores, machine.kernel,
	       machine.compiler);
	printf("%-72s %9s %-6s   %8s %10s %10s %10s %4s %8s\n", "", "median", "", "mad", "least",
	       "25 %", "75 %", "runs", "instr.");
	for (size_t i = 0; i < report->row_count; i++)
		print_row(&report->rows[i]);
	if (report->target_count > 0 && !report->quick)
		print_targets(report);
}

void bench_report_free(struct bench_report *report)
{
	free(report->rows);
	free(report->targets);
	report->rows = NULL;
	report->targets = NULL;
}
