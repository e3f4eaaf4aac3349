/* SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "tree.h"

struct tree {
	struct node *root;
	struct node_list by_type[NODE_TYPES]; /* each in pre-order */
	struct node **by_id;                  /* chains through next_of_slot */
	size_t id_slots;                      /* a power of two */
	size_t node_count;
	uint64_t seed;   /* of the id table: ids come from files */
	uint64_t random;
	uint64_t hashed;
	uint64_t changes;
	uint64_t structure;
	uint64_t population;
};

#define ID_SLOTS_FIRST 64u

/* --- ids ------------------------------------------------------------- */

static struct node **slot_of(const struct tree *tree, const char *id)
{
	uint64_t hash = XXH3_64bits_withSeed(id, strlen(id), tree->seed);

	return &tree->by_id[hash & (tree->id_slots - 1)];
}

static void link_id(struct tree *tree, struct node *node)
{
	struct node **slot = slot_of(tree, node->id);

	node->next_of_slot = *slot;
	*slot = node;
}

static void unlink_id(struct tree *tree, struct node *node)
{
	struct node **link = slot_of(tree, node->id);

	while (*link != node)
		link = &(*link)->next_of_slot;
	*link = node->next_of_slot;
}

/* Without memory the chains only get longer. */
static void grow_ids(struct tree *tree)
{
	size_t old_slots = tree->id_slots;
	struct node **old = tree->by_id;
	struct node **grown = calloc(old_slots, 2 * sizeof *grown);

	if (!grown)
		return;
	tree->by_id = grown;
	tree->id_slots = old_slots * 2;
	for (size_t i = 0; i < old_slots; i++) {
		for (struct node *node = old[i], *next; node; node = next) {
			next = node->next_of_slot;
			link_id(tree, node);
		}
	}
	free(old);
}

struct node *tree_find(const struct tree *tree, const char *id)
{
	struct node *found = NULL;

	for (struct node *node = *slot_of(tree, id); node; node = node->next_of_slot) {
		if (strcmp(node->id, id) == 0 && (!found || node_before(node, found)))
			found = node;
	}
	return found;
}

static bool id_taken(const struct tree *tree, const char *id)
{
	for (const struct node *node = *slot_of(tree, id); node; node = node->next_of_slot) {
		if (strcmp(node->id, id) == 0)
			return true;
	}
	return false;
}

/* Sebastiano Vigna's splitmix64. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

/* 32 bits meet once in 300 sets of 5000 slots: drawn again until free. */
static void draw_id(struct tree *tree, struct node *node)
{
	do {
		snprintf(node->id, sizeof node->id, "%s_%08x", node_type_name(node->type),
			 (unsigned)(next_random(&tree->random) >> 32));
	} while (id_taken(tree, node->id));
}

/* --- by type --------------------------------------------------------- */

/* How many of the list come before the node. */
static size_t rank(const struct node_list *list, const struct node *node)
{
	size_t low = 0, high = list->count;

	if (high > 0 && node_before(list->items[high - 1], node))
		return high; /* the case of a tree being built */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (node_before(list->items[middle], node))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve(struct node_list *list, size_t more)
{
	size_t wanted = list->capacity ? list->capacity : 8;

	while (wanted - list->count < more)
		wanted *= 2;
	if (wanted == list->capacity)
		return 0;
	struct node **items = reallocarray(list->items, wanted, sizeof *items);
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->capacity = wanted;
	return 0;
}

static void list_insert(struct node_list *list, struct node *node)
{
	size_t place = rank(list, node);
	struct node **item = list->items + place;

	memmove(item + 1, item, (list->count - place) * sizeof *item);
	*item = node;
	list->count++;
}

static void list_remove(struct node_list *list, const struct node *node)
{
	struct node **item = list->items + rank(list, node);

	list->count--;
	memmove(item, item + 1, (size_t)(list->items + list->count - item) * sizeof *item);
}

/* --- entering and leaving -------------------------------------------- */

static int count_type(struct node *node, void *context)
{
	size_t *counts = context;

	counts[node->type]++;
	return 0;
}

/* So that entering cannot fail half-way. */
static int reserve_all(struct tree *tree, struct node *node)
{
	size_t counts[NODE_TYPES] = { 0 };
	int result = 0;

	node_walk(node, count_type, counts);
	for (size_t i = 0; result == 0 && i < NODE_TYPES; i++)
		result = reserve(&tree->by_type[i], counts[i]);
	return result;
}

static void enter_id(struct tree *tree, struct node *node)
{
	if (tree->node_count >= tree->id_slots)
		grow_ids(tree);
	link_id(tree, node);
	tree->node_count++;
}

static int enter(struct node *node, void *context)
{
	struct tree *tree = context;

	node->stale = true;
	list_insert(&tree->by_type[node->type], node);
	if (node->id[0] != '\0')
		enter_id(tree, node);
	return 0;
}

/* After `enter`, so that a drawn id meets none that was given. */
static int enter_blank(struct node *node, void *context)
{
	if (node->id[0] == '\0') {
		draw_id(context, node);
		enter_id(context, node);
	}
	return 0;
}

static void enter_all(struct tree *tree, struct node *node)
{
	node_walk(node, enter, tree);
	node_walk(node, enter_blank, tree);
}

/* Without the system's random source the address and a clock must do. */
static void seed(struct tree *tree)
{
	struct timespec now;
	uint64_t words[2];

	if (getrandom(words, sizeof words, GRND_NONBLOCK) != sizeof words) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		words[0] = (uint64_t)(uintptr_t)tree;
		words[1] = words[0] ^ (uint64_t)now.tv_nsec << 20;
	}
	tree->seed = words[0];
	tree->random = words[1];
}

int tree_create(struct tree **tree, struct node *root)
{
	struct tree *made = calloc(1, sizeof *made);

	if (!made)
		return -ENOMEM;
	made->by_id = calloc(ID_SLOTS_FIRST, sizeof *made->by_id);
	made->id_slots = ID_SLOTS_FIRST;
	if (!made->by_id || reserve_all(made, root) < 0) {
		tree_destroy(&made);
		return -ENOMEM;
	}
	seed(made);
	made->root = root;
	enter_all(made, root);
	*tree = made;
	return 0;
}

void tree_destroy(struct tree **tree)
{
	struct tree *old = *tree;

	*tree = NULL;
	if (!old)
		return;
	node_destroy(old->root);
	for (size_t i = 0; i < NODE_TYPES; i++)
		free(old->by_type[i].items);
	free(old->by_id);
	free(old);
}

struct node *tree_root(const struct tree *tree)
{
	return tree->root;
}

const struct node_list *tree_of_type(const struct tree *tree, enum node_type type)
{
	return &tree->by_type[type];
}

/* --- changes --------------------------------------------------------- */

void tree_touch(struct tree *tree, struct node *node)
{
	tree->changes++;
	for (; node && !node->stale; node = node->parent)
		node->stale = true;
}

uint64_t tree_changes(const struct tree *tree)
{
	return tree->changes;
}

uint64_t tree_structure(const struct tree *tree)
{
	return tree->structure;
}

uint64_t tree_population(const struct tree *tree)
{
	return tree->population;
}

int tree_set(struct tree *tree, struct node *node, const char *key, struct value value)
{
	int result = value_map_set(&node->attributes, key, value);

	if (result == 0)
		tree_touch(tree, node);
	return result;
}

/* Tracks and scenes are what is found by index in the whole tree. */
static void note_structure(struct tree *tree, const struct node *node)
{
	tree->structure += node->type == NODE_TRACK || node->type == NODE_SCENE;
}

int tree_insert(struct tree *tree, struct node *parent, size_t position, struct node *child)
{
	int result = reserve_all(tree, child);

	if (result == 0)
		result = node_insert(parent, position, child);
	if (result < 0)
		return result;
	enter_all(tree, child);
	tree->population++;
	note_structure(tree, child);
	tree_touch(tree, parent);
	return 0;
}

void tree_renumber(struct tree *tree, struct node *node, const char *key, int64_t index)
{
	/* Takes the place of an integer: needs no memory and cannot fail. */
	value_map_set(&node->attributes, key, value_integer(index));
	note_structure(tree, node);
	tree_touch(tree, node);
}

static int leave(struct node *node, void *context)
{
	struct tree *tree = context;

	list_remove(&tree->by_type[node->type], node);
	unlink_id(tree, node);
	tree->node_count--;
	return 0;
}

void tree_remove(struct tree *tree, struct node *node)
{
	struct node *parent = node->parent;

	node_walk(node, leave, tree);
	node_detach(node);
	tree->population++;
	note_structure(tree, node);
	node_destroy(node);
	tree_touch(tree, parent);
}

/* --- hashes ---------------------------------------------------------- */

void tree_hash_text(const struct node *node, char text[NODE_HASH_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < NODE_HASH_BYTES; i++) {
		text[2 * i] = digits[node->hash[i] >> 4];
		text[2 * i + 1] = digits[node->hash[i] & 15];
	}
	text[2 * NODE_HASH_BYTES] = '\0';
}

void tree_hash(struct tree *tree, struct node *node, char text[NODE_HASH_TEXT])
{
	tree->hashed += node_rehash(node);
	tree_hash_text(node, text);
}

uint64_t tree_hashed(const struct tree *tree)
{
	return tree->hashed;
}
