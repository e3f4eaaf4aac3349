/* SPDX-License-Identifier: MIT */
/*
 * /live/scene/...: a scene that comes or goes moves all behind it, and the
 * slots of every track with them.
 */
#include <inttypes.h>

#include "apply.h"

enum event_result handle_scene_renamed(struct ast_server *server, const struct event_call *call)
{
	struct node *scene = apply_scene(server, call->values[0].integer);

	return scene ? apply_rename(server, call, scene, "scenes") : EVENT_NO_TARGET;
}

/* --- moving ---------------------------------------------------------------- */

/* How all that stands at `from` and behind it moves. */
struct shift {
	struct ast_server *server;
	const struct event_call *call;
	int64_t from;
	int64_t by;
	const struct node *added; /* stays where it is; its neighbours are told as modified */
};

static void write_index(struct json_out *out, const char *field, const char *key, int64_t index)
{
	struct value value = value_integer(index);

	update_field(out, field, key, &value);
}

/* After update_change. */
static void move(const struct shift *shift, struct node *node, const char *key, int64_t index)
{
	struct update *update = &shift->server->update;

	write_index(&update->text, "old_value", key, index);
	write_index(&update->text, "new_value", key, index + shift->by);
	update_end_change(update, shift->call->event->sequence);
	tree_renumber(shift->server->project.tree, node, key, index + shift->by);
	if (shift->added)
		update_modified(update, node);
}

static void move_scenes(const struct shift *shift)
{
	const struct node_list *scenes = cache_all_scenes(shift->server->project.cache,
							  shift->server->project.tree);

	for (size_t i = 0; i < scenes->count; i++) {
		struct node *scene = scenes->items[i];
		int64_t index = node_integer(scene, "index", INT64_MIN);

		if (index < shift->from || scene == shift->added)
			continue;
		update_change(&shift->server->update, "modified", scene, "scenes[%" PRId64 "]",
			      index);
		move(shift, scene, "index", index);
	}
}

static void move_slots_of(const struct shift *shift, struct node *track)
{
	for (size_t i = 0; i < track->child_count; i++) {
		struct node *slot = track->children[i];
		int64_t index = node_integer(slot, "scene_index", INT64_MIN);

		if (slot->type != NODE_CLIP_SLOT || index < shift->from)
			continue;
		update_change(&shift->server->update, "modified", slot,
			      "tracks[%" PRId64 "].clip_slots[%" PRId64 "]",
			      node_integer(track, "index", 0), index);
		move(shift, slot, "scene_index", index);
	}
}

static void move_all(const struct shift *shift)
{
	const struct node_list *tracks;

	move_scenes(shift);
	tracks = cache_all_tracks(shift->server->project.cache, shift->server->project.tree);
	for (size_t i = 0; i < tracks->count; i++)
		move_slots_of(shift, tracks->items[i]);
}

/* --- adding ------------------------------------------------------------------ */

static struct node *make_scene(const struct event_call *call)
{
	struct node *scene = node_create(NODE_SCENE);

	if (scene &&
	    value_map_set(&scene->attributes, "name", value_text(call->values[1].text)) == 0 &&
	    value_map_set(&scene->attributes, "index",
			  value_integer(call->values[0].integer)) == 0 &&
	    value_map_set(&scene->attributes, "tempo", value_null()) == 0)
		return scene;
	node_destroy(scene);
	return NULL;
}

static void write_added(struct update *update, const struct event_call *call,
			const struct node *scene)
{
	struct json_out *out = update_change(update, "added", scene, "scenes[%" PRId64 "]",
					     call->values[0].integer);

	json_out_key(out, "new_value");
	json_out_begin_object(out);
	json_out_key(out, "name");
	json_out_text(out, call->values[1].text);
	json_out_key(out, "index");
	json_out_integer(out, call->values[0].integer);
	json_out_end_object(out);
	update_end_change(update, call->event->sequence);
	update_added(update, scene);
}

/* Before the first scene that will stand behind it, whose index is the new one's or more. */
static int insert(struct ast_server *server, int64_t index, struct node *scene)
{
	struct tree *tree = server->project.tree;

	return tree_insert(tree, tree_root(tree), tree_scene_position(tree, index), scene);
}

/*
 * The scene goes in first, in front of those it moves: what can fail comes
 * before anything has changed.
 */
enum event_result handle_scene_added(struct ast_server *server, const struct event_call *call)
{
	int64_t index = call->values[0].integer;
	struct shift shift = { server, call, index, 1, NULL };

	if (!apply_is_index(index))
		return EVENT_NO_TARGET;
	struct node *scene = make_scene(call);
	if (!scene || insert(server, index, scene) < 0) {
		node_destroy(scene);
		return apply_fail_memory(server, call->event);
	}
	update_begin(&server->update);
	shift.added = scene;
	move_all(&shift);
	write_added(&server->update, call, scene);
	return apply_send(server);
}

/* --- removing ------------------------------------------------------------------ */

static void remove_slot(struct ast_server *server, const struct event_call *call,
			const struct node *track)
{
	int64_t index = call->values[0].integer;
	struct node *slot = tree_slot(track, index);
	struct update *update = &server->update;

	if (!slot)
		return;
	update_field(update_change(update, "removed", slot,
				   "tracks[%" PRId64 "].clip_slots[%" PRId64 "]",
				   node_integer(track, "index", 0), index),
		     "value", NULL, NULL);
	update_end_change(update, call->event->sequence);
	update_removed(update, slot);
	tree_remove(server->project.tree, slot);
}

static void remove_scene(struct ast_server *server, const struct event_call *call,
			 struct node *scene)
{
	struct update *update = &server->update;

	update_field(update_change(update, "removed", scene, "scenes[%" PRId64 "]",
				   call->values[0].integer),
		     "value", "name", value_map_get(&scene->attributes, "name"));
	update_end_change(update, call->event->sequence);
	update_removed(update, scene);
	tree_remove(server->project.tree, scene);
}

/* What has moved is in `changes`, but the Python original lists it nowhere else. */
enum event_result handle_scene_removed(struct ast_server *server, const struct event_call *call)
{
	int64_t index = call->values[0].integer;
	struct node *scene = apply_scene(server, index);
	const struct node_list *tracks;
	struct shift shift = { server, call, index + 1, -1, NULL };

	if (!scene)
		return EVENT_NO_TARGET;
	update_begin(&server->update);
	remove_scene(server, call, scene);
	tracks = cache_all_tracks(server->project.cache, server->project.tree);
	for (size_t i = 0; i < tracks->count; i++)
		remove_slot(server, call, tracks->items[i]);
	move_all(&shift);
	return apply_send(server);
}
