/* SPDX-License-Identifier: MIT */
/*
 * Inside the WebSocket server: its state and one connection's. Everything here
 * belongs to the WebSocket thread once that was started; other threads get no
 * further than the outlet.
 *
 * connection.c is what happens to a connection, frames.c writes to it, upgrade.c
 * decides who becomes one, listener.c accepts, websocket.c has the thread and what
 * others call.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <pthread.h>
#include <stdbool.h>

#include <libwebsockets.h>

#include "assembly.h"
#include "fifo.h"
#include "log.h"
#include "outlet.h"
#include "websocket.h"

/* Beyond the limit of clients, so that those too many get an answer. */
#define CONNECTIONS_SPARE 16u
/* A longer message goes out in fragments, see write_fragment. */
#define UNFRAGMENTED_MAX (1u << 20)
#define SCRATCH_BYTES (64u << 10)
/* The names of subprotocols that libwebsockets can read. */
#define SUBPROTOCOL_MAX 64u

enum connection_state {
	CONNECTION_HANDSHAKE, /* HTTP */
	CONNECTION_OPEN,
	CONNECTION_CLOSING, /* the close frame is on its way, or came */
};

struct connection {
	struct connection *next;
	struct connection *previous;
	struct websocket *websocket;
	struct lws *wsi;
	websocket_client id;
	enum connection_state state;
	bool loopback;
	bool asked;       /* host.joined was called, the welcome is to come */
	bool welcomed;    /* gets broadcasts */
	bool out_of_step; /* lost some since its last welcome */
	bool hopeless;    /* there was no memory for its welcome */
	bool ping_due;
	bool pong_owed;
	struct fifo fifo;
	size_t written; /* of the FIFO's head, which goes out in fragments */
	struct assembly incoming;
	bool incoming_binary;
	uint64_t asked_ms;              /* when host.joined was called last */
	lws_sorted_usec_list_t ask_again;
};

struct websocket {
	struct websocket_options options; /* origins apart */
	char **origins;
	struct websocket_host host;
	struct server_metrics *metrics;
	struct address bound;
	struct outlet outlet;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws_protocols protocols[2];
	char subprotocol[SUBPROTOCOL_MAX]; /* what the request at hand asks for */
	pthread_t thread;
	bool running;

	int listening; /* until libwebsockets has it */
	struct lws *listener;
	lws_sorted_usec_list_t accept_again;

	struct connection *connections;
	struct connection *arriving; /* libwebsockets is being given it */
	size_t connection_count;
	size_t client_count; /* of them past the handshake */
	websocket_client last_id;
	struct outlet_line line; /* being distributed */
	size_t distributed;      /* of it */

	/* A stop goes through these, one after the other. */
	bool stopping; /* nothing new comes */
	bool leaving;  /* goodbye to whoever has nothing waiting */
	bool hurrying; /* what still waits is given up */
	bool finished; /* no more goodbyes */
	lws_sorted_usec_list_t stop_timer;

	struct log_limit accept_failures;
	struct log_limit refusals;
	/* Room for a frame's header, then a fragment, or frames of short messages. */
	unsigned char scratch[LWS_PRE + SCRATCH_BYTES];
};

/* --- connection.c --- */

/* Hands a socket to libwebsockets; it is closed if that fails. */
void connection_accept(struct websocket *websocket, int fd, const struct address *peer);
/* What libwebsockets calls. */
int connection_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			void *in, size_t length);
/* 0, or negative: lost; counted, and made up for later. Nothing for a newcomer. */
int connection_broadcast(struct connection *connection, struct message *message);
void connection_send(struct connection *connection, struct message *message);
/* NULL: there is none; the client is sent away, for it would wait for ever. */
void connection_welcome(struct connection *connection, struct message *message);
/* Broadcasts that did not even get into the outlet. */
void connection_note_lost(struct connection *connection, uint64_t lost);
/* If it is out of step and has read all: asks the host for a new welcome, in time. */
void connection_settle(struct connection *connection);
/* The server is leaving: the close frame, once what waits was sent; at once without handshake. */
void connection_go_away(struct connection *connection);

/* --- frames.c --- */

/* What waits in the FIFO, as far as the socket takes it. -1: the connection is lost. */
int connection_write(struct connection *connection);
int connection_ping(struct connection *connection);

/* --- upgrade.c --- */

/* A request to become a WebSocket: 0, or -1 after an answer that refuses it. */
int upgrade_confirm(struct connection *connection, const char *protocol);
/* Any other request. */
void upgrade_explain(struct lws *wsi);
/* The answer to one that libwebsockets cannot even be given. */
void upgrade_refuse_socket(int fd);

/* --- listener.c --- */

/* Binds and listens: websocket->listening and ->bound. As bind(2). */
int listener_open(struct websocket *websocket);
/* Lets libwebsockets watch it. -ENOMEM. */
int listener_attach(struct websocket *websocket);
/* Takes what came in, at most a few at a time. */
void listener_ready(struct websocket *websocket);

#endif
