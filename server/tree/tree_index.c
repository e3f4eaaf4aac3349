/* SPDX-License-Identifier: MIT */
/* Nodes by their index, halving among siblings that stand in its order. */
#include "tree.h"

/* Does the node stand before the place of that index? */
typedef bool before_fn(const struct node *node, int64_t index);

/* How many of the items do. */
static size_t halve(struct node *const *items, size_t count, before_fn *before, int64_t index)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (before(items[middle], index))
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

static bool index_below(const struct node *node, int64_t index)
{
	return node_integer(node, "index", INT64_MAX) < index;
}

static struct node *by_index(const struct node_list *list, int64_t index)
{
	size_t place = halve(list->items, list->count, index_below, index);

	if (place == list->count || node_integer(list->items[place], "index", ~index) != index)
		return NULL;
	return list->items[place];
}

struct node *tree_track(const struct tree *tree, int64_t index)
{
	return by_index(tree_of_type(tree, NODE_TRACK), index);
}

struct node *tree_scene(const struct tree *tree, int64_t index)
{
	return by_index(tree_of_type(tree, NODE_SCENE), index);
}

/* A track's children: devices, slots by scene, mixer. */
static bool slot_below(const struct node *node, int64_t scene_index)
{
	if (node->type == NODE_CLIP_SLOT)
		return node_integer(node, "scene_index", INT64_MAX) < scene_index;
	return node->type == NODE_DEVICE;
}

struct node *tree_slot(const struct node *track, int64_t scene_index)
{
	size_t place = halve(track->children, track->child_count, slot_below, scene_index);

	if (place == track->child_count)
		return NULL;
	struct node *slot = track->children[place];
	if (slot->type != NODE_CLIP_SLOT ||
	    node_integer(slot, "scene_index", ~scene_index) != scene_index)
		return NULL;
	return slot;
}

size_t tree_slot_position(const struct node *track, int64_t scene_index)
{
	return halve(track->children, track->child_count, slot_below, scene_index);
}

struct node *tree_device(const struct node *track, int64_t n)
{
	if (n < 0 || (uint64_t)n >= track->child_count ||
	    track->children[n]->type != NODE_DEVICE)
		return NULL;
	return track->children[n];
}

/* The project's children: tracks, scenes by index, file references. */
static bool scene_below(const struct node *node, int64_t index)
{
	if (node->type == NODE_SCENE)
		return node_integer(node, "index", INT64_MAX) < index;
	return node->type == NODE_TRACK;
}

size_t tree_scene_position(const struct tree *tree, int64_t index)
{
	const struct node *root = tree_root(tree);

	return halve(root->children, root->child_count, scene_below, index);
}
