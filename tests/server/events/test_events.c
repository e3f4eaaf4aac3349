/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialogue.h"

#define DURATION "event.processing.duration"

/* An attribute of the project node; NULL: there is none. */
static const struct value *project_value(struct ast_server *server, const char *key)
{
	return value_map_get(&tree_root(server->project.tree)->attributes, key);
}

static void transport_events_change_the_project(void **state)
{
	struct ast_server *server = dialogue_begin("transport");

	(void)state;
	assert_null(project_value(server, "is_playing"));
	assert_int_equal(SEND(server, "/live/transport/play", I(2)), EVENT_PROCESSED);
	assert_true(project_value(server, "is_playing")->boolean);
	assert_int_equal(SEND(server, "/live/transport/play", FALSE), EVENT_PROCESSED);
	assert_false(project_value(server, "is_playing")->boolean);
	assert_int_equal(SEND(server, "/live/transport/tempo", F(121.5f)), EVENT_PROCESSED);
	assert_true(project_value(server, "tempo")->number == 121.5);
	assert_int_equal(SEND(server, "/live/transport/tempo", S("90.25"), I(7)), EVENT_PROCESSED);
	assert_true(project_value(server, "tempo")->number == 90.25);
	assert_null(project_value(server, "position"));
	assert_int_equal(SEND(server, "/live/transport/position", I(16)), EVENT_PROCESSED);
	assert_true(project_value(server, "position")->number == 16.0);
	assert_int_equal(fixture_counter(server, "events.processed"), 5);
	assert_int_equal(fixture_tagged(server, "events.processed.by_type", "transport"), 5);
	assert_int_equal(fixture_tagged(server, "events.received.by_type",
					"/live/transport/tempo"), 2);
	assert_int_equal(fixture_samples(server, DURATION, "/live/transport/tempo"), 2);
	fixture_check_identity(server);
}

static void events_before_a_load_are_dropped_and_counted(void **state)
{
	struct ast_server *server = fixture_create("no-ast", 1);

	(void)state;
	assert_int_equal(SEND(server, "/live/transport/play", I(1)), EVENT_NO_AST);
	/* Neither arguments nor the path matter. */
	assert_int_equal(SEND_BARE(server, "/live/track/mute"), EVENT_NO_AST);
	assert_int_equal(SEND_BARE(server, "nonsense"), EVENT_NO_AST);
	assert_int_equal(SEND_BARE(server, "/live/cursor/track"), EVENT_UNMEASURED);
	assert_int_equal(fixture_counter(server, "events.received"), 3);
	assert_int_equal(fixture_counter(server, "events.ignored.no_ast"), 3);
	assert_int_equal(fixture_samples(server, DURATION, NULL), 0);
	fixture_check_identity(server);
	fixture_load(server);
	assert_int_equal(SEND(server, "/live/transport/play", I(1)), EVENT_PROCESSED);
	fixture_check_identity(server);
}

static void failed_conversion_changes_nothing(void **state)
{
	struct ast_server *server = dialogue_begin("conversion");

	(void)state;
	SEND(server, "/live/transport/tempo", F(120.0f));
	assert_int_equal(SEND(server, "/live/transport/tempo", S("fast")), EVENT_FAILED);
	assert_true(project_value(server, "tempo")->number == 120.0);
	assert_int_equal(SEND(server, "/live/track/renamed", S("abc"), S("x")), EVENT_FAILED);
	assert_int_equal(fixture_counter(server, "errors.event_processing"), 2);
	assert_int_equal(fixture_tagged(server, "errors.event_processing.by_type",
					"/live/track/renamed"), 1);
	fixture_check_identity(server);
}

static void checks_come_in_their_order(void **state)
{
	struct ast_server *server = dialogue_begin("order");

	(void)state;
	/* Argument count before conversion, conversion before lookup. */
	assert_int_equal(SEND(server, "/live/track/renamed", S("abc")), EVENT_INVALID);
	assert_int_equal(SEND(server, "/live/track/renamed", S("abc"), S("x")), EVENT_FAILED);
	assert_int_equal(SEND(server, "/live/track/renamed", S("9"), S("x")), EVENT_NO_TARGET);
	assert_int_equal(SEND(server, "/live/track/renamed", F(NAN), S("x")), EVENT_FAILED);
}

/* Every path of the protocol: least arguments, one argument that cannot be converted.
 * The scene that is removed is the one added before. */
static const struct {
	const char *path;
	const char *processed_type;
	const char *duration_type;
	size_t arguments;
	int bad; /* index of an argument that must be a number; -1: none */
	enum event_result result;
} protocol[] = {
	{ "/live/track/renamed", NULL, NULL, 2, 0, EVENT_NO_TARGET },
	{ "/live/track/mute", NULL, NULL, 2, 0, EVENT_NO_TARGET },
	{ "/live/track/arm", NULL, NULL, 2, 0, EVENT_NO_TARGET },
	{ "/live/track/volume", NULL, NULL, 2, 0, EVENT_NO_TARGET },
	{ "/live/device/added", NULL, NULL, 3, 1, EVENT_NO_TARGET },
	{ "/live/device/deleted", NULL, NULL, 2, 1, EVENT_NO_TARGET },
	{ "/live/device/param", "device_param", "device_param", 4, 3, EVENT_NO_TARGET },
	{ "/live/device/parameter", "device_param", "device_param", 4, 2, EVENT_NO_TARGET },
	{ "/live/scene/renamed", NULL, NULL, 2, 0, EVENT_NO_TARGET },
	{ "/live/scene/added", NULL, NULL, 2, 0, EVENT_PROCESSED },
	{ "/live/scene/removed", NULL, NULL, 1, 0, EVENT_PROCESSED },
	{ "/live/scene/reordered", NULL, NULL, 0, -1, EVENT_PROCESSED },
	{ "/live/clip_slot/created", NULL, NULL, 5, 4, EVENT_NO_TARGET },
	{ "/live/transport/play", "transport", NULL, 1, -1, EVENT_PROCESSED },
	{ "/live/transport/tempo", "transport", NULL, 1, 0, EVENT_PROCESSED },
	{ "/live/transport/position", "transport", NULL, 1, 0, EVENT_PROCESSED },
	{ "/live/transport/metronome", "transport", "transport", 0, -1, EVENT_NO_TARGET },
};
#define PROTOCOL (sizeof protocol / sizeof protocol[0])

static const char *or_path(const char *type, size_t row)
{
	return type ? type : protocol[row].path;
}

/* Sends row `i` with `count` arguments of 90, which nothing has for its index. */
static enum event_result send_row(struct ast_server *server, size_t i, size_t count, int bad)
{
	struct osc_value arguments[8];

	for (size_t at = 0; at < 8; at++)
		arguments[at] = (struct osc_value)I(90);
	if (bad >= 0)
		arguments[bad] = (struct osc_value)S("no number");
	return dialogue_send(server, 0, protocol[i].path, arguments, count);
}

static void every_path_of_the_protocol_is_checked_and_counted(void **state)
{
	struct ast_server *server = dialogue_begin("protocol");

	(void)state;
	for (size_t i = 0; i < PROTOCOL; i++) {
		int64_t before = fixture_samples(server, DURATION,
						 or_path(protocol[i].duration_type, i));
		int64_t sent = 2;

		before = before < 0 ? 0 : before;
		assert_int_equal(send_row(server, i, protocol[i].arguments, -1),
				 protocol[i].result);
		/* More arguments than wanted are passed over. */
		assert_int_equal(send_row(server, i, 8, -1), protocol[i].result);
		if (protocol[i].arguments > 0) {
			sent++;
			assert_int_equal(send_row(server, i, protocol[i].arguments - 1, -1),
					 EVENT_INVALID);
		}
		if (protocol[i].bad >= 0) {
			sent++;
			assert_int_equal(send_row(server, i, protocol[i].arguments,
						  protocol[i].bad), EVENT_FAILED);
		}
		assert_int_equal(fixture_tagged(server, "events.received.by_type",
						protocol[i].path), sent);
		assert_int_equal(fixture_samples(server, DURATION,
						 or_path(protocol[i].duration_type, i)),
				 before + sent);
		fixture_check_identity(server);
	}
}

static void cursor_events_leave_no_trace(void **state)
{
	struct ast_server *server = fixture_create("cursor", 1);

	(void)state;
	assert_int_equal(SEND(server, "/live/cursor/track", I(1)), EVENT_UNMEASURED);
	assert_int_equal(SEND_BARE(server, "/live/cursor/other"), EVENT_UNMEASURED);
	assert_int_equal(fixture_counter(server, "events.received"), 0);
	assert_int_equal(fixture_samples(server, DURATION, NULL), 0);
	assert_int_equal(fixture_tagged(server, "events.received.by_type", "/live/cursor/track"),
			 -1);
}

static void unknown_paths_are_unhandled(void **state)
{
	static const char *const paths[] = { "/live/track/color", "/live/clip/added", "/live",
					     "/live/track/renamed/more", "/live/cursor",
					     "/live/transport", "nonsense" };
	struct ast_server *server = dialogue_begin("unknown");
	size_t count = sizeof paths / sizeof paths[0];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(SEND(server, paths[i], I(0), I(255)), EVENT_UNHANDLED);
		assert_int_equal(fixture_tagged(server, "events.unhandled.by_type", paths[i]), 1);
		assert_int_equal(fixture_samples(server, DURATION, paths[i]), -1);
	}
	assert_int_equal(fixture_counter(server, "events.unhandled"), count);
	assert_int_equal(fixture_samples(server, DURATION, ASTSHM_OTHER), count);
	fixture_check_identity(server);
}

static void path_that_no_tag_holds_is_counted_as_other(void **state)
{
	struct ast_server *server = dialogue_begin("long-path");
	char path[1000];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_int_equal(SEND_BARE(server, path), EVENT_UNHANDLED);
	assert_int_equal(SEND_BARE(server, ""), EVENT_UNHANDLED);
	assert_int_equal(fixture_tagged(server, "events.unhandled.by_type", ASTSHM_OTHER), 2);
	assert_int_equal(fixture_tagged(server, "events.received.by_type", ASTSHM_OTHER), 2);
	fixture_check_identity(server);
}

static int64_t sum_by_type(struct ast_server *server, const char *name, size_t *series)
{
	struct astshm_snapshot *snapshot = NULL;
	int64_t sum = 0;

	*series = 0;
	assert_int_equal(astshm_get_all_metrics(server->metrics.writer, &snapshot, NULL), 0);
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *one = astshm_snapshot_at(snapshot, i);
		if (strcmp(one->family->name, name) == 0) {
			sum += one->counter.value;
			++*series;
		}
	}
	astshm_snapshot_free(&snapshot);
	return sum;
}

static void strangers_paths_cost_a_bounded_number_of_series(void **state)
{
	struct ast_server *server = dialogue_begin("strangers");
	char path[] = "/stranger/0000";
	size_t series;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned at = 0, rest = i; at < 4; at++, rest /= 10)
			path[13 - at] = (char)('0' + rest % 10);
		assert_int_equal(SEND_BARE(server, path), EVENT_UNHANDLED);
	}
	assert_int_equal(SEND(server, "/live/track/mute", I(0), TRUE), EVENT_PROCESSED);
	assert_int_equal(sum_by_type(server, "events.unhandled.by_type", &series), 1000);
	assert_true(series <= 65);
	assert_int_equal(sum_by_type(server, "events.received.by_type", &series), 1001);
	assert_true(series <= 65);
	/* The paths of the protocol keep their own series. */
	assert_int_equal(fixture_tagged(server, "events.received.by_type", "/live/track/mute"), 1);
	fixture_check_identity(server);
}

/* --- handlers of others ------------------------------------------------- */

static enum event_result remember_sum(struct ast_server *server, const struct event_call *call)
{
	(void)server;
	*(int64_t *)call->context = call->values[0].integer + call->values[1].integer;
	return EVENT_PROCESSED;
}

static void added_handler_gets_converted_arguments(void **state)
{
	struct ast_server *server = dialogue_begin("added");
	int64_t sum = 0;
	struct event_handler handler = { .group = "test", .path = "/live/custom", .arguments = "ii",
					 .apply = remember_sum, .context = &sum };

	(void)state;
	assert_int_equal(event_table_add(&server->events, &server->metrics, &handler), 0);
	assert_int_equal(SEND(server, "/live/custom", S("40"), F(2.9f)), EVENT_PROCESSED);
	assert_int_equal(sum, 42);
	assert_int_equal(SEND(server, "/live/custom", I(1)), EVENT_INVALID);
	assert_int_equal(fixture_tagged(server, "events.processed.by_type", "/live/custom"), 1);
	assert_int_equal(fixture_samples(server, DURATION, "/live/custom"), 2);
	fixture_check_identity(server);
}

static void bad_handlers_are_refused(void **state)
{
	struct ast_server *server = fixture_create("refused", 1);
	struct event_handler taken = { .group = "test", .path = "/live/track/mute", .arguments = "",
				       .apply = remember_sum };
	struct event_handler letters = { .group = "test", .path = "/a", .arguments = "iz",
					 .apply = remember_sum };
	struct event_handler many = { .group = "test", .path = "/a", .arguments = "iiiiiiiii",
				      .apply = remember_sum };
	struct event_handler bare = { .group = "test", .path = "/a/",
				      .flags = EVENT_PREFIX, .arguments = "",
				      .apply = remember_sum };

	(void)state;
	assert_int_equal(event_table_add(&server->events, &server->metrics, &taken), -EEXIST);
	assert_int_equal(event_table_add(&server->events, &server->metrics, &letters), -EINVAL);
	assert_int_equal(event_table_add(&server->events, &server->metrics, &many), -EINVAL);
	assert_int_equal(event_table_add(&server->events, &server->metrics, &bare), -EINVAL);
}

static void exact_path_wins_over_the_longest_prefix(void **state)
{
	struct ast_server *server = dialogue_begin("prefix");
	struct event_handler deeper = { .group = "test", .path = "/live/transport/loop/",
					.flags = EVENT_PREFIX,
					.arguments = "", .processed_type = "loop",
					.duration_type = "loop", .apply = remember_sum };

	(void)state;
	assert_int_equal(event_table_add(&server->events, &server->metrics, &deeper), 0);
	assert_string_equal(event_table_find(&server->events, "/live/transport/play")
			    ->handler.path, "/live/transport/play");
	assert_string_equal(event_table_find(&server->events, "/live/transport/plays")
			    ->handler.path, "/live/transport/");
	assert_string_equal(event_table_find(&server->events, "/live/transport/loop/x")
			    ->handler.path, "/live/transport/loop/");
	assert_null(event_table_find(&server->events, "/live/transpor"));
}

static void without_metrics_events_are_applied_all_the_same(void **state)
{
	struct ast_server *server = NULL;
	struct server_options options = { .udp_off = true, .queue_capacity = 1,
					  .websocket_off = true, .metrics = { .off = true } };

	(void)state;
	assert_int_equal(ast_server_create(&server, &options), 0);
	assert_string_equal(metrics_segment(&server->metrics), "off");
	fixture_load(server);
	assert_int_equal(SEND(server, "/live/transport/play", TRUE), EVENT_PROCESSED);
	assert_true(project_value(server, "is_playing")->boolean);
	assert_int_equal(SEND_BARE(server, "/live/other"), EVENT_UNHANDLED);
	assert_int_equal(SEND(server, "/live/transport/tempo", S("x")), EVENT_FAILED);
	ast_server_tick(server);
	ast_server_destroy(&server);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(transport_events_change_the_project),
		CASE(events_before_a_load_are_dropped_and_counted),
		CASE(failed_conversion_changes_nothing),
		CASE(checks_come_in_their_order),
		CASE(every_path_of_the_protocol_is_checked_and_counted),
		CASE(cursor_events_leave_no_trace),
		CASE(unknown_paths_are_unhandled),
		CASE(path_that_no_tag_holds_is_counted_as_other),
		CASE(strangers_paths_cost_a_bounded_number_of_series),
		CASE(added_handler_gets_converted_arguments),
		CASE(bad_handlers_are_refused),
		CASE(exact_path_wins_over_the_longest_prefix),
		CASE(without_metrics_events_are_applied_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
