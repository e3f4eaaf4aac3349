/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "udp.h"

/* Datagrams taken by one system call. */
#define BATCH 64u

struct drop_control {
	_Alignas(struct cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(uint32_t))];
};

struct udp_listener {
	int socket;
	int stop_event;
	bool running;
	pthread_t thread;
	struct address bound;
	struct intake *intake;
	uint32_t kernel_dropped; /* SO_RXQ_OVFL: since the socket was opened, wraps */
	struct log_limit failures;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage sources[BATCH];
	struct drop_control controls[BATCH];
	unsigned char datagrams[BATCH][OSC_DATAGRAM_MAX];
};

/* --- receiving --------------------------------------------------------- */

/* The total wraps. That of a datagram is of when it was queued, and may be older than what
 * the socket was asked for since. */
static void note_kernel_total(struct udp_listener *listener, uint32_t total)
{
	int32_t more = (int32_t)(total - listener->kernel_dropped);

	if (more <= 0)
		return;
	listener->kernel_dropped = total;
	intake_kernel_dropped(listener->intake, (uint32_t)more);
}

/* With each datagram comes what was dropped until it was queued, if anything was. */
static void note_kernel_drops(struct udp_listener *listener, struct msghdr *header)
{
	uint32_t total;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(control), sizeof total);
		note_kernel_total(listener, total);
	}
}

/* What was dropped behind the last datagram would be told of with the next one, whenever
 * that comes. */
static void ask_kernel_drops(struct udp_listener *listener)
{
	uint32_t information[SK_MEMINFO_VARS];
	socklen_t length = sizeof information;

	if (getsockopt(listener->socket, SOL_SOCKET, SO_MEMINFO, information, &length) == 0 &&
	    length > SK_MEMINFO_DROPS * sizeof information[0])
		note_kernel_total(listener, information[SK_MEMINFO_DROPS]);
}

/* The kernel overwrites lengths and flags of what it fills: they are set again after use. */
static void prepare(struct udp_listener *listener, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		listener->vectors[i] = (struct iovec){ listener->datagrams[i],
						       OSC_DATAGRAM_MAX };
		listener->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &listener->sources[i],
			.msg_namelen = sizeof listener->sources[i],
			.msg_iov = &listener->vectors[i],
			.msg_iovlen = 1,
			.msg_control = listener->controls[i].bytes,
			.msg_controllen = sizeof listener->controls[i].bytes,
		};
	}
}

static void take_one(struct udp_listener *listener, size_t i)
{
	struct mmsghdr *message = &listener->messages[i];
	struct sequence_source source;

	note_kernel_drops(listener, &message->msg_hdr);
	address_bytes(&listener->sources[i], source.address);
	source.port = address_port(&listener->sources[i]);
	intake_datagram(listener->intake, listener->datagrams[i], message->msg_len,
			message->msg_hdr.msg_flags & MSG_TRUNC, &source);
}

/* One batch; what does not fit waits for the next. Where one datagram waited, the queue was
 * not full. */
static void receive(struct udp_listener *listener)
{
	int count = recvmmsg(listener->socket, listener->messages, BATCH, MSG_DONTWAIT, NULL);

	if (count < 0) {
		if (errno != EAGAIN && errno != EINTR)
			log_limited(&listener->failures, LOG_WARNING, "udp: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < (size_t)count; i++)
		take_one(listener, i);
	prepare(listener, (size_t)count);
	if (count > 1)
		ask_kernel_drops(listener);
}

static void *listen_until_stopped(void *argument)
{
	struct udp_listener *listener = argument;
	struct pollfd waits[] = { { .fd = listener->socket, .events = POLLIN },
				  { .fd = listener->stop_event, .events = POLLIN } };

	pthread_setname_np(pthread_self(), "ast-udp");
	while (poll(waits, 2, intake_tell_withheld(listener->intake)) >= 0 || errno == EINTR) {
		if (waits[1].revents)
			break;
		if (waits[0].revents)
			receive(listener);
	}
	intake_tell_withheld_at_end(listener->intake);
	return NULL;
}

/* --- opening and closing ------------------------------------------------ */

/* Beyond net.core.rmem_max if privileged. The kernel reports twice what holds data. */
static void set_buffer(int socket, size_t bytes)
{
	int asked = (int)bytes;
	int granted = 0;
	socklen_t length = sizeof granted;

	if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof asked) < 0)
		setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked);
	getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &granted, &length);
	if (granted / 2 < asked)
		log_write(LOG_INFO, "udp: receive buffer of %d bytes instead of %d "
			  "(net.core.rmem_max)", granted / 2, asked);
}

static int bind_socket(struct udp_listener *listener, const struct address *address,
		       size_t buffer_bytes)
{
	int on = 1;

	listener->socket = socket(address->storage.ss_family,
				  SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->socket < 0)
		return -errno;
	set_buffer(listener->socket, buffer_bytes);
	if (setsockopt(listener->socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) < 0)
		log_write(LOG_WARNING, "udp: the kernel does not tell what it drops");
	if (bind(listener->socket, (const struct sockaddr *)&address->storage,
		 address->length) < 0)
		return -errno;
	listener->bound.length = sizeof listener->bound.storage;
	if (getsockname(listener->socket, (struct sockaddr *)&listener->bound.storage,
			&listener->bound.length) < 0)
		return -errno;
	return 0;
}

static void log_open_failure(const struct address *address, int result)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	log_write(LOG_ERROR, "udp %s: %s", text, strerror(-result));
}

int udp_open(struct udp_listener **listener, const struct address *address,
	     size_t buffer_bytes, struct intake *intake)
{
	struct udp_listener *opened = calloc(1, sizeof *opened);

	if (!opened)
		return -ENOMEM;
	opened->intake = intake;
	opened->socket = -1;
	prepare(opened, BATCH);
	opened->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int result = opened->stop_event < 0 ? -errno : bind_socket(opened, address, buffer_bytes);
	if (result < 0) {
		log_open_failure(address, result);
		udp_close(&opened);
		return result;
	}
	*listener = opened;
	return 0;
}

const struct address *udp_bound(const struct udp_listener *listener)
{
	return &listener->bound;
}

int udp_start(struct udp_listener *listener)
{
	int result = pthread_create(&listener->thread, NULL, listen_until_stopped, listener);

	listener->running = result == 0;
	return -result;
}

void udp_stop(struct udp_listener *listener)
{
	if (!listener->running)
		return;
	eventfd_write(listener->stop_event, 1);
	pthread_join(listener->thread, NULL);
	listener->running = false;
}

void udp_close(struct udp_listener **listener)
{
	struct udp_listener *closing = *listener;

	*listener = NULL;
	if (!closing)
		return;
	udp_stop(closing);
	if (closing->socket >= 0)
		close(closing->socket);
	if (closing->stop_event >= 0)
		close(closing->stop_event);
	free(closing);
}
