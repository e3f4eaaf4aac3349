/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"

#define BACKLOG 128
/* Connections taken before others get their turn. */
#define BATCH 16
/* Without descriptors or memory the socket stays ready: looking again at once would spin. */
#define PAUSE_US (100 * LWS_US_PER_MS)
/*
 * The kernel would let each connection's buffer grow to megabytes, which no
 * limit of ours counts. Beyond loopback this is still 2 MB/s at 100 ms.
 */
#define SEND_BUFFER_BYTES (256 << 10)

/* Accepted sockets inherit them. */
static void set_options(int fd)
{
	int on = 1, bytes = SEND_BUFFER_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int listener_open(struct websocket *websocket)
{
	const struct address *address = &websocket->options.address;
	struct address *bound = &websocket->bound;
	int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	websocket->listening = fd;
	set_options(fd);
	bound->length = sizeof bound->storage;
	if (bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&bound->storage, &bound->length) < 0)
		return -errno;
	return 0;
}

int listener_attach(struct websocket *websocket)
{
	/* A file to be watched, not a socket to be served: what it means is ours. */
	lws_adopt_desc_t description = { .vh = websocket->vhost, .type = LWS_ADOPT_RAW_FILE_DESC,
					 .fd = { .filefd = websocket->listening } };

	websocket->listener = lws_adopt_descriptor_vhost_via_info(&description);
	if (!websocket->listener)
		return -ENOMEM;
	websocket->listening = -1;
	return 0;
}

static void resume(lws_sorted_usec_list_t *sul)
{
	struct websocket *websocket = lws_container_of(sul, struct websocket, accept_again);

	if (!websocket->stopping)
		lws_rx_flow_control(websocket->listener, 1);
}

static void pause_accepting(struct websocket *websocket, int error)
{
	log_limited(&websocket->accept_failures, LOG_WARNING, "websocket: accept: %s",
		    strerror(error));
	lws_rx_flow_control(websocket->listener, 0);
	lws_sul_schedule(websocket->context, 0, &websocket->accept_again, resume, PAUSE_US);
}

static void take(struct websocket *websocket, int fd, const struct address *peer)
{
	if (websocket->connection_count < websocket->options.clients + CONNECTIONS_SPARE)
		connection_accept(websocket, fd, peer);
	else
		upgrade_refuse_socket(fd);
}

void listener_ready(struct websocket *websocket)
{
	int fd = lws_get_socket_fd(websocket->listener);

	for (int i = 0; i < BATCH; i++) {
		struct address peer = { .length = sizeof peer.storage };
		int accepted = accept4(fd, (struct sockaddr *)&peer.storage, &peer.length,
				       SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (accepted >= 0) {
			take(websocket, accepted, &peer);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			pause_accepting(websocket, errno);
			return;
		}
	}
}
