/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "outlet.h"

#define SENDERS 4u
#define MESSAGES_EACH 5000u

static struct message *text(const char *words)
{
	struct message *message = message_create(words, strlen(words));

	assert_non_null(message);
	return message;
}

static void count_wake(void *context)
{
	++*(int *)context;
}

static int broadcast(struct outlet *outlet, const char *words)
{
	return outlet_put(outlet, OUTLET_BROADCAST, 0, text(words));
}

static void assert_entry(const struct outlet_entry *entry, enum outlet_kind kind, uint64_t client,
			 const char *words, uint64_t lost_before)
{
	assert_int_equal(entry->kind, kind);
	assert_int_equal(entry->client, client);
	assert_int_equal(entry->message->length, strlen(words));
	assert_memory_equal(message_text(entry->message), words, strlen(words));
	assert_int_equal(entry->lost_before, lost_before);
}

static void line_keeps_its_order(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;

	(void)state;
	outlet_init(&outlet, 10, 1000, NULL, NULL);
	assert_int_equal(broadcast(&outlet, "one"), 0);
	assert_int_equal(outlet_put(&outlet, OUTLET_WELCOME, 7, text("two")), 0);
	assert_int_equal(outlet_put(&outlet, OUTLET_SEND, 8, text("three")), 0);
	assert_true(outlet_take(&outlet, &line));
	assert_int_equal(line.count, 3);
	assert_entry(&line.entries[0], OUTLET_BROADCAST, 0, "one", 0);
	assert_entry(&line.entries[1], OUTLET_WELCOME, 7, "two", 0);
	assert_entry(&line.entries[2], OUTLET_SEND, 8, "three", 0);
	assert_int_equal(line.lost, 0);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

static void taker_is_woken_once_a_line(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;
	int wakes = 0;

	(void)state;
	outlet_init(&outlet, 10, 1000, count_wake, &wakes);
	broadcast(&outlet, "one");
	broadcast(&outlet, "two");
	assert_int_equal(wakes, 1);
	outlet_take(&outlet, &line);
	outlet_line_clear(&line);
	assert_int_equal(wakes, 1);
	broadcast(&outlet, "three");
	assert_int_equal(wakes, 2);
	outlet_close(&outlet);
	assert_int_equal(wakes, 3);
	outlet_close(&outlet);
	assert_int_equal(wakes, 3);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

static void loss_keeps_its_place(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;

	(void)state;
	outlet_init(&outlet, 1, 1000, NULL, NULL);
	assert_int_equal(broadcast(&outlet, "fits"), 0);
	assert_int_equal(broadcast(&outlet, "lost"), -ENOBUFS);
	assert_int_equal(broadcast(&outlet, "lost"), -ENOBUFS);
	/* This one makes up for the two above, and not for the one below. */
	assert_int_equal(outlet_put(&outlet, OUTLET_WELCOME, 1, text("tree")), 0);
	assert_int_equal(broadcast(&outlet, "lost"), -ENOBUFS);
	outlet_take(&outlet, &line);
	assert_int_equal(line.count, 2);
	assert_entry(&line.entries[1], OUTLET_WELCOME, 1, "tree", 2);
	assert_int_equal(line.lost, 1);
	outlet_line_clear(&line);
	assert_int_equal(line.lost, 0);
	assert_int_equal(broadcast(&outlet, "room again"), 0);
	outlet_take(&outlet, &line);
	assert_entry(&line.entries[0], OUTLET_BROADCAST, 0, "room again", 0);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

static void bytes_of_broadcasts_are_bounded(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;

	(void)state;
	outlet_init(&outlet, 100, 10, NULL, NULL);
	/* Alone it may be longer; what is for one client does not count. */
	assert_int_equal(outlet_put(&outlet, OUTLET_SEND, 1, text("more than ten bytes")), 0);
	assert_int_equal(broadcast(&outlet, "more than ten bytes"), 0);
	assert_int_equal(broadcast(&outlet, "x"), -ENOBUFS);
	outlet_take(&outlet, &line);
	outlet_line_clear(&line);
	assert_int_equal(broadcast(&outlet, "12345"), 0);
	assert_int_equal(broadcast(&outlet, "67890"), 0);
	assert_int_equal(broadcast(&outlet, "x"), -ENOBUFS);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

static void what_could_not_be_made_is_lost(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;
	int wakes = 0;

	(void)state;
	outlet_init(&outlet, 10, 1000, count_wake, &wakes);
	assert_int_equal(outlet_put(&outlet, OUTLET_SEND, 1, NULL), -ENOMEM);
	assert_int_equal(wakes, 0);
	assert_int_equal(outlet_put(&outlet, OUTLET_BROADCAST, 0, NULL), -ENOMEM);
	assert_int_equal(wakes, 1);
	/* The client of a welcome waits for it: it must hear of the failure. */
	assert_int_equal(outlet_put(&outlet, OUTLET_WELCOME, 3, NULL), 0);
	outlet_take(&outlet, &line);
	assert_int_equal(line.count, 1);
	assert_null(line.entries[0].message);
	assert_int_equal(line.entries[0].lost_before, 1);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

static void closed_outlet_gives_what_is_left(void **state)
{
	struct outlet_line line = { 0 };
	struct outlet outlet;

	(void)state;
	outlet_init(&outlet, 10, 1000, NULL, NULL);
	broadcast(&outlet, "left");
	outlet_close(&outlet);
	assert_int_equal(broadcast(&outlet, "late"), -EPIPE);
	assert_int_equal(outlet_put(&outlet, OUTLET_SEND, 1, text("late")), -EPIPE);
	assert_false(outlet_take(&outlet, &line));
	assert_int_equal(line.count, 1);
	assert_int_equal(line.lost, 0);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

struct sender {
	struct outlet *outlet;
	pthread_t thread;
	uint64_t number;
	uint64_t lost;
};

static void *send_all(void *argument)
{
	struct sender *sender = argument;
	uint32_t value;

	for (value = 0; value < MESSAGES_EACH; value++) {
		struct message *message = message_create((const char *)&value, sizeof value);
		/* A send without a message would be refused, which the sum would show. */
		if (value % 2)
			outlet_put(sender->outlet, OUTLET_SEND, sender->number, message);
		else if (outlet_put(sender->outlet, OUTLET_BROADCAST, sender->number, message) < 0)
			sender->lost++;
	}
	return NULL;
}

struct sum {
	uint64_t taken;
	uint64_t lost;
	uint32_t next[SENDERS]; /* at least */
};

static void add_line(struct sum *sum, const struct outlet_line *line)
{
	uint32_t value;

	for (size_t i = 0; i < line->count; i++) {
		const struct outlet_entry *entry = &line->entries[i];
		memcpy(&value, message_text(entry->message), sizeof value);
		assert_true(value >= sum->next[entry->client]);
		sum->next[entry->client] = value + 1;
		sum->lost += entry->lost_before;
	}
	sum->taken += line->count;
	sum->lost += line->lost;
}

static void *close_when_sent(void *argument)
{
	struct sender *senders = argument;

	for (uint64_t i = 0; i < SENDERS; i++)
		pthread_join(senders[i].thread, NULL);
	outlet_close(senders[0].outlet);
	return NULL;
}

static void senders_keep_their_order_and_all_is_accounted_for(void **state)
{
	struct sender senders[SENDERS];
	struct outlet_line line = { 0 };
	struct sum sum = { 0 };
	struct outlet outlet;
	uint64_t lost = 0;
	pthread_t closer;

	(void)state;
	outlet_init(&outlet, 64, 1000, NULL, NULL);
	for (uint64_t i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ .outlet = &outlet, .number = i };
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]),
				 0);
	}
	assert_int_equal(pthread_create(&closer, NULL, close_when_sent, senders), 0);
	while (outlet_take(&outlet, &line)) {
		add_line(&sum, &line);
		outlet_line_clear(&line);
		sched_yield();
	}
	add_line(&sum, &line);
	pthread_join(closer, NULL);
	for (uint64_t i = 0; i < SENDERS; i++)
		lost += senders[i].lost;
	assert_int_equal(sum.lost, lost);
	assert_int_equal(sum.taken + sum.lost, SENDERS * MESSAGES_EACH);
	outlet_line_fini(&line);
	outlet_fini(&outlet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_keeps_its_order),
		cmocka_unit_test(taker_is_woken_once_a_line),
		cmocka_unit_test(loss_keeps_its_place),
		cmocka_unit_test(bytes_of_broadcasts_are_bounded),
		cmocka_unit_test(what_could_not_be_made_is_lost),
		cmocka_unit_test(closed_outlet_gives_what_is_left),
		cmocka_unit_test(senders_keep_their_order_and_all_is_accounted_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
