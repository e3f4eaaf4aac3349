/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scale.h"
#include "table.h"

#define NAME_COLUMNS 24 /* narrower than this a name says little */
#define GAP_COLUMNS 1
#define UP "\xe2\x96\xb4"   /* U+25B4 */
#define DOWN "\xe2\x96\xbe" /* U+25BE */
#define TREND_COLUMNS 12
#define TREND_MOST_COLUMNS 24

void table_init(struct table *table)
{
	*table = (struct table){ .sort = COLUMN_RATE };
}

void table_fini(struct table *table)
{
	free(table->rows);
	free(table->chosen_key);
	table_init(table);
}

const char *column_name(enum column column)
{
	static const char *const names[COLUMN_COUNT] = {
		"NAME", "VALUE", "RATE/s", "AVG/s", "MIN", "P50", "P95", "P99", "MAX",
	};

	return names[column];
}

/* --- numbers -------------------------------------------------------------------- */

static bool is_histogram(const struct astshm_series *series)
{
	return series->kind == ASTSHM_KIND_TIMING || series->kind == ASTSHM_KIND_DISTRIBUTION;
}

static double rate_in(const struct model *model, enum view view,
		      const struct astshm_series *series)
{
	uint64_t interval_ns;

	if (!series || series->kind == ASTSHM_KIND_GAUGE)
		return (double)NAN;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return series->counter.has_rate ? series->counter.rate : (double)NAN;
	interval_ns = astshm_snapshot_interval_ns(model_view(model, view));
	return interval_ns ? (double)series->histogram.count * 1e9 / (double)interval_ns
			   : (double)NAN;
}

static double value_of(const struct astshm_series *series)
{
	if (series->kind == ASTSHM_KIND_COUNTER)
		return (double)series->counter.value;
	if (series->kind == ASTSHM_KIND_GAUGE)
		return series->gauge.current;
	return (double)series->histogram.count;
}

static void take_window(struct table_row *row, const struct astshm_series *window)
{
	static const double q[3] = { 0.5, 0.95, 0.99 };

	if (!window || window->kind == ASTSHM_KIND_COUNTER)
		return;
	if (window->kind == ASTSHM_KIND_GAUGE) {
		if (window->gauge.count > 0 && window->gauge.min <= window->gauge.max) {
			row->numbers[COLUMN_MIN] = window->gauge.min;
			row->numbers[COLUMN_MAX] = window->gauge.max;
		}
		return;
	}
	if (window->histogram.count == 0)
		return;
	astshm_histogram_quantiles(&window->histogram, window->kind, q,
				   &row->numbers[COLUMN_P50], 3);
	if (window->histogram.has_extremes) {
		row->numbers[COLUMN_MIN] = (double)window->histogram.min;
		row->numbers[COLUMN_MAX] = (double)window->histogram.max;
	}
}

static void fill_row(struct table_row *row, const struct model *model,
		     const struct model_row *series)
{
	row->series = series;
	for (int i = 0; i < COLUMN_COUNT; i++)
		row->numbers[i] = (double)NAN;
	row->numbers[COLUMN_VALUE] = value_of(series->views[VIEW_LIFE]);
	row->numbers[COLUMN_RATE] = rate_in(model, VIEW_NOW, series->views[VIEW_NOW]);
	row->numbers[COLUMN_AVERAGE] = rate_in(model, VIEW_WINDOW, series->views[VIEW_WINDOW]);
	take_window(row, series->views[VIEW_WINDOW]);
}

/* --- filter and order ------------------------------------------------------------- */

/* A pattern for the whole key if it has a star, else a piece of it. */
static bool passes(const struct table *table, const struct astshm_series *series)
{
	if (table->kind != 0 && (int)series->kind != table->kind)
		return false;
	if (table->filter[0] == '\0')
		return true;
	if (strchr(table->filter, '*'))
		return fnmatch(table->filter, series->key, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
	return strcasestr(series->key, table->filter) != NULL;
}

static int compare_keys(const struct astshm_series *a, const struct astshm_series *b)
{
	int result = strcmp(a->key, b->key);

	return result != 0 ? result : (int)a->kind - (int)b->kind;
}

/* Of a timing or distribution these columns count samples. */
static bool counts_samples(const struct astshm_series *series, enum column column)
{
	return is_histogram(series) && (column == COLUMN_VALUE || column == COLUMN_RATE ||
					column == COLUMN_AVERAGE);
}

/* Of all units one order: 464 ms of processor time are less than 8085 events. */
static double sort_number(const struct table_row *row, enum column column)
{
	const struct astshm_series *series = row->series->views[VIEW_LIFE];
	double number = row->numbers[column];

	return counts_samples(series, column) ? number : scale_number(series->family, number);
}

/* Largest first; those without the number last, whichever way. */
static int compare_rows(const void *left, const void *right, void *context)
{
	const struct table *table = context;
	const struct table_row *a = left, *b = right;
	double x = sort_number(a, table->sort), y = sort_number(b, table->sort);
	int keys = compare_keys(a->series->views[VIEW_LIFE], b->series->views[VIEW_LIFE]);

	if (table->sort == COLUMN_NAME)
		return table->reversed ? -keys : keys;
	if (isnan(x) || isnan(y))
		return isnan(x) && isnan(y) ? keys : isnan(x) ? 1 : -1;
	if (x == y)
		return keys;
	return (x > y) == !table->reversed ? -1 : 1;
}

/* --- what is chosen --------------------------------------------------------------- */

const struct table_row *table_chosen(const struct table *table)
{
	return table->chosen < table->row_count ? &table->rows[table->chosen] : NULL;
}

static void remember_chosen(struct table *table)
{
	const struct table_row *row = table_chosen(table);
	const struct astshm_series *series = row ? row->series->views[VIEW_LIFE] : NULL;
	char *key;

	if (!series || (table->chosen_key && strcmp(series->key, table->chosen_key) == 0 &&
			series->kind == table->chosen_kind))
		return;
	key = strdup(series->key);
	if (!key)
		return;
	free(table->chosen_key);
	table->chosen_key = key;
	table->chosen_kind = series->kind;
}

static void find_chosen(struct table *table)
{
	for (size_t i = 0; table->chosen_key && i < table->row_count; i++) {
		const struct astshm_series *series = table->rows[i].series->views[VIEW_LIFE];

		if (series->kind == table->chosen_kind &&
		    strcmp(series->key, table->chosen_key) == 0) {
			table->chosen = i;
			return;
		}
	}
	if (table->chosen >= table->row_count)
		table->chosen = table->row_count ? table->row_count - 1 : 0;
}

void table_move(struct table *table, long by)
{
	size_t last = table->row_count ? table->row_count - 1 : 0;

	if (by < 0)
		table->chosen -= table->chosen < (size_t)-by ? table->chosen : (size_t)-by;
	else
		table->chosen += last - table->chosen < (size_t)by ? last - table->chosen
								   : (size_t)by;
	remember_chosen(table);
}

void table_home(struct table *table)
{
	free(table->chosen_key);
	table->chosen_key = NULL;
	table->chosen = 0;
}

int table_update(struct table *table, const struct model *model)
{
	struct table_row *rows = reallocarray(table->rows, model->row_count + 1, sizeof(*rows));

	table->row_count = 0;
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	table->total = model->row_count;
	for (size_t i = 0; i < model->row_count; i++) {
		if (passes(table, model->rows[i].views[VIEW_LIFE]))
			fill_row(&rows[table->row_count++], model, &model->rows[i]);
	}
	qsort_r(rows, table->row_count, sizeof(*rows), compare_rows, table);
	if (table->chosen_key)
		find_chosen(table);
	else
		table->chosen = 0;
	return 0;
}

/* --- on a page ---------------------------------------------------------------------- */

static void format_cell(char cell[CELL_BYTES], enum units units, const struct table_row *row,
			enum column column)
{
	const struct astshm_series *series = row->series->views[VIEW_LIFE];
	double number = row->numbers[column];

	if (column == COLUMN_RATE || column == COLUMN_AVERAGE)
		format_counter_rate(cell, units, series->family, number);
	else if (series->kind == ASTSHM_KIND_COUNTER)
		format_counter(cell, units, series->family, number);
	else if (is_histogram(series) && column == COLUMN_VALUE)
		format_count(cell, units, number);
	else
		format_amount(cell, units, series->family, number);
}

/* Columns that there is room for, in the order in which they are given up. */
struct columns {
	bool shown[COLUMN_COUNT];
	unsigned name;  /* columns of the name */
	unsigned trend; /* 0: none */
	unsigned cell;
};

static struct columns choose_columns(enum units units, enum column sort, unsigned width)
{
	static const enum column wanted[] = { COLUMN_VALUE, COLUMN_RATE, COLUMN_P95, COLUMN_COUNT,
					      COLUMN_MAX, COLUMN_P50, COLUMN_P99, COLUMN_AVERAGE,
					      COLUMN_MIN };
	struct columns columns = { .cell = format_width(units) };
	unsigned cell = columns.cell + GAP_COLUMNS, left;

	left = width > NAME_COLUMNS ? width - NAME_COLUMNS : 0;
	if (sort != COLUMN_NAME && left >= cell) {
		columns.shown[sort] = true; /* what it is sorted by has to be seen */
		left -= cell;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		unsigned needed = wanted[i] == COLUMN_COUNT ? TREND_COLUMNS + GAP_COLUMNS : cell;

		if (needed > left || (wanted[i] < COLUMN_COUNT && columns.shown[wanted[i]]))
			continue;
		if (wanted[i] == COLUMN_COUNT)
			columns.trend = TREND_COLUMNS;
		else
			columns.shown[wanted[i]] = true;
		left -= needed;
	}
	/* What is left over makes trends longer, then names. */
	if (columns.trend && left > NAME_COLUMNS / 2) {
		unsigned more = left - NAME_COLUMNS / 2;

		more = more < TREND_MOST_COLUMNS - TREND_COLUMNS
			       ? more : TREND_MOST_COLUMNS - TREND_COLUMNS;
		columns.trend += more;
		left -= more;
	}
	columns.name = (width < NAME_COLUMNS ? width : NAME_COLUMNS) + left;
	return columns;
}

static void put_head(const struct table *table, struct page *page, const struct columns *columns)
{
	char head[32];

	page_begin(page);
	for (int i = 0; i < COLUMN_COUNT; i++) {
		/* Largest first points down. */
		bool down = (i == COLUMN_NAME) == table->reversed;
		const char *mark = (enum column)i != table->sort ? ""
				   : !page->utf8 ? (down ? "v" : "^") : down ? DOWN : UP;

		strcpy(head, column_name((enum column)i));
		strcat(head, mark);
		if (i == COLUMN_NAME)
			page_fit(page, STYLE_REVERSE, head, columns->name);
		else if (columns->shown[i])
			page_right(page, STYLE_REVERSE, head, columns->cell + GAP_COLUMNS);
	}
	if (columns->trend) {
		page_put(page, STYLE_REVERSE, " ");
		page_fit(page, STYLE_REVERSE, "TREND", columns->trend);
	}
}

static bool is_quiet(const struct table_row *row)
{
	return row->series->views[VIEW_LIFE]->kind != ASTSHM_KIND_GAUGE &&
	       !(row->numbers[COLUMN_RATE] != 0 && !isnan(row->numbers[COLUMN_RATE])) &&
	       !(row->numbers[COLUMN_AVERAGE] != 0 && !isnan(row->numbers[COLUMN_AVERAGE]));
}

static void put_row(struct page *page, const struct table_row *row, enum units units,
		    const struct columns *columns, bool chosen)
{
	enum style style = chosen ? STYLE_SELECTED : is_quiet(row) ? STYLE_DIM : STYLE_PLAIN;
	char cell[CELL_BYTES];

	page_begin(page);
	page_fit_ends(page, style, row->series->views[VIEW_LIFE]->key, columns->name);
	for (int i = COLUMN_VALUE; i < COLUMN_COUNT; i++) {
		if (!columns->shown[i])
			continue;
		format_cell(cell, units, row, (enum column)i);
		page_right(page, style, " ", GAP_COLUMNS);
		page_right(page, style, cell, columns->cell);
	}
	if (columns->trend) {
		page_put(page, style, " ");
		trend_put(row->series->trend, page, columns->trend);
	}
}

static void scroll_to_chosen(struct table *table, unsigned height)
{
	if (table->chosen < table->top)
		table->top = table->chosen;
	if (height > 0 && table->chosen >= table->top + height)
		table->top = table->chosen - height + 1;
	/* No empty rows at the end while there are hidden ones above. */
	if (table->top + height > table->row_count)
		table->top = table->row_count > height ? table->row_count - height : 0;
}

void table_put(struct table *table, struct page *page, enum units units, unsigned width,
	       unsigned height)
{
	struct columns columns = choose_columns(units, table->sort, width);

	if (height == 0)
		return;
	put_head(table, page, &columns);
	scroll_to_chosen(table, height - 1);
	for (size_t i = table->top; i < table->row_count && i < table->top + height - 1; i++)
		put_row(page, &table->rows[i], units, &columns, i == table->chosen);
}

void trend_put(const struct trend *trend, struct page *page, unsigned width)
{
	unsigned shown = width < TREND_POINTS ? width : TREND_POINTS;
	const float *points = trend ? trend->points + TREND_POINTS - shown : NULL;
	double least = 0, most = 0;

	for (unsigned i = 0; points && i < shown; i++) {
		least = isfinite(points[i]) && points[i] < least ? points[i] : least;
		most = isfinite(points[i]) && points[i] > most ? points[i] : most;
	}
	for (unsigned i = 0; i < width; i++) {
		double point = points && i >= width - shown
				       ? (double)points[i - (width - shown)] : (double)NAN;

		/* From zero on, so that a flat line at the bottom is nothing at all. */
		if (!isfinite(point))
			page_spark(page, STYLE_BAR, (double)NAN);
		else
			page_spark(page, STYLE_BAR,
				   most > least ? (point - least) / (most - least) : 0);
	}
}
