/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "queue.h"

#define PRODUCERS 4u
#define ITEMS_EACH 20000u

static int numbers[8];

/* The next item; NULL: closed. There are no tasks. */
static void *pop(struct queue *queue)
{
	struct task *task;
	void *item;

	return queue_take(queue, QUEUE_FOREVER, &item, &task) == QUEUE_ITEM ? item : NULL;
}

static void count_freed(void *item)
{
	++*(int *)item;
}

static void oldest_comes_out_first(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 3, NULL, NULL), 0);
	/* Twice around the ring. */
	for (int round = 0; round < 3; round++) {
		assert_int_equal(queue_push(&queue, &numbers[0]), 0);
		assert_int_equal(queue_push(&queue, &numbers[1]), 0);
		assert_ptr_equal(pop(&queue), &numbers[0]);
		assert_ptr_equal(pop(&queue), &numbers[1]);
	}
	queue_fini(&queue, count_freed);
}

static void newest_is_refused_when_full(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	assert_int_equal(queue_push(&queue, &numbers[0]), 0);
	assert_int_equal(queue_push(&queue, &numbers[1]), 0);
	assert_int_equal(queue_push(&queue, &numbers[2]), -EAGAIN);
	assert_ptr_equal(pop(&queue), &numbers[0]);
	assert_int_equal(queue_push(&queue, &numbers[3]), 0);
	assert_ptr_equal(pop(&queue), &numbers[1]);
	assert_ptr_equal(pop(&queue), &numbers[3]);
	queue_fini(&queue, count_freed);
}

static void no_capacity_is_an_error(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 0, NULL, NULL), -EINVAL);
}

static void closed_queue_gives_what_is_left(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	assert_int_equal(queue_push(&queue, &numbers[0]), 0);
	queue_close(&queue);
	assert_int_equal(queue_push(&queue, &numbers[1]), -EPIPE);
	assert_ptr_equal(pop(&queue), &numbers[0]);
	assert_null(pop(&queue));
	queue_fini(&queue, count_freed);
}

static void fini_frees_what_nobody_took(void **state)
{
	struct queue queue;
	int freed[3] = { 0 };

	(void)state;
	assert_int_equal(queue_init(&queue, 3, NULL, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(queue_push(&queue, &freed[i]), 0);
	assert_ptr_equal(pop(&queue), &freed[0]);
	queue_fini(&queue, count_freed);
	assert_int_equal(freed[0], 0);
	assert_int_equal(freed[1], 1);
	assert_int_equal(freed[2], 1);
}

struct depths {
	size_t last;
	size_t most;
};

static void note_depth(void *context, size_t depth)
{
	struct depths *depths = context;

	depths->last = depth;
	if (depth > depths->most)
		depths->most = depth;
}

static void depth_is_told_when_it_doubles_one_goes_or_finds_no_room(void **state)
{
	static const size_t told[] = { 1, 2, 2, 4, 4 };
	struct depths depths = { 0 };
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 5, note_depth, &depths), 0);
	for (size_t i = 0; i < 5; i++) {
		queue_push(&queue, &numbers[0]);
		assert_int_equal(depths.last, told[i]);
	}
	queue_push(&queue, &numbers[0]);
	for (size_t left = 5; left > 0; left--) {
		assert_int_equal(depths.last, left);
		pop(&queue);
	}
	assert_int_equal(depths.last, 0);
	queue_fini(&queue, count_freed);
}

/* --- threads ------------------------------------------------------------ */

struct item {
	uint32_t producer;
	uint32_t number;
};

struct producer {
	pthread_t thread;
	struct queue *queue;
	struct item *items;
};

static void *produce(void *argument)
{
	struct producer *producer = argument;

	for (uint32_t i = 0; i < ITEMS_EACH; i++) {
		while (queue_push(producer->queue, &producer->items[i]) == -EAGAIN)
			sched_yield();
	}
	return NULL;
}

static void start_producers(struct producer *producers, struct queue *queue)
{
	for (uint32_t p = 0; p < PRODUCERS; p++) {
		producers[p].queue = queue;
		producers[p].items = calloc(ITEMS_EACH, sizeof(struct item));
		assert_non_null(producers[p].items);
		for (uint32_t i = 0; i < ITEMS_EACH; i++)
			producers[p].items[i] = (struct item){ p, i };
		assert_int_equal(pthread_create(&producers[p].thread, NULL, produce,
						&producers[p]), 0);
	}
}

static void *close_when_produced(void *argument)
{
	struct producer *producers = argument;

	for (uint32_t p = 0; p < PRODUCERS; p++)
		pthread_join(producers[p].thread, NULL);
	queue_close(producers[0].queue);
	return NULL;
}

static void producers_lose_nothing_and_keep_their_order(void **state)
{
	struct producer producers[PRODUCERS];
	uint32_t next[PRODUCERS] = { 0 };
	struct depths depths = { 0 };
	struct queue queue;
	pthread_t closer;
	struct item *item;

	(void)state;
	assert_int_equal(queue_init(&queue, 16, note_depth, &depths), 0);
	start_producers(producers, &queue);
	assert_int_equal(pthread_create(&closer, NULL, close_when_produced, producers), 0);
	while ((item = pop(&queue)) != NULL) {
		assert_int_equal(item->number, next[item->producer]);
		next[item->producer]++;
	}
	pthread_join(closer, NULL);
	for (uint32_t p = 0; p < PRODUCERS; p++) {
		assert_int_equal(next[p], ITEMS_EACH);
		free(producers[p].items);
	}
	assert_int_equal(depths.last, 0);
	assert_true(depths.most <= 16);
	queue_fini(&queue, count_freed);
}

static void *pop_once(void *argument)
{
	return pop(argument);
}

static void close_wakes_a_waiting_taker(void **state)
{
	struct queue queue;
	pthread_t taker;
	void *taken = &queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 1, NULL, NULL), 0);
	assert_int_equal(pthread_create(&taker, NULL, pop_once, &queue), 0);
	queue_close(&queue);
	assert_int_equal(pthread_join(taker, &taken), 0);
	assert_null(taken);
	queue_fini(&queue, count_freed);
}

/* --- tasks ---------------------------------------------------------------- */

struct numbered_task {
	struct task task;
	int number;
};

static void post(struct queue *queue, int number)
{
	struct numbered_task *task = calloc(1, sizeof *task);

	assert_non_null(task);
	task->number = number;
	assert_int_equal(queue_post(queue, &task->task), 0);
}

/* The number of the next task, or -1 for an item; nothing else may come. */
static int take_number(struct queue *queue)
{
	struct task *task;
	void *item;
	enum queue_got got = queue_take(queue, QUEUE_FOREVER, &item, &task);

	if (got == QUEUE_ITEM)
		return -1;
	assert_int_equal(got, QUEUE_TASK);
	int number = ((struct numbered_task *)task)->number;
	free(task);
	return number;
}

static void tasks_and_items_take_turns(void **state)
{
	static const int order[] = { 1, -1, 2, -1, 3, 4 };
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	queue_push(&queue, &numbers[0]);
	queue_push(&queue, &numbers[1]);
	for (int number = 1; number <= 4; number++)
		post(&queue, number); /* a full queue refuses no task */
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		assert_int_equal(take_number(&queue), order[i]);
	post(&queue, 5);
	assert_int_equal(take_number(&queue), 5);
	queue_fini(&queue, count_freed);
}

static void closed_queue_gives_tasks_that_are_left_and_refuses_more(void **state)
{
	struct task late = { 0 };
	struct task *task;
	struct queue queue;
	void *item;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	post(&queue, 7);
	queue_close(&queue);
	assert_int_equal(queue_post(&queue, &late), -EPIPE);
	assert_int_equal(take_number(&queue), 7);
	assert_int_equal(queue_take(&queue, QUEUE_FOREVER, &item, &task), QUEUE_CLOSED);
	queue_fini(&queue, count_freed);
}

static void fini_frees_tasks_that_nobody_took(void **state)
{
	struct queue queue;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	post(&queue, 1);
	post(&queue, 2);
	queue_fini(&queue, count_freed); /* the leak checker looks on */
}

static void time_runs_out_where_nothing_comes(void **state)
{
	struct timespec now;
	struct task *task;
	struct queue queue;
	void *item;

	(void)state;
	assert_int_equal(queue_init(&queue, 2, NULL, NULL), 0);
	assert_int_equal(queue_take(&queue, 0, &item, &task), QUEUE_TIMEOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t until_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 20000000;
	assert_int_equal(queue_take(&queue, until_ns, &item, &task), QUEUE_TIMEOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= until_ns);
	queue_push(&queue, &numbers[0]);
	assert_int_equal(queue_take(&queue, 0, &item, &task), QUEUE_ITEM);
	queue_fini(&queue, count_freed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_comes_out_first),
		cmocka_unit_test(newest_is_refused_when_full),
		cmocka_unit_test(no_capacity_is_an_error),
		cmocka_unit_test(closed_queue_gives_what_is_left),
		cmocka_unit_test(fini_frees_what_nobody_took),
		cmocka_unit_test(depth_is_told_when_it_doubles_one_goes_or_finds_no_room),
		cmocka_unit_test(producers_lose_nothing_and_keep_their_order),
		cmocka_unit_test(close_wakes_a_waiting_taker),
		cmocka_unit_test(tasks_and_items_take_turns),
		cmocka_unit_test(closed_queue_gives_tasks_that_are_left_and_refuses_more),
		cmocka_unit_test(fini_frees_tasks_that_nobody_took),
		cmocka_unit_test(time_runs_out_where_nothing_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
