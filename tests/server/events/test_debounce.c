/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "dialogue.h"
#include "node.h"

/* --- the line by itself, at times of the test's own ------------------------ */

static struct debounce line;

static void put(int64_t parameter, const char *text, int64_t now_ns)
{
	static struct node device; /* only its address counts */
	struct debounce_key key = { .node = &device, .parameter = parameter };

	assert_int_equal(debounce_put(&line, &key, message_create(text, strlen(text)), now_ns),
			 0);
}

/* NULL: nothing is due. */
static void expect_due(const char *text, int64_t now_ns)
{
	struct message *message = debounce_take(&line, now_ns);

	assert_int_equal(message != NULL, text != NULL);
	if (!message)
		return;
	assert_int_equal(message->length, strlen(text));
	assert_memory_equal(message_text(message), text, message->length);
	message_release(message);
}

static int clear_line(void **state)
{
	(void)state;
	debounce_clear(&line);
	return 0;
}

static void message_comes_out_when_its_time_has_come(void **state)
{
	(void)state;
	assert_int_equal(debounce_next_ns(&line), INT64_MAX);
	expect_due(NULL, INT64_MAX - 1);
	put(0, "a", 1000);
	assert_int_equal(debounce_next_ns(&line), 1000 + DEBOUNCE_NS);
	expect_due(NULL, 999 + DEBOUNCE_NS);
	expect_due("a", 1000 + DEBOUNCE_NS);
	expect_due(NULL, INT64_MAX - 1);
	assert_int_equal(debounce_next_ns(&line), INT64_MAX);
}

static void last_of_a_burst_comes_out_alone(void **state)
{
	(void)state;
	for (int64_t now = 0; now < 10 * DEBOUNCE_NS; now += DEBOUNCE_NS / 2) {
		put(0, now == 0 ? "first" : "later", now);
		expect_due(NULL, now + DEBOUNCE_NS / 4);
	}
	put(0, "last", 10 * DEBOUNCE_NS);
	expect_due("last", 11 * DEBOUNCE_NS);
	expect_due(NULL, INT64_MAX - 1);
}

static void keys_wait_for_themselves(void **state)
{
	(void)state;
	put(0, "a", 0);
	put(1, "b", 10);
	put(0, "a again", 20);
	assert_int_equal(debounce_next_ns(&line), 10 + DEBOUNCE_NS);
	expect_due("b", 30 + DEBOUNCE_NS);
	expect_due("a again", 30 + DEBOUNCE_NS);
}

static void what_is_due_comes_in_the_order_of_its_last_event(void **state)
{
	char text[2] = "a";

	(void)state;
	/* More keys than there are chains for them. */
	for (int64_t i = 0; i < 1000; i++)
		put(i, "?", i);
	for (int64_t i = 999; i >= 0; i--) {
		text[0] = (char)('a' + i % 26);
		put(i, text, 2000 - i);
	}
	for (int64_t i = 999; i >= 0; i--) {
		text[0] = (char)('a' + i % 26);
		expect_due(text, 3000 + DEBOUNCE_NS);
	}
	expect_due(NULL, INT64_MAX - 1);
}

static void key_may_come_again_after_it_was_taken(void **state)
{
	(void)state;
	put(0, "a", 0);
	expect_due("a", DEBOUNCE_NS);
	put(0, "b", DEBOUNCE_NS);
	assert_int_equal(debounce_next_ns(&line), 2 * DEBOUNCE_NS);
	expect_due("b", 2 * DEBOUNCE_NS);
}

static void clear_drops_all(void **state)
{
	(void)state;
	put(0, "a", 0);
	put(1, "b", 0);
	debounce_clear(&line);
	assert_int_equal(debounce_next_ns(&line), INT64_MAX);
	expect_due(NULL, INT64_MAX - 1);
	put(0, "c", 0);
	expect_due("c", DEBOUNCE_NS);
}

/* --- in the server ------------------------------------------------------------ */

/* Until nothing is held back any more. */
static void settle(struct ast_server *server)
{
	while (ast_server_settle(server) != INT64_MAX)
		usleep(5000);
}

#define TEMPO(old_value, new_value, number)                                            \
	DIFF("{'type':'state_changed','node_id':'project','node_type':'project',"      \
	     "'path':'project','attribute':'tempo','old_value':" old_value             \
	     ",'new_value':" new_value ",'seq_num':" number "}", "", "", "'project'")

#define PARAMETER(device, at, value, number)                                           \
	DIFF("{'type':'state_changed','node_id':'device_0_" device "',"                \
	     "'node_type':'device','path':'tracks[0].devices[" device "].parameters["  \
	     at "]','attribute':'value','value':" value ",'param_index':" at           \
	     ",'new_value':" value ",'seq_num':" number "}", "", "",                   \
	     "'device_0_" device "'")

static void burst_tells_the_value_before_its_last_event(void **state)
{
	struct ast_server *server = dialogue_begin("burst");

	(void)state;
	SEND_AS(41, server, "/live/transport/tempo", F(121.5f));
	SEND_AS(42, server, "/live/transport/tempo", F(122.0f));
	SEND_AS(43, server, "/live/transport/tempo", F(123.0f));
	settle(server);
	expect_message(TEMPO("122.0", "123.0", "43"));
	SEND_AS(44, server, "/live/transport/tempo", F(123.0f));
	settle(server);
	expect_message(TEMPO("123.0", "123.0", "44"));
}

static void parameters_wait_each_for_themselves(void **state)
{
	struct ast_server *server = dialogue_begin("each");
	char *const *heard;

	(void)state;
	SEND_AS(1, server, "/live/device/param", I(0), I(0), I(2), F(0.5f));
	SEND_AS(2, server, "/live/device/param", I(0), I(0), I(2), F(0.625f));
	SEND_AS(3, server, "/live/device/param", I(0), I(1), I(0), I(1));
	SEND_AS(4, server, "/live/device/param", I(0), I(0), I(1), F(0.25f));
	SEND_AS(5, server, "/live/device/parameter", I(0), I(0), I(2), F(0.75f));
	settle(server);
	heard = fixture_heard();
	expect_json(heard[0], PARAMETER("1", "0", "1.0", "3"));
	expect_json(heard[1], PARAMETER("0", "1", "0.25", "4"));
	expect_json(heard[2], PARAMETER("0", "2", "0.75", "5"));
	assert_null(heard[3]);
}

/* The number of a device is another device's by the time the message is due. */
static void device_keeps_its_message_when_another_takes_its_place(void **state)
{
	struct ast_server *server = dialogue_begin("place");
	char *const *heard;

	(void)state;
	SEND_AS(1, server, "/live/device/param", I(0), I(0), I(2), F(0.5f));
	SEND_AS(2, server, "/live/device/added", I(0), I(0), S("x"));
	SEND_AS(3, server, "/live/device/param", I(0), I(0), I(2), F(0.75f));
	fixture_heard();
	settle(server);
	heard = fixture_heard();
	expect_json(heard[0], PARAMETER("0", "2", "0.5", "1"));
	assert_non_null(strstr(heard[1], "device_0_0_2"));
	assert_null(heard[2]);
}

static void other_messages_overtake(void **state)
{
	struct ast_server *server = dialogue_begin("overtake");
	char *const *heard;

	(void)state;
	SEND_AS(1, server, "/live/transport/tempo", F(121.0f));
	SEND_AS(2, server, "/live/transport/play", TRUE);
	settle(server);
	heard = fixture_heard();
	assert_non_null(strstr(heard[0], "is_playing"));
	expect_json(heard[1], TEMPO("null", "121.0", "1"));
	assert_null(heard[2]);
}

static void reload_drops_what_waits(void **state)
{
	struct ast_server *server = dialogue_begin("reload");

	(void)state;
	SEND(server, "/live/transport/tempo", F(121.0f));
	SEND(server, "/live/device/param", I(0), I(0), I(2), F(0.5f));
	assert_int_not_equal(debounce_next_ns(&server->debounce), INT64_MAX);
	fixture_load(server);
	assert_int_equal(debounce_next_ns(&server->debounce), INT64_MAX);
	fixture_heard();
	settle(server);
	expect_silence();
}

static void failed_reload_drops_nothing(void **state)
{
	struct ast_server *server = dialogue_begin("reload-failed");

	(void)state;
	SEND_AS(1, server, "/live/transport/tempo", F(121.0f));
	log_set_level(LOG_ERROR);
	assert_true(ast_server_load(server, fixture_file("<Ableton>"), NULL) < 0);
	assert_non_null(strstr(fixture_heard()[0], "Reload failed"));
	settle(server);
	expect_message(TEMPO("null", "121.0", "1"));
}

static void count_broadcast(void *context, struct message *message)
{
	message_release(message);
	/* Relaxed: the loop below waits for the number alone. */
	__atomic_add_fetch((unsigned *)context, 1, __ATOMIC_RELAXED);
}

static void event_thread_wakes_for_what_is_held_back(void **state)
{
	struct ast_server *server = dialogue_begin("thread");
	int64_t deadline_ns = clock_now_ns() + INT64_C(60000000000);
	unsigned sent = 0;

	(void)state;
	server->broadcast = count_broadcast;
	server->broadcast_context = &sent;
	SEND(server, "/live/transport/tempo", F(121.0f));
	SEND(server, "/live/device/param", I(0), I(0), I(2), F(0.5f));
	assert_int_equal(sent, 0);
	assert_int_equal(ast_server_start(server), 0);
	while (__atomic_load_n(&sent, __ATOMIC_RELAXED) < 2 && clock_now_ns() < deadline_ns)
		usleep(5000);
	ast_server_stop(server);
	assert_int_equal(sent, 2);
}

static void what_still_waits_at_the_end_is_never_sent(void **state)
{
	struct ast_server *server = dialogue_begin("end");
	unsigned sent = 0;

	(void)state;
	server->broadcast = count_broadcast;
	server->broadcast_context = &sent;
	SEND(server, "/live/transport/tempo", F(121.0f));
	fixture_teardown(NULL); /* frees it: the leak checker looks on */
	assert_int_equal(sent, 0);
}

#define ALONE(name) cmocka_unit_test_teardown(name, clear_line)
#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(message_comes_out_when_its_time_has_come),
		ALONE(last_of_a_burst_comes_out_alone),
		ALONE(keys_wait_for_themselves),
		ALONE(what_is_due_comes_in_the_order_of_its_last_event),
		ALONE(key_may_come_again_after_it_was_taken),
		ALONE(clear_drops_all),
		CASE(burst_tells_the_value_before_its_last_event),
		CASE(parameters_wait_each_for_themselves),
		CASE(device_keeps_its_message_when_another_takes_its_place),
		CASE(other_messages_overtake),
		CASE(reload_drops_what_waits),
		CASE(failed_reload_drops_nothing),
		CASE(event_thread_wakes_for_what_is_held_back),
		CASE(what_still_waits_at_the_end_is_never_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
