/* SPDX-License-Identifier: MIT */
/*
 * The server as an object. Threads: UDP (the intake), events (the only one that
 * knows the tree), WebSocket (clients), and housekeeping, which is whoever
 * created it (load, tick, stop).
 *
 *     datagram -> intake -> queue -> process_live_event -> tree
 *                                                      \-> broadcast -> clients
 *
 * Without threads and sockets it serves whoever calls ast_server_load,
 * process_live_event and get_metrics: all from one thread then.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "debounce.h"
#include "events.h"
#include "intake.h"
#include "log.h"
#include "metrics.h"
#include "project.h"
#include "queue.h"
#include "udp.h"
#include "update.h"
#include "websocket.h"

struct server_options {
	bool udp_off; /* no socket: events come through process_live_event alone */
	struct address udp;
	size_t udp_buffer_bytes;
	size_t queue_capacity;
	bool websocket_off;
	struct websocket_options websocket;
	bool control; /* clients on this machine may reset metrics and switch them off */
	size_t cache_capacity;
	struct metrics_options metrics;
};

struct ast_server {
	struct server_metrics metrics;
	struct project project;     /* event thread */
	struct event_table events;  /* constant once started */
	struct update update;       /* event thread */
	struct debounce debounce;   /* event thread */
	struct queue queue;         /* of struct live_event */
	struct intake intake;       /* UDP thread */
	struct udp_listener *udp;   /* NULL: udp_off */
	struct websocket *websocket; /* NULL: websocket_off */
	/*
	 * Where messages for all clients go, with their reference: to the WebSocket
	 * server, or to whoever serves without one; NULL: nowhere. A message that is
	 * NULL could not be made: clients have missed something. Called by the event
	 * thread; set before the start.
	 */
	void (*broadcast)(void *context, struct message *message);
	void *broadcast_context;
	bool control;
	struct log_limit event_failures; /* event thread */
	/* Atomic: questions of clients on their way to the event thread. */
	unsigned questions;
	int64_t stop_by_ns;        /* the event thread drops what it takes later; 0: never */
	uint64_t dropped_at_stop;  /* event thread */
	pthread_t event_thread;
	bool event_thread_running;
};

/*
 * Binds the sockets, then opens the metrics (a start that fails on a port
 * leaves a dead predecessor's segment as it was). Failures are logged.
 * -EBUSY: the metrics name is taken; else as udp_open and websocket_open, or
 * -ENOMEM.
 */
int ast_server_create(struct ast_server **server, const struct server_options *options);
/* Starts the threads. From here on the event table must not change. */
int ast_server_start(struct ast_server *server);
/*
 * Loads a Live Set and hands it to the event thread (if there is none, at once):
 * events that come later find it. A failure is logged, told to the clients if it is
 * a reload, and leaves the tree that was loaded. As load_root; `options` may be NULL.
 */
int ast_server_load(struct ast_server *server, const char *path,
		    const struct load_options *options);
/* Once a second, between start and stop. */
void ast_server_tick(struct ast_server *server);
/*
 * Stops receiving, applies what is queued (for 0.3 s; the rest is dropped and
 * counted), ends the threads. The metrics stay readable until ast_server_destroy.
 */
void ast_server_stop(struct ast_server *server);
/* Stops if need be and frees; *server becomes NULL. NULL is allowed. */
void ast_server_destroy(struct ast_server **server);

/* What the intake counted; after ast_server_stop. */
const struct intake_statistics *ast_server_statistics(const struct ast_server *server);

/* --- event thread -------------------------------------------------------- */

/* Applies an event of the queue's and frees it. */
void ast_server_apply(struct ast_server *server, struct live_event *event);
/* Takes the message over; NULL: one that could not be made. */
void ast_server_broadcast(struct ast_server *server, struct message *message);
/*
 * Sends the debounced messages that are due and returns when
 * (CLOCK_MONOTONIC) the next is, or INT64_MAX. For callers without an event thread.
 */
int64_t ast_server_settle(struct ast_server *server);

/* --- any thread ----------------------------------------------------------- */

/*
 * The documents of astshm-cat -f json and -f summary, with the last `window_ns` if
 * that is not 0. -ENOENT: metrics are off; -ENODATA: their history does not go back
 * that far, or there is none.
 */
int get_metrics(struct ast_server *server, int64_t window_ns, struct json_out *out);
int get_metrics_summary(struct ast_server *server, int64_t window_ns, struct json_out *out);

#endif
