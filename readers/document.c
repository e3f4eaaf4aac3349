/* SPDX-License-Identifier: MIT */
#include "document.h"

#include "text.h"

static const struct {
	enum astshm_kind kind;
	const char *plural;
} metrics_order[SNAPSHOT_KINDS] = {
	{ ASTSHM_KIND_TIMING, "timings" },
	{ ASTSHM_KIND_COUNTER, "counters" },
	{ ASTSHM_KIND_GAUGE, "gauges" },
	{ ASTSHM_KIND_DISTRIBUTION, "distributions" },
};

static uint32_t kind_count(const struct astshm_snapshot *snapshot, enum astshm_kind kind)
{
	return (uint32_t)(snapshot->first[kind] - snapshot->first[kind - 1]);
}

static void put_series_counts(struct document *document, const struct astshm_snapshot *snapshot)
{
	document_key(document, "series");
	document->operations->map(document, 4);
	document_unsigned(document, "counters", kind_count(snapshot, ASTSHM_KIND_COUNTER));
	document_unsigned(document, "gauges", kind_count(snapshot, ASTSHM_KIND_GAUGE));
	document_unsigned(document, "timings", kind_count(snapshot, ASTSHM_KIND_TIMING));
	document_unsigned(document, "distributions",
			  kind_count(snapshot, ASTSHM_KIND_DISTRIBUTION));
	document->operations->end_map(document);
}

static void put_generation(struct document *document, uint64_t generation)
{
	char text[16];
	for (int i = 15; i >= 0; i--, generation >>= 4)
		text[i] = "0123456789abcdef"[generation & 15];
	document_text(document, "generation", text, sizeof text);
}

static void put_identity(struct document *document, const struct astshm_segment_info *segment)
{
	const char *state = astshm_state_name(segment->state);
	const char *name = segment->name ? segment->name : "";
	document_text(document, "name", name, strlen(name));
	document_unsigned(document, "pid", segment->pid);
	document_text(document, "state", state, strlen(state));
	put_generation(document, segment->generation);
	document_key(document, "enabled");
	document->operations->boolean(document, segment->recording);
	document_unsigned(document, "epoch", segment->epoch);
	document_unsigned(document, "counters_epoch", segment->counters_epoch);
	if (segment->heartbeat_age_ns < 0)
		document_nil(document, "heartbeat_age_seconds");
	else
		document_decimal(document, "heartbeat_age_seconds",
				 (uint64_t)segment->heartbeat_age_ns, 9);
	document_unsigned(document, "bytes", segment->bytes);
}

/* `counted`: the snapshot whose series are this segment's; NULL: merged. */
static void put_segment(struct document *document, const struct astshm_segment_info *segment,
			const struct astshm_snapshot *counted)
{
	document->operations->map(document, counted ? 15 : 14);
	put_identity(document, segment);
	if (counted)
		put_series_counts(document, counted);
	document_unsigned(document, "threads", segment->threads);
	document_unsigned(document, "dropped", segment->dropped);
	document_unsigned(document, "other_tag_sets", segment->other_tag_sets);
	document_unsigned(document, "torn", segment->torn);
	document_unsigned(document, "bad_records", segment->bad_records);
	document->operations->end_map(document);
}

static void put_sources(struct document *document, const struct astshm_snapshot *snapshot)
{
	document_key(document, "sources");
	document->operations->array(document, (uint32_t)snapshot->source_count);
	for (size_t i = 0; i < snapshot->source_count; i++)
		put_segment(document, &snapshot->sources[i], NULL);
	document->operations->end_array(document);
}

static const char *merge_name(enum astshm_merge merge)
{
	switch (merge) {
	case ASTSHM_MERGE_SUM:
		return "sum";
	case ASTSHM_MERGE_MIN:
		return "min";
	case ASTSHM_MERGE_MAX:
		return "max";
	case ASTSHM_MERGE_LAST:
		break;
	}
	return "last";
}

/* The five keys of a family; the caller opens and closes the map. */
static void put_family_keys(struct document *document, const struct astshm_family *family)
{
	const char *kind = snapshot_kind_name(family->kind);
	document_text(document, "kind", kind, strlen(kind));
	document_text(document, "unit", family->unit, family->unit_len);
	document_text(document, "help", family->help, family->help_len);
	document_key(document, "monotonic");
	if (family->kind == ASTSHM_KIND_COUNTER)
		document->operations->boolean(document, family->monotonic);
	else
		document->operations->nil(document);
	if (family->kind == ASTSHM_KIND_GAUGE)
		document_text(document, "merge", merge_name(family->merge),
			      strlen(merge_name(family->merge)));
	else
		document_nil(document, "merge");
}

/* Families of one name stand side by side, sorted by kind. */
static uint32_t same_name_count(const struct astshm_snapshot *snapshot, size_t at)
{
	const struct astshm_family *first = snapshot->families[at];
	uint32_t count = 1;
	while (at + count < snapshot->family_count) {
		const struct astshm_family *next = snapshot->families[at + count];
		if (next->name_len != first->name_len ||
		    memcmp(next->name, first->name, first->name_len) != 0)
			break;
		count++;
	}
	return count;
}

static void put_family(struct document *document, const struct astshm_family *const *families,
		       uint32_t count)
{
	document->operations->key(document, families[0]->name, families[0]->name_len);
	document->operations->map(document, count > 1 ? 6 : 5);
	put_family_keys(document, families[0]);
	if (count > 1) {
		document_key(document, "also");
		document->operations->array(document, count - 1);
		for (uint32_t i = 1; i < count; i++) {
			document->operations->map(document, 5);
			put_family_keys(document, families[i]);
			document->operations->end_map(document);
		}
		document->operations->end_array(document);
	}
	document->operations->end_map(document);
}

static void put_families(struct document *document, const struct astshm_snapshot *snapshot)
{
	uint32_t names = 0;
	for (size_t i = 0; i < snapshot->family_count; i += same_name_count(snapshot, i))
		names++;
	document_key(document, "families");
	document->operations->map(document, names);
	for (size_t i = 0, count; i < snapshot->family_count; i += count) {
		count = same_name_count(snapshot, i);
		put_family(document, &snapshot->families[i], (uint32_t)count);
	}
	document->operations->end_map(document);
}

typedef void put_series_fn(struct document *document, const struct astshm_snapshot *snapshot,
			   const struct astshm_series *series);

static void put_kind(struct document *document, const struct astshm_snapshot *snapshot,
		     enum astshm_kind kind, put_series_fn *put_series)
{
	document->operations->map(document, kind_count(snapshot, kind));
	for (size_t i = snapshot->first[kind - 1]; i < snapshot->first[kind]; i++) {
		const struct astshm_series *series = &snapshot->series[i];
		if (document->sink.error)
			return; /* nobody reads on; sink_finish() tells */
		document->operations->key(document, series->key, series->key_len);
		put_series(document, snapshot, series);
	}
	document->operations->end_map(document);
}

/* The four maps by kind, and their keys. */
static void put_kinds(struct document *document, const struct astshm_snapshot *snapshot,
		      put_series_fn *put_series)
{
	for (int i = 0; i < SNAPSHOT_KINDS; i++) {
		document_key(document, metrics_order[i].plural);
		put_kind(document, snapshot, metrics_order[i].kind, put_series);
	}
}

static void put_whole_series(struct document *document, const struct astshm_snapshot *snapshot,
			     const struct astshm_series *series)
{
	document_put_series(document, series, snapshot->interval_ns > 0);
}

static void put_metrics(struct document *document, const struct astshm_snapshot *snapshot)
{
	document_key(document, "metrics");
	document->operations->map(document, SNAPSHOT_KINDS);
	put_kinds(document, snapshot, put_whole_series);
	document->operations->end_map(document);
}

/* --- window ------------------------------------------------------------- */

static void put_window_part(struct document *document, const struct astshm_snapshot *window,
			    const struct astshm_series *series)
{
	document_put_window_series(document, series, (double)window->interval_ns / 1e9);
}

static void put_time(struct document *document, const char *key, uint64_t realtime_ns)
{
	char text[TEXT_TIMESTAMP_BYTES];
	text_timestamp(text, realtime_ns);
	document_text(document, key, text, sizeof text);
}

void document_put_window(struct document *document, const struct astshm_snapshot *window)
{
	uint64_t to_ns = window->timestamp_ns, length_ns = window->interval_ns;
	document->operations->map(document, 3 + SNAPSHOT_KINDS);
	document_decimal(document, "seconds", length_ns, 9);
	put_time(document, "from", to_ns > length_ns ? to_ns - length_ns : 0);
	put_time(document, "to", to_ns);
	put_kinds(document, window, put_window_part);
	document->operations->end_map(document);
}

/* --- the whole ----------------------------------------------------------- */

void document_put_timestamp(struct document *document, const struct astshm_snapshot *snapshot)
{
	put_time(document, "timestamp", snapshot->timestamp_ns);
}

void document_put_uptime(struct document *document, const struct astshm_snapshot *snapshot)
{
	document_decimal(document, "uptime_seconds", snapshot->uptime_ns, 9);
}

void document_put_snapshot(struct document *document, const struct astshm_snapshot *snapshot)
{
	document->operations->map(document, 7u + (snapshot->interval_ns > 0) +
						    !snapshot->has_segment +
						    (snapshot->window != NULL));
	document_text(document, "schema", DOCUMENT_SCHEMA, sizeof DOCUMENT_SCHEMA - 1);
	document_put_timestamp(document, snapshot);
	document_unsigned(document, "timestamp_ns", snapshot->timestamp_ns);
	document_put_uptime(document, snapshot);
	if (snapshot->interval_ns > 0)
		document_decimal(document, "interval_seconds", snapshot->interval_ns, 9);
	document_key(document, "segment");
	if (snapshot->has_segment) {
		put_segment(document, &snapshot->segment, snapshot);
	} else {
		document->operations->nil(document);
		put_sources(document, snapshot);
	}
	put_families(document, snapshot);
	put_metrics(document, snapshot);
	if (snapshot->window != NULL) {
		document_key(document, "window");
		document_put_window(document, snapshot->window);
	}
	document->operations->end_map(document);
}
