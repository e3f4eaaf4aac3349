/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialogue.h"

#define PATH "/live/clip_slot/created"

static struct node *track(struct ast_server *server, int64_t index)
{
	return tree_track(server->project.tree, index);
}

#define CHANGED(has_clip, status)                                                      \
	DIFF("{'type':'modified','node_id':'%s','node_type':'clip_slot',"              \
	     "'path':'tracks[1].clip_slots[1]','old_value':{},'new_value':"            \
	     "{'has_clip':" has_clip ",'playing_status':" status "},'seq_num':3}",     \
	     "", "", "'%s'")

static void slot_that_exists_is_changed(void **state)
{
	struct ast_server *server = dialogue_begin("slot-changed");
	const struct node *slot = tree_slot(track(server, 1), 1);

	(void)state;
	assert_int_equal(SEND_AS(3, server, PATH, I(1), I(1), TRUE, FALSE, I(1)),
			 EVENT_PROCESSED);
	expect_message(CHANGED("true", "1"), slot->id, slot->id);
	expect_attributes(slot, "{'track_index':1,'scene_index':1,'has_clip':true,"
				"'has_stop_button':false,'playing_status':1,'color':null,"
				"'is_playing':true,'is_triggered':false}");
	assert_int_equal(SEND_AS(3, server, PATH, I(1), I(1), I(0), I(1), I(2)),
			 EVENT_PROCESSED);
	expect_message(CHANGED("false", "2"), slot->id, slot->id);
	expect_attributes(slot, "{'track_index':1,'scene_index':1,'has_clip':false,"
				"'has_stop_button':true,'playing_status':2,'color':null,"
				"'is_playing':false,'is_triggered':true}");
	/* The clip of a slot stays, whatever is said of it. */
	assert_string_equal(dialogue_children(slot), "clip_1_1");
}

static void flags_are_truths_and_the_status_is_a_number(void **state)
{
	struct ast_server *server = dialogue_begin("slot-converted");
	const struct node *slot = tree_slot(track(server, 1), 1);

	(void)state;
	assert_int_equal(SEND_AS(3, server, PATH, S("1"), F(1.5f), S("0"), S(""), S("7")),
			 EVENT_PROCESSED);
	expect_message(CHANGED("true", "7"), slot->id, slot->id);
	expect_attributes(slot, "{'track_index':1,'scene_index':1,'has_clip':true,"
				"'has_stop_button':false,'playing_status':7,'color':null,"
				"'is_playing':false,'is_triggered':false}");
	assert_int_equal(SEND(server, PATH, I(1), I(1), TRUE, TRUE, S("playing")),
			 EVENT_FAILED);
	expect_failure(PATH);
}

#define ADDED(track, scene, has_clip, status)                                          \
	DIFF("{'type':'added','node_id':'%s','node_type':'clip_slot',"                 \
	     "'parent_id':'track_" track "','path':'tracks[" track "].clip_slots["     \
	     scene "]','new_value':{'track_index':" track ",'scene_index':" scene      \
	     ",'has_clip':" has_clip ",'playing_status':" status "},'seq_num':3}",     \
	     "'%s'", "", "")

static void new_slot_stands_before_the_next_scenes(void **state)
{
	struct ast_server *server = dialogue_begin("slot-added");

	(void)state;
	SEND(server, "/live/scene/added", I(2), S("x"));
	fixture_heard();
	assert_int_equal(SEND_AS(3, server, PATH, I(0), I(2), TRUE, TRUE, I(2)),
			 EVENT_PROCESSED);
	const struct node *slot = tree_slot(track(server, 0), 2);
	expect_message(ADDED("0", "2", "true", "2"), slot->id, slot->id);
	assert_true(strncmp(slot->id, "clip_slot_", 10) == 0 && strlen(slot->id) == 18);
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1 slot0 slot1 slot2 slot3 slot4 mixer_0");
	expect_attributes(slot, "{'track_index':0,'scene_index':2,'has_clip':true,"
				"'has_stop_button':true,'playing_status':2,'color':null,"
				"'is_playing':false,'is_triggered':true}");
}

static void any_track_may_have_slots_of_any_scene(void **state)
{
	struct ast_server *server = dialogue_begin("slot-anywhere");

	(void)state;
	assert_int_equal(SEND_AS(3, server, PATH, I(2), I(40), FALSE, TRUE, I(0)),
			 EVENT_PROCESSED);
	expect_message(ADDED("2", "40", "false", "0"), slot_id(server, 2, 40),
		       slot_id(server, 2, 40));
	assert_int_equal(SEND_AS(3, server, PATH, I(2), I(5), FALSE, TRUE, I(0)),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 2)), "slot5 slot40 mixer_2");
	/* The bare master has no mixer to stand before. */
	assert_int_equal(SEND_AS(3, server, PATH, I(3), I(0), FALSE, TRUE, I(0)),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 3)), "slot0");
}

static void unknown_tracks_and_missing_arguments_are_passed_over(void **state)
{
	struct ast_server *server = dialogue_begin("slot-none");
	char *before = dialogue_tree(server), *after;

	(void)state;
	assert_int_equal(SEND(server, PATH, I(4), I(0), TRUE, TRUE, I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, PATH, I(-1), I(0), TRUE, TRUE, I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, PATH, I(0), F(1e20f), TRUE, TRUE, I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, PATH, I(0), I(0), TRUE, TRUE), EVENT_INVALID);
	expect_silence();
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(slot_that_exists_is_changed),
		CASE(flags_are_truths_and_the_status_is_a_number),
		CASE(new_slot_stands_before_the_next_scenes),
		CASE(any_track_may_have_slots_of_any_scene),
		CASE(unknown_tracks_and_missing_arguments_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
