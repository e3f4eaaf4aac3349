/* SPDX-License-Identifier: MIT */
/*
 * The server as an object. Threads: UDP (the intake), events (the project and
 * the event table), and whoever created it (start, tick, stop).
 *
 *     datagram -> intake -> queue -> process_live_event -> project
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "events.h"
#include "intake.h"
#include "log.h"
#include "metrics.h"
#include "project.h"
#include "queue.h"
#include "udp.h"

struct server_options {
	bool udp_off; /* no socket: events come through process_live_event alone */
	struct address udp;
	size_t udp_buffer_bytes;
	size_t queue_capacity;
	struct metrics_options metrics;
};

struct ast_server {
	struct server_metrics metrics;
	struct project project;     /* event thread */
	struct event_table events;  /* constant once started */
	struct queue queue;         /* of struct live_event */
	struct intake intake;       /* UDP thread */
	struct udp_listener *udp;   /* NULL: udp_off */
	struct log_limit event_failures; /* event thread */
	pthread_t event_thread;
	bool event_thread_running;
};

/*
 * Binds the socket, then opens the metrics (a start that fails on the port
 * leaves a dead predecessor's segment as it was). Failures are logged.
 * -EBUSY: the metrics name is taken; else as udp_open, or -ENOMEM.
 */
int ast_server_create(struct ast_server **server, const struct server_options *options);
/* Starts the threads. From here on the event table must not change. */
int ast_server_start(struct ast_server *server);
/* Once a second, between start and stop. */
void ast_server_tick(struct ast_server *server);
/*
 * Stops receiving, applies what is queued, ends the threads. The metrics stay
 * readable until ast_server_destroy.
 */
void ast_server_stop(struct ast_server *server);
/* Stops if need be and frees; *server becomes NULL. NULL is allowed. */
void ast_server_destroy(struct ast_server **server);

/* What the intake counted; after ast_server_stop. */
const struct intake_statistics *ast_server_statistics(const struct ast_server *server);

#endif
