/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialogue.h"

static struct node *root(struct ast_server *server)
{
	return tree_root(server->project.tree);
}

static struct node *track(struct ast_server *server, int64_t index)
{
	return tree_track(server->project.tree, index);
}

#define ID_MAX NODE_ID_MAX

/* Ids as they were before an event: they wander with scenes and slots. */
struct ids {
	char scenes[8][ID_MAX];
	char slots[4][8][ID_MAX]; /* by track and scene */
};

static struct ids read_ids(struct ast_server *server)
{
	struct ids ids = { 0 };

	for (int64_t scene = 0; scene < 8; scene++) {
		const struct node *found = tree_scene(server->project.tree, scene);
		if (found)
			strcpy(ids.scenes[scene], found->id);
		for (int64_t i = 0; i < 4; i++) {
			found = tree_slot(track(server, i), scene);
			if (found)
				strcpy(ids.slots[i][scene], found->id);
		}
	}
	return ids;
}

#define MOVED_SCENE(from, to)                                                          \
	"{'type':'modified','node_id':'%s','node_type':'scene',"                       \
	"'path':'scenes[" from "]','old_value':{'index':" from "},"                    \
	"'new_value':{'index':" to "},'seq_num':5}"
#define MOVED_SLOT(track, from, to)                                                    \
	"{'type':'modified','node_id':'%s','node_type':'clip_slot',"                   \
	"'path':'tracks[" track "].clip_slots[" from "]','old_value':{'scene_index':"  \
	from "},'new_value':{'scene_index':" to "},'seq_num':5}"
#define ADDED_SCENE(index, name)                                                       \
	"{'type':'added','node_id':'%s','node_type':'scene','parent_id':'project',"    \
	"'path':'scenes[" index "]','new_value':{'name':'" name "','index':" index     \
	"},'seq_num':5}"

/* --- renaming ---------------------------------------------------------------- */

static void rename_tells_the_scene(void **state)
{
	struct ast_server *server = dialogue_begin("scene-renamed");

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/scene/renamed", I(2), S("Chorus")),
			 EVENT_PROCESSED);
	const char *id = scene_id(server, 2);
	expect_message(DIFF("{'type':'modified','node_id':'%s','node_type':'scene',"
			    "'path':'scenes[2]','old_value':{'name':'three'},"
			    "'new_value':{'name':'Chorus'},'seq_num':5}", "", "", "'%s'"),
		       id, id);
	assert_int_equal(SEND(server, "/live/scene/renamed", I(4), S("x")), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/scene/renamed", I(-1), S("x")), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/scene/renamed", I(0)), EVENT_INVALID);
	expect_silence();
}

static void reordering_is_accepted_and_changes_nothing(void **state)
{
	struct ast_server *server = dialogue_begin("reordered");
	char *before = dialogue_tree(server), *after;

	(void)state;
	assert_int_equal(SEND(server, "/live/scene/reordered", I(2), S("x")), EVENT_PROCESSED);
	assert_int_equal(SEND_BARE(server, "/live/scene/reordered"), EVENT_PROCESSED);
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	expect_silence();
	free(before);
	free(after);
}

/* --- adding -------------------------------------------------------------------- */

static void scene_that_is_added_moves_all_behind_it(void **state)
{
	struct ast_server *server = dialogue_begin("scene-added");
	struct ids was = read_ids(server);
	char ids[1024];

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(2), S("Bridge")),
			 EVENT_PROCESSED);
	snprintf(ids, sizeof ids, "\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"",
		 was.scenes[2], was.scenes[3], was.slots[0][2], was.slots[0][3],
		 was.slots[1][2], was.slots[1][3]);
	expect_message(DIFF(MOVED_SCENE("2", "3") "," MOVED_SCENE("3", "4") ","
			    MOVED_SLOT("0", "2", "3") "," MOVED_SLOT("0", "3", "4") ","
			    MOVED_SLOT("1", "2", "3") "," MOVED_SLOT("1", "3", "4") ","
			    ADDED_SCENE("2", "Bridge"), "'%s'", "", "%s"),
		       was.scenes[2], was.scenes[3], was.slots[0][2], was.slots[0][3],
		       was.slots[1][2], was.slots[1][3], scene_id(server, 2),
		       scene_id(server, 2), ids);
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 "
			    "scene0 scene1 scene2 scene3 scene4 fileref_0");
	assert_string_equal(dialogue_children(track(server, 1)),
			    "slot0 slot1 slot3 slot4 mixer_1");
	expect_attributes(tree_scene(server->project.tree, 2),
			  "{'name':'Bridge','index':2,'tempo':null}");
}

static void slots_of_returns_and_the_master_move_too(void **state)
{
	struct ast_server *server = dialogue_begin("slots-move");

	(void)state;
	SEND(server, "/live/clip_slot/created", I(2), I(1), TRUE, TRUE, I(0));
	SEND(server, "/live/clip_slot/created", I(3), I(7), TRUE, TRUE, I(0));
	fixture_heard();
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(1), S("x")), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 2)), "slot2 mixer_2");
	assert_string_equal(dialogue_children(track(server, 3)), "slot8");
	assert_non_null(strstr(fixture_heard()[0], "tracks[3].clip_slots[7]"));
	assert_int_equal(SEND_AS(5, server, "/live/scene/removed", I(0)), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 2)), "slot1 mixer_2");
	assert_string_equal(dialogue_children(track(server, 3)), "slot7");
	assert_int_equal(SEND_AS(5, server, "/live/scene/removed", I(1)), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 2)), "mixer_2");
}

static void two_appends_in_a_row_stand_in_order(void **state)
{
	struct ast_server *server = dialogue_begin("appends");

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(4), S("x")), EVENT_PROCESSED);
	expect_message(DIFF(ADDED_SCENE("4", "x"), "'%s'", "", ""), scene_id(server, 4),
		       scene_id(server, 4));
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(5), S("y")), EVENT_PROCESSED);
	expect_message(DIFF(ADDED_SCENE("5", "y"), "'%s'", "", ""), scene_id(server, 5),
		       scene_id(server, 5));
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 scene0 scene1 scene2 scene3 "
			    "scene4 scene5 fileref_0");
}

static void append_right_after_the_last_was_removed(void **state)
{
	struct ast_server *server = dialogue_begin("append-removed");

	(void)state;
	assert_int_equal(SEND(server, "/live/scene/removed", I(3)), EVENT_PROCESSED);
	fixture_heard();
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(3), S("x")), EVENT_PROCESSED);
	expect_message(DIFF(ADDED_SCENE("3", "x"), "'%s'", "", ""), scene_id(server, 3),
		       scene_id(server, 3));
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 scene0 scene1 scene2 scene3 "
			    "fileref_0");
}

static void first_scene_of_all_goes_behind_the_last_track(void **state)
{
	struct ast_server *server = dialogue_begin("scene-first");

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(SEND(server, "/live/scene/removed", I(0)), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 fileref_0");
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1 mixer_0");
	assert_int_equal(SEND(server, "/live/scene/removed", I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/scene/added", I(0), S("x")), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 scene0 fileref_0");
}

static void index_beyond_the_count_is_taken_as_it_is(void **state)
{
	struct ast_server *server = dialogue_begin("scene-beyond");

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/scene/added", I(9), S("x")), EVENT_PROCESSED);
	expect_message(DIFF(ADDED_SCENE("9", "x"), "'%s'", "", ""), scene_id(server, 9),
		       scene_id(server, 9));
	assert_int_equal(SEND(server, "/live/scene/added", I(6), S("y")), EVENT_PROCESSED);
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 scene0 scene1 scene2 scene3 "
			    "scene6 scene10 fileref_0");
	assert_int_equal(SEND(server, "/live/scene/added", F(1e30f), S("z")), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/scene/added", I(1)), EVENT_INVALID);
	assert_int_equal(SEND(server, "/live/scene/added", S(""), S("z")), EVENT_FAILED);
}

/* --- removing -------------------------------------------------------------------- */

#define REMOVED_SLOT(track)                                                            \
	"{'type':'removed','node_id':'%s','node_type':'clip_slot',"                    \
	"'parent_id':'track_" track "','path':'tracks[" track "].clip_slots[1]',"      \
	"'value':{},'seq_num':5}"

static void scene_that_is_removed_takes_its_slots_along(void **state)
{
	struct ast_server *server = dialogue_begin("scene-removed");
	struct ids was = read_ids(server);

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/scene/removed", I(1)), EVENT_PROCESSED);
	/* What has moved is told in `changes` alone. */
	expect_message(DIFF("{'type':'removed','node_id':'%s','node_type':'scene',"
			    "'parent_id':'project','path':'scenes[1]',"
			    "'value':{'name':'two'},'seq_num':5},"
			    REMOVED_SLOT("0") "," REMOVED_SLOT("1") ","
			    MOVED_SCENE("2", "1") "," MOVED_SCENE("3", "2") ","
			    MOVED_SLOT("0", "2", "1") "," MOVED_SLOT("0", "3", "2") ","
			    MOVED_SLOT("1", "2", "1") "," MOVED_SLOT("1", "3", "2"),
			    "", "'%s','%s','%s'", ""),
		       was.scenes[1], was.slots[0][1], was.slots[1][1],
		       was.scenes[2], was.scenes[3], was.slots[0][2], was.slots[0][3],
		       was.slots[1][2], was.slots[1][3],
		       was.scenes[1], was.slots[0][1], was.slots[1][1]);
	assert_string_equal(dialogue_children(root(server)),
			    "track_0 track_1 track_2 track_3 scene0 scene1 scene2 fileref_0");
	assert_string_equal(dialogue_children(track(server, 1)), "slot0 slot1 slot2 mixer_1");
	/* The clip was in that slot. */
	assert_null(tree_find(server->project.tree, "clip_1_1"));
}

static void clips_keep_their_ids_when_slots_move(void **state)
{
	struct ast_server *server = dialogue_begin("clip-ids");

	(void)state;
	assert_int_equal(SEND(server, "/live/scene/removed", I(0)), EVENT_PROCESSED);
	const struct node *clip = tree_find(server->project.tree, "clip_1_1");
	assert_non_null(clip);
	assert_ptr_equal(clip->parent, tree_slot(track(server, 1), 0));
	assert_int_equal(SEND(server, "/live/scene/added", I(0), S("x")), EVENT_PROCESSED);
	assert_ptr_equal(clip->parent, tree_slot(track(server, 1), 1));
}

static void several_removals_are_taken_literally(void **state)
{
	struct ast_server *server = dialogue_begin("literally");

	(void)state;
	/* Old indexes, ascending: the second meets what was scene 2. */
	assert_int_equal(SEND(server, "/live/scene/removed", I(0)), EVENT_PROCESSED);
	assert_int_equal(SEND(server, "/live/scene/removed", I(1)), EVENT_PROCESSED);
	assert_string_equal(node_text(tree_scene(server->project.tree, 0), "name"), "two");
	assert_string_equal(node_text(tree_scene(server->project.tree, 1), "name"), "four");
	assert_int_equal(SEND(server, "/live/scene/removed", I(2)), EVENT_NO_TARGET);
}

static void unknown_scenes_are_passed_over(void **state)
{
	struct ast_server *server = dialogue_begin("scene-unknown");
	char *before = dialogue_tree(server), *after;

	(void)state;
	assert_int_equal(SEND(server, "/live/scene/removed", I(77)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/scene/removed", I(-1)), EVENT_NO_TARGET);
	assert_int_equal(SEND_BARE(server, "/live/scene/removed"), EVENT_INVALID);
	expect_silence();
	assert_int_equal(SEND(server, "/live/scene/removed", S("one")), EVENT_FAILED);
	expect_failure("/live/scene/removed");
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rename_tells_the_scene),
		CASE(reordering_is_accepted_and_changes_nothing),
		CASE(scene_that_is_added_moves_all_behind_it),
		CASE(slots_of_returns_and_the_master_move_too),
		CASE(two_appends_in_a_row_stand_in_order),
		CASE(append_right_after_the_last_was_removed),
		CASE(first_scene_of_all_goes_behind_the_last_track),
		CASE(index_beyond_the_count_is_taken_as_it_is),
		CASE(scene_that_is_removed_takes_its_slots_along),
		CASE(clips_keep_their_ids_when_slots_move),
		CASE(several_removals_are_taken_literally),
		CASE(unknown_scenes_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
