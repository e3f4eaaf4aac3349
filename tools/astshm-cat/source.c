/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "segment.h"
#include "signals.h"
#include "source.h"

#define WAIT_STEP_NS 20000000

enum exit_status report(int result, const struct astshm_error *error)
{
	return segment_report(NULL, result, error);
}

/* What messages call a source. */
const char *source_shown(const char *argument)
{
	return strcmp(argument, "-") == 0 ? "stdin" : argument;
}

enum exit_status report_history(const struct source *source, int result,
				const struct astshm_error *error)
{
	if (result != -ENODATA)
		return segment_report(source_shown(source->argument), result, error);
	if (source->reader)
		message("%s: %s (without it: -d, or --since a saved snapshot)", source->argument,
			error->text);
	else
		message("%s: is a saved snapshot, which has no history; a window it was saved with "
			"is printed without options", source_shown(source->argument));
	return EXIT_NO_HISTORY;
}

static int fail_file(struct astshm_error *error, int code, const char *path, const char *what)
{
	snprintf(error->text, sizeof(error->text), "%.120s: %s", path, what);
	return code;
}

static int open_file(struct source *source, const char *path, const struct options *options,
		     struct astshm_error *error)
{
	enum file_content content = FILE_STREAM;
	int result = strcmp(path, "-") == 0 ? 0 : file_recognise(path, &content);

	if (result < 0)
		return fail_file(error, result, path, strerror(-result));
	if (content == FILE_SEGMENT)
		return astshm_reader_open(&source->reader, path, NULL, error);
	if (content == FILE_FOLDER)
		return fail_file(error, -EBADMSG, path, "is a folder");
	if (content == FILE_SOCKET)
		return fail_file(error, -EBADMSG, path, "is a socket");
	if (content == FILE_OTHER)
		return fail_file(error, -EBADMSG, path,
				 "is neither a segment nor a msgpack snapshot");
	if (content == FILE_STREAM && options->watch)
		return fail_file(error, -ESPIPE, path,
				 "can be read once only, so not with --watch, --count or --delta");
	return 0;
}

/* A file here that has the name of no segment. "./" makes it a path, which the
 * reader library needs to take it for one. */
static int open_file_here(struct source *source, const char *name,
			  const struct options *options, struct astshm_error *error)
{
	char path[NAME_MAX + 3];
	struct astshm_error file_error = { 0 };
	enum file_content content;
	int result;

	if (strlen(name) > NAME_MAX)
		return -ENOENT;
	snprintf(path, sizeof(path), "./%s", name);
	/* A folder has a server's name easily, and is never what was meant. */
	if (file_recognise(path, &content) == 0 && content == FILE_FOLDER)
		return -ENOENT;
	result = open_file(source, path, options, &file_error);
	if (result == -ENOENT)
		return -ENOENT;
	*error = file_error;
	free(source->argument);
	source->argument = strdup(path);
	return source->argument ? result : -ENOMEM;
}

/* One try: a path, else a segment's name or a pid, else a file here. */
static int open_argument(struct source *source, const char *argument,
			 const struct options *options, struct astshm_error *error)
{
	int result;

	*error = (struct astshm_error){ 0 };
	free(source->argument);
	source->argument = strdup(argument);
	if (!source->argument)
		return -ENOMEM;
	if (strchr(argument, '/') || strcmp(argument, "-") == 0)
		return open_file(source, argument, options, error);
	result = astshm_reader_open(&source->reader, argument, NULL, error);
	if (result == -ENOENT)
		result = open_file_here(source, argument, options, error);
	return result;
}

static int open_only_live(struct source *source, const struct options *options,
			  struct astshm_error *error)
{
	char *path = NULL;
	int result = segment_find_only(&path, error);

	if (result == 0)
		result = open_argument(source, path, options, error);
	free(path);
	return result;
}

/* A dead predecessor may lie where the writer to wait for will be. */
static bool is_awaited(const struct source *source, const struct options *options)
{
	return options->require_live && source->reader &&
	       astshm_reader_state(source->reader) != ASTSHM_STATE_LIVE;
}

/*
 * Only "not there" and, if it must be, "not alive" can change by waiting. What
 * is still not alive at the deadline is opened, so that the first pass tells.
 */
static enum exit_status open_source(struct source *source, const char *argument,
				    const struct options *options, int64_t deadline_ns)
{
	struct astshm_error error = { 0 };

	for (;;) {
		int64_t now_ns = monotonic_ns();
		int result = argument ? open_argument(source, argument, options, &error)
				      : open_only_live(source, options, &error);

		if (result == 0 && (now_ns >= deadline_ns || !is_awaited(source, options)))
			return EXIT_OK;
		if (result == 0) {
			astshm_reader_close(&source->reader);
			sleep_until(now_ns + WAIT_STEP_NS, -1);
			if (signals_stop_wanted())
				deadline_ns = now_ns;
			continue;
		}
		if (result != -ENOENT || now_ns >= deadline_ns ||
		    sleep_until(now_ns + WAIT_STEP_NS, -1) != SLEPT) {
			bool choice = result == -ENOENT || result == -ENOTUNIQ;

			if (!argument)
				return choice ? segment_report_choice() : report(result, &error);
			return segment_report(source_shown(argument), result, &error);
		}
	}
}

enum exit_status sources_open(struct sources *sources, const struct options *options)
{
	int64_t deadline_ns = monotonic_ns();
	size_t count = options->argument_count > 0 ? options->argument_count : 1;

	if (__builtin_add_overflow(deadline_ns, options->wait_ns, &deadline_ns))
		deadline_ns = INT64_MAX;
	sources->count = 0;
	sources->items = calloc(count, sizeof(*sources->items));
	if (!sources->items) {
		message("out of memory");
		return EXIT_OTHER;
	}
	while (sources->count < count) {
		const char *argument =
			options->argument_count > 0 ? options->arguments[sources->count] : NULL;
		struct source *source = &sources->items[sources->count++];
		enum exit_status status = open_source(source, argument, options, deadline_ns);

		if (status != EXIT_OK)
			return status;
	}
	return EXIT_OK;
}

void sources_close(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		astshm_reader_close(&sources->items[i].reader);
		astshm_snapshot_free(&sources->items[i].previous);
		free(sources->items[i].argument);
	}
	free(sources->items);
	*sources = (struct sources){ 0 };
}

static void note_writer(struct source *source, const struct astshm_segment_info *segment)
{
	bool known = source->noted != ASTSHM_STATE_NONE;
	bool new_writer = known && segment->generation != source->generation;

	if (new_writer)
		message("%s: a new writer (pid %" PRIu32 ") took over", source->argument,
			segment->pid);
	if (segment->state != ASTSHM_STATE_LIVE &&
	    (new_writer || segment->state != source->noted))
		message("%s: the writer (pid %" PRIu32 ") %s; these are its last values",
			source->argument, segment->pid,
			segment->state == ASTSHM_STATE_CLOSED ? "closed the segment" : "is dead");
	source->noted = segment->state;
	source->generation = segment->generation;
}

/* A saved snapshot has no living writer, whatever it says about itself. */
static enum exit_status check_writer(struct source *source, const struct options *options,
				     const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);

	if (options->require_live && (!source->reader || !segment)) {
		message("%s: is a saved snapshot and has no living writer (--require-live)",
			source_shown(source->argument));
		return EXIT_NOT_LIVE;
	}
	if (!source->reader || !segment)
		return EXIT_OK;
	if (options->require_live && segment->state != ASTSHM_STATE_LIVE) {
		message("%s: the writer (pid %" PRIu32 ") is not alive: %s", source->argument,
			segment->pid, astshm_state_name(segment->state));
		return EXIT_NOT_LIVE;
	}
	note_writer(source, segment);
	return EXIT_OK;
}

/* Once, not for each time that the file is read. */
static int take_file(struct source *source, const struct options *options,
		     struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	struct skipped skipped = { 0 };
	int result = file_load(source->argument, options->merge, snapshot, &skipped, error);

	if (result == 0 && skipped.bytes != source->skipped.bytes) {
		source->skipped = skipped;
		file_tell_skipped(source->argument, &skipped);
	}
	return result;
}

static int take(struct source *source, const struct options *options,
		struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	unsigned flags = options->per_thread ? ASTSHM_PER_THREAD : 0;

	if (!source->reader)
		return options->window_ns ? -ENODATA
					  : take_file(source, options, snapshot, error);
	return options->window_ns ? astshm_reader_window(source->reader, options->window_ns, flags,
							 snapshot, error)
				  : astshm_reader_snapshot(source->reader, flags, snapshot, error);
}

/* Takes over `now`. A file that was not written again has no interval. */
static int since_previous(struct source *source, struct astshm_snapshot *now,
			  struct astshm_snapshot **view, struct astshm_error *error)
{
	int result = 0;

	if (source->previous && astshm_snapshot_timestamp_ns(now) !=
					astshm_snapshot_timestamp_ns(source->previous))
		result = astshm_snapshot_subtract(now, source->previous, view, error);
	astshm_snapshot_free(&source->previous);
	source->previous = now;
	return result;
}

enum exit_status source_view(struct source *source, const struct options *options,
			     struct astshm_snapshot **view)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	enum exit_status status;
	int result = take(source, options, &snapshot, &error);

	*view = NULL;
	if (result < 0)
		return options->window_ns
			       ? report_history(source, result, &error)
			       : segment_report(source_shown(source->argument), result, &error);
	status = check_writer(source, options, snapshot);
	if (status != EXIT_OK) {
		astshm_snapshot_free(&snapshot);
		return status;
	}
	if (!options->delta) {
		*view = snapshot;
		return EXIT_OK;
	}
	result = since_previous(source, snapshot, view, &error);
	return result == 0 ? EXIT_OK
			   : segment_report(source_shown(source->argument), result, &error);
}
