/* SPDX-License-Identifier: MIT */
#include "serialize.h"

static void write_node(struct json_out *out, const struct node *node, enum serialize_form form);

static void write_hash(struct json_out *out, const struct node *node)
{
	char text[NODE_HASH_TEXT];

	tree_hash_text(node, text);
	json_out_key(out, "hash");
	json_out_text(out, text);
}

static void write_children(struct json_out *out, const struct node *node,
			   enum serialize_form form)
{
	json_out_key(out, "children");
	json_out_begin_array(out);
	for (size_t i = 0; i < node->child_count; i++)
		write_node(out, node->children[i], form);
	json_out_end_array(out);
}

static void write_node(struct json_out *out, const struct node *node, enum serialize_form form)
{
	bool websocket = form == SERIALIZE_WEBSOCKET;

	json_out_begin_object(out);
	json_out_key(out, "node_type");
	json_out_text(out, node_type_name(node->type));
	json_out_key(out, "id");
	json_out_text(out, node->id);
	if (websocket)
		write_hash(out, node);
	json_out_key(out, "attributes");
	json_out_map(out, &node->attributes);
	if (!websocket || node->child_count > 0)
		write_children(out, node, form);
	if (!websocket)
		write_hash(out, node);
	json_out_end_object(out);
}

void serialize_node(struct json_out *out, struct tree *tree, struct node *node,
		    enum serialize_form form)
{
	char text[NODE_HASH_TEXT];

	tree_hash(tree, node, text);
	write_node(out, node, form);
}

void serialize_list(struct json_out *out, struct tree *tree, const struct node_list *list,
		    enum serialize_form form)
{
	json_out_begin_array(out);
	for (size_t i = 0; i < list->count; i++)
		serialize_node(out, tree, list->items[i], form);
	json_out_end_array(out);
}
