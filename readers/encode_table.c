/* SPDX-License-Identifier: MIT */
/* The table for people: a head and one section for each kind. */
#include "human.h"
#include "number.h"
#include "sink.h"
#include "snapshot.h"
#include "statistics.h"
#include "text.h"

#define CELLS_MAX 7
#define KEY_COLUMNS_MIN 24u /* narrower than this a name says nothing */
#define GAP 2u              /* columns between columns */
#define HEARTBEATS_MISSED 3 /* before a living writer is called late */

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

struct table {
	struct sink sink;
	const struct astshm_snapshot *snapshot;
	bool color;
	bool in_window; /* `snapshot` is the window of the one to print */
	size_t width; /* 0: as wide as needed */
	size_t quiet; /* series that an interval leaves out */
};

/* One section: its cells stand right-aligned behind the keys. */
struct section {
	enum astshm_kind kind;
	const char *title;
	const char *columns[CELLS_MAX]; /* NULL ends them */
	size_t key_columns;
	size_t cell_columns[CELLS_MAX];
};

typedef char cell_text[HUMAN_BYTES];

static void put_style(struct table *table, const char *style)
{
	if (table->color)
		sink_put_text(&table->sink, style);
}

/*
 * Of an interval only what happened in it is shown. A gauge has a value now,
 * whether it was set in the interval or not.
 */
static bool is_shown(const struct table *table, const struct astshm_series *series)
{
	if (!table->snapshot->interval_ns || series->kind == ASTSHM_KIND_GAUGE)
		return true;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return series->counter.increase != 0;
	return series->histogram.count != 0;
}

/* --- cells ------------------------------------------------------------- */

/* A number of a histogram: time, bytes, or a plain one. */
static void format_amount(cell_text cell, const struct astshm_family *family, double value)
{
	if (family->kind == ASTSHM_KIND_TIMING)
		human_time(cell, value);
	else if (family->unit_len == 5 && memcmp(family->unit, "bytes", 5) == 0)
		human_bytes(cell, value);
	else
		human_number(cell, value);
}

static void format_histogram(cell_text *cells, const struct astshm_series *series,
			     const struct astshm_histogram *histogram)
{
	static const int shown[] = { 0, 2, 3 }; /* p50 p95 p99 */
	struct statistics statistics;
	statistics_of(histogram, series->kind, &statistics);
	*number_put_u64(cells[0], statistics.count) = '\0';
	for (int i = 1; i < 6; i++)
		memcpy(cells[i], "-", 2);
	if (!statistics.count)
		return;
	format_amount(cells[1], series->family, (double)statistics.mean_milli / 1000);
	for (int i = 0; i < 3 && statistics.has_quantiles; i++)
		format_amount(cells[2 + i], series->family,
			      (double)statistics.quantile[shown[i]]);
	if (statistics.has_extremes)
		format_amount(cells[5], series->family, (double)statistics.max);
}

static void format_count(cell_text cell, const struct astshm_family *family, int64_t value)
{
	if (statistics_is_time_counter(family))
		human_time(cell, (double)value);
	else
		human_integer(cell, value);
}

static void format_counter(cell_text *cells, const struct astshm_series *series, bool interval)
{
	double scale = statistics_is_time_counter(series->family) ? 1e9 : 1;
	if (!interval) {
		format_count(cells[0], series->family, series->counter.value);
		return;
	}
	human_number(cells[0], series->counter.rate / scale);
	format_count(cells[1], series->family, series->counter.increase);
}

static void format_gauge_statistics(cell_text *cells, const struct astshm_gauge_value *gauge)
{
	for (int i = 0; i < 3; i++)
		memcpy(cells[i], "-", 2);
	if (!gauge->count)
		return;
	human_number(cells[0], gauge->min);
	human_number(cells[1], gauge->max);
	human_number(cells[2], gauge->sum / (double)gauge->count);
}

static void format_series(const struct table *table, cell_text *cells,
			  const struct astshm_series *series)
{
	if (series->kind == ASTSHM_KIND_COUNTER) {
		format_counter(cells, series, table->snapshot->interval_ns > 0);
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		human_number(cells[0], series->gauge.current);
		format_gauge_statistics(cells + 1, &series->gauge);
	} else {
		format_histogram(cells, series, &series->histogram);
		if (table->in_window)
			human_number(cells[0], (double)series->histogram.count * 1e9 /
						       (double)table->snapshot->interval_ns);
	}
}

static void format_thread(cell_text *cells, const struct astshm_series *series,
			  const struct astshm_thread_value *thread, bool interval)
{
	memset(cells, 0, CELLS_MAX * sizeof *cells);
	if (series->kind == ASTSHM_KIND_COUNTER)
		format_count(cells[interval], series->family, thread->counter);
	else if (series->kind == ASTSHM_KIND_GAUGE)
		format_gauge_statistics(cells + 1, &thread->gauge);
	else
		format_histogram(cells, series, &thread->histogram);
}

/* --- keys ----------------------------------------------------------------- */

#define THREAD_KEY_BYTES 96

/* "  slot 3: worker (tid 4711)", or "shared" for slot 0. */
static size_t thread_key(char text[THREAD_KEY_BYTES], const struct astshm_thread_value *thread)
{
	char *p = text;
	size_t length = strnlen(thread->name, sizeof thread->name);
	memcpy(p, "  slot ", 7);
	p = number_put_u64(p + 7, thread->slot);
	if (length) {
		memcpy(p, ": ", 2);
		memcpy(p + 2, thread->name, length);
		p += 2 + length;
	}
	if (thread->tid) {
		memcpy(p, " (tid ", 6);
		p = number_put_u64(p + 6, thread->tid);
		*p++ = ')';
	}
	return (size_t)(p - text);
}

/* Cut in the middle: names differ at the end, where their tags are. */
static size_t put_cut_key(struct table *table, const char *text, size_t length, size_t columns)
{
	size_t head = text_prefix(text, length, (columns - 1) / 2);
	size_t tail = text_suffix(text, length, columns - 1 - text_columns(text, head));
	text_put_terminal(&table->sink, text, head);
	sink_put_text(&table->sink, "\xe2\x80\xa6");
	text_put_terminal(&table->sink, text + tail, length - tail);
	return text_columns(text, head) + 1 + text_columns(text + tail, length - tail);
}

/* Filled up with spaces. */
static void put_key(struct table *table, const char *text, size_t length, size_t columns)
{
	size_t used = text_columns(text, length);
	if (used > columns)
		used = put_cut_key(table, text, length, columns);
	else
		text_put_terminal(&table->sink, text, length);
	sink_fill(&table->sink, ' ', columns - used);
}

/* --- sections ---------------------------------------------------------------- */

static unsigned column_count(const struct section *section)
{
	unsigned count = 0;
	while (count < CELLS_MAX && section->columns[count])
		count++;
	return count;
}

static void widen(struct section *section, size_t key_columns, cell_text *cells)
{
	if (key_columns > section->key_columns)
		section->key_columns = key_columns;
	for (unsigned i = 0; i < column_count(section); i++) {
		size_t length = strlen(cells[i]);
		if (length > section->cell_columns[i])
			section->cell_columns[i] = length;
	}
}

/* A window says the series once, not thread by thread. */
static uint32_t thread_lines(const struct table *table, const struct astshm_series *series)
{
	return table->in_window ? 0 : series->thread_count;
}

static void measure_series(const struct table *table, struct section *section,
			   const struct astshm_series *series)
{
	bool interval = table->snapshot->interval_ns > 0;
	cell_text cells[CELLS_MAX] = { { 0 } };
	char key[THREAD_KEY_BYTES];
	format_series(table, cells, series);
	widen(section, text_columns(series->key, series->key_len), cells);
	for (uint32_t i = 0; i < thread_lines(table, series); i++) {
		format_thread(cells, series, &series->threads[i], interval);
		widen(section, text_columns(key, thread_key(key, &series->threads[i])), cells);
	}
}

static void measure(struct table *table, struct section *section)
{
	const struct astshm_snapshot *snapshot = table->snapshot;
	size_t used = 0;
	section->key_columns = strlen(section->title);
	for (unsigned i = 0; i < column_count(section); i++)
		/* column_count counts those that are there.
		 * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
		section->cell_columns[i] = strlen(section->columns[i]);
	for (size_t i = snapshot->first[section->kind - 1]; i < snapshot->first[section->kind]; i++)
		if (is_shown(table, &snapshot->series[i]))
			measure_series(table, section, &snapshot->series[i]);
	for (unsigned i = 0; i < column_count(section); i++)
		used += GAP + section->cell_columns[i];
	if (!table->width || section->key_columns + used <= table->width)
		return;
	section->key_columns = table->width > used + KEY_COLUMNS_MIN ? table->width - used
								     : KEY_COLUMNS_MIN;
}

static void put_cell(struct table *table, size_t columns, const char *text)
{
	size_t length = strlen(text);
	sink_fill(&table->sink, ' ', GAP + columns - length);
	sink_put(&table->sink, text, length);
}

static void put_cells(struct table *table, const struct section *section, cell_text *cells)
{
	for (unsigned i = 0; i < column_count(section); i++)
		put_cell(table, section->cell_columns[i], cells[i]);
}

static void put_series(struct table *table, const struct section *section,
		       const struct astshm_series *series)
{
	bool interval = table->snapshot->interval_ns > 0;
	cell_text cells[CELLS_MAX] = { { 0 } };
	char key[THREAD_KEY_BYTES];
	format_series(table, cells, series);
	put_key(table, series->key, series->key_len, section->key_columns);
	put_cells(table, section, cells);
	sink_put_char(&table->sink, '\n');
	for (uint32_t i = 0; i < thread_lines(table, series); i++) {
		format_thread(cells, series, &series->threads[i], interval);
		put_style(table, DIM);
		put_key(table, key, thread_key(key, &series->threads[i]), section->key_columns);
		put_cells(table, section, cells);
		put_style(table, PLAIN);
		sink_put_char(&table->sink, '\n');
	}
}

static void put_section(struct table *table, struct section section)
{
	const struct astshm_snapshot *snapshot = table->snapshot;
	size_t first = snapshot->first[section.kind - 1], end = snapshot->first[section.kind];
	size_t shown = 0;
	for (size_t i = first; i < end; i++)
		shown += is_shown(table, &snapshot->series[i]);
	table->quiet += end - first - shown;
	if (!shown)
		return;
	measure(table, &section);
	sink_put_char(&table->sink, '\n');
	put_style(table, BOLD);
	put_key(table, section.title, strlen(section.title), section.key_columns);
	for (unsigned i = 0; i < column_count(&section); i++)
		put_cell(table, section.cell_columns[i], section.columns[i]);
	put_style(table, PLAIN);
	sink_put_char(&table->sink, '\n');
	for (size_t i = first; i < end && !table->sink.error; i++)
		if (is_shown(table, &snapshot->series[i]))
			put_series(table, &section, &snapshot->series[i]);
}

static void put_sections(struct table *table)
{
	const char *many = table->in_window ? "PER SECOND" : "COUNT";
	struct section timings = { ASTSHM_KIND_TIMING, "TIMINGS",
		{ many, "MEAN", "P50", "P95", "P99", "MAX" }, 0, { 0 } };
	struct section counters = { ASTSHM_KIND_COUNTER, "COUNTERS", { "VALUE" }, 0, { 0 } };
	struct section rates = { ASTSHM_KIND_COUNTER, "COUNTERS", { "PER SECOND", "INCREASE" },
		0, { 0 } };
	struct section gauges = { ASTSHM_KIND_GAUGE, "GAUGES",
		{ "CURRENT", "MIN", "MAX", "MEAN" }, 0, { 0 } };
	struct section distributions = timings;
	distributions.kind = ASTSHM_KIND_DISTRIBUTION;
	distributions.title = "DISTRIBUTIONS";
	put_section(table, timings);
	put_section(table, table->snapshot->interval_ns ? rates : counters);
	put_section(table, gauges);
	put_section(table, distributions);
}

/* --- head ------------------------------------------------------------------------ */

static const char *state_style(enum astshm_state state)
{
	switch (state) {
	case ASTSHM_STATE_LIVE:
		return GREEN;
	case ASTSHM_STATE_DEAD:
		return RED;
	default:
		return YELLOW;
	}
}

static void put_number(struct table *table, const char *before, uint64_t value)
{
	sink_put_text(&table->sink, before);
	sink_end(&table->sink, number_put_u64(sink_room(&table->sink, NUMBER_BYTES), value));
}

/* What went wrong in the segment, where something did. */
static void put_troubles(struct table *table, const struct astshm_segment_info *segment)
{
	const struct {
		const char *text;
		uint64_t count;
	} troubles[] = {
		{ "  dropped ", segment->dropped },
		{ "  other tag sets ", segment->other_tag_sets },
		{ "  torn ", segment->torn },
		{ "  bad records ", segment->bad_records },
	};
	if (!segment->recording)
		sink_put_text(&table->sink, "  recording off");
	put_style(table, YELLOW);
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		if (troubles[i].count)
			put_number(table, troubles[i].text, troubles[i].count);
	}
	put_style(table, PLAIN);
}

/*
 * When the writer was last heard of: if it is no longer there, or is late by
 * more than a busy machine explains (a stopped process holds its lock).
 */
static void put_heartbeat(struct table *table, const struct astshm_segment_info *segment)
{
	int64_t age_ns = segment->heartbeat_age_ns, period_ns = segment->heartbeat_period_ns;
	bool ended = segment->state == ASTSHM_STATE_DEAD || segment->state == ASTSHM_STATE_CLOSED;
	bool late = period_ns > 0 && age_ns / HEARTBEATS_MISSED > period_ns;
	char text[HUMAN_BYTES];
	if (age_ns < 0 || (!ended && !late))
		return;
	put_style(table, YELLOW);
	sink_put_text(&table->sink, "  heartbeat ");
	if (age_ns < 60 * INT64_C(1000000000)) {
		put_number(table, "", (uint64_t)age_ns / 1000000000u);
		sink_put_char(&table->sink, 's');
	} else {
		human_uptime(text, (uint64_t)age_ns);
		sink_put_text(&table->sink, text);
	}
	sink_put_text(&table->sink, " ago");
	put_style(table, PLAIN);
}

static void put_segment(struct table *table, const struct astshm_segment_info *segment)
{
	const char *name = segment->name ? segment->name : "";
	put_style(table, BOLD);
	text_put_terminal(&table->sink, name, strlen(name));
	put_style(table, PLAIN);
	put_number(table, "  pid ", segment->pid);
	sink_put_text(&table->sink, "  ");
	put_style(table, state_style(segment->state));
	sink_put_text(&table->sink, astshm_state_name(segment->state));
	put_style(table, PLAIN);
	put_heartbeat(table, segment);
	put_troubles(table, segment);
	sink_put_char(&table->sink, '\n');
}

static void put_times(struct table *table)
{
	const struct astshm_snapshot *snapshot = table->snapshot;
	char timestamp[TEXT_TIMESTAMP_BYTES];
	char text[HUMAN_BYTES];
	text_timestamp(timestamp, snapshot->timestamp_ns);
	sink_put(&table->sink, timestamp, 19); /* to the second */
	sink_put_text(&table->sink, "Z  up ");
	human_uptime(text, snapshot->uptime_ns);
	sink_put_text(&table->sink, text);
	if (snapshot->interval_ns) {
		sink_put_text(&table->sink, "  interval ");
		human_time(text, (double)snapshot->interval_ns);
		sink_put_text(&table->sink, text);
	}
	sink_put_char(&table->sink, '\n');
}

static void put_quiet(struct table *table)
{
	if (!table->quiet)
		return;
	put_style(table, DIM);
	put_number(table, "\n", table->quiet);
	sink_put_text(&table->sink, " series without activity in the interval not shown");
	put_style(table, PLAIN);
	sink_put_char(&table->sink, '\n');
}

/* Behind the lifetime's sections: the same of the window. */
static void put_window(struct table *table, const struct astshm_snapshot *window)
{
	char text[HUMAN_BYTES];
	human_time(text, (double)window->interval_ns);
	put_style(table, BOLD);
	sink_put_text(&table->sink, "\nin the last ");
	sink_put_text(&table->sink, text);
	put_style(table, PLAIN);
	sink_put_char(&table->sink, '\n');
	table->snapshot = window;
	table->in_window = true;
	table->quiet = 0;
	put_sections(table);
	put_quiet(table);
}

int astshm_encode_table(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
			const struct astshm_encode_options *options)
{
	struct table table = { .snapshot = snapshot };
	sink_init(&table.sink, sink);
	table.color = options && options->flags & ASTSHM_ENCODE_COLOR;
	table.width = options ? options->width : 0;
	if (snapshot->has_segment)
		put_segment(&table, &snapshot->segment);
	for (size_t i = 0; i < snapshot->source_count; i++)
		put_segment(&table, &snapshot->sources[i]);
	put_times(&table);
	put_sections(&table);
	if (!snapshot->series_count)
		sink_put_text(&table.sink, "\nno metrics\n");
	put_quiet(&table);
	if (snapshot->window != NULL)
		put_window(&table, snapshot->window);
	return sink_finish(&table.sink);
}
