/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"

#define UNPAIRED SIZE_MAX

void change_list_fini(struct change_list *changes)
{
	free(changes->items);
	*changes = (struct change_list){ 0 };
}

static int add(struct change_list *changes, enum change_kind kind, const struct node *before,
	       const struct node *after)
{
	if (changes->count == changes->capacity) {
		size_t capacity = changes->capacity ? changes->capacity * 2 : 16;
		struct change *items = reallocarray(changes->items, capacity, sizeof *items);

		if (!items)
			return -ENOMEM;
		changes->items = items;
		changes->capacity = capacity;
	}
	changes->items[changes->count++] = (struct change){ kind, before, after };
	return 0;
}

/* --- pairing ---------------------------------------------------------- */

static int order(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	int ids = strcmp((*x)->id, (*y)->id);

	if (ids != 0)
		return ids;
	return (*x)->position < (*y)->position ? -1 : (*x)->position > (*y)->position;
}

static struct node **sorted_children(const struct node *parent)
{
	struct node **sorted = reallocarray(NULL, parent->child_count + 1, sizeof *sorted);

	if (sorted && parent->child_count > 0) {
		memcpy(sorted, parent->children, parent->child_count * sizeof *sorted);
		qsort(sorted, parent->child_count, sizeof *sorted, order);
	}
	return sorted;
}

/* Where each child of one side is among the children of the other. */
struct pairs {
	size_t *of_before;
	size_t *of_after;
};

/* Of children with one id the n-th pairs with the n-th. */
static void merge(const struct node *before, struct node *const *old, const struct node *after,
		  struct node *const *new, struct pairs *pairs)
{
	size_t i = 0, j = 0;

	while (i < before->child_count && j < after->child_count) {
		int ids = strcmp(old[i]->id, new[j]->id);

		if (ids == 0) {
			pairs->of_before[old[i]->position] = new[j]->position;
			pairs->of_after[new[j]->position] = old[i]->position;
		}
		i += ids <= 0;
		j += ids >= 0;
	}
}

static size_t *unpaired(size_t count)
{
	size_t *partners = reallocarray(NULL, count + 1, sizeof *partners);

	for (size_t i = 0; partners && i < count; i++)
		partners[i] = UNPAIRED;
	return partners;
}

static int pair_children(const struct node *before, const struct node *after,
			 struct pairs *pairs)
{
	struct node **old = sorted_children(before), **new = sorted_children(after);
	int result = -ENOMEM;

	*pairs = (struct pairs){ unpaired(before->child_count), unpaired(after->child_count) };
	if (old && new && pairs->of_before && pairs->of_after) {
		merge(before, old, after, new, pairs);
		result = 0;
	}
	free(old);
	free(new);
	return result;
}

/* --- comparing -------------------------------------------------------- */

static int compare(const struct node *before, const struct node *after,
		   struct change_list *changes);

static int list_removed(const struct node *before, const struct pairs *pairs,
			struct change_list *changes)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < before->child_count; i++) {
		if (pairs->of_before[i] == UNPAIRED)
			result = add(changes, CHANGE_REMOVED, before->children[i], NULL);
	}
	return result;
}

static int compare_children(const struct node *before, const struct node *after,
			    struct change_list *changes)
{
	struct pairs pairs;
	int result = pair_children(before, after, &pairs);

	if (result == 0)
		result = list_removed(before, &pairs, changes);
	for (size_t i = 0; result == 0 && i < after->child_count; i++) {
		size_t partner = pairs.of_after[i];

		if (partner == UNPAIRED)
			result = add(changes, CHANGE_ADDED, NULL, after->children[i]);
		else
			result = compare(before->children[partner], after->children[i], changes);
	}
	free(pairs.of_before);
	free(pairs.of_after);
	return result;
}

static int compare(const struct node *before, const struct node *after,
		   struct change_list *changes)
{
	int result = 0;

	if (memcmp(before->hash, after->hash, NODE_HASH_BYTES) == 0)
		return 0;
	if (!value_map_equal(&before->attributes, &after->attributes))
		result = add(changes, CHANGE_MODIFIED, before, after);
	return result < 0 ? result : compare_children(before, after, changes);
}

int diff_trees(struct tree *before, struct tree *after, struct change_list *changes)
{
	struct change_list found = { 0 };
	char hash[NODE_HASH_TEXT];

	tree_hash(before, tree_root(before), hash);
	tree_hash(after, tree_root(after), hash);
	int result = compare(tree_root(before), tree_root(after), &found);
	if (result < 0)
		change_list_fini(&found);
	else
		*changes = found;
	return result;
}

int diff_with_file(struct tree *tree, const char *path, struct tree **loaded,
		   struct change_list *changes, char error[LOAD_ERROR_MAX])
{
	struct load_options options = { .previous = tree };
	struct tree *other;

	if (!tree) {
		snprintf(error, LOAD_ERROR_MAX, "No project loaded");
		return -ENODATA;
	}
	int result = load_file(&other, path, &options, error);
	if (result < 0)
		return result;
	result = diff_trees(tree, other, changes);
	if (result < 0) {
		snprintf(error, LOAD_ERROR_MAX, "%s", strerror(-result));
		tree_destroy(&other);
	} else {
		*loaded = other;
	}
	return result;
}

/* --- as JSON ---------------------------------------------------------- */

static void write_path(struct json_out *out, const struct node *node)
{
	if (!node->parent)
		return;
	write_path(out, node->parent);
	json_out_text(out, node->id);
}

/* A node that came or went, or one side of a change. */
static void write_side(struct json_out *out, const char *key, const struct change *change,
		       const struct node *node)
{
	json_out_key(out, key);
	if (!node) {
		json_out_null(out);
	} else if (change->kind == CHANGE_MODIFIED) {
		json_out_map(out, &node->attributes);
	} else {
		json_out_begin_object(out);
		json_out_key(out, "node_type");
		json_out_text(out, node_type_name(node->type));
		json_out_key(out, "id");
		json_out_text(out, node->id);
		json_out_key(out, "attributes");
		json_out_map(out, &node->attributes);
		json_out_end_object(out);
	}
}

void change_write(struct json_out *out, const struct change *change)
{
	static const char *const kinds[] = { "added", "removed", "modified" };
	const struct node *node = change->after ? change->after : change->before;

	json_out_begin_object(out);
	json_out_key(out, "type");
	json_out_text(out, kinds[change->kind]);
	json_out_key(out, "path");
	json_out_begin_array(out);
	write_path(out, node);
	json_out_end_array(out);
	json_out_key(out, "node_type");
	json_out_text(out, node_type_name(node->type));
	write_side(out, "old_value", change, change->before);
	write_side(out, "new_value", change, change->after);
	json_out_end_object(out);
}
