/* SPDX-License-Identifier: MIT */
/*
 * emit FORMAT SAMPLE: writes a document of a made-up snapshot to stdout, for
 * checks by programs that are not ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static int write_out(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -1;
}

/* The rich sample 2.5 s after itself, with a little more in it. */
static struct astshm_snapshot *make_interval(void)
{
	struct astshm_snapshot *older = sample_threads(), *newer = sample_threads(), *interval;
	newer->timestamp_ns += 2500000000ull;
	for (size_t i = newer->first[0]; i < newer->first[1]; i++) {
		struct astshm_series *series = &newer->series[i];
		if (series->counter.value < INT64_MAX)
			series->counter.value += series->monotonic ? 10 : -4;
	}
	if (astshm_snapshot_subtract(newer, older, &interval, NULL) < 0)
		abort();
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	return interval;
}

static struct astshm_snapshot *make_merged(void)
{
	struct astshm_snapshot *parts[2] = { sample_rich(), sample_threads() }, *merged;
	parts[1]->segment.state = ASTSHM_STATE_DEAD;
	parts[1]->segment.heartbeat_age_ns = -1;
	if (astshm_snapshot_merge((const struct astshm_snapshot *const *)parts, 2, &merged, NULL) <
	    0)
		abort();
	astshm_snapshot_free(&parts[0]);
	astshm_snapshot_free(&parts[1]);
	return merged;
}

static struct astshm_snapshot *make_empty(void)
{
	struct astshm_snapshot *snapshot = sample_begin();
	sample_end(snapshot);
	return snapshot;
}

/* Names and tags that Prometheus' alphabet makes the same. */
static struct astshm_snapshot *make_colliding(void)
{
	static const struct astshm_tag tags[] = {
		{ "__name__", "other" }, { "a-b", "1" }, { "a.b", "2" }, { "a_b_2", "3" },
		{ "le", "4" },
	};
	struct astshm_snapshot *snapshot = sample_begin();
	sample_gauge(snapshot, "queue.depth", 1);
	sample_gauge(snapshot, "queue-depth", 2);
	sample_gauge(snapshot, "wait_seconds_count", 3);
	sample_gauge(snapshot, "9\nlives\xff", 3);
	sample_timing(snapshot, "wait", NULL, 0);
	sample_series(snapshot, ASTSHM_KIND_TIMING, "lag", tags, 5);
	sample_series(snapshot, ASTSHM_KIND_TIMING, "lag", tags + 1, 1);
	sample_series(snapshot, ASTSHM_KIND_TIMING, "lag", tags + 2, 1);
	sample_end(snapshot);
	return snapshot;
}

static const struct {
	const char *name;
	struct astshm_snapshot *(*make)(void);
} samples[] = {
	{ "rich", sample_rich },   { "threads", sample_threads }, { "interval", make_interval },
	{ "merged", make_merged }, { "empty", make_empty },       { "colliding", make_colliding },
	{ "window", sample_window },
};

static const struct {
	const char *name;
	sample_encoder encode;
	unsigned flags;
} formats[] = {
	{ "json", astshm_encode_json, 0 },
	{ "buckets", astshm_encode_json, ASTSHM_ENCODE_BUCKETS },
	{ "pretty", astshm_encode_json, ASTSHM_ENCODE_BUCKETS | ASTSHM_ENCODE_PRETTY },
	{ "msgpack", astshm_encode_msgpack, 0 },
	{ "prometheus", astshm_encode_prometheus, 0 },
	{ "summary", astshm_encode_summary, 0 },
	{ "table", astshm_encode_table, 0 },
	{ "color", astshm_encode_table, ASTSHM_ENCODE_COLOR },
};

static int emit(size_t format, size_t sample)
{
	struct astshm_snapshot *snapshot = samples[sample].make();
	struct astshm_sink sink = { write_out, stdout };
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	options.flags = formats[format].flags;
	options.width = 80;
	int code = formats[format].encode(snapshot, &sink, &options);
	astshm_snapshot_free(&snapshot);
	return code < 0 || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	size_t format = 0, sample = 0;
	const size_t format_count = sizeof formats / sizeof formats[0];
	const size_t sample_count = sizeof samples / sizeof samples[0];
	while (argc == 3 && format < format_count && strcmp(argv[1], formats[format].name) != 0)
		format++;
	while (argc == 3 && sample < sample_count && strcmp(argv[2], samples[sample].name) != 0)
		sample++;
	if (argc == 3 && format < format_count && sample < sample_count)
		return emit(format, sample);
	fprintf(stderr, "usage: emit FORMAT SAMPLE\n");
	return 2;
}
