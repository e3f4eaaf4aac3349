/* SPDX-License-Identifier: MIT */
/* When a segment without room is worth a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room.h"

#define START_MS 1000000
#define SECOND_MS 1000

static void nothing_is_said_while_there_is_room(void **state)
{
	struct room room = { 0 };

	(void)state;
	for (int64_t now = START_MS; now < START_MS + 200 * SECOND_MS; now += SECOND_MS)
		assert_int_equal(room_look(&room, false, now), ROOM_NO_NEWS);
}

static void a_lack_is_said_at_once_and_then_each_minute(void **state)
{
	struct room room = { 0 };

	(void)state;
	for (int second = 0; second < 200; second++)
		assert_int_equal(room_look(&room, true, START_MS + second * SECOND_MS),
				 second % 60 == 0 ? ROOM_LACKING : ROOM_NO_NEWS);
}

static void it_is_over_once_after_ten_seconds_without_loss(void **state)
{
	struct room room = { 0 };

	(void)state;
	assert_int_equal(room_look(&room, true, START_MS), ROOM_LACKING);
	assert_int_equal(room_look(&room, true, START_MS + 5 * SECOND_MS), ROOM_NO_NEWS);
	for (int second = 6; second < 200; second++)
		assert_int_equal(room_look(&room, false, START_MS + second * SECOND_MS),
				 second == 15 ? ROOM_THERE_AGAIN : ROOM_NO_NEWS);
	assert_int_equal(room_look(&room, true, START_MS + 200 * SECOND_MS), ROOM_LACKING);
}

/* Losses some seconds apart are one lack, not many. */
static void rare_losses_are_one_lack(void **state)
{
	struct room room = { 0 };

	(void)state;
	for (int second = 0; second < 200; second++)
		assert_int_equal(room_look(&room, second % 7 == 0, START_MS + second * SECOND_MS),
				 second == 0 || second == 63 || second == 126 || second == 189
					 ? ROOM_LACKING : ROOM_NO_NEWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_while_there_is_room),
		cmocka_unit_test(a_lack_is_said_at_once_and_then_each_minute),
		cmocka_unit_test(it_is_over_once_after_ten_seconds_without_loss),
		cmocka_unit_test(rare_losses_are_one_lack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
