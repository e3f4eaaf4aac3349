/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sequence.h"

static const struct sequence_source one = { { 127, 0, 0, 1 }, 5000 };
static const struct sequence_source other_port = { { 127, 0, 0, 1 }, 5001 };
static const struct sequence_source other_host = { { 127, 0, 0, 2 }, 5000 };

/* The verdict on a number from `source`; *missing as sequence_accept gives it. */
static enum sequence_verdict judge(struct sequence *sequence, int32_t number, uint32_t *missing)
{
	return sequence_accept(sequence, number, &one, missing);
}

static void expect(struct sequence *sequence, int32_t number, enum sequence_verdict verdict)
{
	uint32_t missing;

	assert_int_equal(judge(sequence, number, &missing), verdict);
	if (verdict != SEQUENCE_GAP)
		assert_int_equal(missing, 0);
}

static void expect_gap(struct sequence *sequence, int32_t number, uint32_t expected)
{
	uint32_t missing;

	assert_int_equal(judge(sequence, number, &missing), SEQUENCE_GAP);
	assert_int_equal(missing, expected);
}

/* 0, 1, ... up to `last`, all in order. */
static void count_to(struct sequence *sequence, int32_t last)
{
	sequence_init(sequence);
	expect(sequence, 0, SEQUENCE_FIRST);
	for (int32_t number = 1; number <= last; number++)
		expect(sequence, number, SEQUENCE_NEXT);
}

static void first_number_is_accepted_whatever_it_is(void **state)
{
	static const int32_t numbers[] = { 0, 1, 4711, -1, INT32_MAX, INT32_MIN };
	struct sequence sequence;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		sequence_init(&sequence);
		expect(&sequence, numbers[i], SEQUENCE_FIRST);
		assert_int_equal(sequence.highest, numbers[i]);
		expect(&sequence, numbers[i], SEQUENCE_DUPLICATE);
	}
}

static void numbers_in_order_leave_no_trace(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 1000);
	assert_int_equal(sequence.highest, 1000);
}

static void gap_tells_how_many_are_missing(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 10);
	expect_gap(&sequence, 12, 1);
	expect_gap(&sequence, 17, 4);
	expect(&sequence, 18, SEQUENCE_NEXT);
	expect_gap(&sequence, 1000018, 999999);
	assert_int_equal(sequence.highest, 1000018);
}

static void late_number_is_accepted_once(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 10);
	expect_gap(&sequence, 15, 4);
	expect(&sequence, 12, SEQUENCE_LATE);
	assert_int_equal(sequence.highest, 15);
	expect(&sequence, 12, SEQUENCE_DUPLICATE);
	expect(&sequence, 16, SEQUENCE_NEXT);
}

static void duplicate_is_among_the_last_100_accepted(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 99);
	for (int32_t number = 0; number <= 99; number++)
		expect(&sequence, number, SEQUENCE_DUPLICATE);
	expect(&sequence, 100, SEQUENCE_NEXT);
	/* 0 has left the window and is exactly 100 behind: late, no restart. */
	expect(&sequence, 0, SEQUENCE_LATE);
	expect(&sequence, 0, SEQUENCE_DUPLICATE);
}

static void duplicate_changes_nothing(void **state)
{
	struct sequence sequence;
	uint32_t missing;

	(void)state;
	count_to(&sequence, 50);
	struct sequence before = sequence;
	assert_int_equal(sequence_accept(&sequence, 40, &other_port, &missing),
			 SEQUENCE_DUPLICATE);
	assert_memory_equal(&sequence, &before, sizeof sequence);
}

static void late_numbers_push_old_ones_out_of_the_window(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, 0, SEQUENCE_FIRST);
	expect_gap(&sequence, 100, 99);
	for (int32_t number = 1; number <= 98; number++)
		expect(&sequence, number, SEQUENCE_LATE);
	/* 100 numbers accepted, 0 the oldest of them. */
	expect(&sequence, 0, SEQUENCE_DUPLICATE);
	expect(&sequence, 99, SEQUENCE_LATE);
	expect(&sequence, 0, SEQUENCE_LATE);
}

static void more_than_100_behind_starts_anew(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 300);
	expect(&sequence, 199, SEQUENCE_RESTART);
	assert_int_equal(sequence.highest, 199);
	/* The window is clear: numbers of the old run are no duplicates. */
	expect(&sequence, 200, SEQUENCE_NEXT);
	expect_gap(&sequence, 250, 49);
}

static void exactly_100_behind_is_late(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, 1000, SEQUENCE_FIRST);
	expect(&sequence, 900, SEQUENCE_LATE);
	expect(&sequence, 899, SEQUENCE_RESTART);
}

static void restart_beats_the_window(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, 5, SEQUENCE_FIRST);
	expect_gap(&sequence, 500, 494);
	/* 5 is still in the window, but too far behind to be a duplicate. */
	expect(&sequence, 5, SEQUENCE_RESTART);
}

static void zero_from_another_port_starts_anew(void **state)
{
	struct sequence sequence;
	uint32_t missing;

	(void)state;
	count_to(&sequence, 20);
	assert_int_equal(sequence_accept(&sequence, 0, &other_port, &missing), SEQUENCE_RESTART);
	assert_int_equal(missing, 0);
	assert_int_equal(sequence.highest, 0);
	assert_int_equal(sequence_accept(&sequence, 1, &other_port, &missing), SEQUENCE_NEXT);
	assert_int_equal(sequence_accept(&sequence, 0, &other_port, &missing),
			 SEQUENCE_DUPLICATE);
	assert_int_equal(sequence_accept(&sequence, 0, &other_host, &missing), SEQUENCE_RESTART);
}

static void other_numbers_from_another_port_are_judged_as_ever(void **state)
{
	struct sequence sequence;
	uint32_t missing;

	(void)state;
	count_to(&sequence, 20);
	assert_int_equal(sequence_accept(&sequence, 7, &other_port, &missing),
			 SEQUENCE_DUPLICATE);
	assert_int_equal(sequence_accept(&sequence, 23, &other_port, &missing), SEQUENCE_GAP);
	assert_int_equal(missing, 2);
}

static void zero_from_the_same_port_is_a_duplicate(void **state)
{
	struct sequence sequence;

	(void)state;
	count_to(&sequence, 20);
	expect(&sequence, 0, SEQUENCE_DUPLICATE);
}

static void highest_wraps_to_the_lowest_number(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, INT32_MAX - 1, SEQUENCE_FIRST);
	expect(&sequence, INT32_MAX, SEQUENCE_NEXT);
	expect(&sequence, INT32_MIN, SEQUENCE_NEXT);
	expect_gap(&sequence, INT32_MIN + 3, 2);
	/* Before the wrap: three behind, not four thousand million ahead. */
	expect(&sequence, INT32_MAX, SEQUENCE_DUPLICATE);
	expect(&sequence, INT32_MAX - 2, SEQUENCE_LATE);
}

static void gap_across_the_wrap_counts_what_is_missing(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, INT32_MAX - 1, SEQUENCE_FIRST);
	expect_gap(&sequence, INT32_MIN + 1, 2);
}

static void highest_wraps_to_zero_without_a_gap(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, INT32_MAX, SEQUENCE_FIRST);
	expect(&sequence, 0, SEQUENCE_RESTART);
	expect(&sequence, 1, SEQUENCE_NEXT);
}

static void half_the_circle_away_is_a_restart(void **state)
{
	struct sequence sequence;

	(void)state;
	sequence_init(&sequence);
	expect(&sequence, 0, SEQUENCE_FIRST);
	expect(&sequence, INT32_MIN, SEQUENCE_RESTART);
	sequence_init(&sequence);
	expect(&sequence, 0, SEQUENCE_FIRST);
	expect_gap(&sequence, INT32_MAX, INT32_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_number_is_accepted_whatever_it_is),
		cmocka_unit_test(numbers_in_order_leave_no_trace),
		cmocka_unit_test(gap_tells_how_many_are_missing),
		cmocka_unit_test(late_number_is_accepted_once),
		cmocka_unit_test(duplicate_is_among_the_last_100_accepted),
		cmocka_unit_test(duplicate_changes_nothing),
		cmocka_unit_test(late_numbers_push_old_ones_out_of_the_window),
		cmocka_unit_test(more_than_100_behind_starts_anew),
		cmocka_unit_test(exactly_100_behind_is_late),
		cmocka_unit_test(restart_beats_the_window),
		cmocka_unit_test(zero_from_another_port_starts_anew),
		cmocka_unit_test(other_numbers_from_another_port_are_judged_as_ever),
		cmocka_unit_test(zero_from_the_same_port_is_a_duplicate),
		cmocka_unit_test(highest_wraps_to_the_lowest_number),
		cmocka_unit_test(gap_across_the_wrap_counts_what_is_missing),
		cmocka_unit_test(highest_wraps_to_zero_without_a_gap),
		cmocka_unit_test(half_the_circle_away_is_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
