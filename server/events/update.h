/* SPDX-License-Identifier: MIT */
/*
 * DIFF_UPDATE messages about events, written change by change:
 *
 *     update_begin(update);
 *     struct json_out *out = update_change(update, "removed", node, "tracks[%" PRId64 "]", 3);
 *     ... further fields of the change ...
 *     update_end_change(update, sequence);
 *     update_removed(update, node);
 *     message = update_finish(update);
 */
#ifndef SERVER_UPDATE_H
#define SERVER_UPDATE_H

#include "json_out.h"
#include "message.h"
#include "node.h"

/* Zero-initialised; used again for each message. */
struct update {
	struct json_out text;     /* the message up to its changes */
	struct json_out added;    /* arrays of ids, without their brackets */
	struct json_out removed;
	struct json_out modified;
};

void update_fini(struct update *update);

void update_begin(struct update *update);
/* {type, node_id, node_type, parent_id (of what came or went), path: up to here. */
struct json_out *update_change(struct update *update, const char *type,
			       const struct node *node, const char *path_format, ...)
	__attribute__((format(printf, 4, 5)));
/* seq_num} */
void update_end_change(struct update *update, int32_t sequence);
void update_added(struct update *update, const struct node *node);
void update_removed(struct update *update, const struct node *node);
void update_modified(struct update *update, const struct node *node);
/* NULL: no memory. */
struct message *update_finish(struct update *update);

/* {KEY: value}, as old_value, new_value and value of changes have it. */
void update_field(struct json_out *out, const char *field, const char *key,
		  const struct value *value);

#endif
