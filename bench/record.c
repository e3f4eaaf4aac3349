/* SPDX-License-Identifier: MIT */
/* What does one record cost, and compared to what? */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "cores.h"
#include "fail.h"
#include "operations.h"
#include "record_states.h"
#include "team.h"

#define SERIES 10000u /* in the segment, for the by-name operations to find theirs among */
#define SERIES_QUICK 500u
#define CASES 128u

/* Every operation in every form it has, each on series of its own. */
struct table {
	struct bench_case cases[CASES];
	const struct bench_operation *operations[CASES];
	size_t count;
	struct bench_scene scene;
};

static void fill_segment(struct bench_scene *scene, size_t count)
{
	char name[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "filler.%zu", i);
		bench_counter(scene->writer, name);
	}
}

static void add_form(struct table *table, const struct bench_operation *operation,
		     enum bench_form form)
{
	char label[16];

	if (table->count == CASES)
		bench_fail("more than %u cases", CASES);
	snprintf(label, sizeof label, "%zu", table->count);
	table->operations[table->count] = operation;
	table->cases[table->count++] = (struct bench_case){
		.name = operation->name,
		.form = bench_form_name(form),
		.run = operation->run[form],
		.context = bench_subject_create(&table->scene, label, operation),
	};
}

static void add_operations(struct table *table, const struct bench_operation *operations,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (operations[i].built && !operations[i].built())
			continue;
		for (enum bench_form form = 0; form < BENCH_FORMS; form++) {
			if (operations[i].run[form])
				add_form(table, &operations[i], form);
		}
	}
}

static void take_rows(struct table *table, const struct bench_plan *plan,
		      struct bench_report *report)
{
	for (size_t i = 0; i < table->count; i++) {
		struct bench_case *it = &table->cases[i];
		bench_subject_check(it->context, table->operations[i], it->total);
		bench_subject_free(it->context);
		struct bench_row *row = bench_report_add(report, it->name, it->form, NULL, 0, "ns");
		row->instructions = it->instructions;
		row->value = bench_case_summary(it, plan);
	}
}

/* How far the figures are those of a core that was its own. */
static void add_disturbed(const struct bench_plan *plan, struct bench_report *report)
{
	bench_report_add(report, "samples on a core that was slower than it can be", "", NULL, 0,
			 "%")
		->value = bench_exactly(100.0 * (double)plan->disturbed / (double)plan->samples);
}

static double of(const struct bench_report *report, const char *name, enum bench_form form)
{
	return bench_report_median(report, name, bench_form_name(form), 0);
}

static void add_handle_targets(struct bench_report *r)
{
	double add = of(r, "counter add", BENCH_IN_TURN);
	double timing = of(r, "timing record", BENCH_IN_TURN);
	double timer = of(r, "timer start+stop", BENCH_IN_TURN);

	bench_report_at_most(r, "counter add, in turn", add, 0.6, "ns");
	bench_report_at_least(r, "lock xadd / counter add, in turn",
			      of(r, "shared lock xadd", BENCH_IN_TURN) / add, 8, "x");
	bench_report_at_most(r, "counter add / plain volatile increment, in turn",
			     add / of(r, "plain volatile increment", BENCH_IN_TURN), 2.5, "x");
	bench_report_at_most(r, "timing record, in turn", timing, 1.7, "ns");
	bench_report_at_least(r, "mutex + log-linear histogram / timing record, in turn",
			      of(r, "mutex + log-linear histogram", BENCH_IN_TURN) / timing, 6,
			      "x");
	bench_report_at_most(r, "timer start+stop+record", timer, 32, "ns");
	bench_report_at_most(r, "timer / two clock_gettime + record",
			     timer / of(r, "two clock_gettime + record", BENCH_IN_TURN), 0.7,
			     "x");
	bench_report_at_most(r, "gauge set, in turn", of(r, "gauge set", BENCH_IN_TURN), 2.5,
			     "ns");
}

static void add_name_targets(struct bench_report *r)
{
	double increment = of(r, "increment by name, 1 tag", BENCH_BACK_TO_BACK);

	bench_report_at_most(r, "increment by name, one tag, 10k series, hot", increment, 30,
			     "ns");
	bench_report_at_least(
		r, "original's algorithm / increment by name, one tag",
		of(r, "original: increment, 1 tag", BENCH_BACK_TO_BACK) / increment, 3, "x");
	bench_report_at_most(r, "disabled, by handle",
			     bench_report_median(r, "counter add", "null handle", 0), 0.6, "ns");
	bench_report_at_most(
		r, "disabled, by name",
		bench_report_median(r, "increment by name, 1 tag", "disabled", 0), 1.5, "ns");
}

void bench_record(const struct bench_options *options, struct bench_report *report)
{
	struct bench_plan plan = bench_plan(options);
	struct table *table = bench_array(1, sizeof *table);

	/* While a process has one thread glibc takes mutexes without the lock
	 * prefix: whoever needs a mutex has two. This one sleeps. */
	struct bench_team *second = bench_team_start(1);

	bench_pin(0);
	bench_scene_open(&table->scene, "record", NULL);
	fill_segment(&table->scene, options->quick ? SERIES_QUICK : SERIES);
	add_operations(table, bench_rivals, bench_rivals_count);
	add_operations(table, bench_ours, bench_ours_count);
	bench_rounds(table->cases, table->count, &plan);
	take_rows(table, &plan, report);
	bench_scene_close(&table->scene);
	free(table);
	bench_team_stop(second);
	bench_record_disabled(&plan, report);
	bench_record_first_touch(&plan, report);
	add_disturbed(&plan, report);
	add_handle_targets(report);
	add_name_targets(report);
}
