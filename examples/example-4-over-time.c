/* SPDX-License-Identifier: MIT */
/*
 * Example 4 of doc/metrics.md: start afresh, watch for a while, print the final
 * summary. usage: example-4-over-time [SEGMENT [SECONDS [EVERY]]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <astshm/writer.h>

#include "stdout-sink.h"
#include "workload.h"

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void process_events(struct astshm_writer *writer)
{
	ASTSHM_TIME_SCOPE_NAMED(writer, "event.processing.duration", ASTSHM_NO_TAGS);

	workload_run(50000);
	astshm_increment(writer, "events.processed", 1, ASTSHM_NO_TAGS);
}

static void print_progress(struct astshm_writer *writer, double elapsed)
{
	struct astshm_statistics latency;
	int64_t processed;

	if (astshm_get_counter(writer, "events.processed", ASTSHM_NO_TAGS, &processed) == 0 &&
	    astshm_get_timing(writer, "event.processing.duration", ASTSHM_NO_TAGS,
			      &latency) == 0)
		printf("[%.1f s] Processed: %" PRId64 ", p95: %.3f ms\n", elapsed, processed,
		       latency.p95 / 1e6);
}

static void monitor(struct astshm_writer *writer, double seconds, double every)
{
	double start = now_seconds();
	double next = every;

	for (double elapsed = 0; elapsed < seconds; elapsed = now_seconds() - start) {
		process_events(writer);
		if (elapsed >= next) {
			print_progress(writer, elapsed);
			next += every;
		}
	}
}

static int print_final(struct astshm_writer *writer)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_snapshot *snapshot;
	int result = astshm_get_all_metrics(writer, &snapshot, NULL);

	if (result != 0)
		return result;
	options.flags = ASTSHM_ENCODE_PRETTY;
	puts("Final statistics:");
	result = astshm_encode_summary(snapshot, &stdout_sink, &options);
	putchar('\n');
	astshm_snapshot_free(&snapshot);
	return result;
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-4", NULL, &error) != 0) {
		fprintf(stderr, "example-4: %s\n", error.text);
		return 1;
	}
	process_events(writer); /* before the reset: must not be counted */
	astshm_reset(writer);
	monitor(writer, argc > 2 ? strtod(argv[2], NULL) : 60,
		argc > 3 ? strtod(argv[3], NULL) : 10);
	int result = print_final(writer);
	astshm_writer_close(&writer);
	return result == 0 ? 0 : 1;
}
