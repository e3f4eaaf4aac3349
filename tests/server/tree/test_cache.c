/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache.h"
#include "dialogue.h"

static struct tree *tree;
static struct cache *cache;

static struct node *numbered(enum node_type type, int64_t index)
{
	struct node *node = node_create(type);

	assert_non_null(node);
	assert_int_equal(value_map_set(&node->attributes, "index", value_integer(index)), 0);
	return node;
}

static struct tree *make_tree(void)
{
	struct node *root = node_create(NODE_PROJECT);
	struct tree *made;

	assert_non_null(root);
	strcpy(root->id, "project");
	for (int64_t i = 0; i < 4; i++) {
		struct node *track = numbered(NODE_TRACK, i);
		strcpy(track->id, "track");
		assert_int_equal(node_append(root, track), 0);
	}
	for (int64_t i = 0; i < 4; i++)
		assert_int_equal(node_append(root, numbered(NODE_SCENE, i)), 0);
	assert_int_equal(tree_create(&made, root), 0);
	return made;
}

static void begin(size_t capacity)
{
	tree = make_tree();
	assert_int_equal(cache_create(&cache, capacity), 0);
}

static int tear_down(void **state)
{
	(void)state;
	cache_destroy(&cache);
	assert_null(cache);
	tree_destroy(&tree);
	return 0;
}

static void expect_account(uint64_t hits, uint64_t misses, uint64_t invalidations,
			   uint64_t evictions)
{
	const struct cache_statistics *statistics = cache_statistics(cache);

	assert_int_equal(statistics->hits, hits);
	assert_int_equal(statistics->misses, misses);
	assert_int_equal(statistics->invalidations, invalidations);
	assert_int_equal(statistics->evictions, evictions);
}

static void second_look_is_a_hit(void **state)
{
	(void)state;
	begin(256);
	expect_account(0, 0, 0, 0);
	assert_true(cache_hit_rate(cache) == 0.0);
	assert_ptr_equal(cache_track(cache, tree, 2), tree_track(tree, 2));
	expect_account(0, 1, 1, 0); /* the first time counts as invalidation */
	assert_ptr_equal(cache_track(cache, tree, 2), tree_track(tree, 2));
	expect_account(1, 1, 1, 0);
	/* Tracks and scenes do not take each other's places. */
	assert_ptr_equal(cache_scene(cache, tree, 2), tree_scene(tree, 2));
	expect_account(1, 2, 1, 0);
	assert_ptr_equal(cache_scene(cache, tree, 2), tree_scene(tree, 2));
	expect_account(2, 2, 1, 0);
	assert_true(cache_hit_rate(cache) == 0.5);
}

static void lists_are_remembered_too(void **state)
{
	(void)state;
	begin(256);
	assert_ptr_equal(cache_all_tracks(cache, tree), tree_of_type(tree, NODE_TRACK));
	assert_ptr_equal(cache_all_scenes(cache, tree), tree_of_type(tree, NODE_SCENE));
	expect_account(0, 2, 1, 0);
	assert_int_equal(cache_all_tracks(cache, tree)->count, 4);
	assert_int_equal(cache_all_scenes(cache, tree)->count, 4);
	expect_account(2, 2, 1, 0);
}

static void what_does_not_exist_is_missed_each_time(void **state)
{
	(void)state;
	begin(256);
	assert_null(cache_track(cache, tree, 99));
	assert_null(cache_track(cache, tree, 99));
	assert_null(cache_scene(cache, tree, -1));
	expect_account(0, 3, 1, 0);
}

static void attributes_may_change_structure_may_not(void **state)
{
	(void)state;
	begin(256);
	struct node *scene = cache_scene(cache, tree, 1);
	assert_int_equal(tree_set(tree, scene, "name", value_text("x")), 0);
	assert_ptr_equal(cache_scene(cache, tree, 1), scene);
	expect_account(1, 1, 1, 0);
	tree_renumber(tree, tree_scene(tree, 3), "index", 9);
	assert_null(cache_scene(cache, tree, 3));
	expect_account(1, 2, 2, 0);
	tree_remove(tree, tree_scene(tree, 0));
	assert_null(cache_scene(cache, tree, 0));
	expect_account(1, 3, 3, 0);
	assert_int_equal(tree_insert(tree, tree_root(tree), 4, numbered(NODE_SCENE, 0)), 0);
	assert_ptr_equal(cache_scene(cache, tree, 0), tree_root(tree)->children[4]);
	expect_account(1, 4, 4, 0);
}

static void another_tree_is_told_from_the_first(void **state)
{
	(void)state;
	begin(256);
	assert_ptr_equal(cache_track(cache, tree, 0), tree_track(tree, 0));
	cache_forget(cache);
	tree_destroy(&tree);
	tree = make_tree(); /* which may well stand at the same address */
	assert_ptr_equal(cache_track(cache, tree, 0), tree_track(tree, 0));
	expect_account(0, 2, 2, 0);
}

static void beyond_the_capacity_the_oldest_goes(void **state)
{
	(void)state;
	begin(2);
	for (int64_t i = 0; i < 4; i++)
		cache_track(cache, tree, i);
	expect_account(0, 4, 1, 2);
	cache_track(cache, tree, 3);
	cache_track(cache, tree, 2);
	expect_account(2, 4, 1, 2);
	cache_track(cache, tree, 0);
	expect_account(2, 5, 1, 3);
}

static void without_capacity_it_is_off(void **state)
{
	(void)state;
	begin(0);
	assert_ptr_equal(cache_track(cache, tree, 1), tree_track(tree, 1));
	assert_ptr_equal(cache_track(cache, tree, 1), tree_track(tree, 1));
	assert_int_equal(cache_all_scenes(cache, tree)->count, 4);
	cache_forget(cache);
	expect_account(0, 0, 0, 0);
}

static void expect_written(const char *wanted)
{
	struct json_out out;

	json_out_init(&out, 0);
	cache_write(&out, cache);
	json_out_append(&out, "", 1);
	assert_int_equal(json_out_result(&out), 0);
	expect_json(out.text, "%s", wanted);
	json_out_fini(&out);
}

static void statistics_are_written_in_the_originals_form(void **state)
{
	(void)state;
	begin(2);
	expect_written("{\"enabled\":true,\"capacity\":2,\"current_version\":null,"
		       "\"cache_sizes\":{\"track_by_index\":0,\"scene_by_index\":0,"
		       "\"all_tracks_cached\":false,\"all_scenes_cached\":false},"
		       "\"statistics\":{\"hits\":0,\"misses\":0,\"invalidations\":0,"
		       "\"evictions\":0,\"total_requests\":0,\"hit_rate\":0.0}}");
	for (int64_t i = 0; i < 3; i++)
		cache_track(cache, tree, i);
	cache_track(cache, tree, 2);
	cache_all_scenes(cache, tree);
	cache_all_scenes(cache, tree);
	cache_all_scenes(cache, tree);
	cache_scene(cache, tree, 1);
	expect_written("{\"enabled\":true,\"capacity\":2,\"current_version\":\"*\","
		       "\"cache_sizes\":{\"track_by_index\":2,\"scene_by_index\":1,"
		       "\"all_tracks_cached\":false,\"all_scenes_cached\":true},"
		       "\"statistics\":{\"hits\":3,\"misses\":5,\"invalidations\":1,"
		       "\"evictions\":1,\"total_requests\":8,\"hit_rate\":0.375}}");
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(second_look_is_a_hit),
		CASE(lists_are_remembered_too),
		CASE(what_does_not_exist_is_missed_each_time),
		CASE(attributes_may_change_structure_may_not),
		CASE(another_tree_is_told_from_the_first),
		CASE(beyond_the_capacity_the_oldest_goes),
		CASE(without_capacity_it_is_off),
		CASE(statistics_are_written_in_the_originals_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
