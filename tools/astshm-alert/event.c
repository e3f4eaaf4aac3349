/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "describe.h"
#include "event.h"
#include "number.h"
#include "text.h"

#define GENERATION_BYTES 17

static void put_timestamp(const struct event *event, char text[TEXT_TIMESTAMP_BYTES + 1])
{
	text_timestamp(text, event->look->realtime_ns);
	text[TEXT_TIMESTAMP_BYTES] = '\0';
}

/* --- JSON ----------------------------------------------------------------- */

static int write_stdout(void *context, const void *bytes, size_t count)
{
	(void)context;
	return fwrite(bytes, 1, count, stdout) == count ? 0 : -1;
}

static void put_key(struct sink *sink, const char *key)
{
	sink_put_text(sink, ",\"");
	sink_put_text(sink, key);
	sink_put_text(sink, "\":");
}

static void put_text(struct sink *sink, const char *key, const char *text)
{
	put_key(sink, key);
	text_put_json(sink, text, strlen(text));
}

/* What JSON has no number for is null. */
static void put_number(struct sink *sink, const char *key, double value)
{
	put_key(sink, key);
	if (isfinite(value))
		sink_end(sink, number_put_double(sink_room(sink, NUMBER_BYTES), value));
	else
		sink_put_text(sink, "null");
}

static void put_seconds(struct sink *sink, const char *key, uint64_t ns)
{
	put_key(sink, key);
	sink_end(sink, number_put_fixed(sink_room(sink, NUMBER_BYTES), ns, 9));
}

static void put_server(struct sink *sink, const struct event *event)
{
	char generation[GENERATION_BYTES];

	put_text(sink, "segment", event->segment);
	if (event->look->pid == 0)
		return;
	put_key(sink, "pid");
	sink_end(sink, number_put_u64(sink_room(sink, NUMBER_BYTES), event->look->pid));
	snprintf(generation, sizeof(generation), "%016" PRIx64, event->look->generation);
	put_text(sink, "generation", generation);
}

static void put_rule(struct sink *sink, const struct event *event)
{
	const struct rule *rule = event->rule;

	put_text(sink, "rule", rule->label);
	put_text(sink, "condition", rule->text);
	put_text(sink, "severity", severity_name(rule->severity));
	put_text(sink, "state", alert_state_name(event->state));
	put_text(sink, "previous", alert_state_name(event->previous));
	put_seconds(sink, "previous_seconds", (uint64_t)event->previous_ns);
}

static void put_value(struct sink *sink, const struct event *event)
{
	const struct verdict *verdict = event->verdict;
	char text[DESCRIBE_BYTES];

	put_number(sink, "value", verdict->value);
	put_text(sink, "unit", verdict->unit);
	if (event->rule->condition == CONDITION_COMPARE ||
	    event->rule->condition == CONDITION_STALE)
		put_number(sink, "threshold", event->rule->threshold.value);
	if (verdict->window_ns > 0)
		put_seconds(sink, "window_seconds", verdict->window_ns);
	describe(event->rule, verdict, text);
	put_text(sink, "message", text);
}

bool event_print(const struct event *event)
{
	static struct sink sink;
	static const struct astshm_sink out = { write_stdout, NULL };
	char timestamp[TEXT_TIMESTAMP_BYTES + 1];

	sink_init(&sink, &out);
	sink_put_text(&sink, "{\"schema\":\"astshm.alert/1\"");
	put_timestamp(event, timestamp);
	put_text(&sink, "timestamp", timestamp);
	put_key(&sink, "timestamp_ns");
	sink_end(&sink, number_put_u64(sink_room(&sink, NUMBER_BYTES),
				       event->look->realtime_ns));
	put_server(&sink, event);
	put_rule(&sink, event);
	put_value(&sink, event);
	sink_put_text(&sink, "}\n");
	return sink_finish(&sink) == 0 && fflush(stdout) == 0;
}

/* --- the environment ------------------------------------------------------ */

#define NEW_VARIABLES 14

struct environment {
	char **variables;
	size_t count;
	char *at, *end;
};

__attribute__((format(printf, 3, 4)))
static void add(struct environment *environment, const char *name, const char *format, ...)
{
	size_t room = (size_t)(environment->end - environment->at);
	va_list list;
	int length;

	length = snprintf(environment->at, room, "ASTSHM_ALERT_%s=", name);
	va_start(list, format);
	length += vsnprintf(environment->at + length, room - (size_t)length, format, list);
	va_end(list);
	environment->variables[environment->count++] = environment->at;
	environment->at += length + 1;
}

/* Empty where there is no number. */
static void add_number(struct environment *environment, const char *name, double value)
{
	char text[DESCRIBE_NUMBER_BYTES] = "";

	if (isfinite(value))
		describe_number(value, text);
	add(environment, name, "%s", text);
}

static void add_rule(struct environment *environment, const struct event *event)
{
	const struct rule *rule = event->rule;

	add(environment, "RULE", "%s", rule->label);
	add(environment, "CONDITION", "%s", rule->text);
	add(environment, "SEVERITY", "%s", severity_name(rule->severity));
	add(environment, "STATE", "%s", alert_state_name(event->state));
	add(environment, "PREVIOUS", "%s", alert_state_name(event->previous));
	add_number(environment, "PREVIOUS_SECONDS", (double)event->previous_ns / 1e9);
}

static void add_all(struct environment *environment, const struct event *event)
{
	char message[DESCRIBE_BYTES], timestamp[TEXT_TIMESTAMP_BYTES + 1];
	const struct verdict *verdict = event->verdict;

	add_rule(environment, event);
	add(environment, "SEGMENT", "%s", event->segment);
	add(environment, "PID", "%" PRIu32, event->look->pid);
	add_number(environment, "VALUE", verdict->value);
	add(environment, "UNIT", "%s", verdict->unit);
	add_number(environment, "THRESHOLD", event->rule->threshold.text
						    ? event->rule->threshold.value : NAN);
	add_number(environment, "WINDOW_SECONDS",
		   verdict->window_ns > 0 ? (double)verdict->window_ns / 1e9 : NAN);
	put_timestamp(event, timestamp);
	add(environment, "TIMESTAMP", "%s", timestamp);
	describe(event->rule, verdict, message);
	add(environment, "MESSAGE", "%s", message);
}

/* All of them at their longest: names, numbers and the texts. */
static size_t strings_bytes(const struct event *event)
{
	return NEW_VARIABLES * 64 + 4 * DESCRIBE_NUMBER_BYTES + strlen(event->rule->label) +
	       strlen(event->rule->text) + strlen(event->segment) + DESCRIBE_BYTES +
	       sizeof(event->verdict->unit);
}

char **event_environment(const struct event *event)
{
	struct environment environment = { 0 };
	size_t old = 0, bytes = strings_bytes(event);

	while (environ[old])
		old++;
	environment.variables = calloc(old + NEW_VARIABLES + 1, sizeof(char *));
	environment.at = malloc(bytes);
	if (!environment.variables || !environment.at) {
		free(environment.variables);
		free(environment.at);
		return NULL;
	}
	environment.end = environment.at + bytes;
	add_all(&environment, event);
	for (size_t i = 0; i < old; i++) {
		if (strncmp(environ[i], "ASTSHM_ALERT_", 13) != 0)
			environment.variables[environment.count++] = environ[i];
	}
	return environment.variables;
}

void event_environment_free(char ***environment)
{
	if (*environment)
		free((*environment)[0]);
	free(*environment);
	*environment = NULL;
}
