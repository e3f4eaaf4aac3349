/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "envelope.h"
#include "requests.h"
#include "server.h"

/* For events that are queued when the server is told to stop. */
#define STOP_APPLY_NS INT64_C(300000000)

/* --- making ------------------------------------------------------------- */

static void record_depth(void *context, size_t depth)
{
	struct server_metrics *metrics = context;

	astshm_gauge_set(metrics->queue_depth, (double)depth);
}

static void broadcast_to_clients(void *context, struct message *message)
{
	websocket_broadcast(context, message);
}

static int open_websocket(struct ast_server *server, const struct server_options *options)
{
	struct websocket_host host = { requests_joined, requests_received, server };
	int result;

	if (options->websocket_off)
		return 0;
	requests_init();
	result = websocket_open(&server->websocket, &options->websocket, &host,
				&server->metrics);
	server->broadcast = broadcast_to_clients;
	server->broadcast_context = server->websocket;
	return result;
}

static int open_sockets(struct ast_server *server, const struct server_options *options)
{
	int result = 0;

	if (!options->udp_off)
		result = udp_open(&server->udp, &options->udp, options->udp_buffer_bytes,
				  &server->intake);
	return result < 0 ? result : open_websocket(server, options);
}

static int open_parts(struct ast_server *server, const struct server_options *options)
{
	int result = queue_init(&server->queue, options->queue_capacity, record_depth,
				&server->metrics);

	if (result < 0)
		return result;
	server->control = options->control;
	intake_init(&server->intake, &server->metrics, &server->queue);
	result = project_init(&server->project, options->cache_capacity);
	if (result == 0)
		result = open_sockets(server, options);
	if (result == 0)
		result = metrics_open(&server->metrics, &options->metrics);
	if (result == 0)
		result = event_table_add_defaults(&server->events, &server->metrics);
	return result;
}

int ast_server_create(struct ast_server **server, const struct server_options *options)
{
	struct ast_server *created = calloc(1, sizeof *created);

	if (!created)
		return -ENOMEM;
	int result = open_parts(created, options);
	if (result < 0) {
		ast_server_destroy(&created);
		return result;
	}
	*server = created;
	return 0;
}

/* --- the event thread --------------------------------------------------- */

void ast_server_broadcast(struct ast_server *server, struct message *message)
{
	if (server->broadcast)
		server->broadcast(server->broadcast_context, message);
	else
		message_release(message);
}

int64_t ast_server_settle(struct ast_server *server)
{
	struct message *message;

	if (debounce_next_ns(&server->debounce) == INT64_MAX)
		return INT64_MAX;
	int64_t now_ns = clock_now_ns();
	while ((message = debounce_take(&server->debounce, now_ns)) != NULL)
		ast_server_broadcast(server, message);
	return debounce_next_ns(&server->debounce);
}

void ast_server_apply(struct ast_server *server, struct live_event *event)
{
	int64_t waited_ns = astshm_timer_elapsed_ns(event->queued);

	if (process_live_event(server, event) != EVENT_UNMEASURED)
		astshm_timing_record(server->metrics.queue_wait, waited_ns);
	free(event);
}

/* What a stop leaves no time for is lost like what found no room. */
static void drop(struct ast_server *server, struct live_event *event)
{
	server->dropped_at_stop++;
	astshm_counter_add(server->metrics.udp_dropped, 1);
	free(event);
}

static bool is_late(const struct ast_server *server)
{
	/* Relaxed: a time on its own, which ast_server_stop sets. */
	int64_t until_ns = __atomic_load_n(&server->stop_by_ns, __ATOMIC_RELAXED);

	return until_ns != 0 && clock_now_ns() > until_ns;
}

static void *apply_events(void *argument)
{
	struct ast_server *server = argument;
	enum queue_got got;
	void *event;
	struct task *task;

	pthread_setname_np(pthread_self(), "ast-events");
	do {
		got = queue_take(&server->queue, ast_server_settle(server), &event, &task);
		if (got == QUEUE_ITEM && is_late(server))
			drop(server, event);
		else if (got == QUEUE_ITEM)
			ast_server_apply(server, event);
		else if (got == QUEUE_TASK)
			task->run(task, server);
	} while (got != QUEUE_CLOSED);
	return NULL;
}

/* --- running ------------------------------------------------------------- */

int ast_server_start(struct ast_server *server)
{
	int result = pthread_create(&server->event_thread, NULL, apply_events, server);

	if (result != 0)
		return -result;
	server->event_thread_running = true;
	result = server->udp ? udp_start(server->udp) : 0;
	return result == 0 && server->websocket ? websocket_start(server->websocket) : result;
}

/* The tree that was loaded stays. */
static void report(struct ast_server *server, const char *details)
{
	if (server->project.tree) {
		astshm_counter_add(server->metrics.reload_failures, 1);
		ast_server_broadcast(server, envelope_error("Reload failed", details));
	} else {
		astshm_counter_add(server->metrics.load_failures, 1);
	}
}

/* `root`, which is taken over, of the file `text`; NULL: `text` says why there is none. */
static int install(struct ast_server *server, struct node *root, const char *text)
{
	char details[LOAD_ERROR_MAX];

	if (!root) {
		report(server, text);
		return 0;
	}
	if (project_install(server, root, text))
		return 0;
	snprintf(details, sizeof details, "%s: %s", text, strerror(ENOMEM));
	log_write(LOG_ERROR, "%s", details);
	report(server, details);
	return -ENOMEM;
}

/* The same on its way to the event thread. */
struct installation {
	struct task task;
	struct node *root;
	char text[];
};

static void run_installation(struct task *task, void *context)
{
	struct installation *installation = (struct installation *)task;

	install(context, installation->root, installation->text);
	free(installation);
}

static int hand_over(struct ast_server *server, struct node *root, const char *text)
{
	if (!server->event_thread_running)
		return install(server, root, text);
	struct installation *installation = malloc(sizeof *installation + strlen(text) + 1);
	if (!installation) {
		node_destroy(root);
		log_write(LOG_ERROR, "%s: %s", text, strerror(ENOMEM));
		return -ENOMEM;
	}
	*installation = (struct installation){ .task.run = run_installation, .root = root };
	strcpy(installation->text, text);
	if (queue_post(&server->queue, &installation->task) < 0) {
		node_destroy(root); /* the server is stopping */
		free(installation);
	}
	return 0;
}

int ast_server_load(struct ast_server *server, const char *path,
		    const struct load_options *options)
{
	struct astshm_timer timer = astshm_timer_start();
	char error[LOAD_ERROR_MAX];
	struct node *root;
	int result = load_root(&root, path, options, error);

	if (result == 0) {
		astshm_timer_stop(server->metrics.load_project, timer);
		return hand_over(server, root, path);
	}
	if (result != -ECANCELED) { /* which is nobody's fault */
		log_write(LOG_ERROR, "%s", error);
		hand_over(server, NULL, error);
	}
	return result;
}

void ast_server_tick(struct ast_server *server)
{
	metrics_tick(&server->metrics);
}

/* The event thread has ended: what it dropped was not processed, whatever the intake thought. */
static void account_for_drops(struct ast_server *server)
{
	struct intake_statistics *statistics = &server->intake.statistics;
	uint64_t dropped = server->dropped_at_stop;

	if (dropped == 0)
		return;
	log_write(LOG_WARNING, "%llu queued events were dropped to stop in time",
		  (unsigned long long)dropped);
	statistics->processed -= dropped;
	statistics->dropped += dropped;
	statistics->refused += dropped;
	server->dropped_at_stop = 0;
}

void ast_server_stop(struct ast_server *server)
{
	if (server->udp)
		udp_stop(server->udp);
	if (server->event_thread_running) {
		/* Relaxed: is_late reads it alone. */
		__atomic_store_n(&server->stop_by_ns, clock_now_ns() + STOP_APPLY_NS,
				 __ATOMIC_RELAXED);
		queue_close(&server->queue);
		pthread_join(server->event_thread, NULL);
		server->event_thread_running = false;
	}
	account_for_drops(server);
	metrics_tell_end(&server->metrics);
	if (server->websocket)
		websocket_stop(server->websocket);
}

void ast_server_destroy(struct ast_server **server)
{
	struct ast_server *closing = *server;

	*server = NULL;
	if (!closing)
		return;
	ast_server_stop(closing);
	udp_close(&closing->udp);
	websocket_close(&closing->websocket);
	queue_fini(&closing->queue, free);
	event_table_fini(&closing->events);
	debounce_clear(&closing->debounce);
	update_fini(&closing->update);
	project_fini(&closing->project);
	metrics_close(&closing->metrics);
	free(closing);
}

const struct intake_statistics *ast_server_statistics(const struct ast_server *server)
{
	return &server->intake.statistics;
}

/* --- the metrics ---------------------------------------------------------- */

static int put_piece(void *context, const void *bytes, size_t count)
{
	struct json_out *out = context;

	json_out_append(out, bytes, count);
	return json_out_result(out);
}

typedef int encode_fn(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
		      const struct astshm_encode_options *options);

static int take_metrics(struct astshm_writer *writer, int64_t window_ns,
			struct astshm_snapshot **snapshot)
{
	if (!writer)
		return -ENOENT;
	return window_ns > 0 ? astshm_get_window(writer, window_ns, snapshot, NULL)
			     : astshm_get_all_metrics(writer, snapshot, NULL);
}

static int write_metrics(struct ast_server *server, encode_fn *encode, int64_t window_ns,
			 struct json_out *out)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { put_piece, out };
	struct astshm_snapshot *snapshot;

	int result = take_metrics(server->metrics.writer, window_ns, &snapshot);

	if (result < 0)
		return result;
	json_out_raw(out, "", 0);
	result = encode(snapshot, &sink, &options);
	astshm_snapshot_free(&snapshot);
	return result;
}

int get_metrics(struct ast_server *server, int64_t window_ns, struct json_out *out)
{
	return write_metrics(server, astshm_encode_json, window_ns, out);
}

int get_metrics_summary(struct ast_server *server, int64_t window_ns, struct json_out *out)
{
	return write_metrics(server, astshm_encode_summary, window_ns, out);
}
