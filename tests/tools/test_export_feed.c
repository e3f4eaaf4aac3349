/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "feed.h"
#include "feed_head.h"
#include "signals.h"

#define FRAME_BYTES 4000000 /* more than sockets keep */

struct rig {
	char folder[32], target[160];
	struct sockaddr_un address;
	int listener, epoll_fd;
	struct backlog backlog;
	struct feed feed;
};

static void setup_rig_for(struct rig *rig, const char *framing)
{
	struct astshm_error error = { 0 };
	struct target target;

	*rig = (struct rig){ .backlog = BACKLOG_INIT, .address = { .sun_family = AF_UNIX } };
	strcpy(rig->folder, "/tmp/astshm-feed-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->address.sun_path, sizeof(rig->address.sun_path), "%s/collector", rig->folder);
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(rig->listener, (struct sockaddr *)&rig->address,
				sizeof(rig->address)), errno);
	assert_return_code(listen(rig->listener, 4), errno);
	rig->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_return_code(rig->epoll_fd, errno);
	snprintf(rig->target, sizeof(rig->target), "%sunix:%s", framing, rig->address.sun_path);
	assert_int_equal(target_parse(&target, rig->target, &error), 0);
	assert_int_equal(feed_open(&rig->feed, &target, rig->epoll_fd, &rig->backlog, 0, false,
				   &error), 0);
}

static void setup_rig(struct rig *rig)
{
	setup_rig_for(rig, "");
}

static void teardown_rig(struct rig *rig)
{
	feed_close(&rig->feed);
	backlog_fini(&rig->backlog);
	close(rig->epoll_fd);
	close(rig->listener);
	unlink(rig->address.sun_path);
	rmdir(rig->folder);
}

static void add_frame(struct rig *rig)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	struct buffer *form;

	assert_non_null(frame);
	frame->users = 1;
	frame->number = backlog_end(&rig->backlog);
	form = &frame->forms[FRAMING_LENGTH];
	*form = (struct buffer){ .bytes = calloc(1, FRAME_BYTES), .count = FRAME_BYTES };
	assert_non_null(form->bytes);
	feed_head_write((unsigned char *)form->bytes, frame->number, FRAME_BYTES - FEED_HEAD_BYTES);
	form = &frame->forms[FRAMING_FLUENTD];
	*form = (struct buffer){ .bytes = calloc(1, FRAME_BYTES), .count = FRAME_BYTES };
	assert_non_null(form->bytes);
	assert_int_equal(backlog_add(&rig->backlog, frame), 0);
}

/* Until the feed has no consumer any more. */
static void let_it_notice(struct rig *rig)
{
	while (rig->feed.consumers) {
		struct epoll_event event;

		assert_int_equal(epoll_wait(rig->epoll_fd, &event, 1, 60000), 1);
		feed_ready(&rig->feed, event.data.ptr, event.events);
	}
}

/* As if the pause were over. */
static void connect_again(struct rig *rig)
{
	feed_due(&rig->feed, monotonic_ns() + DIAL_PAUSE_MAX_NS);
	assert_non_null(rig->feed.consumers);
}

static uint64_t first_number(struct rig *rig)
{
	unsigned char bytes[FEED_HEAD_BYTES];
	struct feed_head head = { 0 };
	int fd = accept(rig->listener, NULL, NULL);

	assert_return_code(fd, errno);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	assert_int_equal(feed_head_read(bytes, sizeof(bytes), &head), -ENODATA);
	close(fd);
	return head.number;
}

static void frame_under_way_that_left_the_backlog_is_lost_with_its_connection(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	setup_rig(&rig);
	add_frame(&rig);
	feed_due(&rig.feed, monotonic_ns());
	fd = accept(rig.listener, NULL, NULL);
	assert_return_code(fd, errno);
	for (int i = 0; i < BACKLOG_TURNS + 2; i++) {
		backlog_turn(&rig.backlog);
		add_frame(&rig);
		feed_turn(&rig.feed);
	}
	assert_int_equal(rig.backlog.first, 4);
	close(fd);
	let_it_notice(&rig);
	assert_int_equal(rig.feed.next, rig.backlog.first);
	connect_again(&rig);
	assert_int_equal(first_number(&rig), rig.backlog.first);
	assert_int_equal(rig.feed.counts.sent, 0);
	assert_int_equal(rig.feed.counts.dropped, rig.backlog.first - 1);
	teardown_rig(&rig);
}

/* Connected, and one frame of two in part on its way. */
static int begin_a_frame(struct rig *rig)
{
	int fd;

	setup_rig(rig);
	add_frame(rig);
	add_frame(rig);
	feed_due(&rig->feed, monotonic_ns());
	fd = accept(rig->listener, NULL, NULL);
	assert_return_code(fd, errno);
	assert_non_null(rig->feed.consumers);
	assert_in_range(rig->feed.consumers->sent, 1, FRAME_BYTES - 1);
	return fd;
}

/* To the end of the connection, with what the feed still has to send. */
static size_t read_to_the_end(struct rig *rig, int fd)
{
	static char bytes[65536];
	struct epoll_event event;
	size_t total = 0;
	ssize_t count;

	while ((count = read(fd, bytes, sizeof(bytes))) > 0) {
		total += (size_t)count;
		if (epoll_wait(rig->epoll_fd, &event, 1, 0) == 1)
			feed_ready(&rig->feed, event.data.ptr, event.events);
	}
	assert_return_code(count, errno);
	return total;
}

static void frame_under_way_is_the_last_at_the_end(void **state)
{
	struct rig rig;
	int fd = begin_a_frame(&rig);

	(void)state;
	feed_finish(&rig.feed);
	assert_int_equal(read_to_the_end(&rig, fd), FRAME_BYTES);
	assert_null(rig.feed.consumers);
	assert_int_equal(rig.feed.counts.sent, 1);
	assert_int_equal(rig.feed.counts.dropped, 1);
	assert_int_equal(feed_due_ns(&rig.feed), INT64_MAX);
	close(fd);
	teardown_rig(&rig);
}

static void frame_that_is_not_taken_is_cut_at_the_end(void **state)
{
	struct rig rig;
	int fd = begin_a_frame(&rig);

	(void)state;
	feed_finish(&rig.feed);
	assert_int_equal(rig.feed.consumer_count, 1);
	feed_cut(&rig.feed);
	assert_null(rig.feed.consumers);
	assert_int_equal(rig.feed.counts.sent, 0);
	assert_int_equal(rig.feed.counts.dropped, 2);
	assert_in_range(read_to_the_end(&rig, fd), 1, FRAME_BYTES - 1);
	close(fd);
	teardown_rig(&rig);
}

static void consumer_that_is_talking_sees_an_end_and_no_reset(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	setup_rig(&rig);
	feed_due(&rig.feed, monotonic_ns());
	fd = accept(rig.listener, NULL, NULL);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, "hello", 5), 5);
	feed_finish(&rig.feed);
	assert_null(rig.feed.consumers);
	assert_int_equal(read_to_the_end(&rig, fd), 0);
	close(fd);
	teardown_rig(&rig);
}

static void fluentd_that_hung_up_before_it_was_heard_has_said_why(void **state)
{
	static const char helo[] = "\x92\xa4HELO\x80";
	struct rig rig;
	int fd;

	(void)state;
	setup_rig_for(&rig, "fluentd:");
	feed_due(&rig.feed, monotonic_ns());
	fd = accept(rig.listener, NULL, NULL);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, helo, sizeof(helo) - 1), sizeof(helo) - 1);
	close(fd);
	add_frame(&rig);
	feed_turn(&rig.feed);
	assert_null(rig.feed.consumers);
	assert_string_equal(rig.feed.told, "asks for a shared key, which is not spoken here");
	teardown_rig(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			frame_under_way_that_left_the_backlog_is_lost_with_its_connection),
		cmocka_unit_test(frame_under_way_is_the_last_at_the_end),
		cmocka_unit_test(frame_that_is_not_taken_is_cut_at_the_end),
		cmocka_unit_test(consumer_that_is_talking_sees_an_end_and_no_reset),
		cmocka_unit_test(fluentd_that_hung_up_before_it_was_heard_has_said_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
