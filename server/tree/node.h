/* SPDX-License-Identifier: MIT */
/*
 * Nodes of a project, by themselves. Once they are in a tree, all changes go
 * through tree.h, which keeps the indexes and the hashes right.
 */
#ifndef SERVER_NODE_H
#define SERVER_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

enum node_type {
	NODE_PROJECT,
	NODE_TRACK,
	NODE_DEVICE,
	NODE_CLIP_SLOT,
	NODE_CLIP,
	NODE_MIXER,
	NODE_SCENE,
	NODE_FILE_REF,
	NODE_AUTOMATION, /* this and the next: names that clients may ask for; none is made */
	NODE_PARAMETER,
	NODE_TYPES,
};

/* "device_T_D_SEQ" of three int64, or "fileref_" and eight characters of UTF-8. */
#define NODE_ID_MAX 80u
#define NODE_HASH_BYTES 32u
#define NODE_HASH_TEXT (2 * NODE_HASH_BYTES + 1)

struct node {
	enum node_type type;
	bool stale; /* hash is out of date; then every ancestor is stale too */
	char id[NODE_ID_MAX];
	struct value_map attributes;
	struct node *parent;    /* NULL: root, or in no tree */
	struct node **children;
	size_t child_count;
	size_t child_capacity;
	size_t position;        /* among the parent's children */
	struct node *next_of_slot; /* of the tree's id table */
	unsigned char hash[NODE_HASH_BYTES];
};

struct node_list {
	struct node **items;
	size_t count;
	size_t capacity;
};

const char *node_type_name(enum node_type type);
/* False: no such name. */
bool node_type_parse(const char *name, enum node_type *type);

/* Without an id a scene or slot gets a random one when it enters a tree. NULL: no memory. */
struct node *node_create(enum node_type type);
/* With everything below. NULL is allowed. */
void node_destroy(struct node *node);

/* -ENOMEM; nothing has changed then, and the child stays the caller's. */
int node_reserve_child(struct node *parent);
int node_insert(struct node *parent, size_t position, struct node *child);
int node_append(struct node *parent, struct node *child);
/* Takes the node out of its parent; it is the caller's. */
void node_detach(struct node *node);

/* Of an integer attribute; `otherwise` if there is none. */
int64_t node_integer(const struct node *node, const char *key, int64_t otherwise);
/* Of a text attribute; NULL if there is none. */
const char *node_text(const struct node *node, const char *key);

/* Depth-first, parents before their children. A negative result ends the walk. */
typedef int node_visit_fn(struct node *node, void *context);
int node_walk(struct node *node, node_visit_fn *visit, void *context);

/* Does `a` come before `b` in that order? Both are of one tree. */
bool node_before(const struct node *a, const struct node *b);

/* -ENOMEM; the list is then as it was. */
int node_list_add(struct node_list *list, struct node *node);
/* The array alone: nodes are not the list's. */
void node_list_fini(struct node_list *list);

/* Brings node->hash up to date; returns how many nodes that took. */
size_t node_rehash(struct node *node);

#endif
