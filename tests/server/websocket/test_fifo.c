/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fifo.h"

static struct message *text(const char *words)
{
	struct message *message = message_create(words, strlen(words));

	assert_non_null(message);
	return message;
}

static struct message *sized(size_t bytes)
{
	static const char zeroes[64];

	assert_true(bytes <= sizeof zeroes);
	struct message *message = message_create(zeroes, bytes);
	assert_non_null(message);
	return message;
}

static void assert_head(const struct fifo *fifo, const char *words)
{
	struct message *head = fifo_head(fifo);

	assert_non_null(head);
	assert_int_equal(head->length, strlen(words));
	assert_memory_equal(message_text(head), words, head->length);
}

static void oldest_comes_out_first(void **state)
{
	struct fifo fifo;
	char words[16];

	(void)state;
	fifo_init(&fifo, 1000, 1 << 20);
	assert_null(fifo_head(&fifo));
	/* Three in, one out, so that the ring wraps while it grows. */
	for (int put = 0, taken = 0; taken < 300; taken++) {
		for (int i = 0; i < 3 && put < 300; i++, put++) {
			snprintf(words, sizeof words, "%d", put);
			assert_int_equal(fifo_put(&fifo, text(words)), 0);
		}
		snprintf(words, sizeof words, "%d", taken);
		assert_head(&fifo, words);
		fifo_drop_head(&fifo);
	}
	assert_null(fifo_head(&fifo));
	assert_int_equal(fifo.bytes, 0);
	fifo_fini(&fifo);
}

static void number_is_bounded(void **state)
{
	struct message *third = text("third");
	struct fifo fifo;

	(void)state;
	fifo_init(&fifo, 2, 1000);
	assert_int_equal(fifo_put(&fifo, text("first")), 0);
	assert_int_equal(fifo_put(&fifo, text("second")), 0);
	assert_int_equal(fifo_put(&fifo, third), -ENOBUFS);
	assert_int_equal(third->references, 1);
	fifo_drop_head(&fifo);
	assert_int_equal(fifo_put(&fifo, third), 0);
	assert_head(&fifo, "second");
	fifo_fini(&fifo);
}

static void bytes_are_bounded(void **state)
{
	struct message *one = sized(1);
	struct fifo fifo;

	(void)state;
	fifo_init(&fifo, 1000, 100);
	assert_int_equal(fifo_put(&fifo, sized(60)), 0);
	assert_int_equal(fifo_put(&fifo, sized(40)), 0);
	assert_int_equal(fifo_put(&fifo, one), -ENOBUFS);
	fifo_drop_head(&fifo);
	assert_int_equal(fifo.bytes, 40);
	assert_int_equal(fifo_put(&fifo, one), 0);
	fifo_fini(&fifo);
}

static void message_beyond_the_bound_may_stand_alone(void **state)
{
	struct message *refused = sized(1);
	struct fifo fifo;

	(void)state;
	fifo_init(&fifo, 1000, 10);
	assert_int_equal(fifo_put(&fifo, sized(50)), 0);
	assert_int_equal(fifo_put(&fifo, refused), -ENOBUFS);
	fifo_drop_head(&fifo);
	assert_int_equal(fifo_put(&fifo, refused), 0);
	fifo_fini(&fifo);
}

static void welcome_is_beyond_both_bounds(void **state)
{
	struct fifo fifo;

	(void)state;
	fifo_init(&fifo, 1, 10);
	assert_int_equal(fifo_put(&fifo, sized(10)), 0);
	assert_int_equal(fifo_put_unlimited(&fifo, sized(64)), 0);
	assert_int_equal(fifo.bytes, 10);
	fifo_drop_head(&fifo);
	fifo_drop_head(&fifo);
	assert_int_equal(fifo.bytes, 0);
	assert_int_equal(fifo.count, 0);
	fifo_fini(&fifo);
}

static void shared_message_goes_with_its_last_holder(void **state)
{
	struct message *shared = text("shared");
	struct fifo one, two;

	(void)state;
	fifo_init(&one, 10, 100);
	fifo_init(&two, 10, 100);
	assert_int_equal(fifo_put(&one, message_hold(shared)), 0);
	assert_int_equal(fifo_put(&two, message_hold(shared)), 0);
	assert_int_equal(shared->references, 3);
	fifo_fini(&one);
	assert_int_equal(shared->references, 2);
	fifo_drop_head(&two);
	assert_int_equal(shared->references, 1);
	message_release(shared);
	fifo_fini(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_comes_out_first),
		cmocka_unit_test(number_is_bounded),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(message_beyond_the_bound_may_stand_alone),
		cmocka_unit_test(welcome_is_beyond_both_bounds),
		cmocka_unit_test(shared_message_goes_with_its_last_holder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
