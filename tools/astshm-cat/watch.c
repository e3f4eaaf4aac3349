/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "encode.h"
#include "output.h"
#include "pass.h"
#include "signals.h"
#include "value.h"
#include "watch.h"

#define TOLD_PERIOD_NS 2000000000 /* shorter waits explain themselves */

struct run {
	struct sources *sources;
	const struct options *options;
	const struct astshm_snapshot *since;
	struct style style;
	struct buffer document;
	uint64_t passes;   /* that count: all but the first with --delta */
	bool compares;     /* --delta has something to compare with */
	uint64_t printed;
	bool missing_told; /* the selection matches nothing for the time being */
	bool reader_gone;
};

static enum exit_status fill_value(struct run *run, const struct astshm_snapshot *view,
				   struct astshm_error *why)
{
	char text[FIELD_TEXT_MAX];
	enum exit_status status =
		value_find(run->options->value, pass_figures(view), text, why);

	if (status != EXIT_OK)
		return status;
	if (buffer_write(&run->document, text, strlen(text)) < 0 ||
	    buffer_write(&run->document, "\n", 1) < 0)
		return report(-ENOMEM, why);
	return EXIT_OK;
}

static enum exit_status fill(struct run *run, const struct astshm_snapshot *view,
			     struct astshm_error *why)
{
	enum exit_status status;
	int result;

	run->document.count = 0;
	if (run->options->value) {
		status = fill_value(run, view, why);
		if (status == EXIT_USAGE)
			message("%s", why->text);
		return status;
	}
	result = encode_document(&run->style, run->options, run->printed == 0, view,
				 &run->document);
	return result < 0 ? report(result, why) : EXIT_OK;
}

static enum exit_status commit(struct run *run)
{
	const char *path = run->options->output;
	int result = path ? output_file(path, &run->document) : output_stdout(&run->document);

	if (result == 0) {
		run->printed++;
		run->missing_told = false;
		return EXIT_OK;
	}
	if (!path && result == -EPIPE) {
		run->reader_gone = true;
		return EXIT_OK;
	}
	return output_report(path, result);
}

/* A selection that never matched is a mistake of whoever typed it; one that
 * matched before may do so again (a reset, a restart of the writer). */
static enum exit_status tell_missing(struct run *run, const struct astshm_error *why)
{
	if (!run->missing_told)
		message("%s", why->text[0] ? why->text : "no series matches the selection");
	run->missing_told = true;
	return run->printed > 0 ? EXIT_OK : EXIT_NO_MATCH;
}

static enum exit_status print_pass(struct run *run)
{
	struct astshm_snapshot *view = NULL;
	struct astshm_error why = { 0 };
	enum exit_status status = pass_take(run->sources, run->options, run->since, &view);

	run->passes += !run->options->delta || run->compares;
	run->compares = true;
	if (status == EXIT_OK && !view)
		return EXIT_OK;
	if (status == EXIT_OK)
		status = fill(run, view, &why);
	astshm_snapshot_free(&view);
	if (status == EXIT_NO_MATCH)
		return tell_missing(run, &why);
	return status == EXIT_OK ? commit(run) : status;
}

static bool is_finished(const struct run *run)
{
	return !run->options->watch || run->reader_gone ||
	       (run->options->count > 0 && run->passes >= run->options->count);
}

/* The next multiple of the period: a slow pass loses turns, it does not drift. */
static int64_t next_turn(int64_t turn_ns, int64_t period_ns)
{
	int64_t late_ns = monotonic_ns() - turn_ns, step_ns;

	step_ns = late_ns < period_ns ? period_ns : (late_ns / period_ns + 1) * period_ns;
	return __builtin_add_overflow(turn_ns, step_ns, &turn_ns) ? INT64_MAX : turn_ns;
}

/* Somebody who looks at an empty screen wants to know why. */
static void tell_first_interval(const struct run *run)
{
	const struct options *options = run->options;

	if (options->delta && run->style.terminal && options->period_ns >= TOLD_PERIOD_NS)
		message("measuring the first interval of %g s",
			(double)options->period_ns / 1e9);
}

enum exit_status watch(struct sources *sources, const struct options *options,
		       const struct astshm_snapshot *since)
{
	struct run run = {
		.sources = sources, .options = options, .since = since,
		.style = style_choose(options),
	};
	int fd = options->output ? -1 : STDOUT_FILENO;
	int64_t turn_ns = monotonic_ns();
	enum exit_status status;

	tell_first_interval(&run);
	for (;;) {
		status = print_pass(&run);
		if (status != EXIT_OK || is_finished(&run))
			break;
		turn_ns = next_turn(turn_ns, options->period_ns);
		if (sleep_until(turn_ns, fd) != SLEPT)
			break;
	}
	buffer_free(&run.document);
	return status;
}
