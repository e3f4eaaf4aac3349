/* SPDX-License-Identifier: MIT */
#include "protobuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "exposition.h"
#include "metrics.pb-c.h"
#include "native.h"
#include "sink.h"
#include "statistics.h"

/* The names that protobuf-c makes, without what they all begin with. */
typedef Io__Prometheus__Client__LabelPair LabelPair;
typedef Io__Prometheus__Client__Timestamp Timestamp;
typedef Io__Prometheus__Client__Gauge Gauge;
typedef Io__Prometheus__Client__Counter Counter;
typedef Io__Prometheus__Client__Bucket Bucket;
typedef Io__Prometheus__Client__BucketSpan BucketSpan;
typedef Io__Prometheus__Client__Histogram Histogram;
typedef Io__Prometheus__Client__Metric Metric;
typedef Io__Prometheus__Client__MetricFamily MetricFamily;

/*
 * Above zero, as a histogram without samples counts as a native one only by it, and
 * so far below any bucket that only zeroes are in: what Prometheus' own clients use.
 */
#define ZERO_THRESHOLD 0x1p-128

#define LENGTH_BYTES_MAX 10

struct encoder {
	const struct astshm_snapshot *snapshot;
	const struct protobuf_style *style;
	struct exposition_names names;
	struct exposition_labels labels;
	struct family_index index;
	struct reader_arena *arena; /* of the family under way */
	struct sink sink;
};

/* An array of `count` messages and one of pointers to them, as protobuf-c has lists. */
static void *make_list(struct reader_arena *arena, size_t count, size_t size, void ***pointers)
{
	char *items = reader_arena_array(arena, count + 1, size);

	*pointers = reader_arena_array(arena, count + 1, sizeof(void *));
	for (size_t i = 0; items && *pointers && i < count; i++)
		(*pointers)[i] = items + i * size;
	return *pointers ? items : NULL;
}

/* --- one series ------------------------------------------------------------------- */

static int put_labels(struct encoder *encoder, Metric *metric, const struct astshm_series *series)
{
	LabelPair *pairs = make_list(encoder->arena, series->tag_count, sizeof(*pairs),
				     (void ***)&metric->label);

	if (!pairs)
		return -ENOMEM;
	metric->n_label = series->tag_count;
	for (uint32_t i = 0; i < series->tag_count; i++) {
		io__prometheus__client__label_pair__init(&pairs[i]);
		pairs[i].name = (char *)exposition_label(&encoder->labels, &series->tags[i]);
		pairs[i].value = (char *)series->tags[i].value;
	}
	return 0;
}

/* NULL also where it is not known. */
static Timestamp *make_created(struct encoder *encoder, const struct astshm_series *series)
{
	uint64_t ns = series->created_realtime_ns;
	Timestamp *created = ns ? reader_arena_alloc(encoder->arena, sizeof(*created)) : NULL;

	if (!created)
		return NULL;
	io__prometheus__client__timestamp__init(created);
	created->has_seconds = created->has_nanos = true;
	created->seconds = (int64_t)(ns / 1000000000);
	created->nanos = (int32_t)(ns % 1000000000);
	return created;
}

static double counter_value(const struct astshm_series *series)
{
	double value = (double)series->counter.value;

	return statistics_is_time_counter(series->family) ? value / 1e9 : value;
}

static int put_counter(struct encoder *encoder, Metric *metric, const struct astshm_series *series)
{
	Counter *counter = reader_arena_alloc(encoder->arena, sizeof(*counter));

	if (!counter)
		return -ENOMEM;
	io__prometheus__client__counter__init(counter);
	counter->has_value = true;
	counter->value = counter_value(series);
	counter->created_timestamp = make_created(encoder, series);
	metric->counter = counter;
	return 0;
}

static int put_gauge(struct encoder *encoder, Metric *metric, double value)
{
	Gauge *gauge = reader_arena_alloc(encoder->arena, sizeof(*gauge));

	if (!gauge)
		return -ENOMEM;
	io__prometheus__client__gauge__init(gauge);
	gauge->has_value = true;
	gauge->value = value;
	metric->gauge = gauge;
	return 0;
}

/* --- histograms --------------------------------------------------------------------- */

static int put_spans(struct encoder *encoder, Histogram *histogram, const struct native *native)
{
	BucketSpan *spans = make_list(encoder->arena, native->span_count, sizeof(*spans),
				      (void ***)&histogram->positive_span);

	if (!spans)
		return -ENOMEM;
	histogram->n_positive_span = native->span_count;
	for (size_t i = 0; i < native->span_count; i++) {
		io__prometheus__client__bucket_span__init(&spans[i]);
		spans[i].has_offset = spans[i].has_length = true;
		spans[i].offset = native->spans[i].offset;
		spans[i].length = native->spans[i].length;
	}
	return 0;
}

static int put_native(struct encoder *encoder, Histogram *histogram,
		      const struct astshm_series *series)
{
	struct native native;
	int schema = encoder->style->schema;
	int result = native_init(&native, &series->histogram, series->kind, schema);

	if (result < 0)
		return result;
	histogram->has_schema = histogram->has_zero_threshold = histogram->has_zero_count = true;
	histogram->schema = schema;
	histogram->zero_threshold = ZERO_THRESHOLD;
	histogram->zero_count = series->histogram.zero_count;
	result = put_spans(encoder, histogram, &native);
	histogram->n_positive_delta = native.delta_count;
	histogram->positive_delta = reader_arena_copy(encoder->arena, native.deltas,
						      native.delta_count * sizeof(int64_t));
	native_fini(&native);
	return histogram->positive_delta ? result : -ENOMEM;
}

/* +Inf is not listed: it is the count. */
static int put_classic(struct encoder *encoder, Histogram *histogram,
		       const struct astshm_series *series)
{
	uint64_t below[EXPOSITION_BOUNDS_MAX];
	size_t count;
	const struct exposition_bound *bounds = exposition_bounds(series->kind, &count);
	Bucket *buckets = make_list(encoder->arena, count, sizeof(*buckets),
				    (void ***)&histogram->bucket);

	if (!buckets)
		return -ENOMEM;
	histogram->n_bucket = count;
	exposition_below(&series->histogram, series->kind, below);
	for (size_t i = 0; i < count; i++) {
		io__prometheus__client__bucket__init(&buckets[i]);
		buckets[i].has_cumulative_count = buckets[i].has_upper_bound = true;
		buckets[i].cumulative_count = below[i];
		buckets[i].upper_bound = (double)bounds[i].value;
		if (series->kind == ASTSHM_KIND_TIMING)
			buckets[i].upper_bound /= 1e9;
	}
	return 0;
}

static double histogram_sum(const struct astshm_series *series)
{
	double sum = (double)number_join(series->histogram.sum_hi, series->histogram.sum);

	return series->kind == ASTSHM_KIND_TIMING ? sum / 1e9 : sum;
}

static int put_histogram(struct encoder *encoder, Metric *metric,
			 const struct astshm_series *series)
{
	Histogram *histogram = reader_arena_alloc(encoder->arena, sizeof(*histogram));
	int result;

	if (!histogram)
		return -ENOMEM;
	io__prometheus__client__histogram__init(histogram);
	histogram->has_sample_count = histogram->has_sample_sum = true;
	histogram->sample_count = series->histogram.count;
	histogram->sample_sum = histogram_sum(series);
	histogram->created_timestamp = make_created(encoder, series);
	metric->histogram = histogram;
	result = put_native(encoder, histogram, series);
	return result == 0 && encoder->style->classic ? put_classic(encoder, histogram, series)
						      : result;
}

static int put_series(struct encoder *encoder, Metric *metric, const struct astshm_series *series)
{
	int result;

	io__prometheus__client__metric__init(metric);
	result = put_labels(encoder, metric, series);
	if (result < 0)
		return result;
	if (series->kind == ASTSHM_KIND_GAUGE)
		return put_gauge(encoder, metric, series->gauge.current);
	if (series->kind != ASTSHM_KIND_COUNTER)
		return put_histogram(encoder, metric, series);
	return series->family->monotonic ? put_counter(encoder, metric, series)
					 : put_gauge(encoder, metric, counter_value(series));
}

/* --- families --------------------------------------------------------------------------- */

static Io__Prometheus__Client__MetricType type_of(const struct astshm_family *family)
{
	if (family->kind == ASTSHM_KIND_COUNTER && family->monotonic)
		return IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER;
	return family->kind == ASTSHM_KIND_COUNTER || family->kind == ASTSHM_KIND_GAUGE
		       ? IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE
		       : IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM;
}

static int put_help(struct encoder *encoder, MetricFamily *message,
		    const struct astshm_family *family)
{
	const char *kind = snapshot_kind_name(family->kind);
	size_t room = strlen(kind) + family->name_len + 2;

	if (family->help_len) {
		message->help = (char *)family->help;
		return 0;
	}
	message->help = reader_arena_alloc(encoder->arena, room);
	if (!message->help)
		return -ENOMEM;
	snprintf(message->help, room, "%s %s", kind, family->name);
	return 0;
}

/* The length in groups of 7 bits, the lowest first. */
static char *put_length(char *p, size_t length)
{
	for (; length >= 0x80; length >>= 7)
		*p++ = (char)(0x80 | (length & 0x7f));
	*p++ = (char)length;
	return p;
}

static int send_family(struct encoder *encoder, const MetricFamily *message)
{
	size_t length = io__prometheus__client__metric_family__get_packed_size(message);
	uint8_t *bytes = reader_arena_take(encoder->arena, length + 1);

	if (!bytes)
		return -ENOMEM;
	io__prometheus__client__metric_family__pack(message, bytes);
	sink_end(&encoder->sink,
		 put_length(sink_room(&encoder->sink, LENGTH_BYTES_MAX), length));
	sink_put(&encoder->sink, bytes, length);
	return encoder->sink.error;
}

static int make_family(struct encoder *encoder, size_t place, MetricFamily *message)
{
	const struct astshm_family *family = encoder->snapshot->families[place];
	const uint32_t *first = encoder->index.series + encoder->index.first[place];
	size_t count = encoder->index.first[place + 1] - encoder->index.first[place];
	Metric *metrics = make_list(encoder->arena, count, sizeof(*metrics),
				    (void ***)&message->metric);
	int result = metrics ? put_help(encoder, message, family) : -ENOMEM;

	message->name = (char *)exposition_name(&encoder->names, place);
	message->has_type = true;
	message->type = type_of(family);
	message->n_metric = count;
	for (size_t i = 0; i < count && result == 0; i++)
		result = put_series(encoder, &metrics[i], &encoder->snapshot->series[first[i]]);
	return result;
}

static int put_family(struct encoder *encoder, size_t place)
{
	MetricFamily message = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;
	const struct astshm_family *family = encoder->snapshot->families[place];
	const uint32_t *first = encoder->index.series + encoder->index.first[place];
	size_t count = encoder->index.first[place + 1] - encoder->index.first[place];
	bool histogram = type_of(family) == IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM;
	int result;

	if (count == 0 || encoder->names.taken[place] ||
	    !exposition_labels_init(&encoder->labels, encoder->snapshot->series, first, count,
				    histogram ? "le" : NULL))
		return 0;
	encoder->arena = reader_arena_create();
	if (!encoder->arena)
		return -ENOMEM;
	result = make_family(encoder, place, &message);
	if (result == 0)
		result = send_family(encoder, &message);
	reader_arena_unref(encoder->arena);
	return result;
}

int protobuf_encode(const struct astshm_snapshot *snapshot, const struct protobuf_style *style,
		    const struct astshm_sink *sink)
{
	struct encoder encoder = { .snapshot = snapshot, .style = style };
	int result = family_index_init(&encoder.index, snapshot);

	if (result < 0)
		return result;
	sink_init(&encoder.sink, sink);
	result = exposition_names_init(&encoder.names, snapshot, &encoder.index, false);
	for (size_t i = 0; result == 0 && i < snapshot->family_count; i++)
		result = put_family(&encoder, i);
	exposition_names_fini(&encoder.names);
	family_index_fini(&encoder.index);
	return result < 0 ? result : sink_finish(&encoder.sink);
}
