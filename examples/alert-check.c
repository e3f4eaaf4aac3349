/* SPDX-License-Identifier: MIT */
/*
 * The alerting recipe of doc/metrics.md: look at a running server's metrics and
 * say which are past their thresholds. Point reads: after the first, each costs
 * no allocation and no system call, so it may run as often as one likes.
 *
 * usage: alert-check [SEGMENT [P95_MILLISECONDS]]
 * exit status 0: no alert, 1: alert, 3: unknown
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <astshm/layout.h>
#include <astshm/reader.h>

#define LATENCY_P95_MS 100.0
#define DROPPED_MAX 100
#define ERRORS_MAX 10

/* A metric that nobody recorded yet raises no alert. */
static int alert_counter(struct astshm_reader *reader, const char *name, int64_t limit)
{
	struct astshm_point point;
	int64_t value;

	if (astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, name, NULL, 0, &point) != 0 ||
	    astshm_reader_counter(reader, &point, &value) != 0 || value <= limit)
		return 0;
	printf("ALERT %s is %" PRId64 ", more than %" PRId64 "\n", name, value, limit);
	return 1;
}

static int alert_p95(struct astshm_reader *reader, const char *name, double limit_ms)
{
	static uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct astshm_histogram histogram;
	struct astshm_point point;

	if (astshm_reader_resolve(reader, ASTSHM_KIND_TIMING, name, NULL, 0, &point) != 0 ||
	    astshm_reader_histogram(reader, &point, &histogram, slots) != 0)
		return 0;
	double p95 = astshm_histogram_quantile(&histogram, ASTSHM_KIND_TIMING, 0.95) / 1e6;
	if (!(p95 > limit_ms))
		return 0;
	printf("ALERT %s p95 is %.3f ms, more than %g ms\n", name, p95, limit_ms);
	return 1;
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_reader *reader;

	if (astshm_reader_open(&reader, argc > 1 ? argv[1] : "ast-server", NULL, &error) != 0) {
		fprintf(stderr, "alert-check: %s\n", error.text);
		return 3;
	}
	double limit_ms = argc > 2 ? strtod(argv[2], NULL) : LATENCY_P95_MS;
	int alerts = alert_p95(reader, "event.processing.duration", limit_ms) +
		     alert_counter(reader, "udp.packet.dropped", DROPPED_MAX) +
		     alert_counter(reader, "errors.event_processing", ERRORS_MAX);
	if (alerts == 0)
		puts("no alert");
	astshm_reader_close(&reader);
	return alerts ? 1 : 0;
}
