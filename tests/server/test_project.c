/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "dialogue.h"
#include "load.h"

static json_t *parse(const char *text, size_t length)
{
	json_t *value = json_loadb(text, length, 0, NULL);

	assert_non_null(value);
	return value;
}

/* --- FULL_AST ---------------------------------------------------------------- */

static void before_a_load_there_is_an_error_in_its_place(void **state)
{
	struct ast_server *server = fixture_create("none", 1);
	struct message *message = project_full(server);
	char *text = strndup(message_text(message), message->length);

	(void)state;
	expect_json(text, "{'type':'ERROR','payload':{'error':'No AST loaded','details':"
			  "'The server has not loaded an AST yet. Please load a project.'}}");
	free(text);
	message_release(message);
}

/* Compares a FULL_AST with the tree by way of the query form. */
static void check_full(struct ast_server *server, const json_t *full)
{
	json_t *payload = json_object_get(full, "payload");
	const json_t *ast = json_object_get(payload, "ast");
	char hash[NODE_HASH_TEXT];

	assert_string_equal(json_string_value(json_object_get(full, "type")), "FULL_AST");
	assert_int_equal(json_object_size(payload), 2);
	assert_string_equal(json_string_value(json_object_get(payload, "project_path")),
			    server->project.path);
	tree_hash(server->project.tree, tree_root(server->project.tree), hash);
	assert_string_equal(json_string_value(json_object_get(ast, "hash")), hash);
	assert_int_equal(json_array_size(json_object_get(ast, "children")),
			 tree_root(server->project.tree)->child_count);
}

static void first_load_is_told_as_a_whole(void **state)
{
	struct ast_server *server = fixture_create("first", 1);

	(void)state;
	fixture_load(server);
	char *const *heard = fixture_heard();
	assert_non_null(heard[0]);
	assert_null(heard[1]);
	json_t *full = parse(heard[0], strlen(heard[0]));
	check_full(server, full);
	json_decref(full);
}

static void text_is_shared_until_something_changes(void **state)
{
	struct ast_server *server = dialogue_begin("shared");
	struct message *first = project_full(server), *second = project_full(server);

	(void)state;
	assert_ptr_equal(first, second);
	/* What changes nothing makes no new text. */
	SEND(server, "/live/scene/reordered", I(0), S("x"));
	SEND(server, "/live/cursor/track", I(0));
	SEND(server, "/live/track/renamed", I(9), S("x"));
	SEND(server, "/live/track/renamed", S("bad"), S("x"));
	struct message *third = project_full(server);
	assert_ptr_equal(first, third);
	SEND(server, "/live/track/renamed", I(0), S("Changed"));
	struct message *fourth = project_full(server);
	assert_ptr_not_equal(first, fourth);
	json_t *full = parse(message_text(fourth), fourth->length);
	check_full(server, full);
	assert_non_null(memmem(message_text(fourth), fourth->length, "Changed", 7));
	/* Who holds the old one still has it whole. */
	json_t *old = parse(message_text(first), first->length);
	assert_null(memmem(message_text(first), first->length, "Changed", 7));
	json_decref(old);
	json_decref(full);
	message_release(first);
	message_release(second);
	message_release(third);
	message_release(fourth);
}

/* Also what clients are not yet told, since it waits for quiet. */
static void whole_shows_every_event_applied_so_far(void **state)
{
	struct ast_server *server = dialogue_begin("applied");

	(void)state;
	SEND(server, "/live/transport/tempo", F(121.5f));
	struct message *full = project_full(server);
	assert_non_null(memmem(message_text(full), full->length, "\"tempo\":121.5", 13));
	message_release(full);
	/* Parameters are changed inside an attribute. */
	SEND(server, "/live/device/param", I(0), I(0), I(0), F(0.125f));
	full = project_full(server);
	assert_non_null(memmem(message_text(full), full->length, "0.125", 5));
	message_release(full);
}

/* --- loading again ------------------------------------------------------------- */

/* The set with one text of it replaced; valid until the next call. */
static const char *edited(const char *from, const char *to)
{
	static char text[8192];
	const char *at = strstr(fixture_live_set, from);

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - fixture_live_set), fixture_live_set,
		 to, at + strlen(from));
	return text;
}

static void load(struct ast_server *server, const char *text)
{
	assert_int_equal(ast_server_load(server, fixture_file(text), NULL), 0);
}

static void equal_file_says_nothing_and_keeps_all_ids(void **state)
{
	struct ast_server *server = dialogue_begin("equal");
	char *before = dialogue_tree(server), *after;

	(void)state;
	load(server, fixture_live_set);
	expect_silence();
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void edit_is_one_change_in_two_lists(void **state)
{
	struct ast_server *server = dialogue_begin("edit");
	char *id = strdup(scene_id(server, 1));

	(void)state;
	load(server, edited("Value=\"2-Audio\"", "Value=\"Drums\""));
	char *const *heard = fixture_heard();
	assert_non_null(heard[0]);
	assert_null(heard[1]);
	json_t *message = parse(heard[0], strlen(heard[0]));
	const json_t *diff = json_object_get(json_object_get(message, "payload"), "diff");
	const json_t *changes = json_object_get(diff, "changes");
	const json_t *modified = json_object_get(diff, "modified");
	assert_int_equal(json_array_size(changes), 1);
	assert_true(json_equal(changes, modified));
	assert_int_equal(json_array_size(json_object_get(diff, "added")), 0);
	assert_int_equal(json_array_size(json_object_get(diff, "removed")), 0);
	assert_int_equal(json_array_size(json_object_get(diff, "unchanged")), 0);
	assert_int_equal(json_object_size(diff), 5);
	char *change = json_dumps(json_array_get(changes, 0), JSON_SORT_KEYS);
	expect_json(change, "{'type':'modified','path':['track_1'],'node_type':'track',"
		    "'old_value':{'name':'2-Audio','index':1,'color':null,'is_muted':false,"
		    "'is_soloed':false,'is_frozen':false,'type':'track'},"
		    "'new_value':{'name':'Drums','index':1,'color':null,'is_muted':false,"
		    "'is_soloed':false,'is_frozen':false,'type':'track'}}");
	free(change);
	json_decref(message);
	assert_string_equal(scene_id(server, 1), id);
	free(id);
}

static void scene_more_is_added_with_its_slots(void **state)
{
	struct ast_server *server = dialogue_begin("scene-more");

	(void)state;
	load(server, edited("</Scenes>", "<Scene><Name Value=\"five\"/></Scene></Scenes>"));
	char *const *heard = fixture_heard();
	json_t *message = parse(heard[0], strlen(heard[0]));
	const json_t *diff = json_object_get(json_object_get(message, "payload"), "diff");
	/* The scene, and a slot in each of two tracks. */
	assert_int_equal(json_array_size(json_object_get(diff, "changes")), 3);
	assert_int_equal(json_array_size(json_object_get(diff, "added")), 3);
	json_decref(message);
	load(server, fixture_live_set);
	heard = fixture_heard();
	message = parse(heard[0], strlen(heard[0]));
	diff = json_object_get(json_object_get(message, "payload"), "diff");
	assert_int_equal(json_array_size(json_object_get(diff, "changes")), 3);
	assert_int_equal(json_array_size(json_object_get(diff, "removed")), 3);
	json_decref(message);
}

static void live_edits_are_lost_and_that_is_told(void **state)
{
	struct ast_server *server = dialogue_begin("live-edits");
	char *before = dialogue_tree(server), *after;

	(void)state;
	SEND(server, "/live/track/volume", I(1), F(0.5f));
	SEND(server, "/live/device/deleted", I(0), I(1));
	SEND(server, "/live/transport/play", TRUE);
	fixture_heard();
	load(server, fixture_live_set);
	char *const *heard = fixture_heard();
	json_t *message = parse(heard[0], strlen(heard[0]));
	const json_t *diff = json_object_get(json_object_get(message, "payload"), "diff");
	assert_int_equal(json_array_size(json_object_get(diff, "changes")), 3);
	assert_int_equal(json_array_size(json_object_get(diff, "modified")), 2);
	assert_int_equal(json_array_size(json_object_get(diff, "added")), 1);
	json_decref(message);
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* Scenes that came by events have their index in the file by now, too. */
static void ids_of_events_are_carried_over(void **state)
{
	struct ast_server *server = dialogue_begin("carried");

	(void)state;
	SEND(server, "/live/scene/added", I(4), S("five"));
	char *id = strdup(scene_id(server, 4));
	load(server, edited("</Scenes>", "<Scene><Name Value=\"five\"/></Scene></Scenes>"));
	assert_string_equal(scene_id(server, 4), id);
	free(id);
}

static void new_client_gets_the_tree_after_a_reload(void **state)
{
	struct ast_server *server = dialogue_begin("after-reload");
	struct message *before = project_full(server);

	(void)state;
	load(server, edited("Value=\"2-Audio\"", "Value=\"Drums\""));
	struct message *after = project_full(server);
	assert_non_null(memmem(message_text(after), after->length, "Drums", 5));
	message_release(before);
	message_release(after);
}

static void failed_reload_keeps_the_tree_and_is_told(void **state)
{
	static const char *const broken[] = { "", "<Ableton>", "no xml at all",
					      "<Ableton></Ableton>x" };
	struct ast_server *server = dialogue_begin("broken");
	char *before = dialogue_tree(server), *after;

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		assert_true(ast_server_load(server, fixture_file(broken[i]), NULL) < 0);
		expect_message("{'type':'ERROR','payload':{'error':'Reload failed',"
			       "'details':'*'}}");
		assert_int_equal(fixture_counter(server, "errors.reload"), i + 1);
	}
	after = dialogue_tree(server);
	assert_string_equal(after, before);
	assert_int_equal(fixture_counter(server, "errors.project_load"), 0);
	free(before);
	free(after);
	/* And the next good one is compared with the tree that stayed. */
	load(server, fixture_live_set);
	expect_silence();
}

static void failed_first_load_is_counted_and_told_nobody(void **state)
{
	struct ast_server *server = fixture_create("first-broken", 1);

	(void)state;
	assert_true(ast_server_load(server, fixture_file("<Ableton>"), NULL) < 0);
	assert_null(server->project.tree);
	expect_silence();
	assert_int_equal(fixture_counter(server, "errors.project_load"), 1);
	assert_int_equal(fixture_counter(server, "errors.reload"), 0);
	assert_int_equal(SEND(server, "/live/transport/play", TRUE), EVENT_NO_AST);
	fixture_load(server);
	assert_non_null(strstr(fixture_heard()[0], "FULL_AST"));
}

/* --- with an event thread --------------------------------------------------------- */

static void event_that_comes_after_a_load_finds_it(void **state)
{
	struct ast_server *server = fixture_create("thread", 10);
	const struct osc_value arguments[] = { I(0), S("x") };

	(void)state;
	assert_int_equal(ast_server_start(server), 0);
	fixture_load(server);
	for (int32_t number = 0; number < 5; number++)
		assert_int_equal(queue_push(&server->queue,
					    live_event_create("/live/track/renamed", number, 0.0,
							      arguments, 2)), 0);
	load(server, edited("Value=\"2-Audio\"", "Value=\"Drums\""));
	assert_true(ast_server_load(server, fixture_file("<Ableton>"), NULL) < 0);
	fixture_await(server, "events.received", 5);
	ast_server_stop(server);
	assert_int_equal(fixture_counter(server, "events.processed"), 5);
	assert_int_equal(fixture_counter(server, "errors.reload"), 1);
	assert_string_equal(node_text(tree_track(server->project.tree, 1), "name"), "Drums");
	char *const *heard = fixture_heard();
	assert_non_null(strstr(heard[0], "FULL_AST"));
	size_t count = 0;
	while (heard[count])
		count++;
	/* FULL_AST, five renames, the reload's diff, its failure. */
	assert_int_equal(count, 8);
}

/* --- metrics ------------------------------------------------------------------------ */

static double nodes(struct ast_server *server, const char *type)
{
	struct astshm_gauge_value value;

	assert_int_equal(astshm_get_gauge(server->metrics.writer, "ast.nodes",
					  ASTSHM_TAGS({ "node_type", type }), &value), 0);
	return value.current;
}

static void gauges_count_the_nodes_of_each_type(void **state)
{
	struct ast_server *server = dialogue_begin("nodes");

	(void)state;
	assert_true(nodes(server, "project") == 1.0);
	assert_true(nodes(server, "track") == 4.0);
	assert_true(nodes(server, "device") == 2.0);
	assert_true(nodes(server, "clip_slot") == 8.0);
	assert_true(nodes(server, "clip") == 1.0);
	assert_true(nodes(server, "mixer") == 3.0);
	assert_true(nodes(server, "scene") == 4.0);
	assert_true(nodes(server, "file_ref") == 1.0);
	SEND(server, "/live/device/added", I(1), I(0), S("x"));
	assert_true(nodes(server, "device") == 3.0);
	SEND(server, "/live/scene/removed", I(1)); /* with two slots and a clip */
	assert_true(nodes(server, "scene") == 3.0);
	assert_true(nodes(server, "clip_slot") == 6.0);
	assert_true(nodes(server, "clip") == 0.0);
	fixture_load(server);
	assert_true(nodes(server, "device") == 2.0);
	assert_true(nodes(server, "clip") == 1.0);
}

static void cache_is_accounted_for(void **state)
{
	struct ast_server *server = dialogue_begin("cache");

	(void)state;
	SEND(server, "/live/track/mute", I(0), TRUE);
	assert_int_equal(fixture_counter(server, "cache.hit"), 0);
	assert_int_equal(fixture_counter(server, "cache.miss"), 1);
	assert_true(fixture_gauge(server, "cache.hit_rate") == 0.0);
	for (unsigned i = 0; i < 3; i++)
		SEND(server, "/live/track/mute", I(0), TRUE);
	assert_int_equal(fixture_counter(server, "cache.hit"), 3);
	assert_int_equal(fixture_counter(server, "cache.miss"), 1);
	assert_true(fixture_gauge(server, "cache.hit_rate") == 0.75);
	SEND(server, "/live/transport/play", TRUE); /* looks nothing up */
	SEND(server, "/live/scene/renamed", I(7), S("x"));
	assert_int_equal(fixture_counter(server, "cache.hit"), 3);
	assert_int_equal(fixture_counter(server, "cache.miss"), 2);
	assert_true(fixture_gauge(server, "cache.hit_rate") == 0.6);
}

static void without_a_cache_nothing_is_accounted_for(void **state)
{
	struct ast_server *server = fixture_create("no-cache", 1);

	(void)state;
	cache_destroy(&server->project.cache);
	assert_int_equal(cache_create(&server->project.cache, 0), 0);
	fixture_load(server);
	assert_int_equal(SEND(server, "/live/track/mute", I(0), TRUE), EVENT_PROCESSED);
	assert_int_equal(SEND(server, "/live/scene/removed", I(0)), EVENT_PROCESSED);
	assert_int_equal(fixture_counter(server, "cache.hit"), 0);
	assert_int_equal(fixture_counter(server, "cache.miss"), 0);
}

static void operations_are_timed(void **state)
{
	struct ast_server *server = fixture_create("operations", 1);

	(void)state;
	assert_int_equal(fixture_samples(server, "operation.load_project", NULL), 0);
	fixture_load(server);
	assert_int_equal(fixture_samples(server, "operation.load_project", NULL), 1);
	assert_int_equal(fixture_samples(server, "operation.serialize", NULL), 1);
	assert_int_equal(fixture_samples(server, "operation.compute_diff", NULL), 0);
	fixture_load(server);
	assert_int_equal(fixture_samples(server, "operation.load_project", NULL), 2);
	assert_int_equal(fixture_samples(server, "operation.serialize", NULL), 1);
	assert_int_equal(fixture_samples(server, "operation.compute_diff", NULL), 1);
	assert_true(ast_server_load(server, fixture_file("<Ableton>"), NULL) < 0);
	assert_int_equal(fixture_samples(server, "operation.load_project", NULL), 2);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(before_a_load_there_is_an_error_in_its_place),
		CASE(first_load_is_told_as_a_whole),
		CASE(text_is_shared_until_something_changes),
		CASE(whole_shows_every_event_applied_so_far),
		CASE(equal_file_says_nothing_and_keeps_all_ids),
		CASE(edit_is_one_change_in_two_lists),
		CASE(scene_more_is_added_with_its_slots),
		CASE(live_edits_are_lost_and_that_is_told),
		CASE(ids_of_events_are_carried_over),
		CASE(new_client_gets_the_tree_after_a_reload),
		CASE(failed_reload_keeps_the_tree_and_is_told),
		CASE(failed_first_load_is_counted_and_told_nobody),
		CASE(event_that_comes_after_a_load_finds_it),
		CASE(gauges_count_the_nodes_of_each_type),
		CASE(cache_is_accounted_for),
		CASE(without_a_cache_nothing_is_accounted_for),
		CASE(operations_are_timed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
