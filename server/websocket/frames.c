/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "connection.h"

/* Writes to one client before others get their turn. */
#define WRITES_MAX 4
#define FRAME_HEADER_MAX 10u
/* libwebsockets keeps the payload of an empty pong to itself. */
#define PING_TEXT "ast"

/* The header of a text frame that is a whole message (RFC 6455, 5.2). */
static size_t put_header(unsigned char *out, size_t length)
{
	size_t used = 0;
	unsigned length_bytes = length < 126 ? 0 : length <= UINT16_MAX ? 2 : 8;

	out[used++] = 0x81; /* final, text */
	out[used++] = length_bytes == 0 ? (unsigned char)length : length_bytes == 2 ? 126 : 127;
	for (unsigned i = length_bytes; i > 0; i--)
		out[used++] = (unsigned char)((uint64_t)length >> (8 * (i - 1)));
	return used;
}

/* Moves what fits from the FIFO into the scratch buffer, as frames. The bytes of them. */
static size_t gather(struct connection *connection)
{
	unsigned char *out = connection->websocket->scratch + LWS_PRE;
	struct message *head;
	size_t used = 0;

	while ((head = fifo_head(&connection->fifo)) != NULL &&
	       head->length <= SCRATCH_BYTES - FRAME_HEADER_MAX &&
	       used <= SCRATCH_BYTES - FRAME_HEADER_MAX - head->length) {
		used += put_header(out + used, head->length);
		memcpy(out + used, message_text(head), head->length);
		used += head->length;
		fifo_drop_head(&connection->fifo);
	}
	return used;
}

/*
 * What the socket does not take libwebsockets copies. Up to UNFRAGMENTED_MAX a
 * message is written whole, so at most that much is copied for a stalled client;
 * a longer one goes in fragments, by way of the scratch buffer because libwebsockets
 * writes each one's header in front of it, into text that others share.
 */
static int write_fragment(struct connection *connection, struct message *message)
{
	unsigned char *scratch = connection->websocket->scratch;
	size_t left = message->length - connection->written;
	size_t length = left < SCRATCH_BYTES ? left : SCRATCH_BYTES;
	unsigned protocol = connection->written == 0 ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;

	if (length < left)
		protocol |= LWS_WRITE_NO_FIN;
	memcpy(scratch + LWS_PRE, message_text(message) + connection->written, length);
	connection->written += length;
	return lws_write(connection->wsi, scratch + LWS_PRE, length,
			 (enum lws_write_protocol)protocol);
}

static int write_long(struct connection *connection, struct message *message)
{
	_Static_assert(MESSAGE_HEADROOM == LWS_PRE, "room for the header of a frame");
	bool whole = message->length <= UNFRAGMENTED_MAX;
	int result = whole ? lws_write(connection->wsi, message->bytes + MESSAGE_HEADROOM,
				       message->length, LWS_WRITE_TEXT) :
			     write_fragment(connection, message);

	if (whole || connection->written == message->length) {
		connection->written = 0;
		fifo_drop_head(&connection->fifo);
	}
	return result;
}

/*
 * One write: as many short messages as the scratch buffer holds, since each write
 * is a system call or two, or the next long one, or a part of it. Negative: the
 * connection is lost.
 */
static int write_some(struct connection *connection)
{
	size_t bytes = connection->written == 0 ? gather(connection) : 0;

	/* What is called HTTP goes out as it is: these are frames already. */
	if (bytes > 0)
		return lws_write(connection->wsi, connection->websocket->scratch + LWS_PRE, bytes,
				 LWS_WRITE_HTTP);
	return write_long(connection, fifo_head(&connection->fifo));
}

int connection_ping(struct connection *connection)
{
	unsigned char ping[LWS_PRE + sizeof PING_TEXT];

	connection->ping_due = false;
	memcpy(ping + LWS_PRE, PING_TEXT, sizeof PING_TEXT);
	return lws_write(connection->wsi, ping + LWS_PRE, strlen(PING_TEXT), LWS_WRITE_PING) < 0 ?
	       -1 : 0;
}

int connection_write(struct connection *connection)
{
	/* Writing to a socket without room would make copies. */
	for (int i = 0; connection->fifo.count > 0 && i < WRITES_MAX &&
			!lws_send_pipe_choked(connection->wsi); i++) {
		if (write_some(connection) < 0)
			return -1;
	}
	return 0;
}
