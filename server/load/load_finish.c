/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

static void carry_slots(struct node *track, const struct node *previous)
{
	for (size_t i = 0; i < track->child_count; i++) {
		struct node *slot = track->children[i];

		if (slot->type != NODE_CLIP_SLOT)
			continue;
		const struct node *old = tree_slot(previous,
						   node_integer(slot, "scene_index", -1));
		if (old)
			memcpy(slot->id, old->id, sizeof slot->id);
	}
}

/* Random ids stay with the scene's index and the slot's place. */
static void carry_ids(struct node *root, const struct tree *previous)
{
	for (size_t i = 0; i < root->child_count; i++) {
		struct node *node = root->children[i];
		int64_t index = node_integer(node, "index", -1);
		const struct node *old = NULL;

		if (node->type == NODE_SCENE && (old = tree_scene(previous, index)))
			memcpy(node->id, old->id, sizeof node->id);
		else if (node->type == NODE_TRACK && (old = tree_track(previous, index)))
			carry_slots(node, old);
	}
}

int load_finish(struct tree **tree, struct node *root, const struct tree *previous)
{
	if (previous)
		carry_ids(root, previous);
	return tree_create(tree, root);
}

int load_file(struct tree **tree, const char *path, const struct load_options *options,
	      char error[LOAD_ERROR_MAX])
{
	struct node *root;
	int result = load_root(&root, path, options, error);

	if (result < 0)
		return result;
	result = load_finish(tree, root, options ? options->previous : NULL);
	if (result < 0) {
		snprintf(error, LOAD_ERROR_MAX, "%s: %s", path, strerror(-result));
		node_destroy(root);
	}
	return result;
}
