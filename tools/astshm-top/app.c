/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "dashboard.h"
#include "detail.h"
#include "help.h"
#include "status.h"

#define NAME_COLUMNS_MIN 12
#define TABLE_ROWS_MIN 5 /* head and four series: less is no table */

void app_init(struct app *app, struct model *model, bool utf8)
{
	*app = (struct app){ .model = model, .drawn = VIEW_WINDOW };
	table_init(&app->table);
	page_init(&app->content, utf8);
}

void app_fini(struct app *app)
{
	table_fini(&app->table);
	page_fini(&app->content);
}

int app_update(struct app *app)
{
	return table_update(&app->table, app->model);
}

/* --- first and last line -------------------------------------------------------------- */

static void put_settings(const struct app *app, char text[160])
{
	char interval[CELL_BYTES], window[CELL_BYTES];

	format_span(interval, (uint64_t)app->model->interval_ns);
	format_span(window, (uint64_t)app->model->window_ns);
	snprintf(text, 160, "%severy %.40s  window %.40s%s%s", app->paused ? "PAUSED  " : "",
		 interval, window, app->units == UNITS_AUTO ? "" : "  units ",
		 app->units == UNITS_AUTO ? "" : units_name(app->units));
}

/* The name gives way to what is known about it. */
static void put_head(const struct app *app, struct page *page, const struct status *status,
		     unsigned width)
{
	const struct astshm_segment_info *segment = model_segment(app->model);
	char facts[160] = "", settings[160], age[CELL_BYTES];
	unsigned used, name, room;

	if (segment) {
		format_age(age, astshm_snapshot_uptime_ns(app->model->life));
		snprintf(facts, sizeof(facts), "  pid %" PRIu32 "  up %.40s  ", segment->pid, age);
	}
	put_settings(app, settings);
	used = 1 + page_columns(page, facts) + page_columns(page, status->state);
	name = page_columns(page, segment ? segment->name : app->model->name);
	room = used + page_columns(page, settings) + 3;
	room = width > room + NAME_COLUMNS_MIN ? width - room : NAME_COLUMNS_MIN;
	name = name < room ? name : room;
	page_begin(page);
	page_put(page, STYLE_REVERSE, " ");
	page_fit(page, STYLE_REVERSE, segment ? segment->name : app->model->name, name);
	page_put(page, STYLE_REVERSE, facts);
	page_put(page, STYLE_REVERSE, status->state);
	used += name;
	/* Whole or not at all, but that it is paused. */
	if (used + page_columns(page, settings) + 3 > width)
		strcpy(settings, app->paused ? "PAUSED" : "");
	if (used + page_columns(page, settings) + 3 <= width)
		page_right(page, STYLE_REVERSE, settings, width - used - 1);
	page_to(page, STYLE_REVERSE, width);
}

static const char *kind_filter(const struct app *app)
{
	static const char *const names[] = { "", "counters", "gauges", "timings",
					     "distributions" };

	return names[app->table.kind];
}

static void put_keys(const struct app *app, struct page *page, unsigned width)
{
	char right[96];
	unsigned columns;

	snprintf(right, sizeof(right), " %zu of %zu series %s", app->table.row_count,
		 app->table.total, kind_filter(app));
	columns = page_columns(page, right);
	if (app->mode == MODE_DETAIL)
		page_put(page, STYLE_DIM, "Esc back  l lifetime/window  w window  u units  "
					  "p pause  ? help");
	else if (app->mode == MODE_HELP)
		page_put(page, STYLE_DIM, "any other key: back");
	else if (width > columns)
		page_fit(page, STYLE_DIM, "q quit / filter s sort Enter detail Tab view ? help",
			 width - columns);
	if (app->mode == MODE_MAIN)
		page_put(page, STYLE_DIM, right);
}

static void put_foot(const struct app *app, struct page *page, unsigned width)
{
	page_begin(page);
	if (app->mode != MODE_FILTER && (app->table.filter[0] == '\0' || app->mode != MODE_MAIN)) {
		put_keys(app, page, width);
		return;
	}
	page_put(page, STYLE_BOLD, "/");
	page_put(page, STYLE_BOLD, app->table.filter);
	if (app->mode == MODE_FILTER)
		page_put(page, STYLE_SELECTED, " ");
	page_print(page, STYLE_DIM, "  %zu of %zu series  %s", app->table.row_count,
		   app->table.total,
		   app->mode == MODE_FILTER ? "Enter keep, Esc drop" : "Esc: all");
}

/* --- between them ------------------------------------------------------------------------ */

/* `rows` lines of the content from `scroll` on, which stops at its end. */
static void put_scrolled(struct app *app, struct page *page, unsigned rows)
{
	size_t count = app->content.line_count, last = count > rows ? count - rows : 0;

	app->scroll = app->scroll < last ? app->scroll : last;
	app->page_rows = rows > 1 ? rows - 1 : 1;
	page_copy(page, &app->content, app->scroll, app->scroll + rows);
}

static void put_detail(struct app *app, struct page *page, unsigned width, unsigned rows)
{
	const struct model_row *row =
		app->table.chosen_key ? model_find(app->model, app->table.chosen_kind,
						   app->table.chosen_key) : NULL;

	page_clear(&app->content);
	if (row) {
		detail_put(app->model, row, app->drawn, app->units, &app->content, width,
			   rows < 16 ? 8 : rows < 48 ? rows / 2 : 24);
	} else {
		page_wrap(&app->content, STYLE_BOLD, app->table.chosen_key ? app->table.chosen_key
									   : "", 0, width);
		page_begin(&app->content);
		page_put(&app->content, STYLE_WARN, "This series is not there (any more).");
	}
	put_scrolled(app, page, rows);
}

/* Tall, wide, brief or not at all, whatever leaves room for a table. */
static unsigned put_dashboard(const struct app *app, struct page *page, unsigned width,
			      unsigned rows)
{
	size_t before = page->line_count;
	struct dashboard dashboard;

	dashboard_fill(&dashboard, app->model, app->units);
	if (dashboard_is_empty(&dashboard) || rows < TABLE_ROWS_MIN + 2)
		return 0;
	if (width >= DASHBOARD_WIDE_COLUMNS && rows >= DASHBOARD_WIDE_ROWS + TABLE_ROWS_MIN)
		dashboard_put_wide(&dashboard, page, width);
	else
		dashboard_put_brief(&dashboard, page, width, 2);
	return (unsigned)(page->line_count - before);
}

static void put_main(struct app *app, struct page *page, unsigned width, unsigned rows)
{
	struct dashboard dashboard;

	if (app->layout == LAYOUT_DASHBOARD) {
		page_clear(&app->content);
		dashboard_fill(&dashboard, app->model, app->units);
		dashboard_put_tall(&dashboard, &app->content, width);
		put_scrolled(app, page, rows);
		return;
	}
	if (app->layout == LAYOUT_BOTH)
		rows -= put_dashboard(app, page, width, rows);
	app->page_rows = rows > 2 ? rows - 2 : 1;
	table_put(&app->table, page, app->units, width, rows);
}

/* Whole if a quarter of the rows is enough for that, else what one line holds of it. */
static void put_notice(struct app *app, struct page *page, const struct status *status,
		       unsigned width, unsigned *rows)
{
	struct page *lines = &app->content;

	if (!status->notice[0] || *rows < 2)
		return;
	page_clear(lines);
	page_wrap(lines, status->notice_style, status->notice, 0, width);
	if (lines->line_count > *rows / 4) {
		page_begin(page);
		page_fit(page, status->notice_style, status->notice, width);
		--*rows;
		return;
	}
	page_copy(page, lines, 0, lines->line_count);
	*rows -= (unsigned)lines->line_count;
}

void app_put(struct app *app, struct page *page, unsigned width, unsigned height)
{
	unsigned rows = height > 2 ? height - 2 : 0;
	struct status status;

	status_fill(&status, app->model, realtime_ns());
	put_head(app, page, &status, width);
	if (height < 2)
		return;
	put_notice(app, page, &status, width, &rows);
	if (app->mode == MODE_HELP) {
		page_clear(&app->content);
		help_put(&app->content, width);
		put_scrolled(app, page, rows);
	} else if (app->mode == MODE_DETAIL) {
		put_detail(app, page, width, rows);
	} else {
		put_main(app, page, width, rows);
	}
	while (page->line_count + 1 < height && !page->failed)
		page_begin(page);
	put_foot(app, page, width);
}
