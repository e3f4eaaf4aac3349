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
#include "fixture.h"

static const struct sequence_source here = { { 127, 0, 0, 1 }, 5000 };

/* --- datagrams, made without liblo --------------------------------------- */

struct datagram {
	unsigned char bytes[512];
	size_t size;
};

static void put_string(struct datagram *datagram, const char *string)
{
	size_t length = strlen(string);

	memcpy(datagram->bytes + datagram->size, string, length);
	memset(datagram->bytes + datagram->size + length, 0, 4);
	datagram->size += (length + 4) & ~(size_t)3;
}

static void put_word(struct datagram *datagram, uint32_t word)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		datagram->bytes[datagram->size++] = (unsigned char)(word >> shift);
}

/* The envelope of number, timestamp 1.0 and path; its tags may ask for more. */
static struct datagram envelope(const char *tags, int32_t number, const char *path)
{
	struct datagram datagram = { .size = 0 };

	put_string(&datagram, "/live/seq");
	put_string(&datagram, tags);
	put_word(&datagram, (uint32_t)number);
	put_word(&datagram, 0x3f800000);
	put_string(&datagram, path);
	return datagram;
}

static void take(struct ast_server *server, const struct datagram *datagram)
{
	intake_datagram(&server->intake, datagram->bytes, datagram->size, false, &here);
}

static void take_play(struct ast_server *server, int32_t number)
{
	struct datagram datagram = envelope(",ifsT", number, "/live/transport/play");

	take(server, &datagram);
}

static void take_plain(struct ast_server *server, const char *address, const char *tags,
		       unsigned words)
{
	struct datagram datagram = { .size = 0 };

	put_string(&datagram, address);
	put_string(&datagram, tags);
	for (unsigned i = 0; i < words; i++)
		put_word(&datagram, 1001);
	take(server, &datagram);
}

/* --- accounts -------------------------------------------------------------- */

static void check_account(struct ast_server *server, uint64_t received, uint64_t processed,
			  uint64_t dropped, uint64_t parse_errors)
{
	const struct intake_statistics *statistics = ast_server_statistics(server);

	assert_int_equal(statistics->received, received);
	assert_int_equal(statistics->processed, processed);
	assert_int_equal(statistics->dropped, dropped);
	assert_int_equal(statistics->parse_errors, parse_errors);
	assert_int_equal(received, processed + dropped + parse_errors);
	assert_int_equal(fixture_counter(server, "udp.packet.received"), received);
	assert_int_equal(fixture_counter(server, "udp.parse.error"), parse_errors);
}

static void event_is_queued_as_it_was_sent(void **state)
{
	struct ast_server *server = fixture_create("queued", 10);
	struct datagram datagram = envelope(",ifsisF", 7, "/live/track/renamed");

	(void)state;
	put_word(&datagram, 3);
	put_string(&datagram, "Bass");
	take(server, &datagram);
	struct live_event *event = fixture_pop(server);
	assert_string_equal(event->path, "/live/track/renamed");
	assert_int_equal(event->sequence, 7);
	assert_true(event->timestamp == 1.0);
	assert_int_equal(event->count, 3);
	assert_int_equal(event->arguments[0].i, 3);
	assert_string_equal(event->arguments[1].s, "Bass");
	assert_int_equal(event->arguments[2].tag, 'F');
	free(event);
	check_account(server, 1, 1, 0, 0);
	assert_true(fixture_gauge(server, "udp.current_sequence") == 7.0);
}

static void envelope_of_wrong_shape_is_a_parse_error(void **state)
{
	struct ast_server *server = fixture_create("shape", 10);
	struct datagram no_path = { .size = 0 };
	struct datagram text_number = { .size = 0 };

	(void)state;
	put_string(&no_path, "/live/seq");
	put_string(&no_path, ",if");
	put_word(&no_path, 0);
	put_word(&no_path, 0);
	take(server, &no_path);
	put_string(&text_number, "/live/seq");
	put_string(&text_number, ",sfs");
	put_string(&text_number, "1");
	put_word(&text_number, 0);
	put_string(&text_number, "/live/transport/play");
	take(server, &text_number);
	take_plain(server, "/live/seq", ",iii", 3);
	take_plain(server, "/live/seq", ",", 0);
	check_account(server, 4, 0, 0, 4);
	assert_false(server->intake.sequence.started);
}

static void number_may_be_a_truth_and_the_timestamp_an_integer(void **state)
{
	struct ast_server *server = fixture_create("truth", 10);
	struct datagram datagram = { .size = 0 };

	(void)state;
	put_string(&datagram, "/live/seq");
	put_string(&datagram, ",Tis");
	put_word(&datagram, 12);
	put_string(&datagram, "/live/x");
	take(server, &datagram);
	check_account(server, 1, 1, 0, 0);
	struct live_event *event = fixture_pop(server);
	assert_int_equal(event->sequence, 1);
	assert_true(event->timestamp == 12.0);
	free(event);
}

static void batch_marks_count_as_processed_and_need_an_id(void **state)
{
	struct ast_server *server = fixture_create("batch", 10);

	(void)state;
	take_plain(server, "/live/batch/start", ",i", 1);
	take_plain(server, "/live/batch/end", ",i", 1);
	check_account(server, 2, 2, 0, 0);
	take_plain(server, "/live/batch/start", ",", 0);
	take_plain(server, "/live/batch/end", ",", 0);
	check_account(server, 4, 2, 0, 2);
	assert_int_equal(server->queue.count, 0);
}

static void bare_event_is_processed_but_not_applied(void **state)
{
	struct ast_server *server = fixture_create("bare", 10);

	(void)state;
	take_plain(server, "/live/transport/play", ",i", 1);
	take_plain(server, "/live/batch/other", ",", 0);
	check_account(server, 2, 2, 0, 0);
	assert_int_equal(server->queue.count, 0);
}

static void duplicates_gaps_and_late_numbers_are_counted(void **state)
{
	struct ast_server *server = fixture_create("sequence", 20);
	static const int32_t numbers[] = { 0, 1, 1, 6, 3, 7, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		take_play(server, numbers[i]);
	check_account(server, 7, 6, 1, 0);
	assert_int_equal(fixture_counter(server, "udp.packet.duplicate"), 1);
	assert_int_equal(fixture_counter(server, "udp.sequence.gap"), 2);
	assert_int_equal(fixture_counter(server, "udp.sequence.lost"), 5);
	assert_int_equal(fixture_counter(server, "udp.packet.late"), 1);
	assert_int_equal(fixture_counter(server, "udp.packet.dropped"), 5);
	assert_true(fixture_gauge(server, "udp.current_sequence") == 9.0);
}

static void full_queue_refuses_the_newest_and_counts_it(void **state)
{
	struct ast_server *server = fixture_create("full", 3);

	(void)state;
	for (int32_t number = 0; number < 5; number++)
		take_play(server, number);
	check_account(server, 5, 3, 2, 0);
	assert_int_equal(fixture_counter(server, "udp.packet.dropped"), 2);
	assert_int_equal(fixture_counter(server, "udp.sequence.lost"), 0);
	assert_true(fixture_gauge(server, "udp.queue.depth") == 3.0);
	for (int32_t number = 0; number < 3; number++) {
		struct live_event *event = fixture_pop(server);
		assert_int_equal(event->sequence, number);
		free(event);
	}
	assert_true(fixture_gauge(server, "udp.queue.depth") == 0.0);
}

static void cut_datagram_is_a_parse_error(void **state)
{
	struct ast_server *server = fixture_create("cut", 3);
	struct datagram datagram = envelope(",ifs", 1, "/live/x");

	(void)state;
	intake_datagram(&server->intake, datagram.bytes, datagram.size, true, &here);
	check_account(server, 1, 0, 0, 1);
}

static void kernel_drops_are_counted(void **state)
{
	struct ast_server *server = fixture_create("kernel", 3);

	(void)state;
	intake_kernel_dropped(&server->intake, 12);
	intake_kernel_dropped(&server->intake, 30);
	assert_int_equal(fixture_counter(server, "udp.kernel.dropped"), 42);
}

/* --- from the datagram to the project --------------------------------------- */

static void event_thread_applies_all_that_was_queued(void **state)
{
	enum { EVENTS = 500 };
	struct ast_server *server = fixture_create("thread", EVENTS + 10);
	struct datagram cursor = envelope(",ifs", EVENTS, "/live/cursor/other");

	(void)state;
	fixture_load(server);
	server->broadcast = NULL; /* more than the fixture keeps */
	for (int32_t number = 0; number < EVENTS; number++)
		take_play(server, number);
	take(server, &cursor);
	assert_int_equal(ast_server_start(server), 0);
	fixture_await(server, "events.received", EVENTS);
	ast_server_stop(server);
	assert_true(value_map_get(&tree_root(server->project.tree)->attributes, "is_playing")
			    ->boolean);
	assert_int_equal(fixture_counter(server, "events.processed"), EVENTS);
	assert_int_equal(fixture_samples(server, "event.queue.wait", NULL), EVENTS);
	assert_true(fixture_gauge(server, "udp.queue.depth") == 0.0);
	fixture_check_identity(server);
}

static void *record_datagrams(void *argument)
{
	struct ast_server *server = argument;
	struct datagram broken = { .bytes = "#bundle", .size = 16 };

	for (int32_t number = 0; number < 20000; number++) {
		take_play(server, number);
		take(server, &broken);
	}
	return NULL;
}

/* The UDP thread's, the event thread's and the main thread's part at once (TSan). */
static void threads_work_side_by_side(void **state)
{
	struct ast_server *server = fixture_create("threads", 1000);
	pthread_t udp;

	(void)state;
	assert_int_equal(ast_server_start(server), 0);
	assert_int_equal(pthread_create(&udp, NULL, record_datagrams, server), 0);
	for (unsigned i = 0; i < 50; i++) {
		ast_server_tick(server);
		assert_true(fixture_counter(server, "events.received") >= 0);
	}
	pthread_join(udp, NULL);
	const struct intake_statistics *statistics = ast_server_statistics(server);
	fixture_await(server, "events.received", (int64_t)statistics->processed);
	ast_server_stop(server);
	assert_int_equal(statistics->received, 40000);
	assert_int_equal(statistics->parse_errors, 20000);
	assert_int_equal(statistics->processed + statistics->refused, 20000);
	assert_int_equal(fixture_counter(server, "events.received"), statistics->processed);
	assert_int_equal(fixture_counter(server, "udp.packet.dropped"), statistics->refused);
	fixture_check_identity(server);
}

/* In the event thread: until a stop has no more patience. */
static void outlast_the_stop(struct task *task, void *context)
{
	const struct ast_server *server = context;
	int64_t until_ns;

	(void)task;
	do {
		usleep(1000);
		until_ns = __atomic_load_n(&server->stop_by_ns, __ATOMIC_RELAXED);
	} while (until_ns == 0 || clock_now_ns() <= until_ns);
}

static void what_a_stop_leaves_no_time_for_was_not_processed(void **state)
{
	enum { EVENTS = 5 };
	struct ast_server *server = fixture_create("late", EVENTS);
	struct task task = { .run = outlast_the_stop };

	(void)state;
	/* Items and tasks are taken in turn, a task first. */
	assert_int_equal(queue_post(&server->queue, &task), 0);
	for (int32_t number = 0; number < EVENTS; number++)
		take_play(server, number);
	assert_int_equal(ast_server_start(server), 0);
	ast_server_stop(server);
	const struct intake_statistics *statistics = ast_server_statistics(server);
	assert_int_equal(statistics->received, EVENTS);
	assert_int_equal(statistics->processed, 0);
	assert_int_equal(statistics->dropped, EVENTS);
	assert_int_equal(fixture_counter(server, "events.received"), 0);
	assert_int_equal(fixture_counter(server, "udp.packet.dropped"), EVENTS);
	fixture_check_identity(server);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(event_is_queued_as_it_was_sent),
		CASE(envelope_of_wrong_shape_is_a_parse_error),
		CASE(number_may_be_a_truth_and_the_timestamp_an_integer),
		CASE(batch_marks_count_as_processed_and_need_an_id),
		CASE(bare_event_is_processed_but_not_applied),
		CASE(duplicates_gaps_and_late_numbers_are_counted),
		CASE(full_queue_refuses_the_newest_and_counts_it),
		CASE(cut_datagram_is_a_parse_error),
		CASE(kernel_drops_are_counted),
		CASE(what_a_stop_leaves_no_time_for_was_not_processed),
		CASE(event_thread_applies_all_that_was_queued),
		CASE(threads_work_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
