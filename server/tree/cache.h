/* SPDX-License-Identifier: MIT */
/*
 * Remembers what was looked up in a tree: tracks and scenes by index, least
 * recently used ones forgotten first, and the lists of all of them. Whatever it
 * holds is forgotten as soon as the tree is another or its structure has changed;
 * attributes may change, since nodes are remembered and not what is in them.
 *
 * (The Python original took the root's hash for the version, which every event
 * changes: its cache hardly ever held anything.)
 */
#ifndef SERVER_CACHE_H
#define SERVER_CACHE_H

#include "json_out.h"
#include "tree.h"

#define CACHE_CAPACITY 256u

struct cache;

struct cache_statistics {
	uint64_t hits;
	uint64_t misses;
	uint64_t invalidations;
	uint64_t evictions;
};

/* For `capacity` tracks and as many scenes; 0: remembers nothing and counts nothing. -ENOMEM. */
int cache_create(struct cache **cache, size_t capacity);
/* *cache becomes NULL. NULL is allowed. */
void cache_destroy(struct cache **cache);
/* Before a tree is freed: another may be made at its address. */
void cache_forget(struct cache *cache);

/* As tree_track and tree_scene. */
struct node *cache_track(struct cache *cache, const struct tree *tree, int64_t index);
struct node *cache_scene(struct cache *cache, const struct tree *tree, int64_t index);
/* As tree_of_type. */
const struct node_list *cache_all_tracks(struct cache *cache, const struct tree *tree);
const struct node_list *cache_all_scenes(struct cache *cache, const struct tree *tree);

const struct cache_statistics *cache_statistics(const struct cache *cache);
/* hits / (hits + misses); 0 if there were none. */
double cache_hit_rate(const struct cache *cache);
/*
 * {enabled, capacity, current_version, cache_sizes:{track_by_index, scene_by_index,
 * all_tracks_cached, all_scenes_cached}, statistics:{hits, misses, invalidations,
 * evictions, total_requests, hit_rate}}
 */
void cache_write(struct json_out *out, const struct cache *cache);

#endif
