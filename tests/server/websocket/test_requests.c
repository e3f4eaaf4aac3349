/* SPDX-License-Identifier: MIT */
/*
 * What clients ask and are answered, without a socket: linked with --wrap for
 * what requests.c sends through.
 */
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
#include "requests.h"

/* --- in place of the transport --------------------------------------------------- */

#define ANSWERS_MAX 600u

struct answer {
	websocket_client client;
	bool welcome;
	char *text; /* NULL: a welcome that could not be made */
};

static struct answer answers[ANSWERS_MAX];
static size_t answer_count, answers_read;

static void put_answer(websocket_client client, bool welcome, struct message *message)
{
	assert_true(answer_count < ANSWERS_MAX);
	answers[answer_count++] = (struct answer){
		client, welcome,
		message ? strndup(message_text(message), message->length) : NULL };
	message_release(message);
}

void __wrap_websocket_send(struct websocket *websocket, websocket_client client,
			   struct message *message);
void __wrap_websocket_welcome(struct websocket *websocket, websocket_client client,
			      struct message *message);

void __wrap_websocket_send(struct websocket *websocket, websocket_client client,
			   struct message *message)
{
	(void)websocket;
	assert_non_null(message);
	put_answer(client, false, message);
}

void __wrap_websocket_welcome(struct websocket *websocket, websocket_client client,
			      struct message *message)
{
	(void)websocket;
	put_answer(client, true, message);
}

static int tear_down(void **state)
{
	for (size_t i = 0; i < answer_count; i++)
		free(answers[i].text);
	answer_count = answers_read = 0;
	return fixture_teardown(state);
}

/* --- asking ------------------------------------------------------------------------ */

#define CLIENT 77

static void ask_from(struct ast_server *server, bool loopback, const char *text, size_t length)
{
	requests_received(server, CLIENT, loopback, text, length);
}

static void ask(struct ast_server *server, const char *text)
{
	ask_from(server, true, text, strlen(text));
}

/* The event thread's part. */
static void run_tasks(struct ast_server *server)
{
	struct task *task;
	void *item;

	while (queue_take(&server->queue, 0, &item, &task) == QUEUE_TASK)
		task->run(task, server);
}

static const char *next_answer(void)
{
	assert_true(answers_read < answer_count);
	assert_int_equal(answers[answers_read].client, CLIENT);
	assert_false(answers[answers_read].welcome);
	return answers[answers_read++].text;
}

static void expect_no_more(void)
{
	if (answers_read < answer_count)
		fail_msg("an answer more: %s", answers[answers_read].text);
}

#define ACK "{'type':'ACK','payload':{'status':'ok'}}"
#define ACK_OF(id) "{'type':'ACK','payload':{'status':'ok','request_id':" id "}}"
#define ERROR_OF(id, error)                                                            \
	"{'type':'ERROR','request_id':" id ",'payload':{'error':'" error "',"          \
	"'details':'*'}}"

static int64_t failures(struct ast_server *server)
{
	return fixture_counter(server, "errors.client_message");
}

/* --- acknowledgements ----------------------------------------------------------------- */

static void any_object_is_acknowledged_with_its_id(void **state)
{
	static const char *const ids[] = { "\"r1\"", "7", "-1", "0.5", "true", "[0]",
					   "{\"a\":null}", "\"\\u0000\"", "\"\xc3\xa4\"",
					   "9223372036854775807" };
	struct ast_server *server = dialogue_begin("ids");
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		snprintf(text, sizeof text, "{\"type\":\"X\",\"request_id\":%s}", ids[i]);
		ask(server, text);
		json_t *sent = json_loads(text, JSON_ALLOW_NUL, NULL);
		json_t *got = json_loads(next_answer(), JSON_ALLOW_NUL, NULL);
		assert_string_equal(json_string_value(json_object_get(got, "type")), "ACK");
		/* Also of the same type: 7 is not 7.0. */
		assert_true(json_equal(json_object_get(json_object_get(got, "payload"),
						       "request_id"),
				       json_object_get(sent, "request_id")));
		json_decref(sent);
		json_decref(got);
		expect_no_more();
	}
	assert_int_equal(failures(server), 0);
}

static void id_that_python_calls_false_is_not_echoed(void **state)
{
	static const char *const ids[] = { "\"\"", "0", "0.0", "-0.0", "false", "null", "[]",
					   "{}" };
	struct ast_server *server = dialogue_begin("false-ids");
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		snprintf(text, sizeof text, "{\"type\":\"X\",\"request_id\":%s}", ids[i]);
		ask(server, text);
		expect_json(next_answer(), ACK);
	}
	ask(server, "{}");
	expect_json(next_answer(), ACK);
	expect_no_more();
}

static void unknown_types_get_the_acknowledgement_alone(void **state)
{
	static const char *const types[] = { "\"PING\"", "\"get_metrics\"", "\"\"", "7", "null",
					     "[\"GET_METRICS\"]" };
	struct ast_server *server = dialogue_begin("unknown-types");
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		snprintf(text, sizeof text, "{\"type\":%s,\"payload\":7,\"request_id\":1}",
			 types[i]);
		ask(server, text);
		expect_json(next_answer(), ACK_OF("1"));
	}
	run_tasks(server);
	expect_no_more();
	assert_int_equal(failures(server), 0);
}

static void what_is_no_json_is_told_and_counted(void **state)
{
	static const char *const texts[] = { "{bad", "", " ", "{", "{\"a\":}", "nul", "\xff\xfe",
					     "{\"a\":1}x", "\"\xc3\"" };
	struct ast_server *server = dialogue_begin("no-json");
	size_t count = sizeof texts / sizeof texts[0];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		ask(server, texts[i]);
		expect_json(next_answer(), "{'type':'ERROR','payload':{'error':'Invalid JSON',"
					   "'details':'*'}}");
	}
	ask_from(server, true, "{}\0", 3);
	expect_json(next_answer(), "{'type':'ERROR','payload':{'error':'Invalid JSON',"
				   "'details':'*'}}");
	expect_no_more();
	assert_int_equal(failures(server), count + 1);
}

static void nesting_without_end_is_no_json(void **state)
{
	struct ast_server *server = dialogue_begin("nesting");
	size_t length = 1000000;
	char *text = malloc(length);

	(void)state;
	memset(text, '[', length);
	ask_from(server, true, text, length);
	assert_non_null(strstr(next_answer(), "Invalid JSON"));
	free(text);
}

static void json_that_is_no_object_is_a_server_error(void **state)
{
	static const char *const texts[] = { "[1]", "1", "\"x\"", "null", "true", "1.5" };
	struct ast_server *server = dialogue_begin("no-object");
	size_t count = sizeof texts / sizeof texts[0];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		ask(server, texts[i]);
		expect_json(next_answer(), "{'type':'ERROR','payload':{'error':'Server error',"
					   "'details':'*'}}");
	}
	expect_no_more();
	assert_int_equal(failures(server), count);
}

/* --- the tree ----------------------------------------------------------------------------- */

/* The payload of the answer, which comes behind the ACK; to be released. */
static json_t *answer_to(struct ast_server *server, const char *text, const char *type)
{
	ask(server, text);
	run_tasks(server);
	expect_json(next_answer(), ACK_OF("1"));
	json_t *answer = json_loads(next_answer(), 0, NULL);
	assert_non_null(answer);
	expect_no_more();
	assert_string_equal(json_string_value(json_object_get(answer, "type")), type);
	assert_int_equal(json_integer_value(json_object_get(answer, "request_id")), 1);
	json_t *payload = json_incref(json_object_get(answer, "payload"));
	json_decref(answer);
	return payload;
}

static void project_info_is_that_of_the_tree(void **state)
{
	struct ast_server *server = dialogue_begin("info");
	json_t *info = answer_to(server, "{\"type\":\"GET_PROJECT_INFO\",\"request_id\":1}",
				 "PROJECT_INFO");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(info, "num_tracks")), 4);
	assert_int_equal(json_integer_value(json_object_get(info, "num_clips")), 1);
	assert_string_equal(json_string_value(json_object_get(info, "file")),
			    server->project.path);
	json_decref(info);
}

static size_t nodes_found(struct ast_server *server, const char *payload)
{
	char text[256];

	snprintf(text, sizeof text, "{\"type\":\"FIND_NODES\",\"request_id\":1,\"payload\":%s}",
		 payload);
	json_t *nodes = answer_to(server, text, "NODES");
	size_t count = json_array_size(nodes);
	assert_true(json_is_array(nodes));
	for (size_t i = 0; i < count; i++)
		assert_non_null(json_object_get(json_array_get(nodes, i), "hash"));
	json_decref(nodes);
	return count;
}

static void nodes_are_found_by_type_or_query(void **state)
{
	struct ast_server *server = dialogue_begin("find");

	(void)state;
	assert_int_equal(nodes_found(server, "{\"node_type\":\"scene\"}"), 4);
	assert_int_equal(nodes_found(server, "{\"node_type\":\"parameter\"}"), 0);
	assert_int_equal(nodes_found(server, "{\"node_type\":\"nothing\"}"), 0);
	assert_int_equal(nodes_found(server, "{\"query\":\"name == 'three'\"}"), 1);
	assert_int_equal(nodes_found(server, "{\"query\":\"name > 3\"}"), 0);
	assert_int_equal(fixture_samples(server, "operation.find_nodes", NULL), 5);
	assert_int_equal(failures(server), 0);
}

static void node_is_given_as_it_is_when_its_turn_comes(void **state)
{
	struct ast_server *server = dialogue_begin("node");

	(void)state;
	ask(server, "{\"type\":\"GET_NODE\",\"payload\":{\"id\":\"mixer_1\"}}");
	expect_json(next_answer(), ACK);
	SEND(server, "/live/track/renamed", I(1), S("meanwhile"));
	ask(server, "{\"type\":\"GET_NODE\",\"payload\":{\"id\":\"track_1\"}}");
	expect_json(next_answer(), ACK);
	expect_no_more(); /* the event thread owns the tree */
	run_tasks(server);
	expect_json(next_answer(),
		    "{'type':'NODE','payload':{'node_type':'mixer','id':'mixer_1','hash':'*',"
		    "'attributes':{'volume':1.0,'pan':0.0,'is_muted':false,'is_soloed':false,"
		    "'crossfader':'None','sends':[]}}}");
	assert_non_null(strstr(next_answer(), "meanwhile"));
	expect_no_more();
}

static void unknown_node_is_null(void **state)
{
	struct ast_server *server = dialogue_begin("null");
	json_t *node = answer_to(server, "{\"type\":\"GET_NODE\",\"request_id\":1,"
					 "\"payload\":{\"id\":\"track_9\"}}", "NODE");

	(void)state;
	assert_true(json_is_null(node));
	json_decref(node);
}

static void before_a_load_there_is_nothing_to_ask(void **state)
{
	static const char *const texts[] = {
		"{\"type\":\"GET_PROJECT_INFO\"}",
		"{\"type\":\"FIND_NODES\",\"payload\":{\"query\":\"a == b\"}}",
		"{\"type\":\"GET_NODE\",\"payload\":{\"id\":\"project\"}}",
	};
	struct ast_server *server = fixture_create("unloaded", 1);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ask(server, texts[i]);
		expect_json(next_answer(), ACK);
		run_tasks(server);
		expect_json(next_answer(), "{'type':'ERROR','payload':"
					   "{'error':'No project loaded'}}");
	}
	assert_int_equal(failures(server), 3);
}

static void bad_payloads_are_refused(void **state)
{
	static const char *const requests[] = {
		"\"GET_PROJECT_INFO\",\"payload\":7",
		"\"GET_METRICS\",\"payload\":[]",
		"\"FIND_NODES\"",
		"\"FIND_NODES\",\"payload\":null",
		"\"FIND_NODES\",\"payload\":{}",
		"\"FIND_NODES\",\"payload\":{\"node_type\":7}",
		"\"FIND_NODES\",\"payload\":{\"node_type\":\"track\",\"query\":\"a == b\"}",
		"\"GET_NODE\"",
		"\"GET_NODE\",\"payload\":{\"id\":null}",
		"\"GET_NODE\",\"payload\":\"track_0\"",
	};
	struct ast_server *server = dialogue_begin("bad-payload");
	size_t count = sizeof requests / sizeof requests[0];
	char text[256];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof text, "{\"request_id\":\"r\",\"type\":%s}", requests[i]);
		ask(server, text);
		expect_json(next_answer(), ACK_OF("'r'"));
		expect_json(next_answer(), ERROR_OF("'r'", "Invalid request"));
		run_tasks(server);
		expect_no_more();
	}
	assert_int_equal(failures(server), count);
}

static void questions_that_wait_are_bounded(void **state)
{
	static const char question[] = "{\"type\":\"GET_NODE\",\"payload\":{\"id\":\"mixer_0\"}}";
	struct ast_server *server = dialogue_begin("bounded");

	(void)state;
	for (unsigned i = 0; i < REQUESTS_WAITING_MAX; i++) {
		ask(server, question);
		expect_json(next_answer(), ACK);
	}
	expect_no_more();
	ask(server, question);
	expect_json(next_answer(), ACK);
	expect_json(next_answer(), "{'type':'ERROR','payload':{'error':'Invalid request',"
				   "'details':'*'}}");
	run_tasks(server);
	for (unsigned i = 0; i < REQUESTS_WAITING_MAX; i++)
		assert_non_null(strstr(next_answer(), "\"NODE\""));
	expect_no_more();
	/* Those that were answered make room. */
	ask(server, question);
	run_tasks(server);
	expect_json(next_answer(), ACK);
	assert_non_null(strstr(next_answer(), "\"NODE\""));
}

static void question_to_a_stopping_server_is_forgotten(void **state)
{
	struct ast_server *server = dialogue_begin("stopping");

	(void)state;
	queue_close(&server->queue);
	for (unsigned i = 0; i < 2; i++) {
		ask(server, "{\"type\":\"GET_PROJECT_INFO\"}");
		expect_json(next_answer(), ACK);
	}
	requests_joined(server, CLIENT);
	expect_no_more();
	assert_int_equal(server->questions, 0);
}

/* --- metrics ------------------------------------------------------------------------------ */

static json_t *metrics_answer(struct ast_server *server, const char *request, const char *type)
{
	char text[128];

	snprintf(text, sizeof text, "{\"type\":\"%s\",\"request_id\":1}", request);
	return answer_to(server, text, type);
}

static void metrics_are_the_documents_of_the_readers(void **state)
{
	struct ast_server *server = dialogue_begin("metrics");

	(void)state;
	SEND(server, "/live/track/mute", I(0), TRUE);
	json_t *metrics = metrics_answer(server, "GET_METRICS", "METRICS"), *counters;
	assert_string_equal(json_string_value(json_object_get(metrics, "schema")),
			    "astshm.snapshot/1");
	counters = json_object_get(json_object_get(metrics, "metrics"), "counters");
	assert_int_equal(json_integer_value(json_object_get(
				json_object_get(counters, "events.processed"), "value")), 1);
	json_decref(metrics);
	json_t *summary = metrics_answer(server, "GET_METRICS_SUMMARY", "METRICS_SUMMARY");
	assert_int_equal(json_integer_value(json_object_get(
				json_object_get(summary, "event_processing"),
				"total_processed")), 1);
	json_decref(summary);
}

static void metrics_that_are_off_are_an_error(void **state)
{
	struct server_options options = { .udp_off = true, .queue_capacity = 1,
					  .websocket_off = true, .control = true,
					  .metrics = { .off = true } };
	static const char *const types[] = { "GET_METRICS", "GET_METRICS_SUMMARY",
					     "RESET_METRICS", "RESET_COUNTERS" };
	struct ast_server *server;
	char text[128];

	(void)state;
	assert_int_equal(ast_server_create(&server, &options), 0);
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "{\"type\":\"%s\",\"request_id\":1}", types[i]);
		ask(server, text);
		expect_json(next_answer(), ACK_OF("1"));
		expect_json(next_answer(), "{'type':'ERROR','request_id':1,'payload':{'error':"
					   "'Invalid request','details':'metrics are off'}}");
	}
	ast_server_destroy(&server);
}

/* --- control -------------------------------------------------------------------------------- */

static const char *const controls[] = {
	"\"RESET_METRICS\"", "\"RESET_COUNTERS\"",
	"\"SET_METRICS_ENABLED\",\"payload\":{\"enabled\":false}",
};

static void expect_refused(struct ast_server *server, bool loopback)
{
	char text[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "{\"request_id\":1,\"type\":%s}", controls[i]);
		ask_from(server, loopback, text, strlen(text));
		expect_json(next_answer(), ACK_OF("1"));
		expect_json(next_answer(), ERROR_OF("1", "Invalid request"));
	}
	expect_no_more();
}

static void control_is_for_clients_here_of_a_server_that_allows_it(void **state)
{
	struct ast_server *server = dialogue_begin("control");

	(void)state;
	SEND(server, "/live/track/mute", I(0), TRUE);
	expect_refused(server, true);
	server->control = true;
	expect_refused(server, false);
	assert_int_equal(fixture_counter(server, "events.received"), 1);
	assert_true(astshm_writer_recording(server->metrics.writer));
}

static void control(struct ast_server *server, const char *request)
{
	char text[128];

	snprintf(text, sizeof text, "{\"request_id\":1,\"type\":%s}", request);
	ask(server, text);
	expect_json(next_answer(), ACK_OF("1"));
	expect_json(next_answer(), "{'type':'CONTROL','request_id':1,'payload':"
				   "{'status':'ok'}}");
	expect_no_more();
}

static void resets_begin_anew(void **state)
{
	struct ast_server *server = dialogue_begin("reset");

	(void)state;
	server->control = true;
	SEND(server, "/live/track/mute", I(0), TRUE);
	control(server, controls[1]);
	assert_int_equal(fixture_counter(server, "events.received"), 0);
	assert_int_equal(fixture_samples(server, "event.processing.duration", NULL), 1);
	SEND(server, "/live/track/mute", I(0), TRUE);
	assert_int_equal(fixture_counter(server, "events.received"), 1);
	control(server, controls[0]);
	assert_int_equal(fixture_counter(server, "events.received"), 0);
	assert_int_equal(fixture_samples(server, "event.processing.duration", NULL), 0);
}

static void recording_is_switched_off_and_on(void **state)
{
	struct ast_server *server = dialogue_begin("switch");

	(void)state;
	server->control = true;
	control(server, controls[2]);
	assert_false(astshm_writer_recording(server->metrics.writer));
	SEND(server, "/live/track/mute", I(0), TRUE);
	control(server, "\"SET_METRICS_ENABLED\",\"payload\":{\"enabled\":true}");
	assert_int_equal(fixture_counter(server, "events.received"), 0);
	SEND(server, "/live/track/mute", I(0), TRUE);
	assert_int_equal(fixture_counter(server, "events.received"), 1);
}

static void switch_needs_a_truth(void **state)
{
	static const char *const payloads[] = { "{}", "{\"enabled\":1}", "{\"enabled\":null}",
						"{\"enabled\":\"false\"}" };
	struct ast_server *server = dialogue_begin("truth");
	char text[128];

	(void)state;
	server->control = true;
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "{\"request_id\":1,\"type\":\"SET_METRICS_ENABLED\","
			 "\"payload\":%s}", payloads[i]);
		ask(server, text);
		expect_json(next_answer(), ACK_OF("1"));
		expect_json(next_answer(), ERROR_OF("1", "Invalid request"));
	}
	assert_true(astshm_writer_recording(server->metrics.writer));
}

/* --- joining ---------------------------------------------------------------------------------- */

static const struct answer *welcomed(websocket_client client)
{
	const struct answer *answer = &answers[answers_read];

	assert_true(answers_read++ < answer_count);
	assert_int_equal(answer->client, client);
	assert_true(answer->welcome);
	return answer;
}

static void who_joins_is_told_all_by_the_event_thread(void **state)
{
	struct ast_server *server = fixture_create("joined", 1);

	(void)state;
	requests_joined(server, 5);
	assert_int_equal(answer_count, 0);
	run_tasks(server);
	expect_json(welcomed(5)->text, "{'type':'ERROR','payload':{'error':'No AST loaded',"
				       "'details':'*'}}");
	fixture_load(server);
	requests_joined(server, 6);
	requests_joined(server, 5); /* it lost some */
	SEND(server, "/live/track/renamed", I(0), S("before the welcome"));
	run_tasks(server);
	const struct answer *first = welcomed(6), *second = welcomed(5);
	assert_non_null(strstr(first->text, "FULL_AST"));
	assert_non_null(strstr(first->text, "before the welcome"));
	assert_string_equal(first->text, second->text);
	expect_no_more();
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(any_object_is_acknowledged_with_its_id),
		CASE(id_that_python_calls_false_is_not_echoed),
		CASE(unknown_types_get_the_acknowledgement_alone),
		CASE(what_is_no_json_is_told_and_counted),
		CASE(nesting_without_end_is_no_json),
		CASE(json_that_is_no_object_is_a_server_error),
		CASE(project_info_is_that_of_the_tree),
		CASE(nodes_are_found_by_type_or_query),
		CASE(node_is_given_as_it_is_when_its_turn_comes),
		CASE(unknown_node_is_null),
		CASE(before_a_load_there_is_nothing_to_ask),
		CASE(bad_payloads_are_refused),
		CASE(questions_that_wait_are_bounded),
		CASE(question_to_a_stopping_server_is_forgotten),
		CASE(metrics_are_the_documents_of_the_readers),
		CASE(metrics_that_are_off_are_an_error),
		CASE(control_is_for_clients_here_of_a_server_that_allows_it),
		CASE(resets_begin_anew),
		CASE(recording_is_switched_off_and_on),
		CASE(switch_needs_a_truth),
		CASE(who_joins_is_told_all_by_the_event_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
