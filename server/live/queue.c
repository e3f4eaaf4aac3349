/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "queue.h"

/* The clock of deadlines must not be set back. */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

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
	queue->last_task = &queue->first_task;
	pthread_mutex_init(&queue->lock, NULL);
	init_condition(&queue->filled);
	return 0;
}

static struct task *unlink_task(struct queue *queue)
{
	struct task *task = queue->first_task;

	queue->first_task = task->next;
	if (!queue->first_task)
		queue->last_task = &queue->first_task;
	return task;
}

void queue_fini(struct queue *queue, void (*free_item)(void *item))
{
	if (!queue->items)
		return;
	for (size_t i = 0; i < queue->count; i++)
		free_item(queue->items[(queue->head + i) % queue->capacity]);
	while (queue->first_task)
		free(unlink_task(queue));
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
	free(queue->items);
	queue->items = NULL;
}

static void tell_depth(const struct queue *queue)
{
	if (queue->depth_changed)
		queue->depth_changed(queue->context, queue->count);
}

static int push_locked(struct queue *queue, void *item)
{
	if (queue->closed)
		return -EPIPE;
	if (queue->count == queue->capacity) {
		tell_depth(queue);
		return -EAGAIN;
	}
	queue->items[(queue->head + queue->count) % queue->capacity] = item;
	queue->count++;
	/* The one taker waits only while the queue is empty. */
	if (queue->count == 1)
		pthread_cond_signal(&queue->filled);
	if ((queue->count & (queue->count - 1)) == 0)
		tell_depth(queue);
	return 0;
}

int queue_push(struct queue *queue, void *item)
{
	pthread_mutex_lock(&queue->lock);
	int result = push_locked(queue, item);
	pthread_mutex_unlock(&queue->lock);
	return result;
}

int queue_post(struct queue *queue, struct task *task)
{
	pthread_mutex_lock(&queue->lock);
	bool closed = queue->closed;
	if (!closed) {
		task->next = NULL;
		*queue->last_task = task;
		queue->last_task = &task->next;
		pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->lock);
	return closed ? -EPIPE : 0;
}

static void *unlink_item(struct queue *queue)
{
	void *item = queue->items[queue->head];

	queue->head = (queue->head + 1) % queue->capacity;
	queue->count--;
	tell_depth(queue);
	return item;
}

/* False: the time has come. */
static bool wait_for_something(struct queue *queue, int64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
				  .tv_nsec = (long)(until_ns % 1000000000) };

	if (until_ns == QUEUE_FOREVER)
		return pthread_cond_wait(&queue->filled, &queue->lock) == 0;
	return pthread_cond_timedwait(&queue->filled, &queue->lock, &until) != ETIMEDOUT;
}

static enum queue_got take_locked(struct queue *queue, int64_t until_ns, void **item,
				  struct task **task)
{
	while (queue->count == 0 && !queue->first_task) {
		if (queue->closed)
			return QUEUE_CLOSED;
		if (!wait_for_something(queue, until_ns) && queue->count == 0 &&
		    !queue->first_task)
			return QUEUE_TIMEOUT;
	}
	queue->task_was_last = queue->first_task && (queue->count == 0 || !queue->task_was_last);
	if (queue->task_was_last) {
		*task = unlink_task(queue);
		return QUEUE_TASK;
	}
	*item = unlink_item(queue);
	return QUEUE_ITEM;
}

enum queue_got queue_take(struct queue *queue, int64_t until_ns, void **item,
			  struct task **task)
{
	pthread_mutex_lock(&queue->lock);
	enum queue_got got = take_locked(queue, until_ns, item, task);
	pthread_mutex_unlock(&queue->lock);
	return got;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}
