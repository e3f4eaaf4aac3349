/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "convert.h"
#include "events.h"
#include "server.h"

/* --- events ---------------------------------------------------------- */

static size_t strings_bytes(const struct osc_value *arguments, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		if (arguments[i].tag == 's')
			bytes += strlen(arguments[i].s) + 1;
	}
	return bytes;
}

struct live_event *live_event_create(const char *path, int32_t sequence, double timestamp,
				     const struct osc_value *arguments, size_t count)
{
	size_t path_bytes = strlen(path) + 1;
	struct live_event *event = malloc(sizeof *event + count * sizeof *arguments +
					  strings_bytes(arguments, count) + path_bytes);

	if (!event)
		return NULL;
	struct osc_value *copies = (struct osc_value *)(event + 1);
	char *strings = (char *)(copies + count);
	for (size_t i = 0; i < count; i++) {
		copies[i] = arguments[i];
		if (arguments[i].tag == 's') {
			copies[i].s = strings;
			strings = stpcpy(strings, arguments[i].s) + 1;
		}
	}
	memcpy(strings, path, path_bytes);
	*event = (struct live_event){ .path = strings, .sequence = sequence,
				      .timestamp = timestamp, .count = count,
				      .arguments = copies };
	return event;
}

/* --- the table ------------------------------------------------------- */

void event_table_fini(struct event_table *table)
{
	free(table->routes);
	*table = (struct event_table){ 0 };
}

static int check_handler(const struct event_table *table, const struct event_handler *handler)
{
	size_t arguments = strlen(handler->arguments);

	if (arguments > EVENT_ARGUMENTS_MAX || strspn(handler->arguments, "ifbsv") != arguments ||
	    (handler->flags == EVENT_PREFIX &&
	     (!handler->processed_type || !handler->duration_type)))
		return -EINVAL;
	for (size_t i = 0; i < table->count; i++) {
		const struct event_handler *other = &table->routes[i].handler;
		if (strcmp(other->path, handler->path) == 0 &&
		    ((other->flags ^ handler->flags) & EVENT_PREFIX) == 0)
			return -EEXIST;
	}
	return 0;
}

/*
 * A known path has handles of its own from the start, so that no stranger's
 * paths can use up the tag sets before it is first seen. Paths that only share
 * a prefix are a stranger's choice: those are counted by name.
 */
static void register_route(struct event_route *route, struct server_metrics *metrics)
{
	const struct event_handler *handler = &route->handler;
	const char *own = handler->flags & EVENT_PREFIX ? NULL : handler->path;

	if (handler->flags & EVENT_SILENT)
		return;
	metrics_register_route(metrics, handler->group, own,
			       handler->processed_type ? handler->processed_type : own,
			       handler->duration_type ? handler->duration_type : own,
			       &route->metrics);
}

int event_table_add(struct event_table *table, struct server_metrics *metrics,
		    const struct event_handler *handler)
{
	int result = check_handler(table, handler);

	if (result < 0)
		return result;
	struct event_route *routes = reallocarray(table->routes, table->count + 1,
						  sizeof *routes);
	if (!routes)
		return -ENOMEM;
	table->routes = routes;
	struct event_route *route = &routes[table->count++];
	*route = (struct event_route){ .handler = *handler,
				       .path_length = strlen(handler->path),
				       .argument_count = strlen(handler->arguments) };
	register_route(route, metrics);
	return 0;
}

const struct event_route *event_table_find(const struct event_table *table, const char *path)
{
	const struct event_route *found = NULL;
	size_t length = strlen(path);

	for (size_t i = 0; i < table->count; i++) {
		const struct event_route *route = &table->routes[i];
		bool prefix = route->handler.flags & EVENT_PREFIX;

		if (route->path_length > length || (!prefix && route->path_length < length) ||
		    memcmp(route->handler.path, path, route->path_length) != 0)
			continue;
		if (!prefix)
			return route;
		if (!found || route->path_length > found->path_length)
			found = route;
	}
	return found;
}

/* --- one event -------------------------------------------------------- */

static bool convert(char letter, const struct osc_value *sent, struct event_value *value)
{
	value->sent = sent;
	switch (letter) {
	case 'i':
		return convert_integer(sent, &value->integer);
	case 'f':
		return convert_number(sent, &value->number);
	case 'b':
		value->truth = convert_truth(sent);
		return true;
	case 's':
		value->text = convert_text(sent, value->number_text);
		return true;
	default:
		return true;
	}
}

static enum event_result fail(struct ast_server *server, const struct live_event *event,
			      size_t argument)
{
	char reason[64];

	snprintf(reason, sizeof reason, "argument %zu is not a number", argument + 1);
	return apply_fail(server, event, reason);
}

/* Argument count, conversions, then (in the handler) the lookup: in this order. */
static enum event_result run(struct ast_server *server, const struct event_route *route,
			     const struct live_event *event)
{
	struct event_call call = { .event = event, .context = route->handler.context };

	if (event->count < route->argument_count)
		return EVENT_INVALID;
	for (size_t i = 0; i < route->argument_count; i++) {
		if (!convert(route->handler.arguments[i], &event->arguments[i], &call.values[i]))
			return fail(server, event, i);
	}
	return route->handler.apply(server, &call);
}

static void count_received(struct server_metrics *metrics, const struct event_route *route,
			   const struct live_event *event)
{
	astshm_counter_add(metrics->events_received, 1);
	if (route && !(route->handler.flags & EVENT_PREFIX))
		astshm_counter_add(route->metrics.received, 1);
	else
		metrics_count_path(metrics, "events.received.by_type", event->path);
}

static void count_result(struct server_metrics *metrics, const struct event_route *route,
			 const struct live_event *event, enum event_result result)
{
	switch (result) {
	case EVENT_PROCESSED:
		astshm_counter_add(metrics->events_processed, 1);
		astshm_counter_add(route->metrics.processed, 1);
		break;
	case EVENT_UNHANDLED:
		astshm_counter_add(metrics->events_unhandled, 1);
		metrics_count_path(metrics, "events.unhandled.by_type", event->path);
		break;
	case EVENT_FAILED:
		astshm_counter_add(metrics->events_failed, 1);
		metrics_count_path(metrics, "errors.event_processing.by_type", event->path);
		break;
	case EVENT_INVALID:
		astshm_counter_add(metrics->events_invalid, 1);
		break;
	case EVENT_NO_TARGET:
		astshm_counter_add(metrics->events_no_target, 1);
		break;
	case EVENT_NO_AST:
		astshm_counter_add(metrics->events_no_ast, 1);
		break;
	case EVENT_UNMEASURED:
		break;
	}
}

static enum event_result time_event(struct ast_server *server, const struct event_route *route,
				    const struct live_event *event)
{
	struct server_metrics *metrics = &server->metrics;
	struct astshm_timer timer = astshm_timer_start();
	enum event_result result = route ? run(server, route, event) : EVENT_UNHANDLED;

	assert(result != EVENT_UNMEASURED); /* EVENT_SILENT is how a handler asks for that */
	int64_t ns = astshm_timer_stop(metrics->event_duration, timer);
	astshm_timing_record(route ? route->metrics.duration : metrics->other_duration, ns);
	if (route)
		astshm_timing_record(route->metrics.handler, ns);
	project_record(server);
	return result;
}

static enum event_result process_measured(struct ast_server *server,
					  const struct event_route *route,
					  const struct live_event *event)
{
	count_received(&server->metrics, route, event);
	enum event_result result = server->project.tree ? time_event(server, route, event)
							: EVENT_NO_AST;
	count_result(&server->metrics, route, event, result);
	return result;
}

enum event_result process_live_event(struct ast_server *server, const struct live_event *event)
{
	const struct event_route *route = event_table_find(&server->events, event->path);

	if (!route || !(route->handler.flags & EVENT_SILENT))
		return process_measured(server, route, event);
	run(server, route, event);
	return EVENT_UNMEASURED;
}
