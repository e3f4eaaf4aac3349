/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lru.h"

/* Nodes are not looked into: any address does. */
static struct node *node_of(int64_t number)
{
	static char addresses[1024];

	return (struct node *)(void *)&addresses[(uint64_t)number & 1023];
}

static struct lru lru;

static int tear_down(void **state)
{
	(void)state;
	lru_fini(&lru);
	return 0;
}

static bool add(int64_t number)
{
	return lru_add(&lru, number, node_of(number));
}

static void expect_found(int64_t number)
{
	assert_ptr_equal(lru_find(&lru, number), node_of(number));
}

static void what_was_added_is_found(void **state)
{
	(void)state;
	assert_int_equal(lru_init(&lru, 3), 0);
	assert_null(lru_find(&lru, 0));
	assert_false(add(0));
	assert_false(add(-1));
	assert_false(add(INT64_MAX));
	expect_found(0);
	expect_found(-1);
	expect_found(INT64_MAX);
	assert_null(lru_find(&lru, 1));
	assert_int_equal(lru.count, 3);
}

static void least_recently_used_goes_first(void **state)
{
	(void)state;
	assert_int_equal(lru_init(&lru, 3), 0);
	add(1);
	add(2);
	add(3);
	expect_found(1); /* 2 is the oldest now */
	assert_true(add(4));
	assert_null(lru_find(&lru, 2));
	assert_true(add(5));
	assert_null(lru_find(&lru, 3));
	expect_found(1);
	expect_found(4);
	expect_found(5);
}

static void one_place_holds_the_newest(void **state)
{
	(void)state;
	assert_int_equal(lru_init(&lru, 1), 0);
	assert_false(add(7));
	assert_true(add(8));
	assert_null(lru_find(&lru, 7));
	expect_found(8);
	expect_found(8);
	assert_true(add(7));
	expect_found(7);
}

static void numbers_of_one_chain_do_not_hide_each_other(void **state)
{
	(void)state;
	assert_int_equal(lru_init(&lru, 4), 0);
	for (int64_t i = 0; i < 4; i++)
		assert_false(add(i * 4096));
	for (int64_t i = 0; i < 4; i++)
		expect_found(i * 4096);
	assert_true(add(4 * 4096));
	assert_null(lru_find(&lru, 0));
	for (int64_t i = 1; i < 5; i++)
		expect_found(i * 4096);
}

static void clear_forgets_all_and_takes_new_ones(void **state)
{
	(void)state;
	assert_int_equal(lru_init(&lru, 3), 0);
	for (int64_t i = 0; i < 5; i++)
		add(i);
	lru_clear(&lru);
	assert_int_equal(lru.count, 0);
	for (int64_t i = 0; i < 5; i++)
		assert_null(lru_find(&lru, i));
	for (int64_t i = 0; i < 3; i++)
		assert_false(add(i));
	assert_true(add(3));
	assert_null(lru_find(&lru, 0));
}

/* --- against a list that is searched ---------------------------------------- */

#define PLACES 7

struct model {
	int64_t numbers[PLACES]; /* the newest first */
	size_t count;
};

static void model_front(struct model *model, size_t at, int64_t number)
{
	memmove(model->numbers + 1, model->numbers, at * sizeof model->numbers[0]);
	model->numbers[0] = number;
}

static bool model_find(struct model *model, int64_t number)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->numbers[i] == number) {
			model_front(model, i, number);
			return true;
		}
	}
	return false;
}

static bool model_add(struct model *model, int64_t number)
{
	bool full = model->count == PLACES;

	model->count += !full;
	model_front(model, model->count - 1, number);
	return full;
}

static void random_use_agrees_with_a_list(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	struct model model = { .count = 0 };

	(void)state;
	print_message("seed %u\n", seed);
	assert_int_equal(lru_init(&lru, PLACES), 0);
	for (unsigned i = 0; i < 20000; i++) {
		int64_t number = rand_r(&seed) % 16 - 4;
		bool found = model_find(&model, number);

		assert_ptr_equal(lru_find(&lru, number), found ? node_of(number) : NULL);
		if (!found)
			assert_int_equal(add(number), model_add(&model, number));
	}
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_added_is_found),
		CASE(least_recently_used_goes_first),
		CASE(one_place_holds_the_newest),
		CASE(numbers_of_one_chain_do_not_hide_each_other),
		CASE(clear_forgets_all_and_takes_new_ones),
		CASE(random_use_agrees_with_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
