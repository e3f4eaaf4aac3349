/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query.h"
#include "serialize.h"
#include "tree.h"

#define TRACKS 4
#define SCENES 6

/* --- a tree like a set's ---------------------------------------------- */

static void set(struct node *node, const char *key, struct value value)
{
	assert_int_equal(value_map_set(&node->attributes, key, value), 0);
}

static struct node *make(enum node_type type, const char *id)
{
	struct node *node = node_create(type);

	assert_non_null(node);
	strcpy(node->id, id);
	return node;
}

static struct node *make_slot(int track, int scene)
{
	struct node *slot = make(NODE_CLIP_SLOT, "");

	set(slot, "track_index", value_integer(track));
	set(slot, "scene_index", value_integer(scene));
	set(slot, "has_clip", value_boolean(scene == 1));
	return slot;
}

static struct node *make_scene(int index)
{
	struct node *scene = make(NODE_SCENE, "");

	set(scene, "name", value_text("scene"));
	set(scene, "index", value_integer(index));
	return scene;
}

static struct node *make_track(int index)
{
	char id[32];

	snprintf(id, sizeof id, "track_%d", index);
	struct node *track = make(NODE_TRACK, id);
	set(track, "name", value_text(id));
	set(track, "index", value_integer(index));
	set(track, "color", value_null());
	for (int i = 0; i < 2; i++) {
		snprintf(id, sizeof id, "device_%d_%d", index, i);
		assert_int_equal(node_append(track, make(NODE_DEVICE, id)), 0);
	}
	for (int scene = 0; scene < SCENES; scene++)
		assert_int_equal(node_append(track, make_slot(index, scene)), 0);
	snprintf(id, sizeof id, "mixer_%d", index);
	struct node *mixer = make(NODE_MIXER, id);
	set(mixer, "volume", value_number(0.5));
	assert_int_equal(node_append(track, mixer), 0);
	return track;
}

static struct tree *make_tree(void)
{
	struct node *root = make(NODE_PROJECT, "project");
	struct tree *tree;

	for (int i = 0; i < TRACKS; i++)
		assert_int_equal(node_append(root, make_track(i)), 0);
	for (int i = 0; i < SCENES; i++)
		assert_int_equal(node_append(root, make_scene(i)), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(node_append(root, make(NODE_FILE_REF, "fileref_same")), 0);
	assert_int_equal(tree_create(&tree, root), 0);
	return tree;
}

static int set_up(void **state)
{
	*state = make_tree();
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	tree_destroy(&tree);
	assert_null(tree);
	return 0;
}

/* --- indexes ---------------------------------------------------------- */

struct check {
	const struct tree *tree;
	size_t seen[NODE_TYPES];
};

/* The n-th node of its type in the walk is the n-th of the index. */
static int check_node(struct node *node, void *context)
{
	struct check *check = context;
	const struct node_list *list = tree_of_type(check->tree, node->type);
	size_t n = check->seen[node->type]++;
	const struct node *found = tree_find(check->tree, node->id);

	assert_true(n < list->count);
	assert_ptr_equal(list->items[n], node);
	assert_non_null(found);
	assert_string_equal(found->id, node->id);
	for (size_t i = 0; i < node->child_count; i++) {
		assert_ptr_equal(node->children[i]->parent, node);
		assert_int_equal(node->children[i]->position, i);
		assert_true(!node->children[i]->stale || node->stale);
	}
	return 0;
}

static void expect_sound(const struct tree *tree)
{
	struct check check = { .tree = tree };

	node_walk(tree_root(tree), check_node, &check);
	for (size_t i = 0; i < NODE_TYPES; i++)
		assert_int_equal(tree_of_type(tree, (enum node_type)i)->count, check.seen[i]);
}

static void every_node_is_found_by_id_and_type(void **state)
{
	const struct node_list *list;

	expect_sound(*state);
	assert_int_equal(tree_of_type(*state, NODE_CLIP_SLOT)->count, TRACKS * SCENES);
	assert_null(find_node_by_id(*state, "track_9"));
	assert_null(find_node_by_id(NULL, "track_0"));
	assert_int_equal(find_nodes_by_type(*state, "scene", &list), 0);
	assert_int_equal(list->count, SCENES);
	assert_int_equal(find_nodes_by_type(*state, "automation", &list), 0);
	assert_int_equal(list->count, 0);
	assert_int_equal(find_nodes_by_type(*state, "nonsense", &list), 0);
	assert_int_equal(list->count, 0);
	assert_true(find_nodes_by_type(NULL, "scene", &list) < 0);
}

static void of_two_nodes_with_one_id_the_first_is_found(void **state)
{
	struct tree *tree = *state;
	const struct node_list *refs = tree_of_type(tree, NODE_FILE_REF);

	assert_ptr_equal(tree_find(tree, "fileref_same"), refs->items[0]);
	tree_remove(tree, refs->items[0]);
	assert_ptr_equal(tree_find(tree, "fileref_same"), refs->items[0]);
	struct node *first = make(NODE_FILE_REF, "fileref_same");
	assert_int_equal(tree_insert(tree, tree_root(tree), 0, first), 0);
	assert_ptr_equal(tree_find(tree, "fileref_same"), first);
	expect_sound(tree);
}

static void blank_ids_are_drawn_and_differ(void **state)
{
	const struct node_list *slots = tree_of_type(*state, NODE_CLIP_SLOT);

	for (size_t i = 0; i < slots->count; i++) {
		const char *id = slots->items[i]->id;

		assert_int_equal(strlen(id), strlen("clip_slot_") + 8);
		assert_int_equal(strspn(id + strlen("clip_slot_"), "0123456789abcdef"), 8);
		assert_ptr_equal(tree_find(*state, id), slots->items[i]);
	}
}

static void nodes_are_found_by_their_index(void **state)
{
	struct tree *tree = *state;

	for (int i = 0; i < TRACKS; i++)
		assert_int_equal(node_integer(tree_track(tree, i), "index", -1), i);
	assert_null(tree_track(tree, -1));
	assert_null(tree_track(tree, TRACKS));
	assert_null(tree_track(tree, INT64_MIN));
	for (int i = 0; i < SCENES; i++) {
		struct node *slot = tree_slot(tree_track(tree, 2), i);

		assert_int_equal(node_integer(tree_scene(tree, i), "index", -1), i);
		assert_int_equal(node_integer(slot, "scene_index", -1), i);
		assert_int_equal(node_integer(slot, "track_index", -1), 2);
	}
	assert_null(tree_slot(tree_track(tree, 2), SCENES));
	assert_null(tree_slot(tree_track(tree, 2), -1));
	assert_string_equal(tree_device(tree_track(tree, 1), 1)->id, "device_1_1");
	assert_null(tree_device(tree_track(tree, 1), 2));
	assert_null(tree_device(tree_track(tree, 1), -1));
	assert_int_equal(tree_slot_position(tree_track(tree, 0), 3), 2 + 3);
	assert_int_equal(tree_slot_position(tree_track(tree, 0), 99), 2 + SCENES);
	assert_int_equal(tree_scene_position(tree, 0), TRACKS);
	assert_int_equal(tree_scene_position(tree, 99), TRACKS + SCENES);
}

static void indexes_hold_through_insertions_and_removals(void **state)
{
	struct tree *tree = *state;
	unsigned random = 1;

	for (int round = 0; round < 300; round++) {
		random = random * 1103515245u + 12345u;
		struct node *root = tree_root(tree);
		struct node *parent = root->child_count ? root->children[random / 65536u %
									   root->child_count]
							: root;
		if (random / 256u % 3u == 0 && parent != root)
			tree_remove(tree, parent);
		else if (random / 256u % 3u == 1)
			assert_int_equal(tree_insert(tree, root, random % 7u,
						     make_track(100 + round)), 0);
		else
			assert_int_equal(tree_insert(tree, parent, random % 5u,
						     make_slot(0, round)), 0);
		expect_sound(tree);
	}
}

/* --- hashes ----------------------------------------------------------- */

static void root_hash(struct tree *tree, char text[NODE_HASH_TEXT])
{
	tree_hash(tree, tree_root(tree), text);
	assert_int_equal(strspn(text, "0123456789abcdef"), 64);
}

static void expect_moved(struct tree *tree, char before[NODE_HASH_TEXT], uint64_t most_hashed)
{
	char after[NODE_HASH_TEXT];
	uint64_t hashed = tree_hashed(tree);

	root_hash(tree, after);
	assert_string_not_equal(after, before);
	assert_int_equal(tree_hashed(tree) - hashed, most_hashed);
	strcpy(before, after);
}

static void each_kind_of_change_moves_the_root_along_its_path_only(void **state)
{
	struct tree *tree = *state;
	struct node *track = tree_track(tree, 1), *slot = tree_slot(track, 3);
	struct node *root = tree_root(tree);
	char hash[NODE_HASH_TEXT];

	root_hash(tree, hash);
	assert_int_equal(tree_set(tree, slot, "has_clip", value_boolean(true)), 0);
	expect_moved(tree, hash, 3);
	assert_int_equal(tree_set(tree, track, "is_armed", value_integer(0)), 0);
	expect_moved(tree, hash, 2);
	assert_int_equal(tree_set(tree, track, "is_armed", value_boolean(false)), 0);
	expect_moved(tree, hash, 2);
	assert_int_equal(tree_set(tree, root, "tempo", value_number(120.0)), 0);
	expect_moved(tree, hash, 1);
	assert_int_equal(tree_insert(tree, track, 0, make(NODE_DEVICE, "device_1_0_7")), 0);
	expect_moved(tree, hash, 3);
	tree_remove(tree, slot);
	expect_moved(tree, hash, 2);
	set(tree_find(tree, "mixer_0"), "volume", value_number(0.25));
	tree_touch(tree, tree_find(tree, "mixer_0"));
	expect_moved(tree, hash, 3);
}

static void hash_is_of_content_alone(void **state)
{
	struct tree *tree = *state;
	struct node *track = tree_track(tree, 0);
	char first[NODE_HASH_TEXT], second[NODE_HASH_TEXT];

	root_hash(tree, first);
	assert_int_equal(tree_set(tree, track, "b", value_integer(2)), 0);
	assert_int_equal(tree_set(tree, track, "a", value_text("x")), 0);
	tree_hash(tree, track, second);
	assert_string_not_equal(first, second);
	/* Back again, through a null, which counts as nothing. */
	assert_int_equal(tree_set(tree, track, "a", value_null()), 0);
	assert_int_equal(tree_set(tree, track, "b", value_null()), 0);
	root_hash(tree, second);
	assert_string_equal(first, second);
}

static void equal_nodes_of_two_trees_have_equal_hashes(void **state)
{
	struct tree *other = make_tree();
	char a[NODE_HASH_TEXT], b[NODE_HASH_TEXT];

	tree_hash(*state, tree_find(*state, "mixer_2"), a);
	tree_hash(other, tree_find(other, "mixer_2"), b);
	assert_string_equal(a, b);
	tree_hash(other, tree_find(other, "mixer_1"), b);
	assert_string_not_equal(a, b);
	tree_destroy(&other);
}

static void set_long_text(struct node *node, size_t length, char last)
{
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, 'x', length);
	text[length - 1] = last;
	text[length] = '\0';
	set(node, "annotation", value_text(text));
	node->stale = true;
	free(text);
}

/* Around the size of what is hashed at once, and far above. */
static void hash_covers_long_nodes_to_their_end(void **state)
{
	unsigned char before[NODE_HASH_BYTES];

	(void)state;
	for (size_t length = 3900; length < 20000; length += length < 4200 ? 1 : 1999) {
		struct node *scene = make_scene(0);

		set_long_text(scene, length, 'a');
		node_rehash(scene);
		memcpy(before, scene->hash, sizeof before);
		set_long_text(scene, length, 'b');
		node_rehash(scene);
		assert_memory_not_equal(before, scene->hash, sizeof before);
		set_long_text(scene, length, 'a');
		node_rehash(scene);
		assert_memory_equal(before, scene->hash, sizeof before);
		node_destroy(scene);
	}
}

static void hash_covers_the_last_of_many_children(void **state)
{
	struct tree *tree = *state;
	char hash[NODE_HASH_TEXT];

	for (int i = SCENES; i < 500; i++)
		assert_int_equal(tree_insert(tree, tree_root(tree), tree_scene_position(tree, i),
					     make_scene(i)), 0);
	root_hash(tree, hash);
	assert_int_equal(tree_set(tree, tree_scene(tree, 499), "tempo", value_number(1)), 0);
	expect_moved(tree, hash, 2);
}

/* --- queries and text ------------------------------------------------- */

static size_t count_found(const struct tree *tree, const char *query)
{
	struct node_list list;

	assert_int_equal(query_nodes(tree, query, &list), 0);
	size_t count = list.count;
	for (size_t i = 1; i < count; i++)
		assert_true(node_before(list.items[i - 1], list.items[i]));
	node_list_fini(&list);
	return count;
}

static void query_takes_one_equation(void **state)
{
	struct node_list list;

	assert_int_equal(count_found(*state, "name == track_1"), 1);
	assert_int_equal(count_found(*state, "  name==  'track_1' "), 1);
	assert_int_equal(count_found(*state, "name == \"scene\""), SCENES);
	assert_int_equal(count_found(*state, "scene_index == 2"), TRACKS);
	assert_int_equal(count_found(*state, "scene_index == '2'"), 0);
	assert_int_equal(count_found(*state, "volume == 0.50"), TRACKS);
	assert_int_equal(count_found(*state, "has_clip == true"), TRACKS);
	assert_int_equal(count_found(*state, "color == null"), TRACKS);
	assert_int_equal(count_found(*state, "index > 2"), 0);
	assert_int_equal(count_found(*state, "index == 2 == 2"), 0);
	assert_int_equal(count_found(*state, "== 2"), 0);
	assert_int_equal(count_found(*state, ""), 0);
	assert_true(query_nodes(NULL, "index == 2", &list) < 0);
}

static void both_forms_have_their_fields_in_order(void **state)
{
	struct tree *tree = *state;
	struct json_out query, websocket;
	char hash[NODE_HASH_TEXT], text[400];

	tree_hash(tree, tree_find(tree, "mixer_0"), hash);
	json_out_init(&query, 0);
	serialize_node(&query, tree, tree_find(tree, "mixer_0"), SERIALIZE_QUERY);
	snprintf(text, sizeof text, "{\"node_type\":\"mixer\",\"id\":\"mixer_0\",\"attributes\":"
		 "{\"volume\":0.5},\"children\":[],\"hash\":\"%s\"}", hash);
	assert_int_equal(query.length, strlen(text));
	assert_memory_equal(query.text, text, query.length);
	json_out_init(&websocket, 0);
	serialize_node(&websocket, tree, tree_find(tree, "mixer_0"), SERIALIZE_WEBSOCKET);
	snprintf(text, sizeof text, "{\"node_type\":\"mixer\",\"id\":\"mixer_0\",\"hash\":\"%s\","
		 "\"attributes\":{\"volume\":0.5}}", hash);
	assert_int_equal(websocket.length, strlen(text));
	assert_memory_equal(websocket.text, text, websocket.length);
	json_out_fini(&query);
	json_out_fini(&websocket);
}

#define tree_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(every_node_is_found_by_id_and_type),
		tree_test(of_two_nodes_with_one_id_the_first_is_found),
		tree_test(blank_ids_are_drawn_and_differ),
		tree_test(nodes_are_found_by_their_index),
		tree_test(indexes_hold_through_insertions_and_removals),
		tree_test(each_kind_of_change_moves_the_root_along_its_path_only),
		tree_test(hash_is_of_content_alone),
		tree_test(equal_nodes_of_two_trees_have_equal_hashes),
		tree_test(hash_covers_long_nodes_to_their_end),
		tree_test(hash_covers_the_last_of_many_children),
		tree_test(query_takes_one_equation),
		tree_test(both_forms_have_their_fields_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
