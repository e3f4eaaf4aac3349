/* SPDX-License-Identifier: MIT */
/*
 * What clients say, and what they are answered. Called by the WebSocket thread;
 * questions about the tree are handed to the event thread, which answers.
 */
#ifndef SERVER_REQUESTS_H
#define SERVER_REQUESTS_H

#include "websocket.h"

/* Questions about the tree that may wait at once, of all clients. */
#define REQUESTS_WAITING_MAX 256u

/*
 * Before the first client: what JSON's tables are seeded with is read from the
 * kernel, which would otherwise happen, or fail, at what a client sends first.
 */
void requests_init(void);
/* The functions of struct websocket_host; `context` is the struct ast_server. */
void requests_joined(void *context, websocket_client client);
void requests_received(void *context, websocket_client client, bool loopback, const char *text,
		       size_t length);

#endif
