/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "human.h"

double describe_scaled(const struct rule *rule, double value)
{
	return rule->threshold.dimension == DIMENSION_PERCENT ? value * 100 : value;
}

void describe_number(double value, char text[DESCRIBE_NUMBER_BYTES])
{
	char *end;

	snprintf(text, DESCRIBE_NUMBER_BYTES, "%.9f", value);
	end = text + strlen(text);
	while (end[-1] == '0')
		end--;
	end -= end[-1] == '.';
	*end = '\0';
}

/* In the unit it has, else as the threshold asks for it. */
static void put_value(const struct rule *rule, const struct verdict *verdict,
		      char text[HUMAN_BYTES + ASTSHM_UNIT_MAX + 4])
{
	const struct threshold *threshold = &rule->threshold;
	const char *unit = verdict->unit;
	bool is_rate = strstr(unit, "/s") != NULL;

	if (strncmp(unit, "seconds", 7) == 0 || threshold->dimension == DIMENSION_TIME) {
		human_time(text, verdict->value * 1e9);
	} else if (strncmp(unit, "bytes", 5) == 0 || threshold->dimension == DIMENSION_BYTES) {
		human_bytes(text, verdict->value);
	} else {
		human_number(text, describe_scaled(rule, verdict->value));
		if (threshold->dimension == DIMENSION_PERCENT)
			strcat(text, "%");
		else
			snprintf(text + strlen(text), ASTSHM_UNIT_MAX + 4, "%s%s",
				 unit[0] == '\0' || unit[0] == '/' ? "" : " ", unit);
		return;
	}
	if (is_rate)
		strcat(text, "/s");
}

static void describe_compared(const struct rule *rule, const struct verdict *verdict,
			      char text[DESCRIBE_BYTES])
{
	char value[HUMAN_BYTES + ASTSHM_UNIT_MAX + 4], window[HUMAN_BYTES + 8] = "";
	const char *subject = rule->condition == CONDITION_STALE ? "the last heartbeat's age"
								 : rule->expression;
	char seconds[HUMAN_BYTES];

	put_value(rule, verdict, value);
	if (verdict->window_ns > 0) {
		human_time(seconds, (double)verdict->window_ns);
		snprintf(window, sizeof(window), " over %s", seconds);
	}
	snprintf(text, DESCRIBE_BYTES, "%s is %s%s%s%s%s%s", subject, value, window,
		 verdict->outcome == OUTCOME_TRUE ? ", " : "",
		 verdict->outcome == OUTCOME_TRUE ? comparison_text(rule->threshold.comparison)
						  : "",
		 verdict->outcome == OUTCOME_TRUE ? " " : "",
		 verdict->outcome == OUTCOME_TRUE ? rule->threshold.text : "");
}

void describe(const struct rule *rule, const struct verdict *verdict, char text[DESCRIBE_BYTES])
{
	bool holds = verdict->outcome == OUTCOME_TRUE;

	if (rule->condition == CONDITION_DOWN)
		snprintf(text, DESCRIBE_BYTES, "the server is %s%s%s", holds ? "down" : "up",
			 holds ? ": " : "", verdict->why);
	else if (verdict->outcome != OUTCOME_TRUE && verdict->outcome != OUTCOME_FALSE)
		snprintf(text, DESCRIBE_BYTES, "%s: %s", rule->expression, verdict->why);
	else if (rule->condition == CONDITION_ABSENT && holds)
		snprintf(text, DESCRIBE_BYTES, "%s", verdict->why);
	else if (rule->condition == CONDITION_ABSENT)
		snprintf(text, DESCRIBE_BYTES, "there is a metric %s",
			 rule->operands[0].selector.name);
	else
		describe_compared(rule, verdict, text);
}
