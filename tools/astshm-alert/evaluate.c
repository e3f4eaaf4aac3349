/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "evaluate.h"

__attribute__((format(printf, 3, 4)))
static void set(struct verdict *verdict, enum outcome outcome, const char *format, ...)
{
	va_list list;

	verdict->outcome = outcome;
	va_start(list, format);
	vsnprintf(verdict->why, sizeof(verdict->why), format, list);
	va_end(list);
}

/* --- expressions ---------------------------------------------------------- */

/* A slip in a tag is not looked for in the name. */
static void set_missing(struct verdict *verdict, enum outcome outcome,
			const struct selector *selector, const struct astshm_snapshot *snapshot)
{
	struct selector name = *selector;

	name.tag_count = 0;
	if (selector->tag_count > 0 && measure_exists(&name, snapshot))
		set(verdict, outcome, "no series of %s has these tags", selector->name);
	else
		set(verdict, outcome, "there is no metric %s", selector->name);
}

/* What the worst of the operands leaves to say. Which one it is has to be told of
 * several alone: the expression stands beside it. */
static void set_unmeasured(struct verdict *verdict, const struct rule *rule,
			   const struct operand *operand, const struct measure *measure,
			   const struct astshm_snapshot *snapshot)
{
	const char *name = operand->selector.name;
	bool is_alone = rule->operand_count == 1;

	if (measure->result == MEASURED_AMISS)
		set(verdict, OUTCOME_UNKNOWN, "%s%s%s", is_alone ? "" : name,
		    is_alone ? "" : ": ", measure->why);
	else if (measure->result == MEASURED_MISSING && verdict->outcome != OUTCOME_UNKNOWN)
		set_missing(verdict, OUTCOME_MISSING, &operand->selector, snapshot);
	else if (verdict->outcome == OUTCOME_FALSE)
		set(verdict, OUTCOME_NOTHING, "no sample of %s", name);
}

static double combine(enum node node, double a, double b)
{
	switch (node) {
	case NODE_ADD:
		return a + b;
	case NODE_SUBTRACT:
		return a - b;
	default:
		return a / b; /* 0 / 0 is NaN, which compares with nothing */
	}
}

/* The unit of the first operand, but of a quotient none. */
static void set_unit(struct verdict *verdict, const struct rule *rule, const char *unit)
{
	bool is_quotient = rule->nodes[rule->node_count - 1] == NODE_DIVIDE;
	bool is_rate = rule->operands[0].field == FIELD_RATE && !is_quotient;

	snprintf(verdict->unit, sizeof(verdict->unit), "%.*s%s", (int)ASTSHM_UNIT_MAX,
		 is_quotient ? "" : unit, is_rate ? "/s" : "");
}

static bool fits(const struct threshold *threshold, const char *unit)
{
	if (unit[0] == '\0' || unit[0] == '/')
		return true;
	if (threshold->dimension == DIMENSION_TIME)
		return strcmp(unit, "seconds") == 0 || strcmp(unit, "seconds/s") == 0;
	if (threshold->dimension == DIMENSION_BYTES)
		return strcmp(unit, "bytes") == 0 || strcmp(unit, "bytes/s") == 0;
	if (threshold->dimension == DIMENSION_PERCENT)
		return strcmp(unit, "seconds") != 0 && strcmp(unit, "bytes") != 0;
	return true;
}

/* Postfix; parser.c sees to it that neither stack nor operands run out. */
static double calculate(const struct rule *rule, const struct astshm_snapshot *snapshot,
			struct total *total, struct verdict *verdict)
{
	double stack[RULE_OPERANDS_MAX] = { 0 };
	unsigned depth = 0, operand = 0;

	for (unsigned i = 0; i < rule->node_count; i++) {
		if (rule->nodes[i] != NODE_OPERAND) {
			depth--;
			stack[depth - 1] = combine(rule->nodes[i], stack[depth - 1],
						   stack[depth]);
			continue;
		}
		struct measure measure = measure_operand(&rule->operands[operand], snapshot,
							 rule->window_ns > 0, total);
		if (measure.result != MEASURED)
			set_unmeasured(verdict, rule, &rule->operands[operand], &measure,
				       snapshot);
		if (operand == 0)
			set_unit(verdict, rule, measure.unit);
		stack[depth++] = measure.value;
		operand++;
	}
	return stack[0];
}

static void compare(const struct rule *rule, struct verdict *verdict)
{
	if (isnan(verdict->value)) {
		set(verdict, OUTCOME_NOTHING, "nothing to divide by");
		return;
	}
	if (threshold_holds(&rule->threshold, verdict->value))
		verdict->outcome = OUTCOME_TRUE;
	verdict->quiet = rule->has_until ? threshold_holds(&rule->until, verdict->value)
					 : verdict->outcome == OUTCOME_FALSE;
}

static void evaluate_compare(const struct rule *rule, const struct look *look,
			     struct total *total, struct verdict *verdict)
{
	const struct astshm_snapshot *snapshot =
		rule->window_ns > 0 ? look_window(look, rule->window_ns) : look->whole;

	if (!snapshot) {
		set(verdict, OUTCOME_UNKNOWN,
		    "the writer keeps no history that reaches back so far");
		return;
	}
	if (rule->window_ns > 0)
		verdict->window_ns = astshm_snapshot_interval_ns(snapshot);
	verdict->value = calculate(rule, snapshot, total, verdict);
	if (verdict->outcome != OUTCOME_FALSE) {
		verdict->value = (double)NAN;
		return;
	}
	if (!fits(&rule->threshold, verdict->unit)) {
		set(verdict, OUTCOME_UNKNOWN, "%s does not fit what is counted in %s",
		    rule->threshold.text, verdict->unit);
		verdict->value = (double)NAN; /* not compared, and no number of that unit */
		return;
	}
	compare(rule, verdict);
}

/* --- the other conditions ------------------------------------------------- */

static void evaluate_down(const struct look *look, struct verdict *verdict)
{
	if (look->is_up)
		return;
	set(verdict, OUTCOME_TRUE, "%s", look->why);
}

static void evaluate_stale(const struct rule *rule, const struct look *look,
			   struct verdict *verdict)
{
	if (look->heartbeat_age_ns < 0) {
		set(verdict, OUTCOME_UNKNOWN, "its writer never beats");
		return;
	}
	verdict->value = (double)look->heartbeat_age_ns / 1e9;
	strcpy(verdict->unit, "seconds");
	compare(rule, verdict);
}

static void evaluate_absent(const struct rule *rule, const struct look *look,
			    struct verdict *verdict)
{
	const struct selector *selector = &rule->operands[0].selector;

	if (!measure_exists(selector, look->whole))
		set_missing(verdict, OUTCOME_TRUE, selector, look->whole);
}

void evaluate(const struct rule *rule, const struct look *look, struct total *total,
	      struct verdict *verdict)
{
	*verdict = (struct verdict){ .outcome = OUTCOME_FALSE, .value = (double)NAN };
	if (rule->condition != CONDITION_DOWN && !look->whole)
		set(verdict, OUTCOME_UNKNOWN, "%s", look->why);
	else if (rule->condition == CONDITION_DOWN)
		evaluate_down(look, verdict);
	else if (rule->condition == CONDITION_STALE)
		evaluate_stale(rule, look, verdict);
	else if (rule->condition == CONDITION_ABSENT)
		evaluate_absent(rule, look, verdict);
	else
		evaluate_compare(rule, look, total, verdict);
	if (rule->condition != CONDITION_STALE && rule->condition != CONDITION_COMPARE)
		verdict->quiet = verdict->outcome == OUTCOME_FALSE;
	if (verdict->outcome == OUTCOME_NOTHING || verdict->outcome == OUTCOME_MISSING)
		verdict->quiet = true;
}
