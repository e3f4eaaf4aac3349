/* SPDX-License-Identifier: MIT */
/*
 * A bounded queue of pointers: any number of threads put, one takes. Order is
 * kept, and the newest item is refused when it is full.
 */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Told each new depth with the queue's lock held, so that the last call always
 * had the true depth. Must not call the queue.
 */
typedef void queue_depth_fn(void *context, size_t depth);

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* an item came, or the queue was closed */
	void **items;          /* a ring */
	size_t capacity;
	size_t head; /* of the oldest item */
	size_t count;
	bool closed;
	queue_depth_fn *depth_changed; /* may be NULL */
	void *context;
};

/* -EINVAL: capacity 0; -ENOMEM. */
int queue_init(struct queue *queue, size_t capacity, queue_depth_fn *depth_changed,
	       void *context);
/* Frees what is left with `free_item`. No thread may be using the queue. */
void queue_fini(struct queue *queue, void (*free_item)(void *item));

/* Never blocks for room. -EAGAIN: full; -EPIPE: closed. The item stays the caller's then. */
int queue_push(struct queue *queue, void *item);
/* The oldest item; waits for one. NULL: closed, and everything was taken. */
void *queue_pop(struct queue *queue);
/* Refuses new items; takers get what is left and then NULL. */
void queue_close(struct queue *queue);

#endif
