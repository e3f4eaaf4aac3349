/* SPDX-License-Identifier: MIT */
/*
 * The WebSocket server: connections, their queues, and the thread that serves
 * them. It carries texts and knows nothing of what they say.
 *
 * What other threads send stands in one line, the outlet, so that each client
 * sees one thread's messages in the order that thread sent them. The thread here
 * moves it into the clients' queues. Both are bounded and nobody waits: a message
 * without room is lost for that client alone, which is counted and followed by
 * a new welcome once the client has read what it has.
 */
#ifndef SERVER_WEBSOCKET_H
#define SERVER_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "message.h"
#include "metrics.h"

struct websocket;

/* Of one connection; never used again for another. */
typedef uint64_t websocket_client;

/* Called by the WebSocket thread; must not block. */
struct websocket_host {
	/*
	 * The client needs to be told all there is: it is new, or it lost broadcasts
	 * and has read the rest. Answer with websocket_welcome, from any thread,
	 * once; broadcasts pass a new client by until then. At most once a second
	 * for one client.
	 */
	void (*joined)(void *context, websocket_client client);
	/*
	 * A whole message of at most WEBSOCKET_MESSAGE_BYTES, not terminated; UTF-8
	 * if it came as text, anything if it came as binary. `loopback`: the peer is
	 * on this machine.
	 */
	void (*received)(void *context, websocket_client client, bool loopback,
			 const char *text, size_t length);
	void *context;
};

struct websocket_options {
	struct address address;
	size_t queue_messages;      /* that may wait for one client */
	size_t clients;             /* at once; more are refused with HTTP 503 */
	const char *const *origins; /* allowed besides loopback hosts, "scheme://host[:port]" */
	size_t origin_count;
	/* 0: the default. */
	uint32_t ping_ms;      /* of silence before a ping; 20 s */
	uint32_t pong_ms;      /* for the pong, then close code 1011; 20 s */
	uint32_t handshake_ms; /* for the HTTP request; 5 s */
};

#define WEBSOCKET_MESSAGE_BYTES (1u << 20) /* from a client; longer: close code 1009 */

/*
 * Binds. `host` and `metrics` outlive the server. Failures are logged: -EADDRINUSE,
 * others as bind(2), -ENOMEM.
 */
int websocket_open(struct websocket **websocket, const struct websocket_options *options,
		   const struct websocket_host *host, struct server_metrics *metrics);
/* The address in use: the real port where 0 was asked for. */
const struct address *websocket_bound(const struct websocket *websocket);
int websocket_start(struct websocket *websocket);
/* Sends each client a close frame (1001) and ends the thread, within half a second. */
void websocket_stop(struct websocket *websocket);
/*
 * Stops and frees; *websocket becomes NULL once no callback can be using it. NULL
 * is allowed. What was broadcast and never started counts as failure.
 */
void websocket_close(struct websocket **websocket);

/*
 * These take the reference over, may be called from any thread, also before
 * websocket_start and after websocket_stop, and never block. Sending to a client
 * that is gone does nothing. `message` may be NULL: it could not be made.
 */

/*
 * To every client that was welcomed. Counts attempt, size, and what became of
 * it: success if no client lost it (also if there is none), else failure, as for
 * NULL (which every client lost) and after websocket_stop.
 */
void websocket_broadcast(struct websocket *websocket, struct message *message);
/* To one client. NULL: nothing. */
void websocket_send(struct websocket *websocket, websocket_client client,
		    struct message *message);
/*
 * The answer to `joined`: never lost, however full the queue; broadcasts follow it.
 * NULL: the client is closed with 1011, for it would wait for ever.
 */
void websocket_welcome(struct websocket *websocket, websocket_client client,
		       struct message *message);

#endif
