/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connection.h"
#include "utf8.h"

/* That may wait for one client, its welcome apart. */
#define FIFO_BYTES (16u << 20)
/*
 * Between two welcomes of one client. A welcome is the whole tree, made by the
 * thread that applies events: whoever reads too slowly must not keep it busy.
 */
#define WELCOME_PAUSE_MS 1000u

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- coming and going ---------------------------------------------------- */

static void show_clients(const struct websocket *websocket)
{
	astshm_gauge_set(websocket->metrics->websocket_clients, (double)websocket->client_count);
}

static struct connection *create(struct websocket *websocket, const struct address *peer)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (!connection)
		return NULL;
	connection->websocket = websocket;
	connection->id = ++websocket->last_id;
	connection->loopback = address_is_loopback(peer);
	fifo_init(&connection->fifo, websocket->options.queue_messages, FIFO_BYTES);
	connection->next = websocket->connections;
	if (connection->next)
		connection->next->previous = connection;
	websocket->connections = connection;
	websocket->connection_count++;
	return connection;
}

/* Its socket was closed. */
static void destroy(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;

	if (connection->previous)
		connection->previous->next = connection->next;
	else
		websocket->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	websocket->connection_count--;
	if (connection->state != CONNECTION_HANDSHAKE) {
		websocket->client_count--;
		show_clients(websocket);
	}
	if (websocket->arriving == connection)
		websocket->arriving = NULL;
	lws_sul_cancel(&connection->ask_again);
	fifo_fini(&connection->fifo);
	assembly_fini(&connection->incoming);
	free(connection);
}

void connection_accept(struct websocket *websocket, int fd, const struct address *peer)
{
	struct connection *connection = create(websocket, peer);

	if (!connection) {
		upgrade_refuse_socket(fd);
		return;
	}
	lws_adopt_desc_t description = { .vh = websocket->vhost, .fd = { .sockfd = fd },
					 .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
					 .opaque = connection };
	/* A failure closes the socket; whether it was told (WSI_DESTROY) depends on where. */
	websocket->arriving = connection;
	connection->wsi = lws_adopt_descriptor_vhost_via_info(&description);
	if (!connection->wsi && websocket->arriving)
		destroy(connection);
	else if (connection->wsi)
		lws_set_timer_usecs(connection->wsi, (lws_usec_t)websocket->options.handshake_ms *
				    LWS_US_PER_MS);
	websocket->arriving = NULL;
}

/* From here on nothing is queued for it. */
static void begin_closing(struct connection *connection)
{
	connection->state = CONNECTION_CLOSING;
	fifo_fini(&connection->fifo);
}

/* Returns what the callback must. */
static int close_with(struct connection *connection, enum lws_close_status code,
		      const char *reason)
{
	unsigned char text[64];
	size_t length = strlen(reason);

	memcpy(text, reason, length);
	lws_close_reason(connection->wsi, code, text, length);
	begin_closing(connection);
	return -1;
}

static void ask(struct connection *connection)
{
	const struct websocket_host *host = &connection->websocket->host;

	connection->asked = true;
	connection->asked_ms = now_ms();
	host->joined(host->context, connection->id);
}

static void open_connection(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;

	connection->state = CONNECTION_OPEN;
	websocket->client_count++;
	show_clients(websocket);
	lws_set_timer_usecs(connection->wsi,
			    (lws_usec_t)websocket->options.ping_ms * LWS_US_PER_MS);
	ask(connection);
}

void connection_go_away(struct connection *connection)
{
	if (connection->state == CONNECTION_HANDSHAKE)
		lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE,
				LWS_TO_KILL_ASYNC);
	else if (connection->state == CONNECTION_OPEN)
		lws_callback_on_writable(connection->wsi);
}

/* A silent peer: one without handshake is dropped, a client is pinged, then dropped. */
static int on_timer(struct connection *connection)
{
	const struct websocket_options *options = &connection->websocket->options;

	if (connection->state != CONNECTION_OPEN)
		return -1;
	if (connection->pong_owed)
		return close_with(connection, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "no pong");
	connection->pong_owed = true;
	connection->ping_due = true;
	lws_callback_on_writable(connection->wsi);
	lws_set_timer_usecs(connection->wsi, (lws_usec_t)options->pong_ms * LWS_US_PER_MS);
	return 0;
}

static void on_pong(struct connection *connection)
{
	const struct websocket_options *options = &connection->websocket->options;

	if (!connection->pong_owed)
		return;
	connection->pong_owed = false;
	connection->ping_due = false;
	lws_set_timer_usecs(connection->wsi, (lws_usec_t)options->ping_ms * LWS_US_PER_MS);
}

/* --- what goes out ------------------------------------------------------- */

/* Takes one reference more. While anything waits, a call of on_writable is due. */
static int enqueue(struct connection *connection, struct message *message)
{
	int result = fifo_put(&connection->fifo, message);

	if (result < 0) {
		astshm_counter_add(connection->websocket->metrics->client_dropped, 1);
		return result;
	}
	message_hold(message);
	if (connection->fifo.count == 1)
		lws_callback_on_writable(connection->wsi);
	return 0;
}

int connection_broadcast(struct connection *connection, struct message *message)
{
	if (connection->state != CONNECTION_OPEN || !connection->welcomed)
		return 0;
	int result = enqueue(connection, message);
	if (result < 0)
		connection->out_of_step = true;
	return result;
}

void connection_send(struct connection *connection, struct message *message)
{
	/* A lost answer is counted, but the client's picture of the tree is right. */
	if (connection->state == CONNECTION_OPEN)
		enqueue(connection, message);
}

void connection_welcome(struct connection *connection, struct message *message)
{
	if (connection->state != CONNECTION_OPEN)
		return;
	connection->asked = false;
	connection->welcomed = true;
	connection->out_of_step = false;
	if (message && fifo_put_unlimited(&connection->fifo, message) == 0)
		message_hold(message);
	else
		connection->hopeless = true;
	lws_callback_on_writable(connection->wsi);
}

void connection_note_lost(struct connection *connection, uint64_t lost)
{
	if (connection->state != CONNECTION_OPEN || !connection->welcomed)
		return;
	astshm_counter_add(connection->websocket->metrics->client_dropped, lost);
	connection->out_of_step = true;
}

static void ask_again(lws_sorted_usec_list_t *sul)
{
	connection_settle(lws_container_of(sul, struct connection, ask_again));
}

void connection_settle(struct connection *connection)
{
	if (!connection->out_of_step || connection->asked || connection->fifo.count > 0 ||
	    connection->state != CONNECTION_OPEN || connection->websocket->stopping)
		return;
	uint64_t since_ms = now_ms() - connection->asked_ms;
	if (since_ms >= WELCOME_PAUSE_MS)
		ask(connection);
	else
		lws_sul_schedule(connection->websocket->context, 0, &connection->ask_again,
				 ask_again,
				 (lws_usec_t)(WELCOME_PAUSE_MS - since_ms) * LWS_US_PER_MS);
}

/* Called when the socket has room. */
static int on_writable(struct connection *connection)
{
	const struct websocket *websocket = connection->websocket;

	if (connection->state != CONNECTION_OPEN)
		return 0;
	if (connection->hopeless)
		return close_with(connection, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "no memory");
	if (connection->ping_due && connection_ping(connection) < 0)
		return -1;
	bool give_up = websocket->hurrying && connection->written == 0;
	if (!give_up && connection_write(connection) < 0)
		return -1;
	if (connection->fifo.count > 0 && !give_up)
		lws_callback_on_writable(connection->wsi);
	else if (websocket->leaving)
		return close_with(connection, LWS_CLOSE_STATUS_GOINGAWAY, "server stops");
	else
		connection_settle(connection);
	return 0;
}

/* --- what comes in ------------------------------------------------------- */

/* For what the peer sent. Returns as close_with. */
static int refuse(struct connection *connection, enum lws_close_status code, const char *reason)
{
	astshm_counter_add(connection->websocket->metrics->client_failures, 1);
	return close_with(connection, code, reason);
}

static int deliver(struct connection *connection, const char *text, size_t length)
{
	const struct websocket_host *host = &connection->websocket->host;

	/* Binary is taken as text, but nobody promised UTF-8: the host says what is wrong. */
	if (!connection->incoming_binary && !utf8_valid(text, length))
		return refuse(connection, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "not UTF-8");
	host->received(host->context, connection->id, connection->loopback, text, length);
	return 0;
}

static int on_receive(struct connection *connection, const void *piece, size_t length)
{
	struct assembly *incoming = &connection->incoming;
	size_t announced = lws_remaining_packet_payload(connection->wsi);
	bool first = lws_is_first_fragment(connection->wsi);
	bool last = lws_is_final_fragment(connection->wsi) && announced == 0;

	if (connection->state != CONNECTION_OPEN)
		return 0;
	if (first)
		connection->incoming_binary = lws_frame_is_binary(connection->wsi);
	if (last && incoming->length == 0 && length <= WEBSOCKET_MESSAGE_BYTES)
		return deliver(connection, piece, length);
	int result = assembly_add(incoming, piece, length, announced, WEBSOCKET_MESSAGE_BYTES);
	if (result == -EMSGSIZE)
		return refuse(connection, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too long");
	if (result < 0)
		return close_with(connection, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "no memory");
	if (!last)
		return 0;
	result = deliver(connection, incoming->text, incoming->length);
	assembly_clear(incoming);
	return result;
}

/* --- libwebsockets ------------------------------------------------------- */

static int on_connection(struct connection *connection, enum lws_callback_reasons reason,
			 void *in, size_t length)
{
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return upgrade_confirm(connection, in);
	case LWS_CALLBACK_HTTP:
		upgrade_explain(connection->wsi);
		return -1;
	case LWS_CALLBACK_RAW_ADOPT: /* CONNECT, which makes it a tunnel */
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_ESTABLISHED:
		open_connection(connection);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(connection);
	case LWS_CALLBACK_RECEIVE:
		return on_receive(connection, in, length);
	case LWS_CALLBACK_RECEIVE_PONG:
		on_pong(connection);
		return 0;
	case LWS_CALLBACK_TIMER:
		return on_timer(connection);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		begin_closing(connection);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		destroy(connection);
		return 0;
	default:
		return 0;
	}
}

int connection_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			void *in, size_t length)
{
	(void)user;
	/* These come with no connection, or with what only looks like one. */
	if (reason == LWS_CALLBACK_GET_THREAD_ID || reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED ||
	    reason == LWS_CALLBACK_PROTOCOL_INIT || reason == LWS_CALLBACK_PROTOCOL_DESTROY)
		return 0;
	if (reason == LWS_CALLBACK_RAW_RX_FILE) {
		listener_ready(lws_context_user(lws_get_context(wsi)));
		return 0;
	}
	struct connection *connection = lws_get_opaque_user_data(wsi);
	if (!connection)
		return 0;
	connection->wsi = wsi;
	return on_connection(connection, reason, in, length);
}
