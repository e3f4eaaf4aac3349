/* SPDX-License-Identifier: MIT */
/* The summary document: the few figures that are looked at first. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "derive.h"
#include "document.h"
#include "statistics.h"

struct summary {
	struct json_document json;
	const struct astshm_snapshot *snapshot; /* its window, if there is one */
	struct family_index index;
	struct histogram_total *total; /* where tagged timings add up */
};

/* The series of one family. */
struct members {
	const struct astshm_snapshot *snapshot;
	const uint32_t *places;
	size_t count;
};

static struct members members_at(const struct summary *summary, size_t family)
{
	const uint32_t *first = summary->index.first + family;
	return (struct members){ summary->snapshot, summary->index.series + first[0],
				 first[1] - first[0] };
}

/* Empty if there is no such family. */
static struct members find_members(const struct summary *summary, enum astshm_kind kind,
				   const char *name)
{
	const struct astshm_family wanted = { .kind = kind, .name = name,
					      .name_len = (uint32_t)strlen(name) };
	size_t family = derive_family_place(summary->snapshot, &wanted);
	if (family == summary->snapshot->family_count)
		return (struct members){ 0 };
	return members_at(summary, family);
}

static const struct astshm_series *member(const struct members *members, size_t i)
{
	return &members->snapshot->series[members->places[i]];
}

/* The series without tags, which holds the total where there is one. */
static const struct astshm_series *untagged(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		if (!member(members, i)->tag_count)
			return member(members, i);
	}
	return NULL;
}

static int64_t counter_value(const struct summary *summary, const struct astshm_series *series)
{
	return summary->snapshot->interval_ns ? series->counter.increase : series->counter.value;
}

static int64_t sum_of(const struct summary *summary, const struct members *members)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < members->count; i++)
		sum += (uint64_t)counter_value(summary, member(members, i));
	return (int64_t)sum;
}

/* The untagged counter, else the tagged ones added up; false: there is none. */
static bool find_count(const struct summary *summary, const char *name, int64_t *count)
{
	struct members members = find_members(summary, ASTSHM_KIND_COUNTER, name);
	const struct astshm_series *total = untagged(&members);
	if (!members.count)
		return false;
	*count = total ? counter_value(summary, total) : sum_of(summary, &members);
	return true;
}

static void put_counter(struct summary *summary, const char *key, const char *name)
{
	int64_t count;
	if (!find_count(summary, name, &count))
		return;
	document_key(&summary->json.base, key);
	summary->json.base.operations->integer(&summary->json.base, count);
}

/* --- event processing -------------------------------------------------- */

static int add_up(struct summary *summary, const struct members *members,
		  struct astshm_histogram *histogram)
{
	histogram_total_clear(summary->total);
	for (size_t i = 0; i < members->count; i++) {
		int code = histogram_total_add(summary->total, &member(members, i)->histogram);
		if (code < 0)
			return code;
	}
	histogram_total_view(summary->total, histogram);
	return 0;
}

static void put_milliseconds(struct document *document, const struct statistics *statistics,
			     int quantile)
{
	const char *key = statistics_names[quantile];
	if (statistics->has_quantiles)
		document_decimal(document, key, statistics->quantile[quantile], 6);
	else
		document_nil(document, key);
}

/* Without buckets there is nothing to add up: the quantiles are then null. */
static void put_latency(struct summary *summary)
{
	struct document *document = &summary->json.base;
	struct members members =
		find_members(summary, ASTSHM_KIND_TIMING, "event.processing.duration");
	const struct astshm_series *total = untagged(&members);
	struct astshm_histogram histogram = { 0 };
	struct statistics statistics;
	if (!members.count)
		return;
	if (total)
		histogram = total->histogram;
	else if (add_up(summary, &members, &histogram) < 0)
		histogram.count = 0;
	statistics_of(&histogram, ASTSHM_KIND_TIMING, &statistics);
	document_key(document, "latency_ms");
	document->operations->map(document, 3);
	put_milliseconds(document, &statistics, 0); /* p50 */
	put_milliseconds(document, &statistics, 2); /* p95 */
	put_milliseconds(document, &statistics, 3); /* p99 */
	document->operations->end_map(document);
}

/* --- the other sections --------------------------------------------------- */

/* Whole numbers without a point: they count clients. */
static void put_clients(struct summary *summary)
{
	struct document *document = &summary->json.base;
	struct members gauges = find_members(summary, ASTSHM_KIND_GAUGE, "websocket.clients");
	const struct astshm_series *gauge = untagged(&gauges);
	if (!gauge) {
		struct members counters =
			find_members(summary, ASTSHM_KIND_COUNTER, "websocket.clients");
		const struct astshm_series *counter = untagged(&counters);
		if (!counter)
			return;
		/* A state, not a sum: its value in interval views as well. */
		document_key(document, "clients_connected");
		document->operations->integer(document, counter->counter.value);
		return;
	}
	double current = gauge->gauge.current;
	document_key(document, "clients_connected");
	if (fabs(current) < 1e15 && current == floor(current))
		document->operations->integer(document, (int64_t)current);
	else
		document->operations->real(document, current);
}

/*
 * The gauge is the lifetime's rate; an interval's follows from what it counted. So
 * does one whose gauge has no sample: never set, or its cell found no room.
 */
static double hit_rate(const struct summary *summary, const struct astshm_gauge_value *gauge)
{
	int64_t hits, misses;
	if ((!summary->snapshot->interval_ns && gauge->count > 0) ||
	    !find_count(summary, "cache.hit", &hits) ||
	    !find_count(summary, "cache.miss", &misses) || hits < 0 || misses < 0 ||
	    (hits == 0 && misses == 0))
		return gauge->current;
	return (double)hits / ((double)hits + (double)misses);
}

/* A fraction in percent, to four digits, which its double does not blur. */
static void put_hit_rate(struct summary *summary)
{
	struct document *document = &summary->json.base;
	struct members members = find_members(summary, ASTSHM_KIND_GAUGE, "cache.hit_rate");
	const struct astshm_series *gauge = untagged(&members);
	if (!gauge)
		return;
	double rate = hit_rate(summary, &gauge->gauge);
	document_key(document, "hit_rate_percent");
	if (rate >= 0 && rate <= 1000)
		/* Which way a tie goes does not matter.
		 * NOLINTNEXTLINE(bugprone-incorrect-roundings) */
		document->operations->decimal(document, (uint64_t)(rate * 1e6 + 0.5), 4);
	else
		document->operations->real(document, rate * 100);
}

static bool is_error_family(const struct astshm_family *family)
{
	static const char prefix[] = "errors.", suffix[] = ".by_type";
	size_t length = family->name_len;
	if (family->kind != ASTSHM_KIND_COUNTER || length < sizeof prefix - 1 ||
	    memcmp(family->name, prefix, sizeof prefix - 1) != 0)
		return false;
	return length < sizeof suffix - 1 ||
	       memcmp(family->name + length - (sizeof suffix - 1), suffix,
		      sizeof suffix - 1) != 0;
}

static void put_errors(struct summary *summary)
{
	struct document *document = &summary->json.base;
	const struct astshm_snapshot *snapshot = summary->snapshot;
	for (size_t f = 0; f < snapshot->family_count; f++) {
		const struct astshm_family *family = snapshot->families[f];
		struct members members = members_at(summary, f);
		if (!is_error_family(family) || !members.count)
			continue;
		document->operations->key(document, family->name, family->name_len);
		document->operations->integer(document, sum_of(summary, &members));
	}
}

static void open_section(struct document *document, const char *key)
{
	document_key(document, key);
	document->operations->map(document, 0);
}

static void put_summary(struct summary *summary, const struct astshm_snapshot *whole)
{
	struct document *document = &summary->json.base;
	document->operations->map(document, 0); /* JSON needs no count */
	document_put_timestamp(document, whole);
	document_put_uptime(document, whole);
	if (whole->window != NULL)
		document_decimal(document, "window_seconds", whole->window->interval_ns, 9);
	open_section(document, "event_processing");
	put_counter(summary, "total_processed", "events.processed");
	put_latency(summary);
	document->operations->end_map(document);
	open_section(document, "udp_listener");
	put_counter(summary, "packets_received", "udp.packet.received");
	put_counter(summary, "packets_dropped", "udp.packet.dropped");
	document->operations->end_map(document);
	open_section(document, "websocket");
	put_clients(summary);
	put_counter(summary, "broadcasts_sent", "websocket.broadcast.success");
	document->operations->end_map(document);
	open_section(document, "cache");
	put_hit_rate(summary);
	document->operations->end_map(document);
	open_section(document, "errors");
	put_errors(summary);
	document->operations->end_map(document);
	document->operations->end_map(document);
}

int astshm_encode_summary(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
			  const struct astshm_encode_options *options)
{
	struct summary summary = { .snapshot = snapshot->window ? snapshot->window : snapshot };
	json_document_init(&summary.json, sink, options);
	summary.total = malloc(sizeof *summary.total);
	if (!summary.total || family_index_init(&summary.index, summary.snapshot) < 0) {
		free(summary.total);
		return -ENOMEM;
	}
	put_summary(&summary, snapshot);
	family_index_fini(&summary.index);
	free(summary.total);
	return sink_finish(&summary.json.base.sink);
}
