/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "envelope.h"
#include "update.h"

#define PATH_MAX_BYTES 128u /* three numbers of 20 digits and their words */

void update_fini(struct update *update)
{
	json_out_fini(&update->text);
	json_out_fini(&update->added);
	json_out_fini(&update->removed);
	json_out_fini(&update->modified);
}

void update_begin(struct update *update)
{
	struct json_out *out = &update->text;

	json_out_clear(out);
	json_out_clear(&update->added);
	json_out_clear(&update->removed);
	json_out_clear(&update->modified);
	envelope_begin(out, "DIFF_UPDATE");
	json_out_begin_object(out);
	json_out_key(out, "diff");
	json_out_begin_object(out);
	json_out_key(out, "changes");
	json_out_begin_array(out);
}

struct json_out *update_change(struct update *update, const char *type,
			       const struct node *node, const char *path_format, ...)
{
	struct json_out *out = &update->text;
	char path[PATH_MAX_BYTES];
	va_list numbers;

	va_start(numbers, path_format);
	vsnprintf(path, sizeof path, path_format, numbers);
	va_end(numbers);
	json_out_begin_object(out);
	json_out_key(out, "type");
	json_out_text(out, type);
	json_out_key(out, "node_id");
	json_out_text(out, node->id);
	json_out_key(out, "node_type");
	json_out_text(out, node_type_name(node->type));
	if (strcmp(type, "added") == 0 || strcmp(type, "removed") == 0) {
		json_out_key(out, "parent_id");
		json_out_text(out, node->parent->id);
	}
	json_out_key(out, "path");
	json_out_text(out, path);
	return out;
}

void update_end_change(struct update *update, int32_t sequence)
{
	json_out_key(&update->text, "seq_num");
	json_out_integer(&update->text, sequence);
	json_out_end_object(&update->text);
}

static void add_id(struct json_out *list, const struct node *node)
{
	json_out_text(list, node->id);
}

void update_added(struct update *update, const struct node *node)
{
	add_id(&update->added, node);
}

void update_removed(struct update *update, const struct node *node)
{
	add_id(&update->removed, node);
}

void update_modified(struct update *update, const struct node *node)
{
	add_id(&update->modified, node);
}

static void put_list(struct json_out *out, const char *key, const struct json_out *ids)
{
	json_out_key(out, key);
	json_out_begin_array(out);
	if (ids && ids->length > 0)
		json_out_raw(out, ids->text, ids->length);
	json_out_end_array(out);
}

struct message *update_finish(struct update *update)
{
	struct json_out *out = &update->text;

	json_out_end_array(out);
	put_list(out, "added", &update->added);
	put_list(out, "removed", &update->removed);
	put_list(out, "modified", &update->modified);
	put_list(out, "unchanged", NULL);
	json_out_end_object(out);
	json_out_end_object(out);
	envelope_end(out);
	if (json_out_result(&update->added) < 0 || json_out_result(&update->removed) < 0 ||
	    json_out_result(&update->modified) < 0)
		return NULL;
	return message_of_json(out);
}

void update_field(struct json_out *out, const char *field, const char *key,
		  const struct value *value)
{
	json_out_key(out, field);
	json_out_begin_object(out);
	if (key) {
		json_out_key(out, key);
		if (value)
			json_out_value(out, value);
		else
			json_out_null(out);
	}
	json_out_end_object(out);
}
