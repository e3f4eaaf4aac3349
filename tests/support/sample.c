/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include "window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <astshm/buckets.h>

/* Tests cannot go on without memory. */
static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static const char *copy_text(struct astshm_snapshot *snapshot, const char *text)
{
	return need(reader_arena_text(snapshot->arena, text, strlen(text)));
}

struct astshm_snapshot *sample_begin(void)
{
	struct astshm_snapshot *snapshot = need(snapshot_create());
	snapshot->timestamp_ns = SAMPLE_TIMESTAMP_NS;
	snapshot->uptime_ns = 3600500000000ull;
	snapshot->has_segment = true;
	snapshot->segment = (struct astshm_segment_info){
		.name = "sample",
		.pid = 4711,
		.state = ASTSHM_STATE_LIVE,
		.generation = 0x0123456789abcdefull,
		.recording = true,
		.epoch = 3,
		.counters_epoch = 5,
		.heartbeat_age_ns = 250000000,
		.bytes = 1048576,
		.threads = 4,
	};
	snapshot->series = need(
		reader_arena_array(snapshot->arena, SAMPLE_SERIES_MAX, sizeof *snapshot->series));
	snapshot->families = need(
		reader_arena_array(snapshot->arena, SAMPLE_SERIES_MAX, sizeof *snapshot->families));
	return snapshot;
}

struct astshm_family *sample_family(struct astshm_snapshot *snapshot, enum astshm_kind kind,
				    const char *name)
{
	for (size_t i = 0; i < snapshot->family_count; i++) {
		if (snapshot->families[i]->kind == kind &&
		    strcmp(snapshot->families[i]->name, name) == 0)
			return (struct astshm_family *)(uintptr_t)snapshot->families[i];
	}
	struct astshm_family *family =
		need(reader_arena_alloc(snapshot->arena, sizeof *family));
	family->kind = kind;
	family->monotonic = kind == ASTSHM_KIND_COUNTER;
	family->name = copy_text(snapshot, name);
	family->name_len = (uint32_t)strlen(name);
	family->unit = snapshot_kind_unit(kind);
	family->unit_len = (uint32_t)strlen(family->unit);
	family->help = "";
	snapshot->families[snapshot->family_count++] = family;
	return family;
}

void sample_describe(struct astshm_snapshot *snapshot, enum astshm_kind kind, const char *name,
		     const char *unit, const char *help)
{
	struct astshm_family *family = sample_family(snapshot, kind, name);
	family->unit = copy_text(snapshot, unit);
	family->unit_len = (uint32_t)strlen(unit);
	family->help = copy_text(snapshot, help);
	family->help_len = (uint32_t)strlen(help);
}

struct astshm_series *sample_series(struct astshm_snapshot *snapshot, enum astshm_kind kind,
				    const char *name, const struct astshm_tag *tags,
				    uint32_t count)
{
	struct astshm_series *series = &snapshot->series[snapshot->series_count++];
	struct astshm_label *labels =
		need(reader_arena_array(snapshot->arena, count + 1, sizeof *labels));
	if (snapshot->series_count > SAMPLE_SERIES_MAX)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		labels[i].key = copy_text(snapshot, tags[i].key);
		labels[i].key_len = (uint32_t)strlen(tags[i].key);
		labels[i].value = copy_text(snapshot, tags[i].value);
		labels[i].value_len = (uint32_t)strlen(tags[i].value);
	}
	size_t length = snapshot_key(NULL, name, strlen(name), labels, count);
	char *key = need(reader_arena_alloc(snapshot->arena, length + 1));
	snapshot_key(key, name, strlen(name), labels, count);
	series->kind = kind;
	series->monotonic = kind == ASTSHM_KIND_COUNTER;
	series->key = key;
	series->key_len = (uint32_t)length;
	series->family = sample_family(snapshot, kind, name);
	series->tags = labels;
	series->tag_count = count;
	if (kind == ASTSHM_KIND_TIMING || kind == ASTSHM_KIND_DISTRIBUTION)
		sample_fill(snapshot, &series->histogram, kind, NULL, 0);
	return series;
}

void sample_counter(struct astshm_snapshot *snapshot, const char *name, int64_t value)
{
	sample_series(snapshot, ASTSHM_KIND_COUNTER, name, NULL, 0)->counter.value = value;
}

void sample_gauge(struct astshm_snapshot *snapshot, const char *name, double current)
{
	struct astshm_gauge_value *gauge =
		&sample_series(snapshot, ASTSHM_KIND_GAUGE, name, NULL, 0)->gauge;
	gauge->current = current;
	if (!isfinite(current))
		return;
	gauge->count = 1;
	gauge->sum = gauge->min = gauge->max = current;
}

static void count_value(struct astshm_histogram *histogram, uint64_t *slots,
			enum astshm_kind kind, int64_t value)
{
	const uint64_t *table =
		kind == ASTSHM_KIND_TIMING ? astshm_timing_table : astshm_distribution_table;
	uint32_t slot = astshm_bucket_slot_any(table, value);
	uint64_t before = histogram->sum;
	if (slot == ASTSHM_HISTOGRAM_ZERO)
		histogram->zero_count++;
	else if (slot == ASTSHM_HISTOGRAM_OVERFLOW)
		histogram->overflow_count++;
	else
		slots[slot - 1]++;
	if (!histogram->count || (uint64_t)value < histogram->min)
		histogram->min = (uint64_t)value;
	if (!histogram->count || (uint64_t)value > histogram->max)
		histogram->max = (uint64_t)value;
	histogram->sum += (uint64_t)value;
	histogram->sum_hi += histogram->sum < before;
	histogram->count++;
}

void sample_fill(struct astshm_snapshot *snapshot, struct astshm_histogram *histogram,
		 enum astshm_kind kind, const int64_t *values, size_t count)
{
	uint64_t *slots = NULL;
	*histogram = (struct astshm_histogram){ .has_buckets = true, .has_extremes = true,
						.first_slot = ASTSHM_HISTOGRAM_FIRST };
	if (count)
		slots = need(reader_arena_array(snapshot->arena, ASTSHM_HISTOGRAM_LAST,
						sizeof *slots));
	for (size_t i = 0; i < count; i++)
		count_value(histogram, slots, kind, values[i]);
	histogram->slots = slots;
	histogram->slot_count = count ? ASTSHM_HISTOGRAM_LAST : 0;
}

void sample_timing(struct astshm_snapshot *snapshot, const char *name, const int64_t *values,
		   size_t count)
{
	struct astshm_series *series =
		sample_series(snapshot, ASTSHM_KIND_TIMING, name, NULL, 0);
	sample_fill(snapshot, &series->histogram, ASTSHM_KIND_TIMING, values, count);
}

void sample_end(struct astshm_snapshot *snapshot)
{
	if (snapshot_finish(snapshot) < 0)
		abort();
}

/* --- the rich sample ------------------------------------------------------ */

static void add_counters(struct astshm_snapshot *snapshot)
{
	static const struct astshm_tag mute[] = { { "event_type", "/live/track/mute" } };
	static const struct astshm_tag hostile[] = {
		{ "a=b,c", "[x]\\y" },
		{ "quote", "\"\n\t\x01\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	};
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "events.received", "",
			"Events \"received\" so far\nfrom a\\b");
	sample_counter(snapshot, "events.received", 15420);
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "events.received.by_type", mute, 1)
		->counter.value = 7;
	sample_series(snapshot, ASTSHM_KIND_COUNTER, "hostile", hostile, 2)->counter.value = 1;
	sample_counter(snapshot, "counter.largest", INT64_MAX);
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "process.cpu", "seconds", "CPU time");
	sample_counter(snapshot, "process.cpu", 12000000345);
	struct astshm_series *updown =
		sample_series(snapshot, ASTSHM_KIND_COUNTER, "websocket.pending", NULL, 0);
	updown->monotonic = false;
	updown->counter.value = -3;
	sample_family(snapshot, ASTSHM_KIND_COUNTER, "websocket.pending")->monotonic = false;
}

static void add_gauges(struct astshm_snapshot *snapshot)
{
	static const struct astshm_tag queue[] = { { "queue", "udp" } };
	sample_describe(snapshot, ASTSHM_KIND_GAUGE, "cache.hit_rate", "ratio", "Cache hits");
	sample_gauge(snapshot, "cache.hit_rate", 0.873);
	sample_gauge(snapshot, "gauge.nan", NAN);
	sample_gauge(snapshot, "gauge.infinite", INFINITY);
	sample_gauge(snapshot, "gauge.third", 1.0 / 3);
	sample_family(snapshot, ASTSHM_KIND_GAUGE, "queue.depth")->merge = ASTSHM_MERGE_SUM;
	struct astshm_gauge_value *gauge =
		&sample_series(snapshot, ASTSHM_KIND_GAUGE, "queue.depth", queue, 1)->gauge;
	*gauge = (struct astshm_gauge_value){ 5, 3, 10, -1, 6 };
}

static void add_histograms(struct astshm_snapshot *snapshot)
{
	static const int64_t times[] = { 1000, 1500000, 5200000, 18700000, 45300000 };
	static const int64_t odd[] = { 0, 1, 123456789, INT64_MAX, INT64_MAX, INT64_MAX };
	static const int64_t sizes[] = { 64, 512, 4096, 4096, 70000 };
	static const struct astshm_tag type[] = { { "event_type", "device_param" } };
	sample_timing(snapshot, "event.processing.duration", times, 5);
	struct astshm_series *tagged = sample_series(snapshot, ASTSHM_KIND_TIMING,
						     "event.processing.duration", type, 1);
	sample_fill(snapshot, &tagged->histogram, ASTSHM_KIND_TIMING, times, 3);
	sample_timing(snapshot, "timing.empty", NULL, 0);
	sample_timing(snapshot, "timing.odd", odd, 6);
	sample_describe(snapshot, ASTSHM_KIND_DISTRIBUTION, "message.size", "bytes",
			"Size of messages");
	struct astshm_series *size =
		sample_series(snapshot, ASTSHM_KIND_DISTRIBUTION, "message.size", NULL, 0);
	sample_fill(snapshot, &size->histogram, ASTSHM_KIND_DISTRIBUTION, sizes, 5);
	/* One name in two kinds. */
	sample_series(snapshot, ASTSHM_KIND_GAUGE, "message.size", NULL, 0)->gauge.current = 2.5;
}

struct astshm_snapshot *sample_rich(void)
{
	struct astshm_snapshot *snapshot = sample_begin();
	add_counters(snapshot);
	add_gauges(snapshot);
	add_histograms(snapshot);
	sample_end(snapshot);
	return snapshot;
}

/* Two threads: everything is the first one's, the second has touched it. */
static void split(struct astshm_snapshot *snapshot, struct astshm_series *series)
{
	struct astshm_thread_value *threads =
		need(reader_arena_array(snapshot->arena, 2, sizeof *threads));
	for (uint32_t i = 0; i < 2; i++) {
		threads[i].slot = i + 1;
		threads[i].tid = 5000 + i;
		threads[i].owners = 2 - i;
		memcpy(threads[i].name, i ? "udp" : "event \xc3\xa4", i ? 4 : 9);
		if (series->kind == ASTSHM_KIND_COUNTER)
			threads[i].counter = i ? 0 : series->counter.value;
		else if (series->kind == ASTSHM_KIND_GAUGE && !i)
			threads[i].gauge = series->gauge;
		else if (series->kind == ASTSHM_KIND_GAUGE)
			threads[i].gauge.current = series->gauge.current;
		else if (!i)
			threads[i].histogram = series->histogram;
		else
			sample_fill(snapshot, &threads[i].histogram, series->kind, NULL, 0);
	}
	series->threads = threads;
	series->thread_count = 2;
}

struct astshm_snapshot *sample_threads(void)
{
	struct astshm_snapshot *snapshot = sample_rich();
	for (size_t i = 0; i < snapshot->series_count; i++)
		split(snapshot, &snapshot->series[i]);
	return snapshot;
}

/* --- with a window ----------------------------------------------------------- */

static struct astshm_series *find(struct astshm_snapshot *snapshot, enum astshm_kind kind,
				  const char *key)
{
	return &snapshot->series[astshm_snapshot_find(snapshot, kind, key) - snapshot->series];
}

/* What happened in the window. */
static void go_on(struct astshm_snapshot *snapshot)
{
	static const int64_t times[] = { 1000, 1500000, 5200000, 18700000, 45300000, 250000000 };
	struct astshm_histogram *took =
		&find(snapshot, ASTSHM_KIND_TIMING, "event.processing.duration")->histogram;
	find(snapshot, ASTSHM_KIND_COUNTER, "events.received")->counter.value += 10;
	find(snapshot, ASTSHM_KIND_COUNTER, "websocket.pending")->counter.value -= 4;
	find(snapshot, ASTSHM_KIND_COUNTER, "process.cpu")->counter.value += 1500000000;
	sample_fill(snapshot, took, ASTSHM_KIND_TIMING, times, 6);
}

struct astshm_snapshot *sample_window(void)
{
	struct astshm_snapshot *older = sample_threads(), *newer = sample_threads();
	struct gauge_range *ranges = need(calloc(newer->series_count, sizeof *ranges));
	const struct astshm_series *queue =
		find(newer, ASTSHM_KIND_GAUGE, "queue.depth[queue=udp]");
	older->timestamp_ns -= 59875000000;
	older->uptime_ns -= 59875000000;
	go_on(newer);
	ranges[queue - newer->series] = (struct gauge_range){ 2, 12, 11 };
	if (window_between(newer, older, ranges, &newer->window, NULL) < 0)
		abort();
	free(ranges);
	astshm_snapshot_free(&older);
	return newer;
}

/* --- output ---------------------------------------------------------------- */

static int append(void *context, const void *bytes, size_t count)
{
	struct sample_output *output = context;
	output->bytes = need(realloc(output->bytes, output->size + count + 1));
	memcpy(output->bytes + output->size, bytes, count);
	output->size += count;
	output->bytes[output->size] = '\0';
	return 0;
}

struct sample_output sample_encode(sample_encoder encoder, const struct astshm_snapshot *snapshot,
				   unsigned flags)
{
	struct sample_output output = { need(calloc(1, 1)), 0 };
	struct astshm_sink sink = { append, &output };
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	options.flags = flags;
	if (encoder(snapshot, &sink, &options) < 0)
		abort();
	return output;
}
