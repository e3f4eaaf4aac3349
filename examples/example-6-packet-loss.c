/* SPDX-License-Identifier: MIT */
/*
 * Example 6 of doc/metrics.md: track lost packets by their sequence numbers.
 * usage: example-6-packet-loss [SEGMENT]
 */
#include <inttypes.h>
#include <stdio.h>

#include <astshm/writer.h>

struct listener {
	struct astshm_counter received;
	struct astshm_counter dropped;
	struct astshm_counter gaps;
	struct astshm_gauge sequence;
	int32_t last;
};

static void listener_init(struct listener *listener, struct astshm_writer *writer)
{
	listener->last = -1;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "udp.packet.received" },
				&listener->received, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "udp.packet.dropped" },
				&listener->dropped, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "udp.sequence.gap" },
				&listener->gaps, NULL);
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "udp.current_sequence" },
			      &listener->sequence, NULL);
}

static void on_packet(struct listener *listener, int32_t sequence)
{
	astshm_counter_add(listener->received, 1);
	if (sequence > listener->last + 1) {
		astshm_counter_add(listener->dropped, (uint64_t)(sequence - listener->last - 1));
		astshm_counter_add(listener->gaps, 1);
	}
	astshm_gauge_set(listener->sequence, sequence);
	listener->last = sequence;
}

static void print_loss(struct astshm_writer *writer)
{
	int64_t received, dropped;

	if (astshm_get_counter(writer, "udp.packet.received", ASTSHM_NO_TAGS, &received) != 0 ||
	    astshm_get_counter(writer, "udp.packet.dropped", ASTSHM_NO_TAGS, &dropped) != 0)
		return;
	printf("received %" PRId64 " dropped %" PRId64 "\n", received, dropped);
	if (received + dropped > 0)
		printf("Packet loss rate: %.2f %%\n",
		       100.0 * (double)dropped / (double)(received + dropped));
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;
	struct listener listener;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-6", NULL, &error) != 0) {
		fprintf(stderr, "example-6: %s\n", error.text);
		return 1;
	}
	listener_init(&listener, writer);
	/* The network loses 98 and 99 of each hundred packets. */
	for (int32_t sequence = 0; sequence < 1001; sequence++)
		if (sequence % 100 < 98)
			on_packet(&listener, sequence);
	print_loss(writer);
	astshm_writer_close(&writer);
	return 0;
}
