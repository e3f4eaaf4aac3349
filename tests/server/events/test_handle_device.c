/* SPDX-License-Identifier: MIT */
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

static struct node *device(struct ast_server *server, int64_t index, int64_t n)
{
	return tree_device(track(server, index), n);
}

/* --- adding ---------------------------------------------------------------- */

#define ADDED(id, parent, path, name, number)                                          \
	DIFF("{'type':'added','node_id':'" id "','node_type':'device','parent_id':'"   \
	     parent "','path':'" path "','new_value':{'name':'" name                   \
	     "'},'seq_num':" number "}", "'" id "'", "", "")

static void device_is_added_before_the_one_of_its_number(void **state)
{
	struct ast_server *server = dialogue_begin("device-added");

	(void)state;
	assert_int_equal(SEND_AS(14, server, "/live/device/added", I(0), I(1), S("Delay")),
			 EVENT_PROCESSED);
	expect_message(ADDED("device_0_1_14", "track_0", "tracks[0].devices[1]", "Delay", "14"));
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1_14 device_0_1 slot0 slot1 slot2 slot3 mixer_0");
	assert_int_equal(SEND_AS(15, server, "/live/device/added", I(0), I(0), S("Delay")),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0_15 device_0_0 device_0_1_14 device_0_1 "
			    "slot0 slot1 slot2 slot3 mixer_0");
	expect_attributes(device(server, 0, 0), "{'name':'Delay','device_type':'unknown',"
						"'is_enabled':true}");
}

static void number_beyond_the_devices_goes_behind_the_last(void **state)
{
	struct ast_server *server = dialogue_begin("device-beyond");

	(void)state;
	/* 4 is where a clip slot stands among all children. */
	assert_int_equal(SEND_AS(1, server, "/live/device/added", I(0), I(4), S("a")),
			 EVENT_PROCESSED);
	expect_message(ADDED("device_0_4_1", "track_0", "tracks[0].devices[4]", "a", "1"));
	assert_int_equal(SEND_AS(2, server, "/live/device/added", I(0), I(2147483647), S("b")),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1 device_0_4_1 device_0_2147483647_2 "
			    "slot0 slot1 slot2 slot3 mixer_0");
}

static void first_device_of_a_track_goes_before_its_slots_and_mixer(void **state)
{
	struct ast_server *server = dialogue_begin("device-first");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/device/added", I(1), I(0), S("a")),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 1)),
			    "device_1_0_1 slot0 slot1 slot2 slot3 mixer_1");
	assert_int_equal(SEND_AS(2, server, "/live/device/added", I(2), I(3), S("b")),
			 EVENT_PROCESSED);
	assert_string_equal(dialogue_children(track(server, 2)), "device_2_3_2 mixer_2");
}

static void negative_numbers_of_devices_are_passed_over(void **state)
{
	struct ast_server *server = dialogue_begin("device-negative");

	(void)state;
	assert_int_equal(SEND(server, "/live/device/added", I(0), I(-1), S("x")),
			 EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/deleted", I(0), I(-1)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(-1), I(0), F(1.0f)),
			 EVENT_NO_TARGET);
	expect_silence();
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1 slot0 slot1 slot2 slot3 mixer_0");
}

static void one_id_twice_is_found_as_the_first(void **state)
{
	struct ast_server *server = dialogue_begin("device-twice");

	(void)state;
	/* A sender that was restarted gives its numbers again. */
	SEND_AS(3, server, "/live/device/added", I(0), I(0), S("old"));
	SEND_AS(3, server, "/live/device/added", I(0), I(0), S("new"));
	assert_string_equal(node_text(tree_find(server->project.tree, "device_0_0_3"), "name"),
			    "new");
	SEND(server, "/live/device/deleted", I(0), I(0));
	assert_string_equal(node_text(tree_find(server->project.tree, "device_0_0_3"), "name"),
			    "old");
}

/* --- deleting ---------------------------------------------------------------- */

static void device_of_the_number_is_deleted(void **state)
{
	struct ast_server *server = dialogue_begin("device-deleted");

	(void)state;
	assert_int_equal(SEND_AS(5, server, "/live/device/deleted", I(0), I(0)),
			 EVENT_PROCESSED);
	expect_message(DIFF("{'type':'removed','node_id':'device_0_0','node_type':'device',"
			    "'parent_id':'track_0','path':'tracks[0].devices[0]',"
			    "'value':{'name':'Eq8'},'seq_num':5}", "", "'device_0_0'", ""));
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_1 slot0 slot1 slot2 slot3 mixer_0");
	assert_null(tree_find(server->project.tree, "device_0_0"));
}

static void slots_and_mixers_are_no_devices_to_delete(void **state)
{
	struct ast_server *server = dialogue_begin("device-none");

	(void)state;
	for (int32_t n = 2; n < 10; n++)
		assert_int_equal(SEND(server, "/live/device/deleted", I(0), I(n)),
				 EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/deleted", I(2), I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/deleted", I(9), I(0)), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/deleted", I(0)), EVENT_INVALID);
	expect_silence();
	assert_string_equal(dialogue_children(track(server, 0)),
			    "device_0_0 device_0_1 slot0 slot1 slot2 slot3 mixer_0");
}

/* --- parameters -------------------------------------------------------------- */

static const struct value_list *parameters(struct ast_server *server, int64_t n)
{
	return value_map_get(&device(server, 0, n)->attributes, "parameters")->list;
}

static void setting_a_parameter_pads_the_list(void **state)
{
	struct ast_server *server = dialogue_begin("parameter");

	(void)state;
	assert_int_equal(SEND_AS(1, server, "/live/device/added", I(0), I(0), S("new")),
			 EVENT_PROCESSED);
	fixture_heard();
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(0), I(2), F(0.25f)),
			 EVENT_PROCESSED);
	expect_attributes(device(server, 0, 0),
			  "{'name':'new','device_type':'unknown','is_enabled':true,"
			  "'parameters':[{'value':0,'name':'Unknown'},"
			  "{'value':0,'name':'Unknown'},{'value':0.25,'name':'Unknown'}]}");
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(0), I(0), I(1)),
			 EVENT_PROCESSED);
	assert_int_equal(parameters(server, 0)->count, 3);
	const struct value *value = value_map_get(parameters(server, 0)->items[0].map, "value");
	assert_int_equal(value->kind, VALUE_NUMBER);
	assert_true(value->number == 1.0);
	expect_silence(); /* until it has been quiet for a while */
}

static void parameters_end_at_a_cap(void **state)
{
	struct ast_server *server = dialogue_begin("cap");

	(void)state;
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(1), I(4096), F(1.0f)),
			 EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(1), I(-1), F(1.0f)),
			 EVENT_NO_TARGET);
	assert_int_equal(parameters(server, 1)->count, 0);
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(1), I(4095), F(1.0f)),
			 EVENT_PROCESSED);
	assert_int_equal(parameters(server, 1)->count, 4096);
}

static void any_path_that_begins_so_sets_a_parameter(void **state)
{
	struct ast_server *server = dialogue_begin("begins-so");

	(void)state;
	assert_int_equal(SEND(server, "/live/device/parameter/x", I(0), I(0), I(0), S("0.5")),
			 EVENT_PROCESSED);
	assert_true(value_map_get(parameters(server, 0)->items[0].map, "value")->number == 0.5);
	assert_int_equal(fixture_tagged(server, "events.processed.by_type", "device_param"), 1);
	assert_int_equal(SEND(server, "/live/device/parameter", I(0), I(0), I(0), S("half")),
			 EVENT_FAILED);
	expect_failure("/live/device/parameter");
	assert_int_equal(SEND(server, "/live/device/para", I(0), I(0), I(0), F(1.0f)),
			 EVENT_UNHANDLED);
}

static void parameter_of_no_device_is_passed_over(void **state)
{
	struct ast_server *server = dialogue_begin("parameter-none");

	(void)state;
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(2), I(0), F(1.0f)),
			 EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/param", I(7), I(0), I(0), F(1.0f)),
			 EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/device/param", I(0), I(0), I(0)), EVENT_INVALID);
	assert_int_equal(debounce_next_ns(&server->debounce), INT64_MAX);
	expect_silence();
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(device_is_added_before_the_one_of_its_number),
		CASE(number_beyond_the_devices_goes_behind_the_last),
		CASE(first_device_of_a_track_goes_before_its_slots_and_mixer),
		CASE(negative_numbers_of_devices_are_passed_over),
		CASE(one_id_twice_is_found_as_the_first),
		CASE(device_of_the_number_is_deleted),
		CASE(slots_and_mixers_are_no_devices_to_delete),
		CASE(setting_a_parameter_pads_the_list),
		CASE(parameters_end_at_a_cap),
		CASE(any_path_that_begins_so_sets_a_parameter),
		CASE(parameter_of_no_device_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
