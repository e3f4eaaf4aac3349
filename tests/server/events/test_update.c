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
#include "update.h"

static struct update update;
static struct node *parent, *child;

static int set_up(void **state)
{
	(void)state;
	parent = node_create(NODE_TRACK);
	child = node_create(NODE_DEVICE);
	strcpy(parent->id, "track_3");
	strcpy(child->id, "device_\"3\"");
	return node_append(parent, child);
}

static int tear_down(void **state)
{
	(void)state;
	update_fini(&update);
	node_destroy(parent);
	return 0;
}

static void expect_finished(const char *wanted)
{
	struct message *message = update_finish(&update);

	assert_non_null(message);
	char *text = strndup(message_text(message), message->length);
	expect_json(text, "%s", wanted);
	free(text);
	message_release(message);
}

static void update_without_changes_has_all_lists(void **state)
{
	(void)state;
	update_begin(&update);
	expect_finished("{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[],"
			"\"added\":[],\"removed\":[],\"modified\":[],\"unchanged\":[]}}}");
}

#define CHANGE(type, number)                                                           \
	"{\"type\":\"" type "\",\"node_id\":\"device_\\\"3\\\"\","                     \
	"\"node_type\":\"device\",\"parent_id\":\"track_3\",\"path\":\"d[" number      \
	"]\",\"seq_num\":" number "}"

static void changes_and_lists_keep_their_order(void **state)
{
	(void)state;
	update_begin(&update);
	update_change(&update, "removed", child, "d[%d]", -1);
	update_end_change(&update, -1);
	update_removed(&update, child);
	update_change(&update, "added", child, "d[%d]", 2);
	update_end_change(&update, 2);
	update_added(&update, child);
	update_added(&update, parent);
	update_modified(&update, parent);
	expect_finished("{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":["
			CHANGE("removed", "-1") "," CHANGE("added", "2") "],"
			"\"added\":[\"device_\\\"3\\\"\",\"track_3\"],"
			"\"removed\":[\"device_\\\"3\\\"\"],\"modified\":[\"track_3\"],"
			"\"unchanged\":[]}}}");
}

static void only_what_came_or_went_names_its_parent(void **state)
{
	(void)state;
	update_begin(&update);
	struct json_out *out = update_change(&update, "modified", child, "x");
	update_field(out, "old_value", NULL, NULL);
	update_field(out, "new_value", "name", NULL);
	update_end_change(&update, 2147483647);
	expect_finished("{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":["
			"{\"type\":\"modified\",\"node_id\":\"device_\\\"3\\\"\","
			"\"node_type\":\"device\",\"path\":\"x\",\"old_value\":{},"
			"\"new_value\":{\"name\":null},\"seq_num\":2147483647}],"
			"\"added\":[],\"removed\":[],\"modified\":[],\"unchanged\":[]}}}");
}

static void what_was_begun_before_leaves_no_trace(void **state)
{
	(void)state;
	update_begin(&update);
	update_change(&update, "removed", child, "d[%d]", 5); /* and given up half-way */
	update_removed(&update, child);
	update_begin(&update);
	update_modified(&update, parent);
	expect_finished("{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":[],"
			"\"added\":[],\"removed\":[],\"modified\":[\"track_3\"],"
			"\"unchanged\":[]}}}");
}

static void longest_path_and_id_have_room(void **state)
{
	char wanted[1024];

	(void)state;
	memset(child->id, 'i', NODE_ID_MAX - 1);
	update_begin(&update);
	update_change(&update, "modified", child,
		      "tracks[%lld].devices[%lld].parameters[%lld]", (long long)INT64_MIN,
		      (long long)INT64_MIN, (long long)INT64_MIN);
	update_end_change(&update, 0);
	snprintf(wanted, sizeof wanted,
		 "{\"type\":\"DIFF_UPDATE\",\"payload\":{\"diff\":{\"changes\":["
		 "{\"type\":\"modified\",\"node_id\":\"%s\",\"node_type\":\"device\","
		 "\"path\":\"tracks[%lld].devices[%lld].parameters[%lld]\",\"seq_num\":0}],"
		 "\"added\":[],\"removed\":[],\"modified\":[],\"unchanged\":[]}}}",
		 child->id, (long long)INT64_MIN, (long long)INT64_MIN, (long long)INT64_MIN);
	expect_finished(wanted);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(update_without_changes_has_all_lists),
		CASE(changes_and_lists_keep_their_order),
		CASE(only_what_came_or_went_names_its_parent),
		CASE(what_was_begun_before_leaves_no_trace),
		CASE(longest_path_and_id_have_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
