/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket server with a host that does what its standard input says, a line
 * a command, for test_websocket.py:
 *
 *     broadcast TEXT      to all
 *     burst COUNT BYTES   COUNT broadcasts "NUMBER xxx..", BYTES long
 *     none                a broadcast that could not be made
 *     welcome BYTES       the length of later welcomes; -1: they cannot be made
 *     hold | release      keeps welcomes back; sends those kept back
 *     metrics             prints all values as JSON, and how many welcomes are held
 *     limit COUNT         of open files
 *     stop                stops, prints "stopped"
 *
 * Welcomes are "welcome NUMBER xxx..", counted from 1. What a client says comes
 * back to it behind "loopback " or "remote ". Each command ends with a line "ok".
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "websocket.h"

#define HELD_MAX 1024u
#define COMMAND_MAX 4096u

struct host {
	struct websocket *websocket;
	struct server_metrics metrics;
	pthread_mutex_t lock; /* of what follows; the WebSocket thread and main */
	unsigned long welcomes;
	long welcome_bytes;
	bool holding;
	websocket_client held[HELD_MAX];
	size_t held_count;
};

static struct message *numbered(const char *word, unsigned long number, size_t bytes)
{
	char *text = malloc(bytes + 64);

	if (!text)
		return NULL;
	size_t length = (size_t)sprintf(text, "%s%lu ", word, number);
	if (length < bytes) {
		memset(text + length, 'x', bytes - length);
		length = bytes;
	}
	struct message *message = message_create(text, length);
	free(text);
	return message;
}

static void welcome(struct host *host, websocket_client client)
{
	struct message *message = NULL;

	if (host->welcome_bytes >= 0)
		message = numbered("welcome ", ++host->welcomes, (size_t)host->welcome_bytes);
	websocket_welcome(host->websocket, client, message);
}

static void joined(void *context, websocket_client client)
{
	struct host *host = context;

	pthread_mutex_lock(&host->lock);
	if (!host->holding)
		welcome(host, client);
	else if (host->held_count < HELD_MAX)
		host->held[host->held_count++] = client;
	pthread_mutex_unlock(&host->lock);
}

static void received(void *context, websocket_client client, bool loopback, const char *text,
		     size_t length)
{
	struct host *host = context;
	const char *from = loopback ? "loopback " : "remote ";
	size_t from_length = strlen(from);
	char *reply = malloc(from_length + length);

	if (!reply)
		return;
	memcpy(reply, from, from_length);
	memcpy(reply + from_length, text, length);
	websocket_send(host->websocket, client, message_create(reply, from_length + length));
	free(reply);
}

static void hold(struct host *host, bool holding)
{
	pthread_mutex_lock(&host->lock);
	host->holding = holding;
	for (size_t i = 0; !holding && i < host->held_count; i++)
		welcome(host, host->held[i]);
	if (!holding)
		host->held_count = 0;
	pthread_mutex_unlock(&host->lock);
}

static void set_welcome_bytes(struct host *host, long bytes)
{
	pthread_mutex_lock(&host->lock);
	host->welcome_bytes = bytes;
	pthread_mutex_unlock(&host->lock);
}

static int64_t counter(const struct host *host, const char *name)
{
	int64_t value = -1;

	astshm_get_counter(host->metrics.writer, name, NULL, 0, &value);
	return value;
}

static size_t held_count(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	size_t count = host->held_count;
	pthread_mutex_unlock(&host->lock);
	return count;
}

static void print_metrics(struct host *host)
{
	struct astshm_gauge_value clients = { 0 };
	struct astshm_statistics sizes = { 0 };

	astshm_get_gauge(host->metrics.writer, "websocket.clients", NULL, 0, &clients);
	astshm_get_distribution(host->metrics.writer, "websocket.message.size", NULL, 0, &sizes);
	printf("{\"clients\":%.0f,\"attempt\":%lld,\"success\":%lld,\"failure\":%lld,"
	       "\"dropped\":%lld,\"refused\":%lld,\"sizes\":%llu,\"largest\":%.0f,"
	       "\"held\":%zu}\n",
	       clients.current,
	       (long long)counter(host, "websocket.broadcast.attempt"),
	       (long long)counter(host, "websocket.broadcast.success"),
	       (long long)counter(host, "websocket.broadcast.failure"),
	       (long long)counter(host, "websocket.queue.dropped"),
	       (long long)counter(host, "errors.client_message"),
	       (unsigned long long)sizes.count, sizes.count > 0 ? sizes.max : 0,
	       held_count(host));
}

static void limit_files(unsigned long count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = count;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void burst(struct host *host, unsigned long count, size_t bytes)
{
	for (unsigned long i = 0; i < count; i++)
		websocket_broadcast(host->websocket, numbered("", i, bytes));
}

static void obey(struct host *host, const char *command)
{
	unsigned long count;
	size_t bytes;
	long welcome_bytes;

	if (strncmp(command, "broadcast ", 10) == 0)
		websocket_broadcast(host->websocket,
				    message_create(command + 10, strlen(command + 10)));
	else if (sscanf(command, "burst %lu %zu", &count, &bytes) == 2)
		burst(host, count, bytes);
	else if (strcmp(command, "none") == 0)
		websocket_broadcast(host->websocket, NULL);
	else if (sscanf(command, "welcome %ld", &welcome_bytes) == 1)
		set_welcome_bytes(host, welcome_bytes);
	else if (strcmp(command, "hold") == 0 || strcmp(command, "release") == 0)
		hold(host, command[0] == 'h');
	else if (strcmp(command, "metrics") == 0)
		print_metrics(host);
	else if (sscanf(command, "limit %lu", &count) == 1)
		limit_files(count);
	else if (strcmp(command, "stop") == 0)
		websocket_stop(host->websocket);
	else
		printf("what is '%s'?\n", command);
	printf("ok\n");
	fflush(stdout);
}

static void announce(const struct host *host)
{
	char address[ADDRESS_TEXT_MAX];

	address_format(websocket_bound(host->websocket), address);
	printf("ready %s\n", address);
	fflush(stdout);
}

static int serve(struct host *host, const struct websocket_options *options)
{
	const struct websocket_host callbacks = { joined, received, host };
	char command[COMMAND_MAX];

	if (websocket_open(&host->websocket, options, &callbacks, &host->metrics) < 0 ||
	    websocket_start(host->websocket) < 0)
		return EXIT_FAILURE;
	announce(host);
	while (fgets(command, sizeof command, stdin)) {
		command[strcspn(command, "\n")] = '\0';
		obey(host, command);
	}
	websocket_close(&host->websocket);
	return EXIT_SUCCESS;
}

/* SEGMENT HOST PORT CLIENTS QUEUE PING PONG HANDSHAKE [ORIGIN...] */
int main(int argc, char **argv)
{
	static struct host host = { .lock = PTHREAD_MUTEX_INITIALIZER };

	if (argc < 9)
		return 2;
	struct metrics_options metrics = { .name = argv[1] };
	struct websocket_options options = {
		.clients = strtoul(argv[4], NULL, 10), .queue_messages = strtoul(argv[5], NULL, 10),
		.ping_ms = (uint32_t)strtoul(argv[6], NULL, 10),
		.pong_ms = (uint32_t)strtoul(argv[7], NULL, 10),
		.handshake_ms = (uint32_t)strtoul(argv[8], NULL, 10),
		.origins = (const char *const *)argv + 9, .origin_count = (size_t)argc - 9 };

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_DEBUG);
	if (address_resolve(argv[2], (uint16_t)strtoul(argv[3], NULL, 10), &options.address) != 0 ||
	    metrics_open(&host.metrics, &metrics) < 0)
		return EXIT_FAILURE;
	int status = serve(&host, &options);
	metrics_close(&host.metrics);
	return status;
}
