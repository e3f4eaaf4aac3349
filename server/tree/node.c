/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

static const char *const type_names[NODE_TYPES] = {
	[NODE_PROJECT] = "project",
	[NODE_TRACK] = "track",
	[NODE_DEVICE] = "device",
	[NODE_CLIP_SLOT] = "clip_slot",
	[NODE_CLIP] = "clip",
	[NODE_MIXER] = "mixer",
	[NODE_SCENE] = "scene",
	[NODE_FILE_REF] = "file_ref",
	[NODE_AUTOMATION] = "automation",
	[NODE_PARAMETER] = "parameter",
};

const char *node_type_name(enum node_type type)
{
	return type_names[type];
}

bool node_type_parse(const char *name, enum node_type *type)
{
	for (size_t i = 0; i < NODE_TYPES; i++) {
		if (strcmp(name, type_names[i]) == 0) {
			*type = (enum node_type)i;
			return true;
		}
	}
	return false;
}

struct node *node_create(enum node_type type)
{
	struct node *node = calloc(1, sizeof *node);

	if (node) {
		node->type = type;
		node->stale = true;
	}
	return node;
}

void node_destroy(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->child_count; i++)
		node_destroy(node->children[i]);
	value_map_fini(&node->attributes);
	free(node->children);
	free(node);
}

int node_reserve_child(struct node *parent)
{
	if (parent->child_count < parent->child_capacity)
		return 0;
	size_t capacity = parent->child_capacity ? parent->child_capacity * 2 : 1;
	struct node **children = reallocarray(parent->children, capacity, sizeof *children);
	if (!children)
		return -ENOMEM;
	parent->children = children;
	parent->child_capacity = capacity;
	return 0;
}

static void renumber(struct node *parent, size_t from)
{
	for (size_t i = from; i < parent->child_count; i++)
		parent->children[i]->position = i;
}

int node_insert(struct node *parent, size_t position, struct node *child)
{
	int result = node_reserve_child(parent);

	if (result < 0)
		return result;
	if (position > parent->child_count)
		position = parent->child_count;
	struct node **place = parent->children + position;
	memmove(place + 1, place, (parent->child_count - position) * sizeof *place);
	*place = child;
	parent->child_count++;
	child->parent = parent;
	renumber(parent, position);
	return 0;
}

int node_append(struct node *parent, struct node *child)
{
	return node_insert(parent, parent->child_count, child);
}

void node_detach(struct node *node)
{
	struct node *parent = node->parent;
	struct node **place = parent->children + node->position;

	parent->child_count--;
	memmove(place, place + 1, (parent->child_count - node->position) * sizeof *place);
	renumber(parent, node->position);
	node->parent = NULL;
	node->position = 0;
}

int64_t node_integer(const struct node *node, const char *key, int64_t otherwise)
{
	const struct value *value = value_map_get(&node->attributes, key);

	return value && value->kind == VALUE_INTEGER ? value->integer : otherwise;
}

const char *node_text(const struct node *node, const char *key)
{
	const struct value *value = value_map_get(&node->attributes, key);

	return value && value->kind == VALUE_TEXT ? value->text : NULL;
}

int node_walk(struct node *node, node_visit_fn *visit, void *context)
{
	int result = visit(node, context);

	for (size_t i = 0; result >= 0 && i < node->child_count; i++)
		result = node_walk(node->children[i], visit, context);
	return result;
}

static size_t depth_of(const struct node *node)
{
	size_t depth = 0;

	while ((node = node->parent))
		depth++;
	return depth;
}

bool node_before(const struct node *a, const struct node *b)
{
	size_t a_depth = depth_of(a), b_depth = depth_of(b);
	size_t a_above = a_depth, b_above = b_depth;

	for (; a_above > b_depth; a_above--)
		a = a->parent;
	for (; b_above > a_depth; b_above--)
		b = b->parent;
	if (a == b)
		return a_depth < b_depth;
	while (a->parent != b->parent) {
		a = a->parent;
		b = b->parent;
	}
	return a->position < b->position;
}

int node_list_add(struct node_list *list, struct node *node)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct node **items = reallocarray(list->items, capacity, sizeof *items);

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = node;
	return 0;
}

void node_list_fini(struct node_list *list)
{
	free(list->items);
	*list = (struct node_list){ 0 };
}
