/* SPDX-License-Identifier: MIT */
/*
 * Example 7 of doc/metrics.md: the health of a broadcasting server. The size of
 * a message is a distribution of bytes, not a timing.
 * usage: example-7-websocket-health [SEGMENT]
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include <astshm/writer.h>

struct hub {
	struct astshm_writer *writer;
	struct astshm_distribution message_size;
	unsigned clients;
};

static void hub_init(struct hub *hub, struct astshm_writer *writer)
{
	*hub = (struct hub){ .writer = writer, .clients = 3 };
	astshm_distribution_register(writer,
				     &(struct astshm_metric){ .name = "websocket.message.size",
							      .unit = "bytes" },
				     &hub->message_size, NULL);
}

/* Sending fails when a message does not fit into a client's queue. */
static bool send_to_clients(const struct hub *hub, int length)
{
	return hub->clients > 0 && length < 100;
}

static void broadcast(struct hub *hub, int sequence)
{
	char message[256];
	int length = snprintf(message, sizeof message, "{\"type\":\"DIFF_UPDATE\",\"seq\":%d%*s}",
			      sequence, sequence % 100, "");

	astshm_increment(hub->writer, "websocket.broadcast.attempt", 1, ASTSHM_NO_TAGS);
	astshm_set(hub->writer, "websocket.clients", hub->clients, ASTSHM_NO_TAGS);
	astshm_distribution_record(hub->message_size, length);
	astshm_increment(hub->writer,
			 send_to_clients(hub, length) ? "websocket.broadcast.success"
						      : "websocket.broadcast.failure",
			 1, ASTSHM_NO_TAGS);
}

static void print_health(struct astshm_writer *writer)
{
	struct astshm_gauge_value clients;
	struct astshm_statistics size;
	int64_t sent, failed;

	if (astshm_get_gauge(writer, "websocket.clients", ASTSHM_NO_TAGS, &clients) == 0)
		printf("Connected clients: %.0f (peak %.0f)\n", clients.current, clients.max);
	if (astshm_get_counter(writer, "websocket.broadcast.success", ASTSHM_NO_TAGS, &sent) == 0)
		printf("Broadcasts sent: %" PRId64 "\n", sent);
	if (astshm_get_counter(writer, "websocket.broadcast.failure", ASTSHM_NO_TAGS,
			       &failed) == 0)
		printf("Broadcasts failed: %" PRId64 "\n", failed);
	if (astshm_get_distribution(writer, "websocket.message.size", ASTSHM_NO_TAGS,
				    &size) == 0)
		printf("Message size: mean %.1f, largest %.0f bytes\n", size.mean, size.max);
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;
	struct hub hub;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-7", NULL, &error) != 0) {
		fprintf(stderr, "example-7: %s\n", error.text);
		return 1;
	}
	hub_init(&hub, writer);
	for (int sequence = 0; sequence < 200; sequence++) {
		if (sequence == 150)
			hub.clients = 2;
		broadcast(&hub, sequence);
	}
	print_health(writer);
	astshm_writer_close(&writer);
	return 0;
}
