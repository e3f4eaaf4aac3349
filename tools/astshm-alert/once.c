/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "message.h"
#include "once.h"

struct report {
	const struct options *options;
	const char *segment;
	struct verdict *verdicts;
	size_t firing, unknown;
	enum plugin_status status;
};

static const char *status_name(enum plugin_status status)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return names[status];
}

/* '|' begins the performance data, whatever line it is in. */
static void print_text(const char *text)
{
	char copy[DESCRIBE_BYTES];

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *at = copy; *at; at++)
		*at = *at == '|' ? '!' : *at;
	print_safe(stdout, copy);
}

/* --- performance data ----------------------------------------------------- */

static void print_label(const char *label)
{
	char copy[RULE_BYTES_MAX + 1];

	snprintf(copy, sizeof(copy), "%s", label);
	for (char *at = copy; *at; at++)
		*at = strchr("'=|", *at) ? '_' : *at;
	putchar('\'');
	print_safe(stdout, copy);
	putchar('\'');
}

/* The range that raises no alert, as plugins write it: "100" is 0 to 100, "~:-3"
 * up to -3, "50:" from 50 on, "@3:3" anything but 3. */
static void print_range(const struct rule *rule)
{
	char text[DESCRIBE_NUMBER_BYTES];
	double value = describe_scaled(rule, rule->threshold.value);

	describe_number(value, text);
	switch (rule->threshold.comparison) {
	case COMPARE_GREATER:
	case COMPARE_GREATER_EQUAL:
		printf("%s%s", value < 0 ? "~:" : "", text);
		break;
	case COMPARE_LESS:
	case COMPARE_LESS_EQUAL:
		printf("%s:", text);
		break;
	case COMPARE_EQUAL:
		printf("@%s:%s", text, text);
		break;
	case COMPARE_NOT_EQUAL:
		printf("%s:%s", text, text);
	}
}

static const char *perfdata_unit(const struct rule *rule, const struct verdict *verdict)
{
	switch (rule->threshold.dimension) {
	case DIMENSION_PERCENT:
		return "%";
	case DIMENSION_TIME:
		return "s";
	case DIMENSION_BYTES:
		return rule->threshold.is_rate ? "" : "B"; /* there is no unit for B/s */
	default:
		return strcmp(verdict->unit, "seconds") == 0 ? "s"
		       : strcmp(verdict->unit, "bytes") == 0 ? "B" : "";
	}
}

static void print_perfdata(const struct rule *rule, const struct verdict *verdict)
{
	char text[DESCRIBE_NUMBER_BYTES];

	describe_number(describe_scaled(rule, verdict->value), text);
	putchar(' ');
	print_label(rule->label);
	printf("=%s%s;", text, perfdata_unit(rule, verdict));
	if (rule->severity == SEVERITY_CRITICAL)
		putchar(';');
	print_range(rule);
}

static void print_all_perfdata(const struct report *report)
{
	const struct rules *rules = &report->options->rules;
	bool any = false;

	for (size_t i = 0; i < rules->count; i++) {
		if (!isfinite(report->verdicts[i].value))
			continue;
		if (!any)
			fputs(" |", stdout);
		any = true;
		print_perfdata(rules->items[i], &report->verdicts[i]);
	}
}

/* --- the text ------------------------------------------------------------- */

static bool is_unknown(enum outcome outcome)
{
	return outcome == OUTCOME_UNKNOWN || outcome == OUTCOME_MISSING;
}

static void count(struct report *report)
{
	const struct rules *rules = &report->options->rules;

	for (size_t i = 0; i < rules->count; i++) {
		enum outcome outcome = report->verdicts[i].outcome;
		enum plugin_status status = rules->items[i]->severity == SEVERITY_CRITICAL
						    ? PLUGIN_CRITICAL : PLUGIN_WARNING;

		report->unknown += is_unknown(outcome);
		if (outcome != OUTCOME_TRUE)
			continue;
		report->firing++;
		report->status = status > report->status ? status : report->status;
	}
	if (report->firing == 0 && report->unknown > 0)
		report->status = PLUGIN_UNKNOWN;
}

static void print_described(const struct rule *rule, const struct verdict *verdict)
{
	char text[DESCRIBE_BYTES];

	/* A rule without a label is its own: that need not stand there twice. */
	if (rule->label != rule->text) {
		print_text(rule->label);
		fputs(": ", stdout);
	}
	describe(rule, verdict, text);
	print_text(text);
}

/* The first of those that made the status what it is. */
static void print_worst(const struct report *report)
{
	const struct rules *rules = &report->options->rules;

	for (size_t i = 0; i < rules->count; i++) {
		const struct verdict *verdict = &report->verdicts[i];
		bool critical = rules->items[i]->severity == SEVERITY_CRITICAL;

		if (report->firing > 0 ? verdict->outcome == OUTCOME_TRUE &&
						 critical == (report->status == PLUGIN_CRITICAL)
				       : is_unknown(verdict->outcome)) {
			print_described(rules->items[i], verdict);
			return;
		}
	}
}

static void print_first_line(const struct report *report)
{
	size_t rules = report->options->rules.count;

	printf("ASTSHM %s - ", status_name(report->status));
	print_text(report->segment);
	if (report->status == PLUGIN_OK) {
		printf(": none of %zu rule%s fires", rules, rules == 1 ? "" : "s");
	} else {
		size_t told = report->firing > 0 ? report->firing : report->unknown;

		fputs(": ", stdout);
		print_worst(report);
		if (told > 1)
			printf(" (and %zu more)", told - 1);
	}
	print_all_perfdata(report);
	putchar('\n');
}

static void print_rules(const struct report *report)
{
	const struct rules *rules = &report->options->rules;

	for (size_t i = 0; i < rules->count; i++) {
		const struct verdict *verdict = &report->verdicts[i];

		printf("[%s] ", verdict->outcome == OUTCOME_TRUE
					? severity_name(rules->items[i]->severity)
					: is_unknown(verdict->outcome) ? "unknown" : "ok");
		print_described(rules->items[i], verdict);
		putchar('\n');
	}
}

/* A segment that is there and cannot be read tells nothing, not even that the
 * server is down. */
static int tell_unreadable(const char *segment, const struct look *look)
{
	printf("ASTSHM UNKNOWN - ");
	print_text(segment);
	fputs(": ", stdout);
	print_text(look->why);
	putchar('\n');
	return PLUGIN_UNKNOWN;
}

static int judge(struct report *report, const struct look *look)
{
	const struct rules *rules = &report->options->rules;
	static struct total total;

	report->verdicts = calloc(rules->count, sizeof(*report->verdicts));
	if (!report->verdicts) {
		message("out of memory");
		return PLUGIN_UNKNOWN;
	}
	for (size_t i = 0; i < rules->count; i++)
		evaluate(rules->items[i], look, &total, &report->verdicts[i]);
	count(report);
	print_first_line(report);
	print_rules(report);
	free(report->verdicts);
	return (int)report->status;
}

int once(const struct options *options, const char *segment)
{
	struct server server = { .argument = segment };
	struct report report = { .options = options, .segment = segment };
	struct look look;
	int status;

	look_take(&server, &options->rules, &look);
	status = look.error && look.error != -ENOENT ? tell_unreadable(segment, &look)
						     : judge(&report, &look);
	look_free(&look);
	server_close(&server);
	return finish_stdout() == EXIT_OK ? status : PLUGIN_UNKNOWN;
}
