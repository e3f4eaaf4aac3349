/* SPDX-License-Identifier: MIT */
/*
 * astshm-top: the metrics of a shared-memory segment, live.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app.h"
#include "once.h"
#include "options.h"
#include "screen.h"
#include "segment.h"
#include "signals.h"
#include "terminal.h"

#define DEFAULT_COLUMNS 80

static bool uses_utf8(const struct options *options)
{
	return !options->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool wants_color(const struct options *options)
{
	const char *no_color = getenv("NO_COLOR");

	return !options->no_color && !(no_color && no_color[0]);
}

/* --- text --------------------------------------------------------------------------------- */

static unsigned text_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };
	long wanted = columns ? strtol(columns, NULL, 10) : 0;

	if (wanted > 0 && wanted < 10000)
		return (unsigned)wanted;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

static enum exit_status fail(const struct model *model, int result)
{
	message("%s: %s", model->name, model->trouble);
	return message_status(result);
}

static enum exit_status print_once(struct model *model, const struct options *options)
{
	struct page page;
	int result = model_refresh(model);
	bool failed;

	if (result < 0 && !model->life)
		return fail(model, result);
	page_init(&page, uses_utf8(options));
	once_put(model, UNITS_AUTO, &page, text_width());
	once_write(&page, stdout);
	failed = page.failed;
	page_fini(&page);
	if (failed) {
		message("out of memory");
		return EXIT_OTHER;
	}
	return finish_stdout();
}

/* Where text cannot be placed, one dashboard follows the other. */
static enum exit_status print_for_ever(struct model *model, const struct options *options)
{
	int64_t turn_ns = monotonic_ns();
	enum exit_status status;

	for (;;) {
		status = print_once(model, options);
		if (status != EXIT_OK)
			return status;
		turn_ns += model->interval_ns;
		if (sleep_until(turn_ns, STDOUT_FILENO) != SLEPT)
			return EXIT_OK;
		putchar('\n');
	}
}

/* --- the screen ------------------------------------------------------------------------------ */

enum woken { WOKEN_TURN, WOKEN_KEY, WOKEN_END };

/*
 * Until that time, a key, a resize or the end. Signals that ask for the end are let
 * in only while it waits, so that none comes between the look at the flag and the wait.
 */
static enum woken wait_until(int64_t turn_ns)
{
	struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left_ns = turn_ns - monotonic_ns();
	struct timespec timeout;
	sigset_t before;
	int result;

	left_ns = left_ns > 0 ? left_ns : 0;
	timeout = (struct timespec){ left_ns / 1000000000, left_ns % 1000000000 };
	signals_block(&before);
	if (signals_stop_wanted()) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return WOKEN_END;
	}
	result = ppoll(&polled, 1, &timeout, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (signals_stop_wanted() || (result > 0 && (polled.revents & (POLLHUP | POLLERR))))
		return WOKEN_END;
	return result == 0 ? WOKEN_TURN : WOKEN_KEY;
}

static void show(struct app *app, struct page *page)
{
	unsigned width, height;

	screen_size(&width, &height);
	page_clear(page);
	app_put(app, page, width, height);
	screen_show(page);
}

/* A model that found nothing new has said why in a notice. */
static void refresh_model(struct app *app)
{
	model_refresh(app->model);
	app_update(app);
	app->stale = false;
}

static void read_keys(struct app *app)
{
	uint32_t key;

	while (!app->quit && screen_key(&key)) {
		if (key == 0x0c) /* ^L */
			screen_redraw();
		else
			app_key(app, key);
	}
}

static void run(struct app *app, struct page *page)
{
	int64_t turn_ns = monotonic_ns();

	for (;;) {
		int64_t now_ns = monotonic_ns();
		enum woken woken;

		if (now_ns >= turn_ns && !app->paused)
			refresh_model(app);
		while (turn_ns <= now_ns)
			turn_ns += app->model->interval_ns;
		/* After "+" the present turn is too long. */
		if (turn_ns - now_ns > app->model->interval_ns)
			turn_ns = now_ns + app->model->interval_ns;
		show(app, page);
		woken = wait_until(turn_ns);
		if (woken == WOKEN_END)
			return;
		read_keys(app);
		if (app->quit)
			return;
		if (app->stale && !app->paused) {
			refresh_model(app);
			turn_ns = monotonic_ns() + app->model->interval_ns;
		}
	}
}

static enum exit_status run_screen(struct model *model, const struct options *options)
{
	struct app app;
	struct page page;

	if (!screen_open(wants_color(options))) {
		message("cannot set up the terminal; --once prints text");
		return EXIT_OTHER;
	}
	app_init(&app, model, uses_utf8(options));
	page_init(&page, uses_utf8(options));
	run(&app, &page);
	screen_close();
	page_fini(&page);
	app_fini(&app);
	return EXIT_OK;
}

static enum exit_status run_live(struct model *model, const struct options *options)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		message("needs a terminal; --once prints text");
		return EXIT_OTHER;
	}
	switch (terminal_ask()) {
	case TERMINAL_FULL:
		return run_screen(model, options);
	case TERMINAL_PLAIN:
		return print_for_ever(model, options);
	default:
		message("unknown terminal type '%s' (TERM); --once prints text",
			term ? term : "");
		return EXIT_OTHER;
	}
}

int main(int argc, char **argv)
{
	struct options options;
	struct astshm_reader *reader = NULL;
	struct model model;
	char *name = NULL;
	enum exit_status status;

	message_program("astshm-top");
	setlocale(LC_CTYPE, "");
	signals_install();
	if (!options_parse(&options, argc, argv, &status))
		return status;
	status = segment_attach(&reader, &name, options.segment, options.wait_ns);
	if (status != EXIT_OK)
		return status;
	model_init(&model, reader, name, options.window_ns, options.interval_ns);
	status = options.once ? print_once(&model, &options) : run_live(&model, &options);
	model_fini(&model);
	return status;
}
