/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialogue.h"

#define STATE(key, old_value, new_value, number)                                       \
	DIFF("{'type':'state_changed','node_id':'project','node_type':'project',"      \
	     "'path':'project','attribute':'" key "','old_value':" old_value           \
	     ",'new_value':" new_value ",'seq_num':" number "}", "", "", "'project'")

static const struct node *project(struct ast_server *server)
{
	return tree_root(server->project.tree);
}

static void play_is_a_truth_and_goes_out_at_once(void **state)
{
	struct ast_server *server = dialogue_begin("play");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/transport/play", I(2)), EVENT_PROCESSED);
	expect_message(STATE("is_playing", "null", "true", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/transport/play", S("")), EVENT_PROCESSED);
	expect_message(STATE("is_playing", "true", "false", "2"));
	assert_int_equal(SEND_AS(3, server, "/live/transport/play", FALSE), EVENT_PROCESSED);
	expect_message(STATE("is_playing", "false", "false", "3"));
	expect_attributes(project(server), "{'version':null,'creator':null,"
					   "'is_playing':false}");
}

static void position_is_a_number_and_goes_out_at_once(void **state)
{
	struct ast_server *server = dialogue_begin("position");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/transport/position", I(16)),
			 EVENT_PROCESSED);
	expect_message(STATE("position", "null", "16.0", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/transport/position", S("1e1")),
			 EVENT_PROCESSED);
	expect_message(STATE("position", "16.0", "10.0", "2"));
	assert_int_equal(SEND(server, "/live/transport/position", S("here")), EVENT_FAILED);
	expect_failure("/live/transport/position");
	assert_int_equal(SEND(server, "/live/transport/position", F(NAN)), EVENT_PROCESSED);
	expect_message(STATE("position", "10.0", "null", "0"));
}

static void tempo_changes_at_once_and_is_told_later(void **state)
{
	struct ast_server *server = dialogue_begin("tempo");

	(void)state;
	assert_int_equal(SEND(server, "/live/transport/tempo", TRUE), EVENT_PROCESSED);
	expect_attributes(project(server), "{'version':null,'creator':null,'tempo':1.0}");
	expect_silence();
	assert_int_equal(SEND(server, "/live/transport/tempo", S("presto")), EVENT_FAILED);
	expect_failure("/live/transport/tempo");
}

static void other_transport_paths_are_no_target_and_not_unhandled(void **state)
{
	struct ast_server *server = dialogue_begin("metronome");

	(void)state;
	assert_int_equal(SEND(server, "/live/transport/metronome", I(1)), EVENT_NO_TARGET);
	assert_int_equal(SEND_BARE(server, "/live/transport/"), EVENT_NO_TARGET);
	assert_int_equal(SEND_BARE(server, "/live/transport/play"), EVENT_INVALID);
	expect_silence();
	assert_int_equal(fixture_counter(server, "events.unhandled"), 0);
	fixture_check_identity(server);
}

static void cursor_is_passed_on_as_it_came(void **state)
{
	const struct osc_value arguments[] = { I(1), F(0.85f), S("2-MIDI \"x\""), TRUE, FALSE,
					       F(NAN) };
	struct live_event event = { .path = "/live/cursor/track", .sequence = 46,
				    .timestamp = 1795357184.0, .arguments = arguments,
				    .count = 6 };
	struct ast_server *server = dialogue_begin("cursor");
	char *before = dialogue_tree(server), *after;

	(void)state;
	assert_int_equal(process_live_event(server, &event), EVENT_UNMEASURED);
	expect_message("{'type':'live_event','payload':{'event_path':'/live/cursor/track',"
		       "'args':[1,0.8500000238418579,'2-MIDI \\'x\\'',true,false,null],"
		       "'seq_num':46,'timestamp':1795357184.0}}");
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void cursor_needs_no_tree_and_no_arguments(void **state)
{
	struct ast_server *server = fixture_create("cursor-bare", 1);

	(void)state;
	assert_int_equal(dialogue_send(server, -2, "/live/cursor/", NULL, 0), EVENT_UNMEASURED);
	expect_message("{'type':'live_event','payload':{'event_path':'/live/cursor/',"
		       "'args':[],'seq_num':-2,'timestamp':0.0}}");
	assert_int_equal(fixture_counter(server, "events.received"), 0);
}

static void nobody_hears_of_unhandled_events(void **state)
{
	struct ast_server *server = dialogue_begin("unhandled");

	(void)state;
	assert_int_equal(SEND(server, "/live/track/color", I(0), I(255)), EVENT_UNHANDLED);
	assert_int_equal(SEND(server, "/live/clip/added", I(0), I(0)), EVENT_UNHANDLED);
	assert_int_equal(SEND(server, "/live/clip_slot/color", I(0), I(0)), EVENT_UNHANDLED);
	expect_silence();
}

static void events_before_a_load_are_not_told(void **state)
{
	struct ast_server *server = fixture_create("before-load", 1);

	(void)state;
	assert_int_equal(SEND(server, "/live/track/renamed", I(0), S("x")), EVENT_NO_AST);
	assert_int_equal(SEND(server, "/live/track/renamed", S("bad"), S("x")), EVENT_NO_AST);
	assert_int_equal(SEND(server, "/live/transport/tempo", F(1.0f)), EVENT_NO_AST);
	expect_silence();
	assert_int_equal(debounce_next_ns(&server->debounce), INT64_MAX);
	assert_int_equal(fixture_counter(server, "events.ignored.no_ast"), 3);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(play_is_a_truth_and_goes_out_at_once),
		CASE(position_is_a_number_and_goes_out_at_once),
		CASE(tempo_changes_at_once_and_is_told_later),
		CASE(other_transport_paths_are_no_target_and_not_unhandled),
		CASE(cursor_is_passed_on_as_it_came),
		CASE(cursor_needs_no_tree_and_no_arguments),
		CASE(nobody_hears_of_unhandled_events),
		CASE(events_before_a_load_are_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
