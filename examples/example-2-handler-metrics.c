/* SPDX-License-Identifier: MIT */
/*
 * Example 2 of doc/metrics.md: metrics of one's own in an event handler, through
 * handles. usage: example-2-handler-metrics [SEGMENT]
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include <astshm/writer.h>

#include "workload.h"

struct handler {
	struct astshm_timing operation;
	struct astshm_counter success;
	struct astshm_counter failure;
	struct astshm_gauge queue_depth;
	unsigned queued;
};

/* A failure to register leaves a null handle: recording through it is nothing. */
static void handler_init(struct handler *handler, struct astshm_writer *writer)
{
	astshm_timing_register(writer,
			       &(struct astshm_metric){ .name = "custom.operation",
							.help = "Time of one custom event." },
			       &handler->operation, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "custom.success" },
				&handler->success, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "custom.failure" },
				&handler->failure, NULL);
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "custom.queue_depth" },
			      &handler->queue_depth, NULL);
}

static bool do_work(struct handler *handler, int event)
{
	ASTSHM_TIME_SCOPE(handler->operation);

	workload_run(2000);
	return event % 7 != 0;
}

static bool handle_custom_event(struct handler *handler, int event)
{
	handler->queued = handler->queued ? handler->queued - 1 : 12;
	bool done = do_work(handler, event);

	astshm_counter_add(done ? handler->success : handler->failure, 1);
	astshm_gauge_set(handler->queue_depth, handler->queued);
	return done;
}

static void print_results(struct astshm_writer *writer)
{
	struct astshm_gauge_value depth;
	struct astshm_statistics operation;
	int64_t success, failure;

	if (astshm_get_counter(writer, "custom.success", ASTSHM_NO_TAGS, &success) == 0 &&
	    astshm_get_counter(writer, "custom.failure", ASTSHM_NO_TAGS, &failure) == 0)
		printf("success %" PRId64 " failure %" PRId64 "\n", success, failure);
	if (astshm_get_timing(writer, "custom.operation", ASTSHM_NO_TAGS, &operation) == 0)
		printf("operation: %" PRIu64 " times, mean %.0f ns\n", operation.count,
		       operation.mean);
	if (astshm_get_gauge(writer, "custom.queue_depth", ASTSHM_NO_TAGS, &depth) == 0)
		printf("queue depth: now %.0f, peak %.0f\n", depth.current, depth.max);
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;
	struct handler handler = { 0 };

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-2", NULL, &error) != 0) {
		fprintf(stderr, "example-2: %s\n", error.text);
		return 1;
	}
	handler_init(&handler, writer);
	for (int event = 0; event < 70; event++)
		handle_custom_event(&handler, event);
	print_results(writer);
	astshm_writer_close(&writer);
	return 0;
}
