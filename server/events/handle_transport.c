/* SPDX-License-Identifier: MIT */
/* /live/transport/...: attributes of the project, which appear on first use. */
#include "apply.h"

static enum event_result set(struct ast_server *server, const struct event_call *call,
			     const char *attribute, struct value value)
{
	return apply_state(server, call, tree_root(server->project.tree), "project", attribute,
			   value);
}

static enum event_result set_and_send(struct ast_server *server, const struct event_call *call,
				      const char *attribute, struct value value)
{
	enum event_result result = set(server, call, attribute, value);

	return result == EVENT_PROCESSED ? apply_send(server) : result;
}

enum event_result handle_play(struct ast_server *server, const struct event_call *call)
{
	return set_and_send(server, call, "is_playing", value_boolean(call->values[0].truth));
}

enum event_result handle_position(struct ast_server *server, const struct event_call *call)
{
	return set_and_send(server, call, "position", value_number(call->values[0].number));
}

enum event_result handle_tempo(struct ast_server *server, const struct event_call *call)
{
	struct debounce_key key = { .node = tree_root(server->project.tree) };
	enum event_result result = set(server, call, "tempo",
				       value_number(call->values[0].number));

	return result == EVENT_PROCESSED ? apply_hold(server, &key) : result;
}
