/* SPDX-License-Identifier: MIT */
/*
 * What waits for one thread. Items, of which only so many may wait: order is
 * kept, and the newest is refused when it is full. And tasks, which other
 * threads post and which are never refused: whoever posts bounds their number.
 * Tasks and items take turns where both wait.
 */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Told how many items are left whenever one was taken, how many wait when they
 * have come to be 1, 2, 4, 8, ..., and that it is full whenever one is refused;
 * with the lock held. So none are said to wait only where none do, and a taker
 * that stands still is seen, yet not each push is told, for what is told then
 * wanders between cores. Must not call the queue.
 */
typedef void queue_depth_fn(void *context, size_t depth);

/* The beginning of a larger struct, in one piece of malloc's memory. */
struct task {
	struct task *next;
	/* Called by the taker; frees the task. */
	void (*run)(struct task *task, void *context);
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* something came, or the queue was closed */
	void **items;          /* a ring */
	size_t capacity;
	size_t head; /* of the oldest item */
	size_t count;
	struct task *first_task;
	struct task **last_task; /* where the next one is linked */
	bool task_was_last;      /* taken */
	bool closed;
	queue_depth_fn *depth_changed; /* may be NULL */
	void *context;
};

enum queue_got {
	QUEUE_ITEM,
	QUEUE_TASK,
	QUEUE_TIMEOUT,
	QUEUE_CLOSED, /* and everything was taken */
};

/* -EINVAL: capacity 0; -ENOMEM. */
int queue_init(struct queue *queue, size_t capacity, queue_depth_fn *depth_changed,
	       void *context);
/* Frees what is left, items with `free_item`. No thread may be using the queue. */
void queue_fini(struct queue *queue, void (*free_item)(void *item));

/* Never blocks for room. -EAGAIN: full; -EPIPE: closed. The item stays the caller's then. */
int queue_push(struct queue *queue, void *item);
/* -EPIPE: closed; the task stays the caller's then. */
int queue_post(struct queue *queue, struct task *task);

#define QUEUE_FOREVER INT64_MAX
/*
 * The oldest item or task, in *item or *task; waits for one until CLOCK_MONOTONIC
 * is `until_ns`.
 */
enum queue_got queue_take(struct queue *queue, int64_t until_ns, void **item,
			  struct task **task);
/* Refuses what is new; takers get what is left and then QUEUE_CLOSED. */
void queue_close(struct queue *queue);

#endif
