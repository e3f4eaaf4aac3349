/* SPDX-License-Identifier: MIT */
/*
 * Example 1 of doc/metrics.md: record what an event costs, then print the
 * summary. usage: example-1-basic-monitoring [SEGMENT]
 */
#include <inttypes.h>
#include <stdio.h>

#include <astshm/writer.h>

#include "stdout-sink.h"
#include "workload.h"

/* Stands for a server's event path: every call below is one it would make. */
static void process_live_event(struct astshm_writer *writer, const char *path, int track)
{
	ASTSHM_TIME_SCOPE_NAMED(writer, "event.processing.duration",
				ASTSHM_TAGS({ "event_type", path }));

	astshm_increment(writer, "events.received", 1, ASTSHM_NO_TAGS);
	workload_run(1000u * (1u + (unsigned)track % 10u));
	astshm_increment(writer, "events.processed", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events.processed.by_type", 1,
			 ASTSHM_TAGS({ "event_type", path }));
}

static void print_performance(struct astshm_writer *writer)
{
	struct astshm_statistics latency;
	int64_t processed;

	if (astshm_get_counter(writer, "events.processed", ASTSHM_NO_TAGS, &processed) == 0)
		printf("Processed %" PRId64 " events\n", processed);
	if (astshm_get_timing(writer, "event.processing.duration",
			      ASTSHM_TAGS({ "event_type", "/live/track/renamed" }), &latency) == 0)
		printf("p95 latency: %.3f ms\n", latency.p95 / 1e6);
}

static int print_summary(struct astshm_writer *writer)
{
	struct astshm_snapshot *snapshot;
	int result = astshm_get_all_metrics(writer, &snapshot, NULL);

	if (result != 0)
		return result;
	result = astshm_encode_summary(snapshot, &stdout_sink, NULL);
	putchar('\n');
	astshm_snapshot_free(&snapshot);
	return result;
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-1", NULL, &error) != 0) {
		fprintf(stderr, "example-1: %s\n", error.text);
		return 1;
	}
	for (int i = 0; i < 100; i++)
		process_live_event(writer, "/live/track/renamed", i);
	print_performance(writer);
	int result = print_summary(writer);
	astshm_writer_close(&writer);
	return result == 0 ? 0 : 1;
}
