/* SPDX-License-Identifier: MIT */
/* The model of astshm-top, and the pages made of it, without a terminal. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <astshm/writer.h>

#include "app.h"
#include "model.h"
#include "steps.h"

#define MS 1000000
#define S 1000000000LL

struct bench {
	char name[64];
	struct astshm_writer *writer;
	struct model model;
};

static void open_writer(struct bench *bench, bool history)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error = { 0 };

	options.history_ms = history ? 1 : ASTSHM_HISTORY_NONE;
	if (astshm_writer_open(&bench->writer, bench->name, &options, &error) < 0)
		fail_msg("%s", error.text);
}

static void begin(struct bench *bench, const char *name, bool history)
{
	struct astshm_reader *reader = NULL;

	snprintf(bench->name, sizeof(bench->name), "top-%s.%d", name, (int)getpid());
	open_writer(bench, history);
	assert_int_equal(astshm_reader_open(&reader, bench->name, NULL, NULL), 0);
	model_init(&bench->model, reader, strdup(bench->name), 60 * S, 1 * S);
}

static void end(struct bench *bench)
{
	model_fini(&bench->model);
	astshm_writer_close(&bench->writer);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * MS }, NULL);
}

static void refresh(struct bench *bench)
{
	if (model_refresh(&bench->model) < 0)
		fail_msg("%s", bench->model.trouble);
}

static const struct model_row *row_of(struct bench *bench, enum astshm_kind kind, const char *key)
{
	const struct model_row *row = model_find(&bench->model, kind, key);

	if (!row)
		fail_msg("no series %s", key);
	return row;
}

static void interval_is_what_came_since_the_refresh_before(void **state)
{
	struct bench bench;
	const struct model_row *row;

	(void)state;
	begin(&bench, "interval", false);
	astshm_increment(bench.writer, "jobs", 5, ASTSHM_NO_TAGS);
	refresh(&bench);
	assert_null(model_view(&bench.model, VIEW_NOW));
	astshm_increment(bench.writer, "jobs", 3, ASTSHM_NO_TAGS);
	refresh(&bench);
	row = row_of(&bench, ASTSHM_KIND_COUNTER, "jobs");
	assert_int_equal(row->views[VIEW_NOW]->counter.increase, 3);
	assert_int_equal(row->views[VIEW_LIFE]->counter.value, 8);
	end(&bench);
}

static void rows_find_their_series_when_others_come_and_go(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct bench bench;

	(void)state;
	begin(&bench, "rows", false);
	for (int i = 1; i < 4; i += 2)
		astshm_increment(bench.writer, names[i], 1, ASTSHM_NO_TAGS);
	astshm_set(bench.writer, "b", 7, ASTSHM_NO_TAGS);
	refresh(&bench);
	for (int i = 0; i < 4; i++)
		astshm_increment(bench.writer, names[i], (uint64_t)i + 10, ASTSHM_NO_TAGS);
	astshm_remove_match(bench.writer, 0, "d", NULL, 0);
	refresh(&bench);
	for (int i = 0; i < 3; i++) {
		const struct model_row *row = row_of(&bench, ASTSHM_KIND_COUNTER, names[i]);

		assert_string_equal(row->views[VIEW_NOW]->key, names[i]);
		assert_int_equal(row->views[VIEW_NOW]->counter.increase, i + 10);
	}
	assert_null(model_find(&bench.model, ASTSHM_KIND_COUNTER, "d"));
	assert_true(row_of(&bench, ASTSHM_KIND_GAUGE, "b")->views[VIEW_LIFE]->gauge.current == 7);
	end(&bench);
}

static void trends_come_from_the_history_at_the_first_refresh(void **state)
{
	struct bench bench;
	const struct trend *trend;

	(void)state;
	begin(&bench, "trend", true);
	for (int i = 0; i < 8; i++) {
		astshm_set(bench.writer, "level", i, ASTSHM_NO_TAGS);
		pause_ms(2);
		astshm_writer_tick(bench.writer, NULL);
	}
	refresh(&bench);
	assert_true(bench.model.has_history);
	trend = row_of(&bench, ASTSHM_KIND_GAUGE, "level")->trend;
	assert_non_null(trend);
	assert_true(trend->points[TREND_POINTS - 1] == 7);
	end(&bench);
}

static void trends_are_made_of_refreshes_where_there_is_no_history(void **state)
{
	struct bench bench;
	const struct trend *trend;

	(void)state;
	begin(&bench, "own", false);
	for (int i = 0; i < 4; i++) {
		astshm_set(bench.writer, "level", i, ASTSHM_NO_TAGS);
		refresh(&bench);
	}
	assert_false(bench.model.has_history);
	trend = row_of(&bench, ASTSHM_KIND_GAUGE, "level")->trend;
	for (int i = 1; i < 4; i++)
		assert_true(trend->points[TREND_POINTS - 4 + i] == (float)i);
	assert_true(isnan(trend->points[TREND_POINTS - 4]));
	end(&bench);
}

/* The samples of a view; -1: there is none. */
static int64_t samples(struct bench *bench, enum view view)
{
	const struct model_row *row = row_of(bench, ASTSHM_KIND_TIMING, "work");

	return row->views[view] ? (int64_t)row->views[view]->histogram.count : -1;
}

/* The segment has to be older than the window, or the window is its whole life. */
static void window_without_history_is_made_of_snapshots_seen(void **state)
{
	struct bench bench;
	int64_t seen = -1;

	(void)state;
	begin(&bench, "window", false);
	model_set_window(&bench.model, 200 * MS);
	for (int i = 0; i < 100; i++)
		astshm_time(bench.writer, "work", 1 * MS, ASTSHM_NO_TAGS);
	pause_ms(300);
	/* Again, should this be held up for longer than the window. */
	for (int tries = 0; tries < 100 && seen != 1; tries++) {
		refresh(&bench);
		astshm_time(bench.writer, "work", 400 * MS, ASTSHM_NO_TAGS);
		refresh(&bench);
		seen = samples(&bench, VIEW_WINDOW);
		assert_true(samples(&bench, VIEW_LIFE) == 101 + tries);
		pause_ms(seen == 1 ? 0 : 300);
	}
	assert_int_equal(seen, 1);
	end(&bench);
}

static void new_writer_is_no_past_of_the_old_one(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, "restart", false);
	astshm_increment(bench.writer, "jobs", 500, ASTSHM_NO_TAGS);
	refresh(&bench);
	astshm_writer_close(&bench.writer);
	refresh(&bench);
	assert_int_equal(model_segment(&bench.model)->state, ASTSHM_STATE_CLOSED);
	open_writer(&bench, false);
	astshm_increment(bench.writer, "jobs", 3, ASTSHM_NO_TAGS);
	refresh(&bench);
	assert_int_equal(row_of(&bench, ASTSHM_KIND_COUNTER, "jobs")->views[VIEW_NOW]
				 ->counter.increase, 3);
	assert_int_equal(bench.model.previous_pid, getpid());
	end(&bench);
}

/* The keys of a table in their order, with blanks between them. */
static void check_order(struct bench *bench, enum column sort, const char *wanted)
{
	struct table table;
	char keys[256] = "";

	table_init(&table);
	table.sort = sort;
	assert_int_equal(table_update(&table, &bench->model), 0);
	for (size_t i = 0; i < table.row_count; i++) {
		strcat(keys, i ? " " : "");
		strcat(keys, table.rows[i].series->views[VIEW_LIFE]->key);
	}
	assert_string_equal(keys, wanted);
	table_fini(&table);
}

/* What is kept in nanoseconds counts as the seconds that are shown of it. */
static void order_is_that_of_the_numbers_shown(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, "order", false);
	astshm_describe(bench.writer, ASTSHM_KIND_COUNTER, "cpu", "seconds", NULL, NULL);
	astshm_increment(bench.writer, "cpu", 1 * S, ASTSHM_NO_TAGS);
	astshm_increment(bench.writer, "jobs", 500, ASTSHM_NO_TAGS);
	refresh(&bench);
	astshm_increment(bench.writer, "cpu", 2 * S, ASTSHM_NO_TAGS);
	astshm_increment(bench.writer, "jobs", 30, ASTSHM_NO_TAGS);
	for (int i = 0; i < 10; i++)
		astshm_time(bench.writer, "work", 1 * MS, ASTSHM_NO_TAGS);
	astshm_set(bench.writer, "load", 5, ASTSHM_NO_TAGS);
	refresh(&bench);
	check_order(&bench, COLUMN_VALUE, "jobs work load cpu");
	check_order(&bench, COLUMN_RATE, "jobs work cpu load");
	check_order(&bench, COLUMN_MAX, "load work cpu jobs");
	end(&bench);
}

static void check_chosen(struct app *app, const char *key)
{
	assert_string_equal(table_chosen(&app->table)->series->views[VIEW_LIFE]->key, key);
}

/* Under a live order the top is where something happens; a row is for who picked it. */
static void home_stays_at_the_top_and_a_chosen_row_with_its_series(void **state)
{
	struct bench bench;
	struct app app;

	(void)state;
	begin(&bench, "home", false);
	astshm_increment(bench.writer, "a", 1, ASTSHM_NO_TAGS);
	astshm_increment(bench.writer, "b", 2, ASTSHM_NO_TAGS);
	app_init(&app, &bench.model, true);
	app.table.sort = COLUMN_VALUE;
	refresh(&bench);
	app_update(&app);
	check_chosen(&app, "b");
	app_key(&app, 'j');
	check_chosen(&app, "a");
	app_key(&app, 'k');
	astshm_increment(bench.writer, "a", 5, ASTSHM_NO_TAGS);
	refresh(&bench);
	app_update(&app);
	check_chosen(&app, "b");
	app_key(&app, 'g');
	check_chosen(&app, "a");
	astshm_increment(bench.writer, "b", 9, ASTSHM_NO_TAGS);
	refresh(&bench);
	app_update(&app);
	check_chosen(&app, "b");
	app_fini(&app);
	end(&bench);
}

static bool page_holds(const struct page *page, const char *text)
{
	for (size_t i = 0; i < page->piece_count; i++) {
		const struct piece *piece = &page->pieces[i];

		if (memmem(page->bytes + piece->start, piece->count, text, strlen(text)))
			return true;
	}
	return false;
}

/* Whatever the size and the mode, a page has as many lines as the screen and none twice. */
static void pages_fit_every_size_in_every_mode(void **state)
{
	static const uint32_t keys[] = { 'n', '\t', '\t', '\t', KEY_CODE_ENTER, 'l', '?',
					 KEY_CODE_ESCAPE, KEY_CODE_ESCAPE, '/', 'x' };
	struct bench bench;
	struct app app;
	struct page page;

	(void)state;
	begin(&bench, "sizes", true);
	astshm_increment(bench.writer, "events.processed", 5, ASTSHM_NO_TAGS);
	astshm_time(bench.writer, "event.processing.duration", 5 * MS, ASTSHM_NO_TAGS);
	app_init(&app, &bench.model, true);
	page_init(&page, true);
	refresh(&bench);
	app_update(&app);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		app_key(&app, keys[i]);
		for (unsigned width = 1; width < 130; width += 7) {
			for (unsigned height = 1; height < 40; height++) {
				page_clear(&page);
				app_put(&app, &page, width, height);
				assert_false(page.failed);
				assert_int_equal(page.line_count, height);
			}
		}
	}
	page_fini(&page);
	app_fini(&app);
	end(&bench);
}

static void page_makes_text_of_strangers_harmless(void **state)
{
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is what it is for */
	static const char bad[] = "a\x1b[31m\n\x7f\xc2\x9b\xff\xe2\x80\xae" "b";
	struct page page;

	(void)state;
	for (int utf8 = 0; utf8 < 2; utf8++) {
		page_init(&page, utf8);
		page_begin(&page);
		page_put(&page, STYLE_PLAIN, bad);
		assert_true(page_holds(&page, utf8 ? "a\xef\xbf\xbd[31m\xef\xbf\xbd" : "a?[31m??"));
		for (size_t i = 0; i < page.byte_count; i++)
			assert_true((unsigned char)page.bytes[i] >= 0x20 && page.bytes[i] != 0x7f);
		assert_int_equal(page.lines[0].columns, 12);
		page_fini(&page);
	}
}

static void page_cuts_between_characters(void **state)
{
	static const char wide[] = "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"; /* 6 columns */
	struct page page;

	(void)state;
	for (int ends = 0; ends < 2; ends++) {
		page_init(&page, true);
		for (unsigned width = 0; width < 9; width++) {
			page_begin(&page);
			(ends ? page_fit_ends : page_fit)(&page, STYLE_PLAIN, wide, width);
			assert_int_equal(page.lines[width].columns, width);
		}
		page_fini(&page);
	}
}

static void check_ends(const char *key, bool utf8, const char *wanted)
{
	struct page page;

	page_init(&page, utf8);
	page_begin(&page);
	page_fit_ends(&page, STYLE_PLAIN, key, 20);
	assert_int_equal(page.lines[0].columns, 20);
	page_put(&page, STYLE_PLAIN, "$");
	assert_true(page_holds(&page, wanted));
	page_fini(&page);
}

/* Where series of one name stand below each other, the value of a tag tells them. */
static void page_keeps_both_ends_of_a_key(void **state)
{
	(void)state;
	check_ends("twenty.columns.wide.", true, "twenty.columns.wide.$");
	check_ends("process.context_switches[type=voluntary]", true,
		   "process\xe2\x80\xa6" "e=voluntary]$");
	check_ends("process.context_switches[type=involuntary]", false, "process~involuntary]$");
	/* A wide character that lies in both, and an accent without its letter. */
	check_ends("process.switches[type=\xe6\xbc\xa2" "1234567890]", true,
		   "process\xe2\x80\xa6" "1234567890] $");
	check_ends("process.switches[type=e\xcc\x81" "23456789012]", true,
		   "process\xe2\x80\xa6" "23456789012]$");
}

static void steps_go_up_and_down(void **state)
{
	(void)state;
	assert_true(interval_step(1 * S, 1) == 2 * S);
	assert_true(interval_step(1 * S, -1) == 500 * MS);
	assert_true(interval_step(700 * MS, 1) == 1 * S);
	assert_true(interval_step(60 * S, 1) == 60 * S);
	assert_true(interval_step(50 * MS, -1) == 50 * MS);
	assert_true(window_step(60 * S, 1) == 300 * S);
	assert_true(window_step(3600 * S, 1) == 10 * S);
	assert_true(window_step(10 * S, -1) == 3600 * S);
}

static void check_cell(void (*format)(char *, enum units, double), double value,
		       const char *automatic, const char *base)
{
	char cell[CELL_BYTES];

	format(cell, UNITS_AUTO, value);
	assert_string_equal(cell, automatic);
	format(cell, UNITS_BASE, value);
	assert_string_equal(cell, base);
}

static void numbers_are_short_or_whole(void **state)
{
	(void)state;
	check_cell(format_count, 0, "0", "0");
	check_cell(format_count, 9999999, "9999999", "9999999");
	check_cell(format_count, 12345678, "12.3M", "12345678");
	check_cell(format_count, -12345678, "-12.3M", "-12345678");
	check_cell(format_count, 0.873, "0.873", "0.873");
	check_cell(format_count, (double)NAN, "-", "-");
	check_cell(format_time, 850, "850ns", "850");
	check_cell(format_time, 999999, "1.00ms", "999999");
	check_cell(format_time, 12345678, "12.3ms", "12345678");
	check_cell(format_rate, 0, "0.00", "0.00");
	check_cell(format_rate, 1234567, "1.23M", "1234567");
}

static void check_amount(enum units units, double value, const char *wanted)
{
	const struct astshm_family family = { .kind = ASTSHM_KIND_GAUGE, .unit = "seconds" };
	char cell[CELL_BYTES];

	format_amount(cell, units, &family, value);
	assert_string_equal(cell, wanted);
}

static void check_moment(double ago, const char *wanted)
{
	char cell[CELL_BYTES];

	format_moment(cell, 1.8e9, 1.8e9 + ago);
	assert_string_equal(cell, wanted);
}

/* "1.80G" says nothing of when a process was started. */
static void gauges_of_seconds_are_times_or_points_in_time(void **state)
{
	(void)state;
	check_amount(UNITS_AUTO, 0.0025, "2.50ms");
	check_amount(UNITS_MILLI, 0.0025, "2.500");
	check_amount(UNITS_AUTO, (double)NAN, "-");
	check_amount(UNITS_BASE, 1234567890, "1234567890");
	check_amount(UNITS_AUTO, (double)time(NULL) - 3 * 86400 - 60, "3d ago");
	check_moment(119, "119s ago");
	check_moment(7199, "119m ago");
	check_moment(172799, "47h ago");
	check_moment(172800, "2d ago");
	check_moment(-300, "in 5m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interval_is_what_came_since_the_refresh_before),
		cmocka_unit_test(rows_find_their_series_when_others_come_and_go),
		cmocka_unit_test(trends_come_from_the_history_at_the_first_refresh),
		cmocka_unit_test(trends_are_made_of_refreshes_where_there_is_no_history),
		cmocka_unit_test(window_without_history_is_made_of_snapshots_seen),
		cmocka_unit_test(new_writer_is_no_past_of_the_old_one),
		cmocka_unit_test(order_is_that_of_the_numbers_shown),
		cmocka_unit_test(home_stays_at_the_top_and_a_chosen_row_with_its_series),
		cmocka_unit_test(pages_fit_every_size_in_every_mode),
		cmocka_unit_test(page_makes_text_of_strangers_harmless),
		cmocka_unit_test(page_cuts_between_characters),
		cmocka_unit_test(page_keeps_both_ends_of_a_key),
		cmocka_unit_test(steps_go_up_and_down),
		cmocka_unit_test(numbers_are_short_or_whole),
		cmocka_unit_test(gauges_of_seconds_are_times_or_points_in_time),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
