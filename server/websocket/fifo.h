/* SPDX-License-Identifier: MIT */
/*
 * What waits for one client: messages in order, bounded in number and in bytes,
 * so that a client that stopped reading costs no more than that. One thread.
 */
#ifndef SERVER_FIFO_H
#define SERVER_FIFO_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

struct fifo_item {
	struct message *message;
	size_t bytes; /* counted against the limit */
};

struct fifo {
	struct fifo_item *items; /* a ring, made larger as needed */
	size_t capacity;         /* 0 or a power of two */
	size_t head;             /* of the oldest */
	size_t count;
	size_t bytes;
	size_t count_limit;
	size_t bytes_limit;
};

void fifo_init(struct fifo *fifo, size_t count_limit, size_t bytes_limit);
/* Releases what is left; it may be used again. */
void fifo_fini(struct fifo *fifo);

/*
 * Appends and takes the reference over. -ENOBUFS: no room, or -ENOMEM; the
 * reference stays the caller's. One message of any size finds room where no
 * other bytes are counted: it could never be sent otherwise.
 */
int fifo_put(struct fifo *fifo, struct message *message);
/* As fifo_put, beyond both limits, and no byte of it is counted. */
int fifo_put_unlimited(struct fifo *fifo, struct message *message);
/* The oldest, still the FIFO's; NULL: empty. */
struct message *fifo_head(const struct fifo *fifo);
/* Releases the oldest; there must be one. */
void fifo_drop_head(struct fifo *fifo);

#endif
