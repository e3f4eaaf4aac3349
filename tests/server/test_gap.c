/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gap.h"

#define LOADED 10000 /* ms */

/* Loaded when 100 datagrams had come and 7 numbers were missing. */
static struct gap make(uint64_t limit)
{
	struct gap gap = { .limit = limit };

	gap_loaded(&gap, 7, LOADED);
	assert_false(gap_due(&gap, 100, 7, LOADED));
	return gap;
}

static void more_than_the_limit_are_too_many(void **state)
{
	struct gap gap = make(3);
	int64_t later = LOADED + GAP_INTERVAL_MS;

	(void)state;
	assert_false(gap_due(&gap, 100, 7, later));
	assert_false(gap_due(&gap, 100, 10, later));
	assert_true(gap_due(&gap, 100, 11, later));
}

static void limit_of_none_takes_the_first(void **state)
{
	struct gap gap = make(0);

	(void)state;
	assert_false(gap_due(&gap, 100, 7, LOADED + GAP_INTERVAL_MS));
	assert_true(gap_due(&gap, 100, 8, LOADED + GAP_INTERVAL_MS));
}

static void off_is_never_due(void **state)
{
	struct gap gap = make(GAP_OFF);

	(void)state;
	assert_false(gap_due(&gap, 100, UINT64_MAX, LOADED + 1000 * GAP_INTERVAL_MS));
}

static void traffic_must_be_quiet_for_a_while(void **state)
{
	struct gap gap = make(0);
	int64_t now = LOADED + 10 * GAP_INTERVAL_MS;

	(void)state;
	assert_false(gap_due(&gap, 101, 9, now));
	assert_false(gap_due(&gap, 101, 9, now + GAP_QUIET_MS - 1));
	assert_false(gap_due(&gap, 102, 9, now + GAP_QUIET_MS));
	assert_false(gap_due(&gap, 102, 9, now + 2 * GAP_QUIET_MS - 1));
	assert_true(gap_due(&gap, 102, 9, now + 2 * GAP_QUIET_MS));
}

static void loads_keep_their_distance(void **state)
{
	struct gap gap = make(0);
	int64_t now = LOADED + GAP_INTERVAL_MS;

	(void)state;
	assert_false(gap_due(&gap, 100, 8, now - 1));
	assert_true(gap_due(&gap, 100, 8, now));
	gap_loaded(&gap, 8, now + 50);
	/* Until something more is missing, however long that takes. */
	assert_false(gap_due(&gap, 100, 8, now + 100 * GAP_INTERVAL_MS));
	gap_loaded(&gap, 8, now + 100 * GAP_INTERVAL_MS);
	assert_false(gap_due(&gap, 100, 9, now + 101 * GAP_INTERVAL_MS - 1));
	assert_true(gap_due(&gap, 100, 9, now + 101 * GAP_INTERVAL_MS));
}

static void what_is_lost_while_the_file_is_read_counts(void **state)
{
	struct gap gap = make(0);

	(void)state;
	/* 8 were missing as the reading began, 9 as it ended. */
	gap_loaded(&gap, 8, LOADED + 300);
	assert_true(gap_due(&gap, 100, 9, LOADED + 300 + GAP_INTERVAL_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_the_limit_are_too_many),
		cmocka_unit_test(limit_of_none_takes_the_first),
		cmocka_unit_test(off_is_never_due),
		cmocka_unit_test(traffic_must_be_quiet_for_a_while),
		cmocka_unit_test(loads_keep_their_distance),
		cmocka_unit_test(what_is_lost_while_the_file_is_read_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
