/* SPDX-License-Identifier: MIT */
/*
 * A project's tree: nodes under one root, found by id, type and index without a
 * walk, and hashed anew only where something changed. One thread at a time.
 */
#ifndef SERVER_TREE_H
#define SERVER_TREE_H

#include <stdint.h>

#include "node.h"

struct tree;

/*
 * Takes over `root` with all below and gives scenes and slots without an id a
 * random one. -ENOMEM: the root stays the caller's.
 */
int tree_create(struct tree **tree, struct node *root);
/* NULL is allowed; *tree becomes NULL. */
void tree_destroy(struct tree **tree);

struct node *tree_root(const struct tree *tree);

/* Of nodes with that id the first in pre-order (two file references may share one); or NULL. */
struct node *tree_find(const struct tree *tree, const char *id);
/* In pre-order. Valid until nodes come or go. */
const struct node_list *tree_of_type(const struct tree *tree, enum node_type type);
/*
 * By attribute `index`, and scene_index for slots; NULL: none. By halving, which
 * asks that children stand by their index: tracks and scenes under the project,
 * slots in their track.
 */
struct node *tree_track(const struct tree *tree, int64_t index);
struct node *tree_scene(const struct tree *tree, int64_t index);
struct node *tree_slot(const struct node *track, int64_t scene_index);
/* The n-th device of a track, from 0; NULL: none. */
struct node *tree_device(const struct node *track, int64_t n);
/* Where a new child belongs: before the first slot of a higher scene, or the mixer. */
size_t tree_slot_position(const struct node *track, int64_t scene_index);
/* Before the first scene of a higher index, else after the last scene or track. */
size_t tree_scene_position(const struct tree *tree, int64_t index);

/* Takes the value over. -ENOMEM: nothing has changed. */
int tree_set(struct tree *tree, struct node *node, const char *key, struct value value);
/* After a change inside an attribute that tree_set did not make. */
void tree_touch(struct tree *tree, struct node *node);
/*
 * An index that the node has already, `index` or scene_index. Whoever moves
 * several keeps siblings in their order by the time of the next look-up.
 */
void tree_renumber(struct tree *tree, struct node *node, const char *key, int64_t index);
/*
 * Puts `child` with all below at `position` (at the end if that is beyond);
 * blank ids are filled in. -ENOMEM: nothing has changed, the child stays the
 * caller's.
 */
int tree_insert(struct tree *tree, struct node *parent, size_t position, struct node *child);
/* Frees the node, which is not the root, with all below. */
void tree_remove(struct tree *tree, struct node *node);

/* The content hash as 64 hexadecimal digits; also of what is below, as far as it changed. */
void tree_hash(struct tree *tree, struct node *node, char text[NODE_HASH_TEXT]);
/* Grows with every change. */
uint64_t tree_changes(const struct tree *tree);
/* Grows whenever tree_track or tree_scene might find another node than before. */
uint64_t tree_structure(const struct tree *tree);
/* Grows whenever nodes come or go. */
uint64_t tree_population(const struct tree *tree);
/* Nodes hashed so far: what a change cost. */
uint64_t tree_hashed(const struct tree *tree);
void tree_hash_text(const struct node *node, char text[NODE_HASH_TEXT]);

#endif
