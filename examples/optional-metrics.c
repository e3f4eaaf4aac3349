/* SPDX-License-Identifier: MIT */
/*
 * The recipes "disable", "optional paths" and "missing metrics" of
 * doc/metrics.md. usage: optional-metrics [SEGMENT]; try ASTSHM_DISABLE=1 too.
 */
#include <inttypes.h>
#include <stdio.h>

#include <astshm/writer.h>

#include "workload.h"

/* Critical paths are always timed; the others only while recording is on. */
static void handle_request(struct astshm_writer *writer)
{
	ASTSHM_TIME_SCOPE_NAMED(writer, "critical.request", ASTSHM_NO_TAGS);

	workload_run(1000);
	if (astshm_writer_recording(writer)) {
		struct astshm_timer timer = astshm_timer_start();
		workload_run(100);
		astshm_time(writer, "optional.logging", astshm_timer_elapsed_ns(timer),
			    ASTSHM_NO_TAGS);
	}
}

/* "No such metric" is not the same as zero. */
static void print_test_counter(struct astshm_writer *writer, const char *when)
{
	int64_t value;

	astshm_increment(writer, "test.counter", 1, ASTSHM_NO_TAGS);
	if (astshm_get_counter(writer, "test.counter", ASTSHM_NO_TAGS, &value) == 0)
		printf("%s: test.counter is %" PRId64 "\n", when, value);
	else
		printf("%s: no such metric\n", when);
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "optional", NULL, &error) != 0) {
		fprintf(stderr, "optional-metrics: %s\n", error.text);
		return 1;
	}
	handle_request(writer);
	print_test_counter(writer, astshm_writer_recording(writer) ? "recording" : "disabled");
	astshm_writer_set_recording(writer, false);
	print_test_counter(writer, "switched off");
	astshm_writer_set_recording(writer, true);
	print_test_counter(writer, "switched on");
	astshm_writer_close(&writer);
	return 0;
}
