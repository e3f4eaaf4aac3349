/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "server.h"

static void record_depth(void *context, size_t depth)
{
	struct server_metrics *metrics = context;

	astshm_gauge_set(metrics->queue_depth, (double)depth);
}

static int open_parts(struct ast_server *server, const struct server_options *options)
{
	int result = queue_init(&server->queue, options->queue_capacity, record_depth,
				&server->metrics);

	if (result < 0)
		return result;
	intake_init(&server->intake, &server->metrics, &server->queue);
	project_init(&server->project);
	if (!options->udp_off)
		result = udp_open(&server->udp, &options->udp, options->udp_buffer_bytes,
				  &server->intake);
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

static void *apply_events(void *argument)
{
	struct ast_server *server = argument;
	struct live_event *event;

	pthread_setname_np(pthread_self(), "ast-events");
	while ((event = queue_pop(&server->queue)) != NULL) {
		int64_t waited_ns = astshm_timer_elapsed_ns(event->queued);
		if (process_live_event(server, event) != EVENT_UNMEASURED)
			astshm_timing_record(server->metrics.queue_wait, waited_ns);
		free(event);
	}
	return NULL;
}

int ast_server_start(struct ast_server *server)
{
	int result = pthread_create(&server->event_thread, NULL, apply_events, server);

	if (result != 0)
		return -result;
	server->event_thread_running = true;
	return server->udp ? udp_start(server->udp) : 0;
}

void ast_server_tick(struct ast_server *server)
{
	metrics_tick(&server->metrics);
}

void ast_server_stop(struct ast_server *server)
{
	if (server->udp)
		udp_stop(server->udp);
	if (!server->event_thread_running)
		return;
	queue_close(&server->queue);
	pthread_join(server->event_thread, NULL);
	server->event_thread_running = false;
}

void ast_server_destroy(struct ast_server **server)
{
	struct ast_server *closing = *server;

	*server = NULL;
	if (!closing)
		return;
	ast_server_stop(closing);
	udp_close(&closing->udp);
	queue_fini(&closing->queue, free);
	event_table_fini(&closing->events);
	metrics_close(&closing->metrics);
	free(closing);
}

const struct intake_statistics *ast_server_statistics(const struct ast_server *server)
{
	return &server->intake.statistics;
}
