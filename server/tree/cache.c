/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache.h"
#include "lru.h"

struct cache {
	size_t capacity;
	struct lru tracks;
	struct lru scenes;
	const struct node_list *all_tracks; /* NULL: not remembered */
	const struct node_list *all_scenes;
	const struct tree *tree; /* that all this is of; NULL: of none yet */
	uint64_t structure;
	struct cache_statistics statistics;
};

int cache_create(struct cache **cache, size_t capacity)
{
	struct cache *made = calloc(1, sizeof *made);
	int result = 0;

	if (!made || capacity > INT32_MAX)
		result = -ENOMEM;
	if (result == 0 && capacity > 0)
		result = lru_init(&made->tracks, (uint32_t)capacity);
	if (result == 0 && capacity > 0)
		result = lru_init(&made->scenes, (uint32_t)capacity);
	if (result < 0) {
		cache_destroy(&made);
		return result;
	}
	made->capacity = capacity;
	*cache = made;
	return 0;
}

void cache_destroy(struct cache **cache)
{
	struct cache *old = *cache;

	*cache = NULL;
	if (!old)
		return;
	lru_fini(&old->tracks);
	lru_fini(&old->scenes);
	free(old);
}

void cache_forget(struct cache *cache)
{
	if (cache->capacity == 0)
		return;
	lru_clear(&cache->tracks);
	lru_clear(&cache->scenes);
	cache->all_tracks = cache->all_scenes = NULL;
	cache->tree = NULL;
}

static void check_version(struct cache *cache, const struct tree *tree)
{
	if (cache->tree == tree && cache->structure == tree_structure(tree))
		return;
	cache_forget(cache);
	cache->tree = tree;
	cache->structure = tree_structure(tree);
	cache->statistics.invalidations++;
}

typedef struct node *look_up_fn(const struct tree *tree, int64_t index);

/* What does not exist is looked up each time: a stranger may ask for anything. */
static struct node *find(struct cache *cache, struct lru *lru, look_up_fn *look_up,
			 const struct tree *tree, int64_t index)
{
	if (cache->capacity == 0)
		return look_up(tree, index);
	check_version(cache, tree);
	struct node *node = lru_find(lru, index);
	if (node) {
		cache->statistics.hits++;
		return node;
	}
	cache->statistics.misses++;
	node = look_up(tree, index);
	if (node)
		cache->statistics.evictions += lru_add(lru, index, node);
	return node;
}

struct node *cache_track(struct cache *cache, const struct tree *tree, int64_t index)
{
	return find(cache, &cache->tracks, tree_track, tree, index);
}

struct node *cache_scene(struct cache *cache, const struct tree *tree, int64_t index)
{
	return find(cache, &cache->scenes, tree_scene, tree, index);
}

static const struct node_list *all(struct cache *cache, const struct node_list **list,
				   const struct tree *tree, enum node_type type)
{
	if (cache->capacity == 0)
		return tree_of_type(tree, type);
	check_version(cache, tree);
	if (*list) {
		cache->statistics.hits++;
	} else {
		cache->statistics.misses++;
		*list = tree_of_type(tree, type);
	}
	return *list;
}

const struct node_list *cache_all_tracks(struct cache *cache, const struct tree *tree)
{
	return all(cache, &cache->all_tracks, tree, NODE_TRACK);
}

const struct node_list *cache_all_scenes(struct cache *cache, const struct tree *tree)
{
	return all(cache, &cache->all_scenes, tree, NODE_SCENE);
}

const struct cache_statistics *cache_statistics(const struct cache *cache)
{
	return &cache->statistics;
}

double cache_hit_rate(const struct cache *cache)
{
	uint64_t hits = cache->statistics.hits, lookups = hits + cache->statistics.misses;

	return lookups ? (double)hits / (double)lookups : 0.0;
}

/* --- as JSON ---------------------------------------------------------- */

static void write_integer(struct json_out *out, const char *key, uint64_t number)
{
	json_out_key(out, key);
	json_out_integer(out, (int64_t)number);
}

static void write_boolean(struct json_out *out, const char *key, bool boolean)
{
	json_out_key(out, key);
	json_out_boolean(out, boolean);
}

static void write_version(struct json_out *out, const struct cache *cache)
{
	char text[24];

	json_out_key(out, "current_version");
	if (!cache->tree) {
		json_out_null(out);
		return;
	}
	snprintf(text, sizeof text, "%" PRIu64, cache->structure);
	json_out_text(out, text);
}

static void write_sizes(struct json_out *out, const struct cache *cache)
{
	json_out_key(out, "cache_sizes");
	json_out_begin_object(out);
	write_integer(out, "track_by_index", cache->tracks.count);
	write_integer(out, "scene_by_index", cache->scenes.count);
	write_boolean(out, "all_tracks_cached", cache->all_tracks != NULL);
	write_boolean(out, "all_scenes_cached", cache->all_scenes != NULL);
	json_out_end_object(out);
}

static void write_statistics(struct json_out *out, const struct cache *cache)
{
	const struct cache_statistics *statistics = &cache->statistics;

	json_out_key(out, "statistics");
	json_out_begin_object(out);
	write_integer(out, "hits", statistics->hits);
	write_integer(out, "misses", statistics->misses);
	write_integer(out, "invalidations", statistics->invalidations);
	write_integer(out, "evictions", statistics->evictions);
	write_integer(out, "total_requests", statistics->hits + statistics->misses);
	json_out_key(out, "hit_rate");
	json_out_number(out, cache_hit_rate(cache));
	json_out_end_object(out);
}

void cache_write(struct json_out *out, const struct cache *cache)
{
	json_out_begin_object(out);
	write_boolean(out, "enabled", cache->capacity > 0);
	write_integer(out, "capacity", cache->capacity);
	write_version(out, cache);
	write_sizes(out, cache);
	write_statistics(out, cache);
	json_out_end_object(out);
}
