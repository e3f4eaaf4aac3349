/* SPDX-License-Identifier: MIT */
/*
 * The line between the threads that send and the WebSocket thread. Any number
 * of threads put, one takes all there is at once; nobody waits for anybody.
 *
 * Broadcasts are bounded: without room they are lost, and the place in the line
 * where that happened is kept, so that the welcome which makes up for the loss
 * is told from one that came before it. What goes to one client always finds
 * room: there is one welcome a client at most, and sends answer what the taking
 * thread let in.
 */
#ifndef SERVER_OUTLET_H
#define SERVER_OUTLET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum outlet_kind { OUTLET_BROADCAST, OUTLET_SEND, OUTLET_WELCOME };

struct outlet_entry {
	enum outlet_kind kind;
	uint64_t client;         /* of a send or a welcome */
	struct message *message; /* NULL: a welcome that could not be made */
	uint64_t lost_before;    /* broadcasts, since the entry before this one */
};

struct outlet_line {
	struct outlet_entry *entries;
	size_t count;
	size_t capacity;
	uint64_t lost; /* broadcasts, after the last entry */
};

/* Called with the outlet's lock held. */
typedef void outlet_wake_fn(void *context);

struct outlet {
	pthread_mutex_t lock;
	struct outlet_line line;
	size_t broadcasts; /* in the line, and their bytes */
	size_t bytes;
	size_t broadcasts_limit;
	size_t bytes_limit;
	bool closed;
	outlet_wake_fn *wake; /* something stands in the empty line, or it was closed */
	void *context;
};

void outlet_init(struct outlet *outlet, size_t broadcasts_limit, size_t bytes_limit,
		 outlet_wake_fn *wake, void *context);
/* No thread may be using it. Releases what is left. */
void outlet_fini(struct outlet *outlet);

/*
 * Takes the reference over, also on failure. NULL: a broadcast that could not
 * be made counts as lost, a send is nothing. -EPIPE: closed. -ENOBUFS, -ENOMEM:
 * a broadcast without room is lost (and for -ENOMEM whatever else it was).
 */
int outlet_put(struct outlet *outlet, enum outlet_kind kind, uint64_t client,
	       struct message *message);
/* Refuses whatever comes from here on. */
void outlet_close(struct outlet *outlet);
/*
 * Swaps the line for *line, which outlet_line_clear has emptied or is zeroed.
 * False: the outlet is closed, and *line is the last there was.
 */
bool outlet_take(struct outlet *outlet, struct outlet_line *line);
/* Releases what stands in it and keeps the memory for the next time. */
void outlet_line_clear(struct outlet_line *line);
/* Frees the memory too. */
void outlet_line_fini(struct outlet_line *line);

#endif
