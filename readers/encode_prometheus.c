/* SPDX-License-Identifier: MIT */
/* Prometheus text exposition format 0.0.4, and OpenMetrics 1.0. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "derive.h"
#include "exposition.h"
#include "statistics.h"
#include "text.h"

struct prometheus {
	struct sink sink;
	const struct astshm_snapshot *snapshot;
	const struct astshm_encode_options *options;
	struct exposition_names names;
	struct exposition_labels labels;
	struct family_index index;
	bool openmetrics;
};

static bool is_histogram(const struct astshm_family *family)
{
	return family->kind == ASTSHM_KIND_TIMING || family->kind == ASTSHM_KIND_DISTRIBUTION;
}

static void put_name(struct prometheus *to, size_t family, const char *suffix)
{
	sink_put_text(&to->sink, exposition_name(&to->names, family));
	sink_put_text(&to->sink, suffix);
}

/* {key="value",...}; `last` stands at the end: le="..." or quantile="...". */
static void put_labels(struct prometheus *to, const struct astshm_series *series,
		       const char *last)
{
	if (!series->tag_count && !last)
		return;
	sink_put_char(&to->sink, '{');
	for (uint32_t i = 0; i < series->tag_count; i++) {
		const struct astshm_label *tag = &series->tags[i];
		if (i > 0)
			sink_put_char(&to->sink, ',');
		sink_put_text(&to->sink, exposition_label(&to->labels, tag));
		sink_put(&to->sink, "=\"", 2);
		text_put_label(&to->sink, tag->value, tag->value_len);
		sink_put_char(&to->sink, '"');
	}
	if (last) {
		if (series->tag_count)
			sink_put_char(&to->sink, ',');
		sink_put_text(&to->sink, to->labels.reserved);
		sink_put(&to->sink, "=\"", 2);
		sink_put_text(&to->sink, last);
		sink_put_char(&to->sink, '"');
	}
	sink_put_char(&to->sink, '}');
}

static void put_unsigned_line(struct prometheus *to, uint64_t value)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES);
	*p++ = ' ';
	p = number_put_u64(p, value);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

static void put_fixed_line(struct prometheus *to, bool negative, number_u128 value,
			   unsigned decimals)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES + 3);
	*p++ = ' ';
	if (negative)
		*p++ = '-';
	p = number_put_fixed(p, value, decimals);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

static void put_real_line(struct prometheus *to, double value)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES + 3);
	if (!isfinite(value)) {
		sink_put_text(&to->sink, isnan(value) ? " NaN\n"
					 : value > 0  ? " +Inf\n"
						      : " -Inf\n");
		return;
	}
	*p++ = ' ';
	p = number_put_double(p, value);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

/* --- histograms ---------------------------------------------------------- */

static void put_bucket(struct prometheus *to, size_t family, const struct astshm_series *series,
		       const char *le, uint64_t count)
{
	put_name(to, family, "_bucket");
	put_labels(to, series, le);
	put_unsigned_line(to, count);
}

/* When the series began: a scraper that missed a reset sees it by that. */
static void put_created(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	if (!to->openmetrics || !series->created_realtime_ns)
		return;
	put_name(to, family, "_created");
	put_labels(to, series, NULL);
	put_fixed_line(to, false, series->created_realtime_ns, 9);
}

static void put_histogram(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	const struct astshm_histogram *histogram = &series->histogram;
	size_t bounds;
	const struct exposition_bound *bound = exposition_bounds(series->kind, &bounds);
	uint64_t below[EXPOSITION_BOUNDS_MAX];
	if (histogram->has_buckets) {
		exposition_below(histogram, series->kind, below);
		for (size_t i = 0; i < bounds; i++)
			put_bucket(to, family, series, bound[i].text, below[i]);
	}
	put_bucket(to, family, series, "+Inf", histogram->count);
	put_name(to, family, "_sum");
	put_labels(to, series, NULL);
	put_fixed_line(to, false, number_join(histogram->sum_hi, histogram->sum),
		       series->kind == ASTSHM_KIND_TIMING ? 9 : 0);
	put_name(to, family, "_count");
	put_labels(to, series, NULL);
	put_unsigned_line(to, histogram->count);
	put_created(to, family, series);
}

/* Interval views show what was added, as everywhere. */
static void put_counter(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	int64_t value = to->snapshot->interval_ns ? series->counter.increase
						  : series->counter.value;
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	bool total = to->openmetrics && series->family->monotonic;
	put_name(to, family, total ? "_total" : "");
	put_labels(to, series, NULL);
	put_fixed_line(to, value < 0, size,
		       statistics_is_time_counter(series->family) ? 9 : 0);
	if (total)
		put_created(to, family, series);
}

static void put_series(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	if (series->kind == ASTSHM_KIND_COUNTER) {
		put_counter(to, family, series);
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		put_name(to, family, "");
		put_labels(to, series, NULL);
		put_real_line(to, series->gauge.current);
	} else {
		put_histogram(to, family, series);
	}
}

/* --- families --------------------------------------------------------------- */

static const char *type_name(const struct astshm_family *family)
{
	if (family->kind == ASTSHM_KIND_COUNTER)
		return family->monotonic ? "counter" : "gauge";
	return is_histogram(family) ? "histogram" : "gauge";
}

/* OpenMetrics wants quotes escaped there too. */
static void put_help(struct prometheus *to, const char *text, size_t length)
{
	if (to->openmetrics)
		text_put_label(&to->sink, text, length);
	else
		text_put_help(&to->sink, text, length);
}

static void put_unit(struct prometheus *to, size_t place, const struct astshm_family *family)
{
	char unit[EXPOSITION_UNIT_BYTES];
	if (!to->openmetrics || !exposition_unit(&to->names, place, family, unit))
		return;
	sink_put_text(&to->sink, "# UNIT ");
	put_name(to, place, " ");
	sink_put_text(&to->sink, unit);
	sink_put_char(&to->sink, '\n');
}

static void put_header(struct prometheus *to, size_t family_place)
{
	const struct astshm_family *family = to->snapshot->families[family_place];
	sink_put_text(&to->sink, "# HELP ");
	put_name(to, family_place, " ");
	if (family->help_len) {
		put_help(to, family->help, family->help_len);
	} else {
		sink_put_text(&to->sink, snapshot_kind_name(family->kind));
		sink_put_char(&to->sink, ' ');
		put_help(to, family->name, family->name_len);
	}
	sink_put_text(&to->sink, "\n# TYPE ");
	put_name(to, family_place, " ");
	sink_put_text(&to->sink, type_name(family));
	sink_put_char(&to->sink, '\n');
	put_unit(to, family_place, family);
}

/* Says, as a comment and to whoever wants to know, what is not there and why. */
static void leave_out(struct prometheus *to, const struct astshm_family *family, const char *why,
		      const char *name)
{
	char line[1200];
	snprintf(line, sizeof line, "left out: %s %.*s: %s %s", snapshot_kind_name(family->kind),
		 (int)family->name_len, family->name, why, name);
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a stranger's name on its way to a terminal */
	}
	if (!to->openmetrics) { /* which has no comments */
		sink_put(&to->sink, "# ", 2);
		text_put_help(&to->sink, line, strlen(line));
		sink_put_char(&to->sink, '\n');
	}
	if (to->options && to->options->warn)
		to->options->warn(to->options->warn_context, line);
}

static void put_family(struct prometheus *to, size_t place)
{
	const struct astshm_family *family = to->snapshot->families[place];
	const uint32_t *first = to->index.series + to->index.first[place];
	size_t count = to->index.first[place + 1] - to->index.first[place];
	if (!count)
		return;
	if (to->names.taken[place]) {
		leave_out(to, family, "its name is taken already:",
			  exposition_name(&to->names, place));
		return;
	}
	if (!exposition_labels_init(&to->labels, to->snapshot->series, first, count,
				    is_histogram(family) ? "le" : NULL)) {
		leave_out(to, family, "it has too many different tags,", "more than 64");
		return;
	}
	put_header(to, place);
	for (size_t i = 0; i < count && !to->sink.error; i++)
		put_series(to, place, &to->snapshot->series[first[i]]);
}

/* --- the window --------------------------------------------------------------- */

static void put_window_header(struct prometheus *to, size_t place, const char *suffix,
			      const char *what, const char *type)
{
	const struct astshm_family *family = to->snapshot->families[place];
	sink_put_text(&to->sink, "# HELP ");
	sink_put_text(&to->sink, exposition_window_name(&to->names, place));
	sink_put_text(&to->sink, suffix);
	sink_put_char(&to->sink, ' ');
	sink_put_text(&to->sink, what);
	put_help(to, family->name, family->name_len);
	sink_put_text(&to->sink, "\n# TYPE ");
	sink_put_text(&to->sink, exposition_window_name(&to->names, place));
	sink_put_text(&to->sink, suffix);
	sink_put_char(&to->sink, ' ');
	sink_put_text(&to->sink, type);
	sink_put_char(&to->sink, '\n');
}

static void put_window_name(struct prometheus *to, size_t place, const char *suffix,
			    const struct astshm_series *series, const char *quantile)
{
	sink_put_text(&to->sink, exposition_window_name(&to->names, place));
	sink_put_text(&to->sink, suffix);
	put_labels(to, series, quantile);
}

/* One gauge of a family: a line for each series. */
struct window_gauge {
	const char *suffix;
	const char *what;
	double (*value)(const struct astshm_series *series, double seconds);
};

static double rate_of(const struct astshm_series *series, double seconds)
{
	if (series->kind != ASTSHM_KIND_COUNTER)
		return (double)series->histogram.count / seconds;
	return statistics_is_time_counter(series->family) ? series->counter.rate / 1e9
							   : series->counter.rate;
}

static double min_of(const struct astshm_series *series, double seconds)
{
	(void)seconds;
	return series->gauge.count ? series->gauge.min : (double)NAN;
}

static double max_of(const struct astshm_series *series, double seconds)
{
	(void)seconds;
	return series->gauge.count ? series->gauge.max : (double)NAN;
}

static void put_window_gauge(struct prometheus *to, size_t place, const struct window_gauge *gauge)
{
	const struct astshm_snapshot *window = to->snapshot->window;
	const uint32_t *first = to->index.series + to->index.first[place];
	size_t count = to->index.first[place + 1] - to->index.first[place];
	put_window_header(to, place, gauge->suffix, gauge->what, "gauge");
	for (size_t i = 0; i < count && !to->sink.error; i++) {
		const struct astshm_series *series = &window->series[first[i]];
		put_window_name(to, place, gauge->suffix, series, NULL);
		put_real_line(to, gauge->value(series, (double)window->interval_ns / 1e9));
	}
}

/* Extremes are the quantiles 0 and 1; without a sample there is no line. */
static void put_quantiles(struct prometheus *to, size_t place, const struct astshm_series *series)
{
	struct statistics statistics;
	unsigned decimals = series->kind == ASTSHM_KIND_TIMING ? 9 : 0;
	statistics_of(&series->histogram, series->kind, &statistics);
	const struct {
		const char *text;
		bool known;
		uint64_t value;
	} lines[] = {
		{ "0", statistics.has_extremes, statistics.min },
		{ "0.5", statistics.has_quantiles, statistics.quantile[0] },
		{ "0.95", statistics.has_quantiles, statistics.quantile[2] },
		{ "0.99", statistics.has_quantiles, statistics.quantile[3] },
		{ "1", statistics.has_extremes, statistics.max },
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (!lines[i].known)
			continue;
		put_window_name(to, place, EXPOSITION_WINDOW, series, lines[i].text);
		put_fixed_line(to, false, lines[i].value, decimals);
	}
}

/*
 * A summary as Prometheus' own clients make them: quantiles of a sliding window,
 * but sum and count of the lifetime, so that they only rise.
 */
static void put_window_summary(struct prometheus *to, size_t place)
{
	const uint32_t *first = to->index.series + to->index.first[place];
	size_t count = to->index.first[place + 1] - to->index.first[place];
	put_window_header(to, place, EXPOSITION_WINDOW, "quantiles of the window: ", "summary");
	for (size_t i = 0; i < count && !to->sink.error; i++) {
		const struct astshm_series *whole = &to->snapshot->series[first[i]];
		const struct astshm_histogram *total = &whole->histogram;
		put_quantiles(to, place, &to->snapshot->window->series[first[i]]);
		put_window_name(to, place, EXPOSITION_WINDOW "_sum", whole, NULL);
		put_fixed_line(to, false, number_join(total->sum_hi, total->sum),
			       whole->kind == ASTSHM_KIND_TIMING ? 9 : 0);
		put_window_name(to, place, EXPOSITION_WINDOW "_count", whole, NULL);
		put_unsigned_line(to, total->count);
	}
}

static void put_window_family(struct prometheus *to, size_t place)
{
	static const struct window_gauge rate = { EXPOSITION_RATE,
						  "per second, in the window: ", rate_of };
	static const struct window_gauge min = { EXPOSITION_MIN, "lowest in the window: ",
						 min_of };
	static const struct window_gauge max = { EXPOSITION_MAX, "highest in the window: ",
						 max_of };
	const struct astshm_family *family = to->snapshot->families[place];
	const uint32_t *first = to->index.series + to->index.first[place];
	size_t count = to->index.first[place + 1] - to->index.first[place];
	if (!count || !exposition_labels_init(&to->labels, to->snapshot->series, first, count,
					      is_histogram(family) ? "quantile" : NULL))
		return; /* left out with its totals, which said so */
	if (to->names.window_taken[place]) {
		leave_out(to, family, "a name of its window is taken already:",
			  exposition_window_name(&to->names, place));
		return;
	}
	if (family->kind == ASTSHM_KIND_GAUGE) {
		put_window_gauge(to, place, &min);
		put_window_gauge(to, place, &max);
		return;
	}
	if (is_histogram(family))
		put_window_summary(to, place);
	put_window_gauge(to, place, &rate);
}

static void put_window(struct prometheus *to, const struct astshm_snapshot *window)
{
	if (!to->names.window_seconds_taken) {
		sink_put_text(&to->sink, "# HELP " EXPOSITION_WINDOW_SECONDS
			      " how long the window is\n# TYPE " EXPOSITION_WINDOW_SECONDS
			      " gauge\n" EXPOSITION_WINDOW_SECONDS);
		put_fixed_line(to, false, window->interval_ns, 9);
	}
	for (size_t i = 0; i < to->snapshot->family_count; i++)
		put_window_family(to, i);
}

int astshm_encode_prometheus(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
			     const struct astshm_encode_options *options)
{
	struct prometheus to = { .snapshot = snapshot, .options = options };
	to.openmetrics = options && options->flags & ASTSHM_ENCODE_OPENMETRICS;
	sink_init(&to.sink, sink);
	if (family_index_init(&to.index, snapshot) < 0)
		return -ENOMEM;
	if (exposition_names_init(&to.names, snapshot, &to.index, to.openmetrics) < 0) {
		family_index_fini(&to.index);
		return -ENOMEM;
	}
	for (size_t i = 0; i < snapshot->family_count; i++)
		put_family(&to, i);
	if (snapshot->window)
		put_window(&to, snapshot->window);
	if (to.openmetrics)
		sink_put_text(&to.sink, "# EOF\n");
	exposition_names_fini(&to.names);
	family_index_fini(&to.index);
	return sink_finish(&to.sink);
}
