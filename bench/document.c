/* SPDX-License-Identifier: MIT */
/* A report as JSON, and an earlier one to compare with. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "fail.h"
#include "machine.h"
#include "report.h"

#define SCHEMA "astshm.bench/1"
/* Of a normal distribution, the deviation that the median one stands for. */
#define DEVIATIONS 1.4826
/* Beyond three of them, and a difference anybody would care for. */
#define NOISE 3.0
#define LEAST_CHANGE 0.02

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const struct bench_row *row)
{
	const struct bench_summary *value = &row->value;

	return json_pack("{s:s,s:s,s:s?,s:o,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:I,s:o}",
			 "name", row->name, "variant", row->variant, "parameter", row->parameter,
			 "x", number(row->parameter ? row->x : NAN), "unit", row->unit,
			 "more_is_better", row->more_is_better, "median", number(value->median),
			 "deviation", number(value->deviation), "first_quartile",
			 number(value->first_quartile), "third_quartile",
			 number(value->third_quartile), "least", number(value->least), "runs",
			 (json_int_t)value->runs, "instructions", number(row->instructions));
}

static json_t *target_json(const struct bench_target *target)
{
	bool reached = target->at_least ? target->value >= target->limit
					: target->value <= target->limit;

	return json_pack("{s:s,s:o,s:o,s:s,s:s,s:b}", "name", target->name, "value",
			 number(target->value), "limit", number(target->limit), "bound",
			 target->at_least ? "at least" : "at most", "unit", target->unit,
			 "reached", reached);
}

static json_t *machine_json(void)
{
	struct bench_machine machine;

	bench_machine_look(&machine);
	return json_pack("{s:s,s:i,s:s,s:s,s:s}", "processor", machine.processor, "cores",
			 (int)machine.cores, "kernel", machine.kernel, "clock_source",
			 machine.clock_source, "compiler", machine.compiler);
}

static json_t *report_json(const struct bench_report *report)
{
	struct bench_machine machine;
	json_t *rows = json_array(), *targets = json_array();

	bench_machine_look(&machine);
	for (size_t i = 0; i < report->row_count; i++)
		json_array_append_new(rows, row_json(&report->rows[i]));
	for (size_t i = 0; i < report->target_count; i++)
		json_array_append_new(targets, target_json(&report->targets[i]));
	return json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:o}", "schema", SCHEMA, "subcommand",
			 report->subcommand, "timestamp", machine.date, "quick", report->quick,
			 "machine", machine_json(), "rows", rows, "targets", targets);
}

void bench_report_write(const struct bench_report *report, const char *path)
{
	json_t *document = report_json(report);
	bool to_stdout = strcmp(path, "-") == 0;
	FILE *file = to_stdout ? stdout : fopen(path, "w");

	if (!document || !file ||
	    json_dumpf(document, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0 ||
	    fputc('\n', file) == EOF || (to_stdout ? fflush(file) : fclose(file)) != 0)
		bench_fail("cannot write %s", path);
	json_decref(document);
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static bool same_row(const json_t *old, const struct bench_row *row)
{
	return strcmp(text_of(old, "name"), row->name) == 0 &&
	       strcmp(text_of(old, "variant"), row->variant) == 0 &&
	       strcmp(text_of(old, "unit"), row->unit) == 0 &&
	       (!row->parameter || json_number_value(json_object_get(old, "x")) == row->x);
}

static const json_t *find_row(const json_t *rows, const struct bench_row *row)
{
	size_t i;
	json_t *old;

	json_array_foreach(rows, i, old) {
		if (same_row(old, row))
			return old;
	}
	return NULL;
}

/* Positive: worse, beyond the noise of both runs. */
static int verdict(const struct bench_row *row, double old, double old_deviation)
{
	double change = row->value.median - old;
	double noise = NOISE * DEVIATIONS * hypot(row->value.deviation, old_deviation);

	if (fabs(change) <= noise || fabs(change) <= LEAST_CHANGE * fabs(old))
		return 0;
	return (change > 0) != row->more_is_better ? 1 : -1;
}

/* Prints the row if it changed; 1 if it became worse. */
static int compare_row(const struct bench_row *row, const json_t *old)
{
	double before = json_number_value(json_object_get(old, "median"));
	double deviation = json_number_value(json_object_get(old, "deviation"));
	int worse = verdict(row, before, deviation);

	if (worse == 0)
		return 0;
	printf("%-6s %s%s%s", worse > 0 ? "SLOWER" : "faster", row->name,
	       row->variant[0] ? ": " : "", row->variant);
	if (row->parameter)
		printf(", %g %s", row->x, row->parameter);
	printf(": %.4g +-%.2g %s instead of %.4g +-%.2g (%+.1f %%)\n", row->value.median,
	       row->value.deviation, row->unit, before, deviation,
	       (row->value.median / before - 1) * 100);
	return worse > 0;
}

static json_t *load(const struct bench_report *report, const char *path)
{
	json_error_t error;
	json_t *old = json_load_file(path, 0, &error);

	if (!old)
		bench_fail("%s:%d: %s", path, error.line, error.text);
	if (strcmp(text_of(old, "schema"), SCHEMA) != 0 ||
	    strcmp(text_of(old, "subcommand"), report->subcommand) != 0)
		bench_fail("%s holds no figures of `%s'", path, report->subcommand);
	return old;
}

bool bench_report_compare(const struct bench_report *report, const char *path)
{
	json_t *document = load(report, path);
	const json_t *rows = json_object_get(document, "rows");
	size_t compared = 0, slower = 0;

	printf("\ncompared with %s of %s\n", path, text_of(document, "timestamp"));
	for (size_t i = 0; i < report->row_count; i++) {
		const json_t *old = find_row(rows, &report->rows[i]);
		if (!old)
			continue;
		compared++;
		slower += (size_t)compare_row(&report->rows[i], old);
	}
	printf("%zu of %zu rows compared, %zu slower\n", compared, report->row_count, slower);
	json_decref(document);
	return slower > 0;
}
