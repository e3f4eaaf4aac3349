/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define BLANKS " \t\n\r\f\v"

struct node *find_node_by_id(const struct tree *tree, const char *id)
{
	return tree ? tree_find(tree, id) : NULL;
}

int find_nodes_by_type(const struct tree *tree, const char *type, const struct node_list **list)
{
	static const struct node_list none;
	enum node_type number;

	if (!tree)
		return -ENODATA;
	*list = node_type_parse(type, &number) ? tree_of_type(tree, number) : &none;
	return 0;
}

/* --- KEY == VALUE ----------------------------------------------------- */

struct condition {
	char *key; /* of its own memory; `text` points into it too */
	char *text;
	bool quoted;
	bool is_number;
	double number;
	struct node_list *list; /* what met it */
};

static char *trim(char *text)
{
	text += strspn(text, BLANKS);
	size_t length = strlen(text);
	while (length > 0 && strchr(BLANKS, text[length - 1]))
		text[--length] = '\0';
	return text;
}

static bool is_quoted(const char *text)
{
	size_t length = strlen(text);

	return length >= 2 && (text[0] == '"' || text[0] == '\'') &&
	       text[length - 1] == text[0];
}

static void parse_value(struct condition *condition, char *text)
{
	char *end;

	condition->text = text;
	condition->quoted = is_quoted(text);
	if (condition->quoted) {
		condition->text++;
		text[strlen(text) - 1] = '\0';
		return;
	}
	condition->number = strtod(text, &end);
	condition->is_number = end != text && *end == '\0';
}

/* False: no condition. `text` is taken apart. */
static bool parse_condition(struct condition *condition, char *text)
{
	char *equals = strstr(text, "==");

	if (!equals || strstr(equals + 2, "=="))
		return false;
	*equals = '\0';
	condition->key = trim(text);
	parse_value(condition, trim(equals + 2));
	return condition->key[0] != '\0';
}

static bool meets(const struct condition *condition, const struct value *value)
{
	bool number = !condition->quoted && condition->is_number;

	switch (value->kind) {
	case VALUE_TEXT:
		return strcmp(value->text, condition->text) == 0;
	case VALUE_INTEGER:
		return number && (double)value->integer == condition->number;
	case VALUE_NUMBER:
		return number && value->number == condition->number;
	case VALUE_BOOLEAN:
		return !condition->quoted &&
		       strcmp(condition->text, value->boolean ? "true" : "false") == 0;
	case VALUE_NULL:
		return !condition->quoted && strcmp(condition->text, "null") == 0;
	default:
		return false;
	}
}

static int try_node(struct node *node, void *context)
{
	struct condition *condition = context;
	const struct value *value = value_map_get(&node->attributes, condition->key);

	return value && meets(condition, value) ? node_list_add(condition->list, node) : 0;
}

int query_nodes(const struct tree *tree, const char *query, struct node_list *list)
{
	struct node_list found = { 0 };
	struct condition condition = { .list = &found };
	int result = 0;

	if (!tree)
		return -ENODATA;
	char *text = strdup(query);
	if (!text)
		return -ENOMEM;
	if (parse_condition(&condition, text))
		result = node_walk(tree_root(tree), try_node, &condition);
	free(text);
	if (result < 0)
		node_list_fini(&found);
	else
		*list = found;
	return result;
}

/* --- project info ----------------------------------------------------- */

static void write_count(struct json_out *out, const struct tree *tree, const char *key,
			enum node_type type)
{
	json_out_key(out, key);
	json_out_integer(out, (int64_t)tree_of_type(tree, type)->count);
}

static void write_track_names(struct json_out *out, const struct tree *tree)
{
	const struct node_list *tracks = tree_of_type(tree, NODE_TRACK);

	json_out_key(out, "track_names");
	json_out_begin_array(out);
	for (size_t i = 0; i < tracks->count; i++) {
		const struct value *name = value_map_get(&tracks->items[i]->attributes, "name");

		if (name)
			json_out_value(out, name);
		else
			json_out_null(out);
	}
	json_out_end_array(out);
}

int get_project_info(struct tree *tree, const char *file, struct json_out *out)
{
	char hash[NODE_HASH_TEXT];

	if (!tree)
		return -ENODATA;
	tree_hash(tree, tree_root(tree), hash);
	json_out_begin_object(out);
	json_out_key(out, "file");
	json_out_text(out, file);
	json_out_key(out, "root_hash");
	json_out_text(out, hash);
	write_count(out, tree, "num_tracks", NODE_TRACK);
	write_count(out, tree, "num_devices", NODE_DEVICE);
	write_count(out, tree, "num_clips", NODE_CLIP);
	write_count(out, tree, "num_scenes", NODE_SCENE);
	write_count(out, tree, "num_file_refs", NODE_FILE_REF);
	write_track_names(out, tree);
	json_out_end_object(out);
	return json_out_result(out);
}
