/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "apply.h"
#include "clock.h"
#include "envelope.h"

struct node *apply_track(struct ast_server *server, int64_t index)
{
	return cache_track(server->project.cache, server->project.tree, index);
}

struct node *apply_scene(struct ast_server *server, int64_t index)
{
	return cache_scene(server->project.cache, server->project.tree, index);
}

bool apply_is_index(int64_t index)
{
	return index >= INT32_MIN && index <= INT32_MAX;
}

enum event_result apply_fail(struct ast_server *server, const struct live_event *event,
			     const char *reason)
{
	char details[512];

	snprintf(details, sizeof details, "Failed to process %.300s: %s", event->path, reason);
	log_limited(&server->event_failures, LOG_WARNING, "%s", details);
	ast_server_broadcast(server, envelope_error("Event processing error", details));
	return EVENT_FAILED;
}

enum event_result apply_fail_memory(struct ast_server *server, const struct live_event *event)
{
	return apply_fail(server, event, "out of memory");
}

enum event_result apply_send(struct ast_server *server)
{
	ast_server_broadcast(server, update_finish(&server->update));
	return EVENT_PROCESSED;
}

enum event_result apply_hold(struct ast_server *server, const struct debounce_key *key)
{
	struct message *message = update_finish(&server->update);

	/* Without memory to hold it back it goes out at once. */
	if (!message || debounce_put(&server->debounce, key, message, clock_now_ns()) < 0)
		ast_server_broadcast(server, message);
	return EVENT_PROCESSED;
}

enum event_result apply_rename(struct ast_server *server, const struct event_call *call,
			       struct node *node, const char *collection)
{
	struct update *update = &server->update;
	const char *key = "name";

	update_begin(update);
	struct json_out *out = update_change(update, "modified", node, "%s[%" PRId64 "]",
					     collection, call->values[0].integer);
	update_field(out, "old_value", key, value_map_get(&node->attributes, key));
	if (tree_set(server->project.tree, node, key, value_text(call->values[1].text)) < 0)
		return apply_fail_memory(server, call->event);
	update_field(out, "new_value", key, value_map_get(&node->attributes, key));
	update_end_change(update, call->event->sequence);
	update_modified(update, node);
	return apply_send(server);
}

static void write_value(struct json_out *out, const char *key, const struct value *value)
{
	json_out_key(out, key);
	if (value)
		json_out_value(out, value);
	else
		json_out_null(out);
}

enum event_result apply_state(struct ast_server *server, const struct event_call *call,
			      struct node *node, const char *path, const char *attribute,
			      struct value value)
{
	struct update *update = &server->update;

	update_begin(update);
	struct json_out *out = update_change(update, "state_changed", node, "%s", path);
	json_out_key(out, "attribute");
	json_out_text(out, attribute);
	write_value(out, "old_value", value_map_get(&node->attributes, attribute));
	if (tree_set(server->project.tree, node, attribute, value) < 0)
		return apply_fail_memory(server, call->event);
	write_value(out, "new_value", value_map_get(&node->attributes, attribute));
	update_end_change(update, call->event->sequence);
	update_modified(update, node);
	return EVENT_PROCESSED;
}

struct value apply_value(const struct osc_value *sent)
{
	switch (sent->tag) {
	case 'i':
		return value_integer(sent->i);
	case 'f':
		return value_number((double)sent->f);
	case 's':
		return value_text(sent->s);
	default:
		return value_boolean(sent->tag == 'T');
	}
}
