/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"

/* Of broadcasts between the threads that send and this one; more if a client's queue is longer. */
#define OUTLET_MESSAGES 4096u
#define OUTLET_BYTES (16u << 20)
/* The longest headers of a request, all of them together. */
#define HTTP_HEADER_BYTES 4096
#define RECEIVE_BYTES 4096
#define DEFAULT_SILENCE_MS 20000u
#define DEFAULT_HANDSHAKE_MS 5000u
/* Half of the time that a stop may take is for what still waits, the rest for goodbyes. */
#define STOP_HURRY_US (200 * LWS_US_PER_MS)
#define STOP_FINISH_US (200 * LWS_US_PER_MS)

/* --- what is sent ---------------------------------------------------------- */

static struct connection *find(const struct websocket *websocket, websocket_client id)
{
	struct connection *connection = websocket->connections;

	while (connection && connection->id != id)
		connection = connection->next;
	return connection;
}

static void note_lost(struct websocket *websocket, uint64_t lost)
{
	for (struct connection *c = websocket->connections; lost > 0 && c; c = c->next)
		connection_note_lost(c, lost);
}

static void broadcast(struct websocket *websocket, struct message *message)
{
	struct server_metrics *metrics = websocket->metrics;
	bool lost = false;

	for (struct connection *c = websocket->connections; c; c = c->next)
		lost |= connection_broadcast(c, message) < 0;
	astshm_counter_add(lost ? metrics->broadcast_failure : metrics->broadcast_success, 1);
}

static void distribute_one(struct websocket *websocket, const struct outlet_entry *entry)
{
	struct connection *connection;

	note_lost(websocket, entry->lost_before);
	if (entry->kind == OUTLET_BROADCAST) {
		broadcast(websocket, entry->message);
		return;
	}
	connection = find(websocket, entry->client);
	if (!connection)
		return;
	if (entry->kind == OUTLET_WELCOME)
		connection_welcome(connection, entry->message);
	else
		connection_send(connection, entry->message);
}

static bool is_distributed(const struct websocket *websocket)
{
	return websocket->distributed == websocket->line.count;
}

static void end_line(struct websocket *websocket)
{
	note_lost(websocket, websocket->line.lost);
	for (struct connection *c = websocket->connections; c; c = c->next)
		connection_settle(c);
	outlet_line_clear(&websocket->line);
	websocket->distributed = 0;
}

/*
 * A slice of the line, so that clients who read get what is queued for them, and
 * have room again, before the next.
 */
static void distribute(struct websocket *websocket)
{
	struct outlet_line *line = &websocket->line;
	size_t slice = websocket->options.queue_messages / 2 + 1;

	for (; slice > 0 && !is_distributed(websocket); slice--)
		distribute_one(websocket, &line->entries[websocket->distributed++]);
	if (is_distributed(websocket) && (line->count > 0 || line->lost > 0))
		end_line(websocket);
}

/* --- stopping -------------------------------------------------------------- */

static void go_away(struct websocket *websocket)
{
	websocket->leaving = true;
	for (struct connection *c = websocket->connections; c; c = c->next)
		connection_go_away(c);
}

static void finish(lws_sorted_usec_list_t *sul)
{
	struct websocket *websocket = lws_container_of(sul, struct websocket, stop_timer);

	websocket->finished = true;
	/* Timers run before the wait for sockets, which must end now. */
	lws_cancel_service(websocket->context);
}

static void hurry(lws_sorted_usec_list_t *sul)
{
	struct websocket *websocket = lws_container_of(sul, struct websocket, stop_timer);

	websocket->hurrying = true;
	go_away(websocket);
	lws_sul_schedule(websocket->context, 0, sul, finish, STOP_FINISH_US);
}

static void begin_stop(struct websocket *websocket)
{
	websocket->stopping = true;
	lws_rx_flow_control(websocket->listener, 0);
	lws_sul_schedule(websocket->context, 0, &websocket->stop_timer, hurry, STOP_HURRY_US);
}

/* --- the thread ------------------------------------------------------------ */

static void destroy_context(struct websocket *websocket)
{
	lws_sul_cancel(&websocket->accept_again);
	lws_sul_cancel(&websocket->stop_timer);
	lws_context_destroy(websocket->context);
	websocket->context = NULL;
}

/* What other threads sent, or a slice of it. */
static void move_on(struct websocket *websocket)
{
	if (is_distributed(websocket) &&
	    !outlet_take(&websocket->outlet, &websocket->line) && !websocket->stopping)
		begin_stop(websocket);
	distribute(websocket);
	if (websocket->stopping && !websocket->leaving && is_distributed(websocket))
		go_away(websocket);
}

static bool is_over(const struct websocket *websocket)
{
	return websocket->finished || (websocket->leaving && websocket->connection_count == 0);
}

static void *serve(void *argument)
{
	struct websocket *websocket = argument;

	pthread_setname_np(pthread_self(), "ast-websocket");
	for (;;) {
		move_on(websocket);
		if (is_over(websocket))
			break;
		/* Negative: looks at the sockets, and does not wait for them. */
		lws_service(websocket->context, is_distributed(websocket) ? 0 : -1);
	}
	destroy_context(websocket);
	return NULL;
}

/* --- what others call ---------------------------------------------------- */

void websocket_broadcast(struct websocket *websocket, struct message *message)
{
	struct server_metrics *metrics = websocket->metrics;

	astshm_counter_add(metrics->broadcast_attempt, 1);
	if (message)
		astshm_distribution_record(metrics->message_size, (int64_t)message->length);
	if (outlet_put(&websocket->outlet, OUTLET_BROADCAST, 0, message) < 0)
		astshm_counter_add(metrics->broadcast_failure, 1);
}

void websocket_send(struct websocket *websocket, websocket_client client,
		    struct message *message)
{
	outlet_put(&websocket->outlet, OUTLET_SEND, client, message);
}

void websocket_welcome(struct websocket *websocket, websocket_client client,
		       struct message *message)
{
	outlet_put(&websocket->outlet, OUTLET_WELCOME, client, message);
}

/* --- opening and closing ------------------------------------------------- */

/* The one thing that libwebsockets lets other threads call. */
static void wake(void *context)
{
	lws_cancel_service(((struct websocket *)context)->context);
}

/* Strangers cause most of its errors: of interest to whoever looks for one. */
static void log_line(int level, const char *line)
{
	(void)level;
	log_write(LOG_DEBUG, "libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

static int copy_options(struct websocket *websocket, const struct websocket_options *options)
{
	struct websocket_options *copy = &websocket->options;

	*copy = *options;
	copy->origins = NULL;
	copy->origin_count = 0;
	if (copy->ping_ms == 0)
		copy->ping_ms = DEFAULT_SILENCE_MS;
	if (copy->pong_ms == 0)
		copy->pong_ms = DEFAULT_SILENCE_MS;
	if (copy->handshake_ms == 0)
		copy->handshake_ms = DEFAULT_HANDSHAKE_MS;
	websocket->origins = calloc(options->origin_count + 1, sizeof *websocket->origins);
	if (!websocket->origins)
		return -ENOMEM;
	for (size_t i = 0; i < options->origin_count; i++) {
		websocket->origins[i] = strdup(options->origins[i]);
		if (!websocket->origins[i])
			return -ENOMEM;
		copy->origin_count++;
	}
	return 0;
}

static int create_context(struct websocket *websocket)
{
	/* The listener, the event that wakes, and one that libwebsockets keeps free. */
	size_t descriptors = websocket->options.clients + CONNECTIONS_SPARE + 4;

	websocket->protocols[0] = (struct lws_protocols){
		.name = websocket->subprotocol, .callback = connection_callback,
		.rx_buffer_size = RECEIVE_BYTES, .tx_packet_size = UNFRAGMENTED_MAX + LWS_PRE };
	strcpy(websocket->subprotocol, "ast");
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER, .protocols = websocket->protocols,
		.user = websocket, .fd_limit_per_thread = (unsigned)descriptors,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.max_http_header_data = HTTP_HEADER_BYTES,
		.timeout_secs = (unsigned)(websocket->options.handshake_ms + 999) / 1000 };

	lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
	websocket->context = lws_create_context(&info);
	if (!websocket->context)
		return -ENOMEM;
	websocket->vhost = lws_create_vhost(websocket->context, &info);
	return websocket->vhost ? listener_attach(websocket) : -ENOMEM;
}

static void open_outlet(struct websocket *websocket, size_t queue_messages)
{
	size_t messages = queue_messages > OUTLET_MESSAGES ? queue_messages : OUTLET_MESSAGES;

	outlet_init(&websocket->outlet, messages, OUTLET_BYTES, wake, websocket);
}

static int open_parts(struct websocket *websocket, const struct websocket_options *options)
{
	int result = copy_options(websocket, options);

	if (result == 0)
		result = listener_open(websocket);
	return result < 0 ? result : create_context(websocket);
}

static void log_open_failure(const struct address *address, int result)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	log_write(LOG_ERROR, "websocket %s: %s", text, strerror(-result));
}

int websocket_open(struct websocket **websocket, const struct websocket_options *options,
		   const struct websocket_host *host, struct server_metrics *metrics)
{
	struct websocket *opened = calloc(1, sizeof *opened);

	if (!opened)
		return -ENOMEM;
	opened->listening = -1;
	opened->host = *host;
	opened->metrics = metrics;
	open_outlet(opened, options->queue_messages);
	int result = open_parts(opened, options);
	if (result < 0) {
		log_open_failure(&options->address, result);
		websocket_close(&opened);
		return result;
	}
	*websocket = opened;
	return 0;
}

const struct address *websocket_bound(const struct websocket *websocket)
{
	return &websocket->bound;
}

int websocket_start(struct websocket *websocket)
{
	int result = pthread_create(&websocket->thread, NULL, serve, websocket);

	websocket->running = result == 0;
	return -result;
}

void websocket_stop(struct websocket *websocket)
{
	if (!websocket->running)
		return;
	outlet_close(&websocket->outlet);
	pthread_join(websocket->thread, NULL);
	websocket->running = false;
}

static void count_line(const struct websocket *websocket)
{
	for (size_t i = websocket->distributed; i < websocket->line.count; i++) {
		if (websocket->line.entries[i].kind == OUTLET_BROADCAST)
			astshm_counter_add(websocket->metrics->broadcast_failure, 1);
	}
}

/* What never got out: the time was up, or the thread was never started. */
static void count_left(struct websocket *websocket)
{
	count_line(websocket);
	outlet_line_clear(&websocket->line);
	websocket->distributed = 0;
	outlet_take(&websocket->outlet, &websocket->line);
	count_line(websocket);
	outlet_line_fini(&websocket->line);
}

void websocket_close(struct websocket **websocket)
{
	struct websocket *closing = *websocket;

	if (!closing)
		return;
	/* Until then the host's callbacks may be using *websocket. */
	websocket_stop(closing);
	*websocket = NULL;
	count_left(closing);
	outlet_fini(&closing->outlet);
	if (closing->context)
		destroy_context(closing);
	if (closing->listening >= 0)
		close(closing->listening);
	for (size_t i = 0; i < closing->options.origin_count; i++)
		free(closing->origins[i]);
	free(closing->origins);
	free(closing);
}
