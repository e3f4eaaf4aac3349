/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "queue.h"

int queue_init(struct queue *queue, size_t capacity, queue_depth_fn *depth_changed,
	       void *context)
{
	if (capacity == 0)
		return -EINVAL;
	*queue = (struct queue){ .capacity = capacity, .depth_changed = depth_changed,
				 .context = context };
	queue->items = calloc(capacity, sizeof *queue->items);
	if (!queue->items)
		return -ENOMEM;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	return 0;
}

void queue_fini(struct queue *queue, void (*free_item)(void *item))
{
	if (!queue->items)
		return;
	for (size_t i = 0; i < queue->count; i++)
		free_item(queue->items[(queue->head + i) % queue->capacity]);
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
	free(queue->items);
	queue->items = NULL;
}

static void set_count(struct queue *queue, size_t count)
{
	queue->count = count;
	if (queue->depth_changed)
		queue->depth_changed(queue->context, count);
}

static int push_locked(struct queue *queue, void *item)
{
	if (queue->closed)
		return -EPIPE;
	if (queue->count == queue->capacity)
		return -EAGAIN;
	queue->items[(queue->head + queue->count) % queue->capacity] = item;
	set_count(queue, queue->count + 1);
	/* The one taker waits only while the queue is empty. */
	if (queue->count == 1)
		pthread_cond_signal(&queue->filled);
	return 0;
}

int queue_push(struct queue *queue, void *item)
{
	pthread_mutex_lock(&queue->lock);
	int result = push_locked(queue, item);
	pthread_mutex_unlock(&queue->lock);
	return result;
}

static void *pop_locked(struct queue *queue)
{
	while (queue->count == 0) {
		if (queue->closed)
			return NULL;
		pthread_cond_wait(&queue->filled, &queue->lock);
	}
	void *item = queue->items[queue->head];
	queue->head = (queue->head + 1) % queue->capacity;
	set_count(queue, queue->count - 1);
	return item;
}

void *queue_pop(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	void *item = pop_locked(queue);
	pthread_mutex_unlock(&queue->lock);
	return item;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}
