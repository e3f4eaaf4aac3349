/* SPDX-License-Identifier: MIT */
#include "consumer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAID_BYTES_MAX 65536u

/*
 * A pipe is not made non-blocking, as others may have it open too. One that is
 * ready takes PIPE_BUF bytes without waiting (POSIX, write()).
 */
static ssize_t write_some(const struct consumer *consumer, const char *bytes, size_t count)
{
	struct pollfd polled = { .fd = consumer->watched.fd, .events = POLLOUT };

	if (consumer->is_socket)
		return send(polled.fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (poll(&polled, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(polled.fd, bytes, count < PIPE_BUF ? count : PIPE_BUF);
}

static bool take_next(struct consumer *consumer, const struct backlog *backlog)
{
	struct frame *frame = consumer->last ? NULL : backlog_at(backlog, consumer->next);

	if (!frame)
		return false;
	consumer->current = frame_hold(frame);
	consumer->sent = 0;
	consumer->next++;
	return true;
}

int consumer_send(struct consumer *consumer, const struct backlog *backlog,
		  struct feed_counts *counts)
{
	consumer->blocked = false;
	while (consumer->current || take_next(consumer, backlog)) {
		const struct buffer *form = &consumer->current->forms[consumer->framing];
		ssize_t count = write_some(consumer, form->bytes + consumer->sent,
					   form->count - consumer->sent);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			consumer->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
			return consumer->blocked ? 0 : -errno;
		}
		consumer->sent += (size_t)count;
		if (consumer->sent < form->count)
			continue;
		counts->sent++;
		consumer->turn = backlog->turn;
		frame_release(&consumer->current);
	}
	return 0;
}

/* ["HELO", {...}], with which the handshake of the forward protocol begins. */
static bool is_helo(const char *bytes, size_t count)
{
	static const char helo[] = "\x92\xa4HELO";

	return count >= sizeof(helo) - 1 && memcmp(bytes, helo, sizeof(helo) - 1) == 0;
}

int consumer_hear(struct consumer *consumer)
{
	char bytes[4096];
	ssize_t count = recv(consumer->watched.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (count < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
	if (count == 0) {
		consumer->silent = true;
		return -ENOTCONN;
	}
	if (consumer->framing == FRAMING_FLUENTD && consumer->said == 0 &&
	    is_helo(bytes, (size_t)count))
		return -EPROTO;
	consumer->said += (size_t)count;
	return consumer->said > SAID_BYTES_MAX ? -EMSGSIZE : 0;
}

void consumer_hear_out(const struct consumer *consumer)
{
	char bytes[4096];
	size_t left = SAID_BYTES_MAX;

	while (consumer->is_socket && left >= sizeof(bytes) &&
	       recv(consumer->watched.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		left -= sizeof(bytes);
}

bool consumer_is_slow(const struct consumer *consumer, const struct backlog *backlog)
{
	return consumer->next < backlog->first ||
	       (consumer->current && backlog->turn - consumer->current->turn >= BACKLOG_TURNS);
}

bool consumer_is_doubtful(const struct consumer *consumer, const struct backlog *backlog)
{
	return consumer->silent && backlog->turn - consumer->turn >= BACKLOG_TURNS;
}

uint64_t consumer_left(const struct consumer *consumer, const struct backlog *backlog)
{
	return backlog_end(backlog) - consumer->next + (consumer->current ? 1 : 0);
}

uint64_t consumer_place(const struct consumer *consumer)
{
	return consumer->current ? consumer->current->number : consumer->next;
}

uint32_t consumer_events(const struct consumer *consumer)
{
	return (consumer->is_socket && !consumer->silent ? (uint32_t)EPOLLIN : 0) |
	       (consumer->blocked ? (uint32_t)EPOLLOUT : 0);
}
