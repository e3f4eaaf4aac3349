/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "envelope.h"
#include "query.h"
#include "requests.h"
#include "serialize.h"
#include "server.h"

struct request;

/* How a kind of request is answered, in the WebSocket thread. */
typedef void answer_fn(struct request *request);

struct request_kind {
	const char *type;
	answer_fn *answer;
	const char *reply; /* type of the answer */
	const char *needs; /* of the payload, for people */
	bool control;      /* only from this machine, and if that is allowed */
};

struct request {
	struct ast_server *server;
	websocket_client client;
	const struct request_kind *kind;
	char *id;      /* as JSON; NULL: none was given */
	json_t *payload;
};

/* --- saying ------------------------------------------------------------------ */

static void begin_reply(struct json_out *out, const char *type, const char *id)
{
	json_out_init(out, 0);
	json_out_begin_object(out);
	json_out_key(out, "type");
	json_out_text(out, type);
	if (id) {
		json_out_key(out, "request_id");
		json_out_raw(out, id, strlen(id));
	}
	json_out_key(out, "payload");
}

/* Without memory there is no answer: the client has its ACK, and time limits of its own. */
static void send_reply(struct ast_server *server, websocket_client client, struct json_out *out)
{
	json_out_end_object(out);
	struct message *message = message_of_json(out);
	if (message)
		websocket_send(server->websocket, client, message);
	json_out_fini(out);
}

static void send_error(struct ast_server *server, websocket_client client, const char *id,
		       const char *error, const char *details)
{
	struct json_out out;

	astshm_counter_add(server->metrics.client_failures, 1);
	begin_reply(&out, "ERROR", id);
	json_out_begin_object(&out);
	json_out_key(&out, "error");
	json_out_text(&out, error);
	if (details) {
		json_out_key(&out, "details");
		json_out_text(&out, details);
	}
	json_out_end_object(&out);
	send_reply(server, client, &out);
}

static void refuse(const struct request *request, const char *details)
{
	send_error(request->server, request->client, request->id, "Invalid request", details);
}

static void send_acknowledgement(struct ast_server *server, websocket_client client,
				 const char *id)
{
	struct json_out out;

	begin_reply(&out, "ACK", NULL);
	json_out_begin_object(&out);
	json_out_key(&out, "status");
	json_out_text(&out, "ok");
	if (id) {
		json_out_key(&out, "request_id");
		json_out_raw(&out, id, strlen(id));
	}
	json_out_end_object(&out);
	send_reply(server, client, &out);
}

/* --- metrics ------------------------------------------------------------------- */

typedef int document_fn(struct ast_server *server, int64_t window_ns, struct json_out *out);

/* More seconds than that are as good as all. */
#define WINDOW_MOST 9e9

/* 0: none is asked for; false: what is asked for is no time. */
static bool take_window(const struct request *request, int64_t *window_ns)
{
	const json_t *window = json_object_get(request->payload, "window");
	double seconds = json_number_value(window);

	*window_ns = 0;
	if (!window || json_is_null(window))
		return true;
	if (!json_is_number(window) || !(seconds > 0))
		return false;
	*window_ns = (int64_t)((seconds < WINDOW_MOST ? seconds : WINDOW_MOST) * 1e9);
	return *window_ns > 0;
}

static const char *why_no_document(int result)
{
	switch (result) {
	case -ENOENT:
		return "metrics are off";
	case -ENODATA:
		return "window: the metrics have no history (yet)";
	default:
		return strerror(-result);
	}
}

static void answer_document(struct request *request, document_fn *document)
{
	struct json_out out;
	int64_t window_ns;

	if (!take_window(request, &window_ns)) {
		refuse(request, request->kind->needs);
		return;
	}
	begin_reply(&out, request->kind->reply, request->id);
	int result = document(request->server, window_ns, &out);
	if (result == 0) {
		send_reply(request->server, request->client, &out);
		return;
	}
	json_out_fini(&out);
	refuse(request, why_no_document(result));
}

static void answer_metrics(struct request *request)
{
	answer_document(request, get_metrics);
}

static void answer_summary(struct request *request)
{
	answer_document(request, get_metrics_summary);
}

static void confirm(struct request *request)
{
	struct json_out out;

	begin_reply(&out, request->kind->reply, request->id);
	json_out_begin_object(&out);
	json_out_key(&out, "status");
	json_out_text(&out, "ok");
	json_out_end_object(&out);
	send_reply(request->server, request->client, &out);
}

static void answer_reset(struct request *request)
{
	astshm_reset(request->server->metrics.writer);
	confirm(request);
}

static void answer_reset_counters(struct request *request)
{
	astshm_reset_counters(request->server->metrics.writer);
	confirm(request);
}

static void answer_recording(struct request *request)
{
	const json_t *enabled = json_object_get(request->payload, "enabled");

	if (!json_is_boolean(enabled)) {
		refuse(request, request->kind->needs);
		return;
	}
	astshm_writer_set_recording(request->server->metrics.writer, json_is_true(enabled));
	confirm(request);
}

/* --- the tree -------------------------------------------------------------------- */

typedef void write_answer_fn(struct ast_server *server, const char *argument,
			     struct json_out *out);

/* On its way to the event thread, which owns the tree. */
struct question {
	struct task task;
	websocket_client client;
	const char *reply;
	write_answer_fn *write;
	const char *id;       /* NULL, or in `strings` */
	const char *argument; /* in `strings` */
	char strings[];
};

static void write_info(struct ast_server *server, const char *argument, struct json_out *out)
{
	(void)argument;
	get_project_info(server->project.tree, server->project.path, out);
}

static void write_list(struct ast_server *server, const struct node_list *list,
		       struct json_out *out)
{
	struct astshm_timer timer = astshm_timer_start();

	serialize_list(out, server->project.tree, list, SERIALIZE_WEBSOCKET);
	astshm_timer_stop(server->metrics.serialize, timer);
}

static void write_nodes_of_type(struct ast_server *server, const char *type,
				struct json_out *out)
{
	const struct node_list *list;

	ASTSHM_TIME_SCOPE(server->metrics.find_nodes);
	find_nodes_by_type(server->project.tree, type, &list);
	write_list(server, list, out);
}

static void write_query(struct ast_server *server, const char *query, struct json_out *out)
{
	struct node_list list = { 0 };

	ASTSHM_TIME_SCOPE(server->metrics.find_nodes);
	query_nodes(server->project.tree, query, &list);
	write_list(server, &list, out);
	node_list_fini(&list);
}

static void write_node(struct ast_server *server, const char *id, struct json_out *out)
{
	struct node *node;

	ASTSHM_TIME_SCOPE(server->metrics.find_nodes);
	node = find_node_by_id(server->project.tree, id);
	if (node)
		serialize_node(out, server->project.tree, node, SERIALIZE_WEBSOCKET);
	else
		json_out_null(out);
}

/*
 * Relaxed, both: a count that bounds memory, taken by the WebSocket thread and
 * given back by the event thread; the queue's lock orders what is counted.
 */
static bool admit_question(struct ast_server *server)
{
	if (__atomic_fetch_add(&server->questions, 1, __ATOMIC_RELAXED) < REQUESTS_WAITING_MAX)
		return true;
	__atomic_fetch_sub(&server->questions, 1, __ATOMIC_RELAXED);
	return false;
}

static void forget_question(struct ast_server *server)
{
	__atomic_fetch_sub(&server->questions, 1, __ATOMIC_RELAXED);
}

static void run_question(struct task *task, void *context)
{
	struct question *question = (struct question *)task;
	struct ast_server *server = context;
	struct json_out out;

	forget_question(server);
	if (server->project.tree) {
		begin_reply(&out, question->reply, question->id);
		question->write(server, question->argument, &out);
		send_reply(server, question->client, &out);
	} else {
		send_error(server, question->client, question->id, "No project loaded", NULL);
	}
	free(question);
}

static struct question *make_question(const struct request *request, write_answer_fn *write,
				      const char *argument)
{
	size_t argument_bytes = strlen(argument) + 1;
	size_t id_bytes = request->id ? strlen(request->id) + 1 : 0;
	struct question *question = malloc(sizeof *question + argument_bytes + id_bytes);

	if (!question)
		return NULL;
	*question = (struct question){ .task.run = run_question, .client = request->client,
				       .reply = request->kind->reply, .write = write,
				       .argument = question->strings };
	memcpy(question->strings, argument, argument_bytes);
	if (request->id) {
		memcpy(question->strings + argument_bytes, request->id, id_bytes);
		question->id = question->strings + argument_bytes;
	}
	return question;
}

static void ask(struct request *request, write_answer_fn *write, const char *argument)
{
	if (!admit_question(request->server)) {
		refuse(request, "too many requests are waiting");
		return;
	}
	struct question *question = make_question(request, write, argument);
	if (question && queue_post(&request->server->queue, &question->task) == 0)
		return;
	free(question); /* no memory, or the server is stopping */
	forget_question(request->server);
}

static const char *text_of(const struct request *request, const char *key)
{
	return json_string_value(json_object_get(request->payload, key));
}

static void answer_info(struct request *request)
{
	ask(request, write_info, "");
}

static void answer_find(struct request *request)
{
	const char *type = text_of(request, "node_type"), *query = text_of(request, "query");

	if (!type == !query)
		refuse(request, request->kind->needs);
	else
		ask(request, type ? write_nodes_of_type : write_query, type ? type : query);
}

static void answer_node(struct request *request)
{
	const char *id = text_of(request, "id");

	if (id)
		ask(request, write_node, id);
	else
		refuse(request, request->kind->needs);
}

/* --- taking ------------------------------------------------------------------------ */

#define NEEDS_WINDOW "\"window\" is a number of seconds above zero"

static const struct request_kind kinds[] = {
	{ "GET_METRICS", answer_metrics, "METRICS", NEEDS_WINDOW, false },
	{ "GET_METRICS_SUMMARY", answer_summary, "METRICS_SUMMARY", NEEDS_WINDOW, false },
	{ "GET_PROJECT_INFO", answer_info, "PROJECT_INFO", "", false },
	{ "FIND_NODES", answer_find, "NODES",
	  "FIND_NODES needs either \"node_type\" or \"query\", a text", false },
	{ "GET_NODE", answer_node, "NODE", "GET_NODE needs \"id\", a text", false },
	{ "RESET_METRICS", answer_reset, "CONTROL", "", true },
	{ "RESET_COUNTERS", answer_reset_counters, "CONTROL", "", true },
	{ "SET_METRICS_ENABLED", answer_recording, "CONTROL",
	  "SET_METRICS_ENABLED needs \"enabled\", true or false", true },
};

static const struct request_kind *find_kind(const char *type)
{
	for (size_t i = 0; type && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	}
	return NULL;
}

static void answer(struct request *request, bool loopback)
{
	const struct request_kind *kind = request->kind;

	if (request->payload && !json_is_object(request->payload))
		refuse(request, "the payload is no JSON object");
	else if (kind->control && !(request->server->control && loopback))
		refuse(request, "that needs --control, and a client on the same machine");
	else if (kind->control && !request->server->metrics.writer)
		refuse(request, "metrics are off");
	else
		kind->answer(request);
}

/* What Python calls true: anything but null, false, zero and what is empty. */
static bool is_truthy(const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) != 0.0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	default:
		return json_is_true(value);
	}
}

static void take_object(struct ast_server *server, websocket_client client, bool loopback,
			json_t *object)
{
	const json_t *id = json_object_get(object, "request_id");
	struct request request = { .server = server, .client = client,
				   .kind = find_kind(json_string_value(
					   json_object_get(object, "type"))),
				   .payload = json_object_get(object, "payload") };

	if (json_is_null(request.payload))
		request.payload = NULL;
	if (is_truthy(id))
		request.id = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	send_acknowledgement(server, client, request.id);
	if (request.kind)
		answer(&request, loopback);
	free(request.id);
}

void requests_received(void *context, websocket_client client, bool loopback, const char *text,
		       size_t length)
{
	struct ast_server *server = context;
	char details[256];
	json_error_t error;
	json_t *value = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (!value) {
		snprintf(details, sizeof details, "%s: line %d column %d", error.text, error.line,
			 error.column);
		send_error(server, client, NULL, "Invalid JSON", details);
	} else if (!json_is_object(value)) {
		send_error(server, client, NULL, "Server error", "the message is no JSON object");
	} else {
		take_object(server, client, loopback, value);
	}
	json_decref(value);
}

/* --- joining -------------------------------------------------------------------------- */

/*
 * By way of the event thread, so that no diff can come before it. A welcome that
 * cannot be made is told too: the client would wait for ever.
 */
struct welcome {
	struct task task;
	websocket_client client;
};

static void run_welcome(struct task *task, void *context)
{
	struct welcome *welcome = (struct welcome *)task;
	struct ast_server *server = context;

	websocket_welcome(server->websocket, welcome->client, project_full(server));
	free(welcome);
}

void requests_joined(void *context, websocket_client client)
{
	struct ast_server *server = context;
	struct welcome *welcome = malloc(sizeof *welcome);

	if (!welcome) {
		websocket_welcome(server->websocket, client, NULL);
		return;
	}
	*welcome = (struct welcome){ .task.run = run_welcome, .client = client };
	if (queue_post(&server->queue, &welcome->task) < 0)
		free(welcome);
}

void requests_init(void)
{
	/* 0: from /dev/urandom. Without a descriptor it would be the time, which can be guessed. */
	json_object_seed(0);
}
