/* SPDX-License-Identifier: MIT */
/* What handlers do alike: look a node up, change one attribute of it, tell everybody. */
#ifndef SERVER_APPLY_H
#define SERVER_APPLY_H

#include "events.h"
#include "server.h"

/*
 * Through the cache; NULL: none of that index. The tree is there: handlers are
 * not called without one.
 */
struct node *apply_track(struct ast_server *server, int64_t index);
struct node *apply_scene(struct ast_server *server, int64_t index);

/* Beyond int32 no index of the protocol lies; within it, sums of indexes do not overflow. */
bool apply_is_index(int64_t index);

/* Tells clients and the log why an event failed. */
enum event_result apply_fail(struct ast_server *server, const struct live_event *event,
			     const char *reason);
enum event_result apply_fail_memory(struct ast_server *server, const struct live_event *event);

/* Broadcasts server->update, which is whole. */
enum event_result apply_send(struct ast_server *server);
/* The same once nothing more has come of that key for a while. */
enum event_result apply_hold(struct ast_server *server, const struct debounce_key *key);

/* Sets the name of a node at COLLECTION[index] to argument 1. */
enum event_result apply_rename(struct ast_server *server, const struct event_call *call,
			       struct node *node, const char *collection);

/*
 * Sets an attribute of the node at `path` and writes server->update about it,
 * which is the caller's to send. `value` is taken over. EVENT_FAILED: no memory, told.
 */
enum event_result apply_state(struct ast_server *server, const struct event_call *call,
			      struct node *node, const char *path, const char *attribute,
			      struct value value);

/* The argument with its own JSON type. */
struct value apply_value(const struct osc_value *sent);

/* --- the protocol's handlers, one file a group ---------------------------- */

typedef enum event_result handler_fn(struct ast_server *server, const struct event_call *call);

handler_fn handle_track_renamed, handle_track_mute, handle_track_arm, handle_track_volume;
handler_fn handle_device_added, handle_device_deleted, handle_device_param;
handler_fn handle_scene_renamed, handle_scene_added, handle_scene_removed;
handler_fn handle_slot_created;
handler_fn handle_play, handle_tempo, handle_position;
handler_fn handle_cursor;

#endif
