/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "signals.h"

/* What the kernel keeps for a consumer that does not read; a snapshot may be larger.
 * With the megabytes that TCP takes by itself a slow consumer would be found late. */
#define SEND_BUFFER_BYTES 262144
#define AT_ONCE 16

/* --- consumers ----------------------------------------------------------------- */

static void limit_buffer(int fd)
{
	int bytes = SEND_BUFFER_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static struct consumer *add_consumer(struct feed *feed, int fd, bool is_socket, uint64_t next)
{
	struct consumer *consumer = calloc(1, sizeof(*consumer));

	if (!consumer) {
		close(fd);
		return NULL;
	}
	consumer->watched = (struct watched){ .feed = feed, .fd = fd };
	consumer->framing = feed->target.framing;
	consumer->is_socket = is_socket;
	consumer->next = next;
	consumer->turn = feed->backlog->turn;
	consumer->next_of_feed = feed->consumers;
	feed->consumers = consumer;
	feed->consumer_count++;
	return consumer;
}

static void remove_consumer(struct feed *feed, struct consumer *consumer)
{
	struct consumer **link = &feed->consumers;

	while (*link != consumer)
		link = &(*link)->next_of_feed;
	*link = consumer->next_of_feed;
	feed->consumer_count--;
	watched_close(&consumer->watched, feed->epoll_fd);
	frame_release(&consumer->current);
	free(consumer);
}

/* Says so once, and again when there is another reason, not for each try. */
static void tell_lost(struct feed *feed, const char *why)
{
	if (strcmp(feed->told, why) == 0)
		return;
	message("%s: %s; trying again", feed->text, why);
	snprintf(feed->told, sizeof(feed->told), "%s", why);
}

static void tell_connected(struct feed *feed)
{
	if (feed->told[0])
		message("%s: connected", feed->text);
	feed->told[0] = '\0';
	feed->wavers = false;
}

static const char *reason(int result)
{
	return result == -EPROTO     ? "asks for a shared key, which is not spoken here"
	       : result == -EMSGSIZE ? "talks without end"
	       : result == -ENOTCONN ? "the connection was closed"
				     : strerror(-result);
}

/*
 * Where the next connection goes on. A frame under way may have left the backlog, as
 * others behind it have: those were counted when they did, it is now.
 */
static uint64_t next_place(struct feed *feed, const struct consumer *consumer)
{
	uint64_t place = consumer_place(consumer);

	if (place >= feed->backlog->first)
		return place;
	feed->counts.dropped++;
	return consumer->next;
}

/* One that is lost each time soon after it was made is told of like one that cannot be. */
static void connect_again(struct feed *feed, int result)
{
	int64_t now_ns = monotonic_ns();

	if (now_ns >= dial_settled_ns(&feed->dial))
		tell_connected(feed);
	else
		feed->wavers = true;
	dial_again(&feed->dial, now_ns);
	tell_lost(feed, reason(result));
}

static void end_stdout(struct feed *feed, int result)
{
	feed->end = result == -EPIPE ? FEED_READER_GONE : FEED_FAILED;
	if (feed->end == FEED_FAILED)
		message("cannot write to stdout: %s", strerror(-result));
}

/* What was not sent is another connection's, or nobody's. */
static void lose(struct feed *feed, struct consumer *consumer, int result)
{
	if (feed->target.role == TARGET_CONNECT && !feed->finishing) {
		feed->next = next_place(feed, consumer);
		connect_again(feed, result);
	} else {
		feed->counts.dropped += consumer_left(consumer, feed->backlog);
		if (feed->target.role == TARGET_STDOUT && !feed->finishing)
			end_stdout(feed, result);
	}
	remove_consumer(feed, consumer);
}

/* A file that epoll(7) does not take (EPERM) is always ready. */
static int watch_for(struct consumer *consumer)
{
	int result = watched_set(&consumer->watched, consumer->watched.feed->epoll_fd,
				 consumer_events(consumer));

	return result == -EPERM && !consumer->blocked ? 0 : result;
}

/* One that hung up may have said why before it did. */
static int reason_to_leave(struct consumer *consumer, int result)
{
	bool listens = consumer->is_socket && !consumer->silent;

	return listens && consumer_hear(consumer) == -EPROTO ? -EPROTO : result;
}

static void serve(struct feed *feed, struct consumer *consumer)
{
	int result = consumer_send(consumer, feed->backlog, &feed->counts);

	if (result < 0)
		result = reason_to_leave(consumer, result);
	if (result == 0 && consumer->last && !consumer->current) {
		consumer_hear_out(consumer);
		result = -ESHUTDOWN;
	}
	if (result == 0)
		result = watch_for(consumer);
	if (result < 0)
		lose(feed, consumer, result);
}

/* One that came to us may have no more to say and go on listening. */
static int hear(struct feed *feed, struct consumer *consumer)
{
	int result = consumer_hear(consumer);

	return result == -ENOTCONN && feed->target.role != TARGET_CONNECT ? 0 : result;
}

static void consumer_ready(struct feed *feed, struct consumer *consumer, uint32_t events)
{
	int result = 0;

	if (consumer->is_socket && !consumer->silent && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		result = hear(feed, consumer);
	else if (events & (EPOLLHUP | EPOLLERR))
		result = -EPIPE;
	if (result < 0)
		lose(feed, consumer, result);
	else
		serve(feed, consumer);
}

/* --- those who come to us --------------------------------------------------------- */

static void knock_heard(struct feed *feed, bool heard)
{
	feed->shut = !heard;
	watched_set(&feed->knock, feed->epoll_fd, heard ? (uint32_t)EPOLLIN : 0);
}

/* From the next turn on, so that all it gets is news. */
static void let_in(struct feed *feed, int fd)
{
	struct consumer *consumer;
	int one = 1;

	limit_buffer(fd);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	consumer = add_consumer(feed, fd, true, backlog_end(feed->backlog));
	if (consumer && watch_for(consumer) < 0)
		remove_consumer(feed, consumer);
}

/* False: nobody is left at the door, or cannot be let in. */
static bool admit(struct feed *feed)
{
	int fd = -1;

	errno = EMFILE;
	if (feed->consumer_count < feed->consumers_max)
		fd = accept4(feed->door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return false;
	let_in(feed, fd);
	return true;
}

/*
 * Some at a time, as others wait too. Whoever cannot be let in stays at the door, of
 * which nothing is heard until the next turn: else it would keep us busy.
 */
static void open_door(struct feed *feed)
{
	for (int i = 0; i < AT_ONCE; i++) {
		if (admit(feed))
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			knock_heard(feed, false);
		return;
	}
}

static int listen_at(struct feed *feed, bool allow_remote, struct astshm_error *error)
{
	int result = door_open(&feed->door, feed->target.address, allow_remote, error);

	if (result < 0)
		return result;
	snprintf(feed->text, sizeof(feed->text), "listen:%s%s", feed->door.path ? "" : "tcp:",
		 feed->door.text);
	feed->knock.fd = feed->door.fd;
	return watched_set(&feed->knock, feed->epoll_fd, EPOLLIN);
}

/* --- the one we connect to --------------------------------------------------------- */

static void connected(struct feed *feed)
{
	struct consumer *consumer;

	feed->counts.reconnects += feed->connected_once;
	feed->connected_once = true;
	if (!feed->wavers)
		tell_connected(feed);
	limit_buffer(feed->dial.fd);
	consumer = add_consumer(feed, feed->dial.fd, true, feed->next);
	feed->dial.fd = -1;
	if (consumer)
		serve(feed, consumer);
	else
		dial_again(&feed->dial, monotonic_ns());
}

static void dial(struct feed *feed, int64_t now_ns)
{
	int result = dial_run(&feed->dial, now_ns);

	/* The number of a descriptor tells nothing: it may be that of one closed. */
	feed->answer = (struct watched){ .feed = feed, .fd = feed->dial.fd };
	if (result > 0) {
		connected(feed);
	} else if (result < 0) {
		feed->counts.failures++;
		tell_lost(feed, feed->dial.why);
	} else if (feed->dial.state == DIAL_CONNECTING) {
		watched_set(&feed->answer, feed->epoll_fd, EPOLLOUT);
	}
}

/* --- stdout --------------------------------------------------------------------------- */

/* A copy of the descriptor: closing it at the end leaves stdout to the C library. */
static int open_stdout(struct feed *feed, struct astshm_error *error)
{
	struct consumer *consumer;
	struct stat status;
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0 || fstat(fd, &status) < 0) {
		snprintf(error->text, sizeof(error->text), "stdout: %s", strerror(errno));
		return -errno;
	}
	snprintf(feed->text, sizeof(feed->text), "stdout");
	consumer = add_consumer(feed, fd, S_ISSOCK(status.st_mode), feed->next);
	return consumer ? watch_for(consumer) : -ENOMEM;
}

/* --- all of it ---------------------------------------------------------------------------- */

int feed_open(struct feed *feed, const struct target *target, int epoll_fd,
	      const struct backlog *backlog, uint64_t consumers_max, bool allow_remote,
	      struct astshm_error *error)
{
	int result = 0;

	*feed = (struct feed){
		.target = *target, .epoll_fd = epoll_fd, .backlog = backlog,
		.consumers_max = consumers_max,
		.door = { .fd = -1 }, .knock = { .feed = feed, .fd = -1 },
		.answer = { .feed = feed, .fd = -1 }, .dial = { .fd = -1 },
		.next = backlog_end(backlog),
	};
	snprintf(feed->text, sizeof(feed->text), "%s", target->text);
	if (target->role == TARGET_LISTEN)
		result = listen_at(feed, allow_remote, error);
	else if (target->role == TARGET_STDOUT)
		result = open_stdout(feed, error);
	else
		dial_init(&feed->dial, target->address);
	if (result < 0)
		feed_close(feed);
	return result;
}

void feed_close(struct feed *feed)
{
	while (feed->consumers)
		remove_consumer(feed, feed->consumers);
	door_close(&feed->door);
	if (feed->target.role == TARGET_CONNECT)
		dial_fini(&feed->dial);
}

void feed_finish(struct feed *feed)
{
	struct consumer *next;

	feed->finishing = true;
	door_close(&feed->door);
	if (feed->target.role == TARGET_CONNECT) {
		dial_fini(&feed->dial);
		if (!feed->consumers)
			feed->counts.dropped += backlog_end(feed->backlog) - feed->next;
	}
	for (struct consumer *consumer = feed->consumers; consumer; consumer = next) {
		next = consumer->next_of_feed;
		consumer->last = true;
		serve(feed, consumer);
	}
}

void feed_cut(struct feed *feed)
{
	if (feed->consumers)
		message("%s: hung up on %" PRIu64 " within a frame", feed->text,
			feed->consumer_count);
	while (feed->consumers)
		lose(feed, feed->consumers, -ETIMEDOUT);
}

bool feed_wants(const struct feed *feed)
{
	return feed->consumers || feed->target.role == TARGET_CONNECT;
}

/*
 * On those that had connected to us, and are too slow or gone. One that we have
 * connected to is given the newest instead, as is stdout.
 */
static void hang_up(struct feed *feed)
{
	struct consumer *next;

	for (struct consumer *consumer = feed->consumers; consumer; consumer = next) {
		bool slow = consumer_is_slow(consumer, feed->backlog);

		next = consumer->next_of_feed;
		feed->counts.slow += slow;
		if (slow || consumer_is_doubtful(consumer, feed->backlog))
			lose(feed, consumer, -ETIMEDOUT);
	}
	if (feed->counts.slow > feed->slow_told)
		message("%s: hung up on %" PRIu64 " too slow", feed->text,
			feed->counts.slow - feed->slow_told);
	feed->slow_told = feed->counts.slow;
}

/* What has left the backlog is lost, also to one that is not connected. */
static void skip_lost(struct feed *feed, uint64_t *next)
{
	uint64_t first = feed->backlog->first;

	if (*next >= first)
		return;
	feed->counts.dropped += first - *next;
	*next = first;
}

void feed_turn(struct feed *feed)
{
	struct consumer *next;

	if (feed->target.role == TARGET_LISTEN)
		hang_up(feed);
	else if (feed->target.role == TARGET_CONNECT && !feed->consumers)
		skip_lost(feed, &feed->next);
	if (feed->shut)
		knock_heard(feed, true);
	for (struct consumer *consumer = feed->consumers; consumer; consumer = next) {
		next = consumer->next_of_feed;
		skip_lost(feed, &consumer->next);
		if (!consumer->blocked)
			serve(feed, consumer);
	}
}

int64_t feed_due_ns(const struct feed *feed)
{
	if (feed->target.role != TARGET_CONNECT || feed->finishing)
		return INT64_MAX;
	if (!feed->consumers)
		return feed->dial.until_ns;
	return feed->wavers ? dial_settled_ns(&feed->dial) : INT64_MAX;
}

void feed_due(struct feed *feed, int64_t now_ns)
{
	if (feed_due_ns(feed) > now_ns)
		return;
	if (feed->consumers)
		tell_connected(feed);
	else
		dial(feed, now_ns);
}

void feed_ready(struct feed *feed, struct watched *watched, uint32_t events)
{
	if (watched == &feed->knock)
		open_door(feed);
	else if (watched == &feed->answer)
		dial(feed, monotonic_ns());
	else
		consumer_ready(feed, (struct consumer *)watched, events);
}
