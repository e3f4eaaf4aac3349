/* SPDX-License-Identifier: MIT */
/* /live/clip_slot/created: what is in a slot of a track, which may be new. */
#include <inttypes.h>
#include <string.h>

#include "apply.h"

/* Live's playing_status. */
enum { PLAYING = 1, TRIGGERED = 2 };

struct field {
	const char *key;
	struct value value; /* of a kind that owns no memory */
};

#define PLACE_FIELDS 2u /* which a slot that exists has right */
#define SLOT_FIELDS 8u

/* In the order that a new slot has them. */
static void collect(struct field fields[SLOT_FIELDS], const struct event_call *call)
{
	const struct event_value *values = call->values;
	int64_t status = values[4].integer;
	const struct field all[SLOT_FIELDS] = {
		{ "track_index", value_integer(values[0].integer) },
		{ "scene_index", value_integer(values[1].integer) },
		{ "has_clip", value_boolean(values[2].truth) },
		{ "has_stop_button", value_boolean(values[3].truth) },
		{ "playing_status", value_integer(status) },
		{ "color", value_null() }, /* no event tells it: one that exists keeps its own */
		{ "is_playing", value_boolean(status == PLAYING) },
		{ "is_triggered", value_boolean(status == TRIGGERED) },
	};

	memcpy(fields, all, sizeof all);
}

static struct node *make_slot(const struct event_call *call)
{
	struct field fields[SLOT_FIELDS];
	struct node *slot = node_create(NODE_CLIP_SLOT);
	int result = 0;

	collect(fields, call);
	for (size_t i = 0; slot && result == 0 && i < SLOT_FIELDS; i++)
		result = value_map_set(&slot->attributes, fields[i].key, fields[i].value);
	if (result == 0)
		return slot;
	node_destroy(slot);
	return NULL;
}

static int change_slot(struct ast_server *server, const struct event_call *call,
		       struct node *slot)
{
	struct field fields[SLOT_FIELDS];
	int result = 0;

	collect(fields, call);
	for (size_t i = PLACE_FIELDS; result == 0 && i < SLOT_FIELDS; i++) {
		if (fields[i].value.kind != VALUE_NULL)
			result = tree_set(server->project.tree, slot, fields[i].key,
					  fields[i].value);
	}
	return result;
}

static struct json_out *begin_change(struct update *update, const struct event_call *call,
				     const struct node *slot, const char *type)
{
	update_begin(update);
	return update_change(update, type, slot, "tracks[%" PRId64 "].clip_slots[%" PRId64 "]",
			     call->values[0].integer, call->values[1].integer);
}

/* new_value of both kinds of change. */
static void write_content(struct json_out *out, const struct event_call *call)
{
	json_out_key(out, "has_clip");
	json_out_boolean(out, call->values[2].truth);
	json_out_key(out, "playing_status");
	json_out_integer(out, call->values[4].integer);
	json_out_end_object(out);
}

static enum event_result add(struct ast_server *server, const struct event_call *call,
			     struct node *track)
{
	struct node *slot = make_slot(call);
	size_t position = tree_slot_position(track, call->values[1].integer);

	if (!slot || tree_insert(server->project.tree, track, position, slot) < 0) {
		node_destroy(slot);
		return apply_fail_memory(server, call->event);
	}
	struct json_out *out = begin_change(&server->update, call, slot, "added");
	json_out_key(out, "new_value");
	json_out_begin_object(out);
	json_out_key(out, "track_index");
	json_out_integer(out, call->values[0].integer);
	json_out_key(out, "scene_index");
	json_out_integer(out, call->values[1].integer);
	write_content(out, call);
	update_end_change(&server->update, call->event->sequence);
	update_added(&server->update, slot);
	return apply_send(server);
}

static enum event_result change(struct ast_server *server, const struct event_call *call,
				struct node *slot)
{
	if (change_slot(server, call, slot) < 0)
		return apply_fail_memory(server, call->event);
	struct json_out *out = begin_change(&server->update, call, slot, "modified");
	update_field(out, "old_value", NULL, NULL);
	json_out_key(out, "new_value");
	json_out_begin_object(out);
	write_content(out, call);
	update_end_change(&server->update, call->event->sequence);
	update_modified(&server->update, slot);
	return apply_send(server);
}

enum event_result handle_slot_created(struct ast_server *server, const struct event_call *call)
{
	struct node *track = apply_track(server, call->values[0].integer);

	if (!track || !apply_is_index(call->values[1].integer))
		return EVENT_NO_TARGET;
	struct node *slot = tree_slot(track, call->values[1].integer);
	return slot ? change(server, call, slot) : add(server, call, track);
}
