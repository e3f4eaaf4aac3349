/* SPDX-License-Identifier: MIT */
/*
 * The recipe "custom export format" of doc/metrics.md: walk a snapshot and
 * print it in a format of one's own. (Prometheus' own format, with buckets, is
 * astshm-cat -f prometheus.) usage: custom-export [SEGMENT]
 */
#include <inttypes.h>
#include <stdio.h>

#include <astshm/reader.h>

static void print_histogram(const struct astshm_series *series)
{
	static const double wanted[] = { 0.5, 0.95, 0.99 };
	static const char *const labels[] = { "p50", "p95", "p99" };
	double values[3];

	printf("%s.count %" PRIu64 "\n", series->key, series->histogram.count);
	if (series->histogram.count == 0)
		return;
	astshm_histogram_quantiles(&series->histogram, series->kind, wanted, values, 3);
	for (int i = 0; i < 3; i++)
		printf("%s.%s %.0f\n", series->key, labels[i], values[i]);
}

static void print_series(const struct astshm_series *series)
{
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		printf("%s %" PRId64 "\n", series->key, series->counter.value);
		break;
	case ASTSHM_KIND_GAUGE:
		printf("%s %g\n", series->key, series->gauge.current);
		break;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		print_histogram(series);
		break;
	}
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;

	if (astshm_reader_open(&reader, argc > 1 ? argv[1] : "ast-server", NULL, &error) != 0) {
		fprintf(stderr, "custom-export: %s\n", error.text);
		return 1;
	}
	int result = astshm_reader_snapshot(reader, 0, &snapshot, &error);
	astshm_reader_close(&reader);
	if (result != 0) {
		fprintf(stderr, "custom-export: %s\n", error.text);
		return 1;
	}
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++)
		print_series(astshm_snapshot_at(snapshot, i));
	astshm_snapshot_free(&snapshot);
	return 0;
}
