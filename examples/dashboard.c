/* SPDX-License-Identifier: MIT */
/*
 * The dashboard of doc/metrics.md: a server's health, once a second. It follows
 * a server that restarts. usage: dashboard [SEGMENT [ROUNDS]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <astshm/reader.h>

static const struct astshm_series *counter(const struct astshm_snapshot *snapshot,
					   const char *key)
{
	return astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, key);
}

static int64_t total(const struct astshm_snapshot *snapshot, const char *key)
{
	const struct astshm_series *series = counter(snapshot, key);

	return series ? series->counter.value : 0;
}

static void print_events(const struct astshm_snapshot *snapshot)
{
	const struct astshm_series *timing =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "event.processing.duration");

	printf("Events processed  %" PRId64 "\n", total(snapshot, "events.processed"));
	if (timing && timing->histogram.count > 0)
		printf("Latency           p50 %.3f ms, p95 %.3f ms, p99 %.3f ms\n",
		       astshm_histogram_quantile(&timing->histogram, timing->kind, 0.50) / 1e6,
		       astshm_histogram_quantile(&timing->histogram, timing->kind, 0.95) / 1e6,
		       astshm_histogram_quantile(&timing->histogram, timing->kind, 0.99) / 1e6);
}

static void print_packets(const struct astshm_snapshot *snapshot)
{
	int64_t received = total(snapshot, "udp.packet.received");
	int64_t lost = total(snapshot, "udp.packet.dropped") - total(snapshot, "udp.packet.late");

	if (!counter(snapshot, "udp.packet.received"))
		return;
	printf("Packets received  %" PRId64 "\n", received);
	printf("Packets lost      %" PRId64 " (%.2f %%)\n", lost,
	       received + lost > 0 ? 100.0 * (double)lost / (double)(received + lost) : 0.0);
}

static void print_dashboard(const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	printf("%s, pid %" PRIu32 ", %s, up %.1f s\n", segment->name, segment->pid,
	       astshm_state_name(segment->state),
	       (double)astshm_snapshot_uptime_ns(snapshot) / 1e9);
	print_events(snapshot);
	print_packets(snapshot);
	printf("Errors            %" PRId64 "\n", total(snapshot, "errors.event_processing"));
	fflush(stdout);
}

static int show_once(struct astshm_reader *reader, struct astshm_error *error)
{
	struct astshm_snapshot *snapshot;
	int result = astshm_reader_snapshot(reader, 0, &snapshot, error);

	if (result == 0) {
		print_dashboard(snapshot);
		astshm_snapshot_free(&snapshot);
	}
	return result;
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_reader *reader;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
	int result = astshm_reader_open(&reader, argc > 1 ? argv[1] : "ast-server", NULL, &error);

	if (result == 0) {
		result = show_once(reader, &error);
		while (result == 0 && --rounds != 0) {
			sleep(1);
			result = show_once(reader, &error);
		}
		astshm_reader_close(&reader);
	}
	if (result != 0)
		fprintf(stderr, "dashboard: %s\n", error.text);
	return result == 0 ? 0 : 1;
}
