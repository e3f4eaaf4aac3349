/* SPDX-License-Identifier: MIT */
/* What each key does. man/astshm-top.1 and help.c say the same. */
#include <string.h>

#include "app.h"
#include "steps.h"

/* --- typing a filter ---------------------------------------------------------------- */

static size_t encode(uint32_t code, char bytes[4])
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void append_to_filter(struct table *table, uint32_t code)
{
	size_t length = strlen(table->filter), count;
	char bytes[4];

	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return;
	count = encode(code, bytes);
	if (length + count >= sizeof(table->filter))
		return;
	memcpy(table->filter + length, bytes, count);
	table->filter[length + count] = '\0';
}

/* The last character with all its bytes. */
static void shorten_filter(struct table *table)
{
	size_t length = strlen(table->filter);

	while (length > 0 && ((unsigned char)table->filter[--length] & 0xc0) == 0x80)
		;
	table->filter[length] = '\0';
}

static void filter_key(struct app *app, uint32_t key)
{
	struct table *table = &app->table;

	if (key == KEY_CODE_ENTER) {
		app->mode = MODE_MAIN;
	} else if (key == KEY_CODE_ESCAPE) {
		strcpy(table->filter, app->filter_before);
		app->mode = MODE_MAIN;
	} else if (key == KEY_CODE_BACKSPACE) {
		shorten_filter(table);
	} else if (key == 0x15) { /* ^U */
		table->filter[0] = '\0';
	} else if (key < KEY_CODE_UP) {
		append_to_filter(table, key);
	}
	app_update(app);
}

/* --- moving -------------------------------------------------------------------------- */

static long distance(const struct app *app, uint32_t key)
{
	const long far = 1L << 30;

	switch (key) {
	case KEY_CODE_UP:
	case 'k':
		return -1;
	case KEY_CODE_DOWN:
	case 'j':
		return 1;
	case KEY_CODE_PAGE_UP:
		return -(long)app->page_rows;
	case KEY_CODE_PAGE_DOWN:
		return app->page_rows;
	case KEY_CODE_HOME:
	case 'g':
		return -far;
	case KEY_CODE_END:
	case 'G':
		return far;
	default:
		return 0;
	}
}

static void scroll(struct app *app, long by)
{
	/* app_put() stops it at the end. */
	if (by < 0)
		app->scroll -= app->scroll < (size_t)-by ? app->scroll : (size_t)-by;
	else
		app->scroll += (size_t)by;
}

static bool move_key(struct app *app, uint32_t key)
{
	long by = distance(app, key);

	if (by == 0)
		return false;
	if (app->mode != MODE_MAIN || app->layout == LAYOUT_DASHBOARD)
		scroll(app, by);
	else if (key == KEY_CODE_HOME || key == 'g')
		table_home(&app->table);
	else
		table_move(&app->table, by);
	return true;
}

/* --- sort and filter ------------------------------------------------------------------- */

static void sort_by(struct app *app, enum column column)
{
	app->table.reversed = column == app->table.sort && !app->table.reversed;
	app->table.sort = column;
	app_update(app);
}

static void step_sort(struct app *app, int by)
{
	int column = ((int)app->table.sort + by + COLUMN_COUNT) % COLUMN_COUNT;

	app->table.reversed = false;
	app->table.sort = (enum column)column;
	app_update(app);
}

/* All, then kind after kind. */
static void step_kind(struct app *app)
{
	app->table.kind++;
	if (app->table.kind > (int)ASTSHM_KIND_DISTRIBUTION)
		app->table.kind = 0;
	app_update(app);
}

static void begin_filter(struct app *app)
{
	strcpy(app->filter_before, app->table.filter);
	app->mode = MODE_FILTER;
	if (app->layout == LAYOUT_DASHBOARD)
		app->layout = LAYOUT_BOTH;
}

static bool sort_key(struct app *app, uint32_t key)
{
	switch (key) {
	case 's':
	case KEY_CODE_RIGHT:
		step_sort(app, 1);
		return true;
	case 'S':
	case KEY_CODE_LEFT:
		step_sort(app, -1);
		return true;
	case 'r':
		app->table.reversed = !app->table.reversed;
		app_update(app);
		return true;
	case 'n':
		sort_by(app, COLUMN_NAME);
		return true;
	case 't':
		step_kind(app);
		return true;
	case '/':
		begin_filter(app);
		return true;
	default:
		return false;
	}
}

/* --- everywhere -------------------------------------------------------------------------- */

static void set_window(struct app *app, int by)
{
	model_set_window(app->model, window_step(app->model->window_ns, by));
	app->stale = true;
}

static bool common_key(struct app *app, uint32_t key)
{
	switch (key) {
	case 'p':
	case ' ':
		app->paused = !app->paused;
		return true;
	case '+':
		app->model->interval_ns = interval_step(app->model->interval_ns, 1);
		return true;
	case '-':
		app->model->interval_ns = interval_step(app->model->interval_ns, -1);
		return true;
	case 'w':
		set_window(app, 1);
		return true;
	case 'W':
		set_window(app, -1);
		return true;
	case 'u':
		app->units = (app->units + 1) % UNITS_COUNT;
		return true;
	default:
		return move_key(app, key);
	}
}

/* --- by mode ----------------------------------------------------------------------------- */

static void open_detail(struct app *app)
{
	if (!table_chosen(&app->table))
		return;
	table_move(&app->table, 0); /* it stays the chosen one from now on */
	app->mode = MODE_DETAIL;
	app->drawn = VIEW_WINDOW;
	app->scroll = 0;
	app->model->per_thread = true;
	app->stale = true;
}

static void main_key(struct app *app, uint32_t key)
{
	if (key == 'q') {
		app->quit = true;
	} else if (key == KEY_CODE_ENTER && app->layout != LAYOUT_DASHBOARD) {
		open_detail(app);
	} else if (key == KEY_CODE_ESCAPE) {
		app->table.filter[0] = '\0';
		app_update(app);
	} else if (key == '\t' || key == 'd') {
		app->layout = (app->layout + 1) % LAYOUT_COUNT;
		app->scroll = 0;
	} else if (!sort_key(app, key)) {
		common_key(app, key);
	}
}

static void detail_key(struct app *app, uint32_t key)
{
	if (key == 'q' || key == KEY_CODE_ESCAPE || key == KEY_CODE_LEFT ||
	    key == KEY_CODE_BACKSPACE) {
		app->mode = MODE_MAIN;
		app->scroll = 0;
		app->model->per_thread = false;
	} else if (key == 'l') {
		app->drawn = app->drawn == VIEW_LIFE ? VIEW_WINDOW : VIEW_LIFE;
	} else {
		common_key(app, key);
	}
}

static void help_key(struct app *app, uint32_t key)
{
	if (move_key(app, key))
		return;
	app->mode = app->before_help;
	app->scroll = 0;
}

void app_key(struct app *app, uint32_t key)
{
	if (app->mode == MODE_FILTER) {
		filter_key(app, key);
	} else if (app->mode == MODE_HELP) {
		help_key(app, key);
	} else if (key == '?' || key == 'h') {
		app->before_help = app->mode;
		app->mode = MODE_HELP;
		app->scroll = 0;
	} else if (app->mode == MODE_DETAIL) {
		detail_key(app, key);
	} else {
		main_key(app, key);
	}
}
