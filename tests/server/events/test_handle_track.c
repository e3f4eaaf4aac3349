/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialogue.h"

static struct node *track(struct ast_server *server, int64_t index)
{
	return tree_track(server->project.tree, index);
}

static const struct value *attribute(struct ast_server *server, int64_t index, const char *key)
{
	return value_map_get(&track(server, index)->attributes, key);
}

#define RENAMED(node_id, at, old_name, new_name, number)                               \
	DIFF("{'type':'modified','node_id':'" node_id "','node_type':'track',"         \
	     "'path':'tracks[" at "]','old_value':{'name':'" old_name "'},"            \
	     "'new_value':{'name':'" new_name "'},'seq_num':" number "}",              \
	     "", "", "'" node_id "'")

static void rename_sets_the_name_and_tells_both(void **state)
{
	struct ast_server *server = dialogue_begin("rename");

	(void)state;
	assert_int_equal(SEND_AS(7, server, "/live/track/renamed", I(0), S("Bass")),
			 EVENT_PROCESSED);
	expect_message(RENAMED("track_0", "0", "1-MIDI", "Bass", "7"));
	assert_string_equal(node_text(track(server, 0), "name"), "Bass");
}

static void returns_and_the_master_have_indexes_too(void **state)
{
	struct ast_server *server = dialogue_begin("returns");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/track/renamed", I(2), S("r")),
			 EVENT_PROCESSED);
	expect_message(RENAMED("track_2", "2", "A-Reverb", "r", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/track/renamed", I(3), S("m")),
			 EVENT_PROCESSED);
	expect_message(RENAMED("track_3", "3", "Main", "m", "2"));
}

static void index_and_name_are_converted(void **state)
{
	struct ast_server *server = dialogue_begin("converted");

	(void)state;
	/* The path shows the number that was sent, as a number. */
	assert_int_equal(SEND(server, "/live/track/renamed", S(" +1 "), I(5)), EVENT_PROCESSED);
	expect_message(RENAMED("track_1", "1", "2-Audio", "5", "0"));
	assert_int_equal(SEND(server, "/live/track/renamed", F(1.9f), F(0.5f)), EVENT_PROCESSED);
	expect_message(RENAMED("track_1", "1", "5", "0.5", "0"));
	assert_int_equal(SEND(server, "/live/track/renamed", TRUE, FALSE), EVENT_PROCESSED);
	expect_message(RENAMED("track_1", "1", "0.5", "False", "0"));
	assert_int_equal(SEND(server, "/live/track/renamed", F(-0.9f), TRUE), EVENT_PROCESSED);
	expect_message(RENAMED("track_0", "0", "1-MIDI", "True", "0"));
}

static void any_text_is_a_name(void **state)
{
	static const char name[] = "Gr\xc3\xb6\xc3\x9f" "e \"q\" \\ \n \xf0\x9f\x8e\x9b %s";
	struct ast_server *server = dialogue_begin("any-text");

	(void)state;
	assert_int_equal(SEND(server, "/live/track/renamed", I(0), S(name)), EVENT_PROCESSED);
	expect_message(RENAMED("track_0", "0", "1-MIDI", "%s", "0"),
		       "Gr\xc3\xb6\xc3\x9f" "e \\\"q\\\" \\\\ \\n \xf0\x9f\x8e\x9b %s");
	assert_string_equal(node_text(track(server, 0), "name"), name);
	assert_int_equal(SEND(server, "/live/track/renamed", I(0), S("")), EVENT_PROCESSED);
	assert_string_equal(node_text(track(server, 0), "name"), "");
}

#define STATE(key, old_value, new_value, number)                                       \
	DIFF("{'type':'state_changed','node_id':'track_1','node_type':'track',"        \
	     "'path':'tracks[1]','attribute':'" key "','old_value':" old_value         \
	     ",'new_value':" new_value ",'seq_num':" number "}", "", "", "'track_1'")

static void states_keep_the_type_that_was_sent(void **state)
{
	struct ast_server *server = dialogue_begin("states");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/track/mute", I(1), TRUE), EVENT_PROCESSED);
	expect_message(STATE("is_muted", "false", "true", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/track/mute", I(1), I(0)), EVENT_PROCESSED);
	expect_message(STATE("is_muted", "true", "0", "2"));
	assert_int_equal(attribute(server, 1, "is_muted")->kind, VALUE_INTEGER);
	assert_int_equal(SEND_AS(3, server, "/live/track/mute", I(1), S("on")), EVENT_PROCESSED);
	expect_message(STATE("is_muted", "0", "'on'", "3"));
	assert_int_equal(SEND_AS(4, server, "/live/track/mute", I(1), F(1.0f)), EVENT_PROCESSED);
	expect_message(STATE("is_muted", "'on'", "1.0", "4"));
}

static void armed_and_volume_appear_on_first_use(void **state)
{
	struct ast_server *server = dialogue_begin("appear");

	(void)state;
	assert_null(attribute(server, 1, "is_armed"));
	assert_int_equal(SEND_AS(1, server, "/live/track/arm", I(1), TRUE), EVENT_PROCESSED);
	expect_message(STATE("is_armed", "null", "true", "1"));
	assert_true(attribute(server, 1, "is_armed")->boolean);
	assert_int_equal(SEND_AS(2, server, "/live/track/volume", I(1), F(0.85f)),
			 EVENT_PROCESSED);
	expect_message(STATE("volume", "null", "0.8500000238418579", "2"));
	/* The mixer's is what the file said. */
	const struct node *mixer = tree_find(server->project.tree, "mixer_1");
	assert_true(value_map_get(&mixer->attributes, "volume")->number == 1.0);
}

static void unchanged_value_is_told_again(void **state)
{
	struct ast_server *server = dialogue_begin("again");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/track/volume", I(1), F(0.5f)),
			 EVENT_PROCESSED);
	expect_message(STATE("volume", "null", "0.5", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/track/volume", I(1), F(0.5f)),
			 EVENT_PROCESSED);
	expect_message(STATE("volume", "0.5", "0.5", "2"));
}

static void what_json_has_no_number_for_is_null(void **state)
{
	struct ast_server *server = dialogue_begin("nan");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/track/volume", I(1), F(NAN)),
			 EVENT_PROCESSED);
	expect_message(STATE("volume", "null", "null", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/track/volume", I(1), F(INFINITY)),
			 EVENT_PROCESSED);
	expect_message(STATE("volume", "null", "null", "2"));
	assert_true(isinf(attribute(server, 1, "volume")->number));
}

static void unknown_tracks_and_missing_arguments_are_passed_over(void **state)
{
	static const char *const paths[] = { "/live/track/renamed", "/live/track/mute",
					     "/live/track/arm", "/live/track/volume" };
	struct ast_server *server = dialogue_begin("passed-over");
	char *before = dialogue_tree(server), *after;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		assert_int_equal(SEND(server, paths[i], I(4), S("x")), EVENT_NO_TARGET);
		assert_int_equal(SEND(server, paths[i], I(-1), S("x")), EVENT_NO_TARGET);
		assert_int_equal(SEND(server, paths[i], F(1e30f), S("x")), EVENT_NO_TARGET);
		assert_int_equal(SEND(server, paths[i], I(0)), EVENT_INVALID);
		assert_int_equal(SEND_BARE(server, paths[i]), EVENT_INVALID);
	}
	expect_silence();
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void index_that_is_no_number_fails_aloud(void **state)
{
	struct ast_server *server = dialogue_begin("aloud");
	char *before = dialogue_tree(server), *after;

	(void)state;
	assert_int_equal(SEND(server, "/live/track/renamed", S("abc"), S("x")), EVENT_FAILED);
	expect_failure("/live/track/renamed");
	assert_int_equal(SEND(server, "/live/track/mute", S("1.0"), TRUE), EVENT_FAILED);
	expect_failure("/live/track/mute");
	assert_int_equal(SEND(server, "/live/track/volume", F(NAN), TRUE), EVENT_FAILED);
	expect_failure("/live/track/volume");
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rename_sets_the_name_and_tells_both),
		CASE(returns_and_the_master_have_indexes_too),
		CASE(index_and_name_are_converted),
		CASE(any_text_is_a_name),
		CASE(states_keep_the_type_that_was_sent),
		CASE(armed_and_volume_appear_on_first_use),
		CASE(unchanged_value_is_told_again),
		CASE(what_json_has_no_number_for_is_null),
		CASE(unknown_tracks_and_missing_arguments_are_passed_over),
		CASE(index_that_is_no_number_fails_aloud),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
