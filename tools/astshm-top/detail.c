/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "detail.h"
#include "table.h"

#define LABEL_COLUMNS 12
#define CELL_COLUMNS 13

struct detail {
	const struct model *model;
	const struct model_row *row;
	const struct astshm_series *life;
	enum units units;
	struct page *page;
	unsigned width;
};

static const char *kind_name(const struct astshm_series *series)
{
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		return series->monotonic ? "counter" : "up-down counter";
	case ASTSHM_KIND_GAUGE:
		return "gauge";
	case ASTSHM_KIND_TIMING:
		return "timing";
	default:
		return "distribution";
	}
}

static bool is_histogram(const struct astshm_series *series)
{
	return series->kind == ASTSHM_KIND_TIMING || series->kind == ASTSHM_KIND_DISTRIBUTION;
}

static void put_heading(const struct detail *detail, const char *text)
{
	page_begin(detail->page);
	page_begin(detail->page);
	page_put(detail->page, STYLE_TITLE, text);
}

/* --- what it is ------------------------------------------------------------------- */

static void put_identity(const struct detail *detail)
{
	const struct astshm_series *series = detail->life;
	struct page *page = detail->page;

	page_wrap(page, STYLE_BOLD, series->key, 0, detail->width);
	page_begin(page);
	page_put(page, STYLE_PLAIN, kind_name(series));
	if (series->family->unit[0]) {
		page_put(page, STYLE_PLAIN, " in ");
		page_put(page, STYLE_PLAIN, series->family->unit);
	}
	if (series->family->help[0])
		page_wrap(page, STYLE_PLAIN, series->family->help, 0, detail->width);
	for (uint32_t i = 0; i < series->tag_count; i++) {
		page_begin(page);
		page_put(page, STYLE_DIM, i == 0 ? "tags  " : "      ");
		page_put(page, STYLE_BOLD, series->tags[i].key);
		page_put(page, STYLE_PLAIN, " = ");
		page_put(page, STYLE_PLAIN, series->tags[i].value);
	}
}

/* --- numbers ------------------------------------------------------------------------ */

enum statistic { INCREASE, RATE, CURRENT, SAMPLES, MEAN, MIN, P50, P90, P95, P99, P999, MAX,
		 STATISTIC_COUNT };

static const char *const statistic_names[STATISTIC_COUNT] = {
	"increase", "rate/s", "current", "samples", "mean", "min",
	"p50", "p90", "p95", "p99", "p99.9", "max",
};

static void take_counter(const struct astshm_series *series, enum view view,
			 double numbers[STATISTIC_COUNT])
{
	numbers[INCREASE] = (double)(view == VIEW_LIFE ? series->counter.value
						       : series->counter.increase);
	if (view != VIEW_LIFE && series->counter.has_rate)
		numbers[RATE] = series->counter.rate;
}

static void take_gauge(const struct astshm_series *series, double numbers[STATISTIC_COUNT])
{
	const struct astshm_gauge_value *gauge = &series->gauge;

	numbers[CURRENT] = gauge->current;
	numbers[SAMPLES] = (double)gauge->count;
	if (gauge->count == 0)
		return;
	numbers[MEAN] = gauge->sum / (double)gauge->count;
	numbers[MIN] = gauge->min;
	numbers[MAX] = gauge->max;
}

static void take_histogram(const struct astshm_series *series, uint64_t interval_ns,
			   double numbers[STATISTIC_COUNT])
{
	static const double q[5] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
	const struct astshm_histogram *histogram = &series->histogram;

	numbers[SAMPLES] = (double)histogram->count;
	if (interval_ns > 0)
		numbers[RATE] = (double)histogram->count * 1e9 / (double)interval_ns;
	if (histogram->count == 0)
		return;
	numbers[MEAN] = astshm_histogram_mean(histogram);
	astshm_histogram_quantiles(histogram, series->kind, q, &numbers[P50], 5);
	if (histogram->has_extremes) {
		numbers[MIN] = (double)histogram->min;
		numbers[MAX] = (double)histogram->max;
	}
}

/* NaN where there is none. An interval knows of a gauge only what it is now. */
static void take_numbers(const struct detail *detail, enum view view,
			 double numbers[STATISTIC_COUNT])
{
	const struct astshm_series *series = detail->row->views[view];
	const struct astshm_snapshot *life = detail->model->life;

	for (int i = 0; i < STATISTIC_COUNT; i++)
		numbers[i] = (double)NAN;
	if (!series)
		return;
	if (series->kind == ASTSHM_KIND_COUNTER)
		take_counter(series, view, numbers);
	else if (is_histogram(series))
		take_histogram(series, astshm_snapshot_interval_ns(model_view(detail->model, view)),
			       numbers);
	else if (view == VIEW_LIFE || (view == VIEW_WINDOW && astshm_snapshot_window(life)))
		take_gauge(series, numbers);
	else
		numbers[CURRENT] = series->gauge.current;
}

static void format_statistic(char cell[CELL_BYTES], const struct detail *detail, int statistic,
			     double number)
{
	const struct astshm_family *family = detail->life->family;

	if (statistic == RATE)
		format_counter_rate(cell, detail->units, family, number);
	else if (statistic == SAMPLES)
		format_count(cell, detail->units, number);
	else if (statistic == INCREASE)
		format_counter(cell, detail->units, family, number);
	else
		format_amount(cell, detail->units, family, number);
}

static void put_view_heads(const struct detail *detail)
{
	page_begin(detail->page);
	page_begin(detail->page);
	page_to(detail->page, STYLE_PLAIN, LABEL_COLUMNS);
	for (int v = 0; v < VIEW_COUNT; v++) {
		const struct astshm_snapshot *view = model_view(detail->model, (enum view)v);
		char head[CELL_BYTES] = "lifetime";

		if (v != VIEW_LIFE && view)
			format_span(head, astshm_snapshot_interval_ns(view));
		else if (v != VIEW_LIFE)
			strcpy(head, v == VIEW_NOW ? "now" : "window");
		page_right(detail->page, STYLE_DIM, head, CELL_COLUMNS);
	}
}

static void put_numbers(const struct detail *detail)
{
	double numbers[VIEW_COUNT][STATISTIC_COUNT];
	char cell[CELL_BYTES];

	put_view_heads(detail);
	for (int v = 0; v < VIEW_COUNT; v++)
		take_numbers(detail, (enum view)v, numbers[v]);
	for (int i = 0; i < STATISTIC_COUNT; i++) {
		if (isnan(numbers[VIEW_NOW][i]) && isnan(numbers[VIEW_WINDOW][i]) &&
		    isnan(numbers[VIEW_LIFE][i]))
			continue;
		page_begin(detail->page);
		page_fit(detail->page, STYLE_PLAIN, statistic_names[i], LABEL_COLUMNS);
		for (int v = 0; v < VIEW_COUNT; v++) {
			format_statistic(cell, detail, i, numbers[v][i]);
			page_right(detail->page, STYLE_PLAIN, cell, CELL_COLUMNS);
		}
	}
}

static void put_trend(const struct detail *detail)
{
	char span[CELL_BYTES];
	const char *what = detail->life->kind == ASTSHM_KIND_COUNTER ? "rate"
			   : detail->life->kind == ASTSHM_KIND_GAUGE ? "value" : "p95";

	if (!detail->row->trend)
		return;
	format_span(span, detail->model->trends.interval_ns);
	page_begin(detail->page);
	page_begin(detail->page);
	page_put(detail->page, STYLE_TITLE, "Trend");
	page_print(detail->page, STYLE_DIM, " (%s, each %s) ", what, span);
	trend_put(detail->row->trend, detail->page,
		  detail->width > TREND_POINTS + 24 ? TREND_POINTS : 16);
}

/* --- histogram ---------------------------------------------------------------------- */

struct bars {
	uint64_t counts[64];
	double upper[64];
	unsigned count;
	uint64_t most;
};

static void add_bar(struct bars *bars, double upper, uint64_t count)
{
	bars->upper[bars->count] = upper;
	bars->counts[bars->count++] = count;
	bars->most = count > bars->most ? count : bars->most;
}

/* Buckets are of equal width on a logarithmic scale, and so are runs of them. */
static void fill_bars(struct bars *bars, const struct astshm_histogram *histogram,
		      enum astshm_kind kind, unsigned rows)
{
	uint32_t first = 0, end = histogram->slot_count, step;

	while (first < end && histogram->slots[first] == 0)
		first++;
	while (end > first && histogram->slots[end - 1] == 0)
		end--;
	if (histogram->zero_count)
		add_bar(bars, 0, histogram->zero_count);
	step = (end - first + rows - 1) / rows;
	for (uint32_t i = first; i < end; i += step) {
		uint32_t last = end - i < step ? end - 1 : i + step - 1;
		uint64_t sum = 0;

		for (uint32_t j = i; j <= last; j++)
			sum += histogram->slots[j];
		add_bar(bars, astshm_histogram_bound(kind, histogram->first_slot + last), sum);
	}
	if (histogram->overflow_count)
		add_bar(bars, (double)INFINITY, histogram->overflow_count);
}

static void put_bars(const struct detail *detail, const struct bars *bars)
{
	unsigned used = 3 + LABEL_COLUMNS + LABEL_COLUMNS + 2;
	unsigned width = detail->width > used + 8 ? detail->width - used : 8;

	for (unsigned i = 0; i < bars->count; i++) {
		char cell[CELL_BYTES];

		page_begin(detail->page);
		format_amount(cell, detail->units, detail->life->family, bars->upper[i]);
		page_put(detail->page, STYLE_DIM, "<= ");
		page_right(detail->page, STYLE_PLAIN, cell, LABEL_COLUMNS);
		format_count(cell, detail->units, (double)bars->counts[i]);
		page_right(detail->page, STYLE_PLAIN, cell, LABEL_COLUMNS);
		page_put(detail->page, STYLE_PLAIN, "  ");
		page_bar(detail->page, STYLE_BAR, (double)bars->counts[i] / (double)bars->most,
			 width);
	}
}

static void put_histogram(const struct detail *detail, enum view drawn, unsigned rows)
{
	const struct astshm_series *series = detail->row->views[drawn];
	const struct astshm_snapshot *view = model_view(detail->model, drawn);
	struct bars bars = { .count = 0 };
	char title[96], span[CELL_BYTES] = "";

	if (view && drawn != VIEW_LIFE)
		format_span(span, astshm_snapshot_interval_ns(view));
	snprintf(title, sizeof(title), "Histogram of the %s%.30s",
		 drawn == VIEW_LIFE ? "lifetime" : "last ", span);
	put_heading(detail, title);
	page_put(detail->page, STYLE_DIM,
		 drawn == VIEW_LIFE ? " (l: the window's)" : " (l: the lifetime's)");
	if (!series || series->histogram.count == 0) {
		page_begin(detail->page);
		page_put(detail->page, STYLE_DIM, "no sample");
		return;
	}
	fill_bars(&bars, &series->histogram, series->kind, rows < 60 ? rows : 60);
	put_bars(detail, &bars);
}

/* --- threads ------------------------------------------------------------------------- */

static void put_thread_value(const struct detail *detail, const struct astshm_thread_value *thread)
{
	const struct astshm_family *family = detail->life->family;
	const struct astshm_histogram *histogram = &thread->histogram;
	struct page *page = detail->page;
	char cell[CELL_BYTES];

	if (detail->life->kind == ASTSHM_KIND_COUNTER) {
		format_counter(cell, detail->units, family, (double)thread->counter);
		page_right(page, STYLE_PLAIN, cell, CELL_COLUMNS);
		return;
	}
	if (detail->life->kind == ASTSHM_KIND_GAUGE) {
		format_count(cell, detail->units, (double)thread->gauge.count);
		page_right(page, STYLE_PLAIN, cell, CELL_COLUMNS);
		return;
	}
	format_count(cell, detail->units, (double)histogram->count);
	page_right(page, STYLE_PLAIN, cell, CELL_COLUMNS);
	format_amount(cell, detail->units, family,
		      astshm_histogram_quantile(histogram, detail->life->kind, 0.95));
	page_right(page, STYLE_PLAIN, cell, CELL_COLUMNS);
	format_amount(cell, detail->units, family,
		      histogram->count > 0 && histogram->has_extremes ? (double)histogram->max
								      : (double)NAN);
	page_right(page, STYLE_PLAIN, cell, CELL_COLUMNS);
}

static void put_thread(const struct detail *detail, const struct astshm_thread_value *thread)
{
	struct page *page = detail->page;
	char text[64];

	page_begin(page);
	snprintf(text, sizeof(text), "%" PRIu32, thread->slot);
	page_right(page, STYLE_PLAIN, text, 4);
	snprintf(text, sizeof(text), "%" PRIu32, thread->tid);
	page_right(page, STYLE_PLAIN, thread->slot ? text : "-", 9);
	page_put(page, STYLE_PLAIN, "  ");
	/* Slot 0 is for all threads that found no other. */
	page_fit(page, STYLE_PLAIN, thread->slot ? thread->name : "(shared)", 16);
	snprintf(text, sizeof(text), "%" PRIu32, thread->owners);
	page_right(page, STYLE_PLAIN, text, 8);
	put_thread_value(detail, thread);
}

static void put_threads(const struct detail *detail)
{
	const struct astshm_series *series = detail->life;
	struct page *page = detail->page;

	if (series->thread_count == 0)
		return;
	put_heading(detail, "Threads of the lifetime");
	page_begin(page);
	page_print(page, STYLE_DIM, "%4s%9s  %-16s%8s%*s", "SLOT", "TID", "NAME", "OWNERS",
		   CELL_COLUMNS, series->kind == ASTSHM_KIND_COUNTER ? "VALUE" : "SAMPLES");
	if (is_histogram(series))
		page_print(page, STYLE_DIM, "%*s%*s", CELL_COLUMNS, "P95", CELL_COLUMNS, "MAX");
	for (uint32_t i = 0; i < series->thread_count; i++)
		put_thread(detail, &series->threads[i]);
}

void detail_put(const struct model *model, const struct model_row *row, enum view drawn,
		enum units units, struct page *page, unsigned width, unsigned bars)
{
	struct detail detail = { model, row, row->views[VIEW_LIFE], units, page, width };

	put_identity(&detail);
	put_numbers(&detail);
	put_trend(&detail);
	if (is_histogram(detail.life))
		put_histogram(&detail, drawn, bars);
	put_threads(&detail);
}
