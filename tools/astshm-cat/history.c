/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "encode.h"
#include "output.h"
#include "pass.h"
#include "signals.h"
#include "value.h"

struct series_of_times {
	const struct options *options;
	const struct astshm_history *history;
	struct style style;
	struct buffer document; /* with --output all of them, else the next one */
	struct astshm_error why; /* why the last one was left out */
	uint64_t printed;
	bool reader_gone;
};

enum exit_status history_load(struct source *source, struct astshm_history **history)
{
	struct astshm_error error = { 0 };
	int result = -ENODATA;

	if (source->reader)
		result = astshm_reader_history(source->reader, history, &error);
	if (result < 0)
		return report_history(source, result, &error);
	uint64_t bad = astshm_history_info(*history)->bad;
	if (bad > 0)
		message("%s: %" PRIu64 " %s of the history %s corrupt and left out",
			source->argument, bad, bad == 1 ? "entry" : "entries",
			bad == 1 ? "is" : "are");
	return EXIT_OK;
}

/* The i-th entry, or what happened since the one before it. */
static int take(const struct series_of_times *times, size_t i, struct astshm_snapshot **view,
		struct astshm_error *error)
{
	struct astshm_snapshot *older = NULL, *newer = NULL;
	int result = astshm_history_snapshot(times->history, i, &newer, error);

	if (result < 0 || !times->options->delta) {
		*view = newer;
		return result;
	}
	result = astshm_history_snapshot(times->history, i - 1, &older, error);
	if (result == 0)
		result = astshm_snapshot_subtract(newer, older, view, error);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	return result;
}

/* EXIT_NO_MATCH: there is nothing of it to print, times->why may say why. */
static enum exit_status fill(struct series_of_times *times, const struct astshm_snapshot *view)
{
	const struct options *options = times->options;
	char text[FIELD_TEXT_MAX];
	enum exit_status status;
	int result;

	if (options->value) {
		status = value_find(options->value, view, text, &times->why);
		if (status == EXIT_USAGE)
			message("%s", times->why.text);
		if (status != EXIT_OK)
			return status;
		result = buffer_write(&times->document, text, strlen(text));
		if (result == 0)
			result = buffer_write(&times->document, "\n", 1);
	} else {
		if ((options->selection.count > 0 || options->top > 0) &&
		    astshm_snapshot_count(view) == 0)
			return EXIT_NO_MATCH;
		result = encode_document(&times->style, options, times->printed == 0, view,
					 &times->document);
	}
	return result < 0 ? report(result, &times->why) : EXIT_OK;
}

static enum exit_status commit(struct series_of_times *times)
{
	const char *path = times->options->output;
	int result = path ? output_file(path, &times->document) : output_stdout(&times->document);

	times->document.count = 0;
	if (!path && result == -EPIPE) {
		times->reader_gone = true;
		return EXIT_OK;
	}
	return output_report(path, result);
}

static enum exit_status print_one(struct series_of_times *times, size_t i)
{
	struct astshm_snapshot *view = NULL;
	struct astshm_error error = { 0 };
	int result = take(times, i, &view, &error);

	if (result == 0)
		result = pass_refine(times->options, &view, &error);
	enum exit_status status = result < 0 ? report(result, &error) : fill(times, view);
	astshm_snapshot_free(&view);
	if (status == EXIT_NO_MATCH)
		return EXIT_OK;
	times->printed += status == EXIT_OK;
	return status == EXIT_OK && !times->options->output ? commit(times) : status;
}

static enum exit_status print_all(struct series_of_times *times)
{
	size_t count = astshm_history_count(times->history), i = times->options->delta ? 1 : 0;
	uint64_t last = times->options->count;
	enum exit_status status = EXIT_OK;

	if (last > 0 && count > i && last < count - i)
		i = count - (size_t)last;
	for (; i < count && status == EXIT_OK && !times->reader_gone && !signals_stop_wanted(); i++)
		status = print_one(times, i);
	if (status != EXIT_OK || signals_stop_wanted())
		return status;
	if (times->printed > 0)
		return times->options->output ? commit(times) : EXIT_OK;
	message("%s", times->why.text[0] ? times->why.text
		      : count > 1	 ? "no series matches the selection in any entry"
					 : "the history has no two entries yet");
	return EXIT_NO_MATCH;
}

enum exit_status history_print(struct source *source, const struct options *options)
{
	struct series_of_times times = { .options = options, .style = style_choose(options) };
	struct astshm_history *history = NULL;
	enum exit_status status = history_load(source, &history);

	/* A series is for programs; whoever wants tables says so. */
	if (options->format == FORMAT_DEFAULT)
		times.style.format = FORMAT_JSON;
	times.history = history;
	if (status == EXIT_OK)
		status = print_all(&times);
	buffer_free(&times.document);
	astshm_history_free(&history);
	return status;
}
