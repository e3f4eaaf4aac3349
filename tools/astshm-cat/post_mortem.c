/* SPDX-License-Identifier: MIT */
#include "post_mortem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "encode.h"
#include "history.h"
#include "output.h"
#include "pass.h"
#include "timeline.h"

#define LAST_WINDOW_NS 60000000000

/* All that is known of a writer's end. */
struct post_mortem {
	const struct options *options;
	struct astshm_history *history;
	struct astshm_snapshot *last; /* its last values, with a window */
	struct astshm_snapshot *tail; /* from the last entry to the end; or NULL */
	struct buffer document;
	int result; /* the first error of writing into it */
};

static void put(struct post_mortem *report, const char *text)
{
	if (report->result == 0)
		report->result = buffer_write(&report->document, text, strlen(text));
}

static void put_format(struct post_mortem *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_format(struct post_mortem *report, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	put(report, text);
}

/* --- taking --------------------------------------------------------------- */

static int take_last(struct source *source, const struct options *options,
		     struct post_mortem *report, struct astshm_error *error)
{
	int64_t window_ns = options->window_ns ? options->window_ns : LAST_WINDOW_NS;
	int result = astshm_reader_window(source->reader, window_ns,
					  options->per_thread ? ASTSHM_PER_THREAD : 0,
					  &report->last, error);

	return result < 0 ? result : pass_refine(options, &report->last, error);
}

/* What no entry tells any more. Without time in it there is nothing to tell. */
static int take_tail(struct source *source, const struct options *options,
		     struct post_mortem *report, struct astshm_error *error)
{
	struct astshm_snapshot *last = NULL, *entry = NULL;
	size_t count = astshm_history_count(report->history);
	int result = count > 0 ? astshm_history_snapshot(report->history, count - 1, &entry, error)
			       : -ENODATA;

	if (result == 0)
		result = astshm_reader_window(source->reader, 1, 0, &last, error);
	if (result == 0 && astshm_snapshot_timestamp_ns(astshm_snapshot_window(last)) >
				   astshm_snapshot_timestamp_ns(entry)) {
		result = pass_refine(options, &last, error);
		report->tail = last;
		last = NULL;
	}
	astshm_snapshot_free(&entry);
	astshm_snapshot_free(&last);
	return result == -ENODATA ? 0 : result;
}

/* The i-th interval of the history, counted from 1; behind them the tail. */
static int take_interval(const struct post_mortem *report, size_t i,
			 struct astshm_snapshot **interval, struct astshm_error *error)
{
	int result = astshm_history_interval(report->history, i, interval, error);

	if (result == 0)
		result = pass_refine(report->options, interval, error);
	return result;
}

/* --- the head --------------------------------------------------------------- */

static uint64_t end_of(const struct post_mortem *report)
{
	return astshm_snapshot_timestamp_ns(astshm_snapshot_window(report->last));
}

static uint64_t start_of(const struct post_mortem *report)
{
	uint64_t uptime_ns = astshm_snapshot_uptime_ns(report->last), end_ns = end_of(report);

	return end_ns > uptime_ns ? end_ns - uptime_ns : 0;
}

static const char *how_it_ended(const struct astshm_segment_info *segment)
{
	switch (segment->state) {
	case ASTSHM_STATE_CLOSED:
		return "closed in good order";
	case ASTSHM_STATE_DEAD:
		return "killed or crashed: nobody holds the segment, and it was not closed";
	case ASTSHM_STATE_REPLACED:
		return "another segment has its name by now";
	default:
		return "not at all: the writer is alive";
	}
}

static void put_heartbeat(struct post_mortem *report, const struct astshm_segment_info *segment)
{
	char when[TIMELINE_TEXT], age[TIMELINE_TEXT], period[TIMELINE_TEXT];
	uint64_t now_ns = astshm_snapshot_timestamp_ns(report->last);

	if (segment->heartbeat_age_ns < 0) {
		put(report, "last heartbeat  none: nothing says when it ended\n");
		return;
	}
	timeline_time(when, now_ns - (uint64_t)segment->heartbeat_age_ns);
	timeline_length(age, (uint64_t)segment->heartbeat_age_ns);
	timeline_length(period, (uint64_t)segment->heartbeat_period_ns);
	put_format(report, "last heartbeat  %s, %s ago; one every %s\n", when, age, period);
}

static void put_history(struct post_mortem *report)
{
	const struct astshm_history_info *info = astshm_history_info(report->history);
	size_t count = astshm_history_count(report->history);
	char period[TIMELINE_TEXT], coarse[TIMELINE_TEXT];

	timeline_length(period, info->period_ns);
	timeline_length(coarse, info->coarse_period_ns);
	put_format(report, "history         %zu %s, %s apart, older ones %s\n", count,
		   count == 1 ? "entry" : "entries", period, coarse);
	if (info->skipped > 0)
		put_format(report, "                %" PRIu64 " more had no room\n", info->skipped);
}

static void put_head(struct post_mortem *report)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(report->last);
	char since[TIMELINE_TEXT], uptime[TIMELINE_TEXT];

	timeline_time(since, start_of(report));
	timeline_length(uptime, astshm_snapshot_uptime_ns(report->last));
	put_format(report, "ended           %s\n", how_it_ended(segment));
	put_heartbeat(report, segment);
	put_format(report, "counted since   %s, for %s%s\n", since, uptime,
		   segment->epoch > 1 ? ", when it was last reset" : "");
	put_history(report);
}

/* --- as a table ---------------------------------------------------------------- */

static void put_row(struct post_mortem *report, const struct timeline *timeline,
		    const struct astshm_snapshot *interval, const char *note)
{
	char row[TIMELINE_ROW];

	timeline_row(timeline, interval, row);
	put_format(report, "%s%s%s\n", row, note[0] ? "  " : "", note);
}

static int put_rows(struct post_mortem *report, const struct timeline *timeline,
		    struct astshm_error *error)
{
	size_t count = astshm_history_count(report->history);
	uint64_t epoch = 0;

	for (size_t i = 1; i < count; i++) {
		struct astshm_snapshot *interval = NULL;
		int result = take_interval(report, i, &interval, error);

		if (result < 0)
			return result;
		uint64_t now = astshm_snapshot_segment(interval)->epoch;
		put_row(report, timeline, interval, epoch > 0 && now != epoch ? "reset" : "");
		epoch = now;
		astshm_snapshot_free(&interval);
	}
	if (report->tail)
		put_row(report, timeline, astshm_snapshot_window(report->tail), "to the end");
	return 0;
}

static int put_table(struct post_mortem *report, struct astshm_error *error)
{
	struct style style = style_choose(report->options);
	char text[TIMELINE_LEGEND];
	struct timeline timeline;
	int result;

	put_head(report);
	timeline_choose(&timeline, report->last);
	timeline_legend(&timeline, text);
	put_format(report, "%s\n", text);
	timeline_head(text);
	put_format(report, "%s\n", text);
	result = put_rows(report, &timeline, error);
	put(report, "\nThe end of it, all series:\n\n");
	style.format = FORMAT_TABLE;
	if (result == 0)
		result = encode_document(&style, report->options, true,
					 astshm_snapshot_window(report->last), &report->document);
	return result;
}

/* --- as JSON --------------------------------------------------------------------- */

static void put_time(struct post_mortem *report, const char *key, uint64_t realtime_ns)
{
	char text[TIMELINE_TEXT];

	timeline_exact_time(text, realtime_ns);
	put_format(report, ",\"%s\":\"%s\"", key, text);
}

static void put_json_head(struct post_mortem *report)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(report->last);
	const struct astshm_history_info *info = astshm_history_info(report->history);
	uint64_t now_ns = astshm_snapshot_timestamp_ns(report->last);

	put_format(report, "{\"schema\":\"astshm.post-mortem/1\",\"state\":\"%s\"",
		   astshm_state_name(segment->state));
	put_time(report, "since", start_of(report));
	if (segment->heartbeat_age_ns < 0)
		put(report, ",\"last_heartbeat\":null");
	else
		put_time(report, "last_heartbeat", now_ns - (uint64_t)segment->heartbeat_age_ns);
	put_format(report, ",\"skipped\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"intervals\":[",
		   info->skipped, info->bad);
}

static int put_json_interval(struct post_mortem *report, const struct astshm_snapshot *interval,
			     bool first)
{
	struct astshm_encode_options encode = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { .write = buffer_write, .context = &report->document };

	encode.flags = report->options->buckets ? ASTSHM_ENCODE_BUCKETS : 0u;
	put(report, first ? "" : ",");
	return astshm_encode_window(interval, &sink, &encode);
}

static int put_json(struct post_mortem *report, struct astshm_error *error)
{
	struct style style = { .format = FORMAT_JSON };
	size_t count = astshm_history_count(report->history);
	int result = 0;

	put_json_head(report);
	for (size_t i = 1; i < count && result == 0; i++) {
		struct astshm_snapshot *interval = NULL;

		result = take_interval(report, i, &interval, error);
		if (result == 0)
			result = put_json_interval(report, interval, i == 1);
		astshm_snapshot_free(&interval);
	}
	if (result == 0 && report->tail)
		result = put_json_interval(report, astshm_snapshot_window(report->tail),
					   count < 2);
	put(report, "],\"last\":");
	if (result == 0)
		result = encode_document(&style, report->options, true, report->last,
					 &report->document);
	report->document.count--; /* its newline */
	put(report, "}\n");
	return result;
}

/* --- all together ------------------------------------------------------------------ */

static enum exit_status print(const struct source *source, struct post_mortem *report)
{
	const struct options *options = report->options;
	struct astshm_error error = { 0 };
	int result;

	if (options->selection.count > 0 && astshm_snapshot_count(report->last) == 0) {
		message("no series matches the selection");
		return EXIT_NO_MATCH;
	}
	if (astshm_snapshot_segment(report->last)->state == ASTSHM_STATE_LIVE)
		message("%s: the writer is alive; a dead predecessor's segment is called %s~1",
			source->argument, source->argument);
	result = options->format == FORMAT_JSON ? put_json(report, &error)
						: put_table(report, &error);
	result = result == 0 ? report->result : result;
	if (result < 0)
		return report_history(source, result == -ENODATA ? -EBADMSG : result, &error);
	result = options->output ? output_file(options->output, &report->document)
				 : output_stdout(&report->document);
	return result == -EPIPE && !options->output ? EXIT_OK
						    : output_report(options->output, result);
}

enum exit_status post_mortem_print(struct source *source, const struct options *options)
{
	struct post_mortem report = { .options = options };
	struct astshm_error error = { 0 };
	enum exit_status status = history_load(source, &report.history);
	int result = 0;

	if (status == EXIT_OK)
		result = take_last(source, options, &report, &error);
	if (status == EXIT_OK && result == 0)
		result = take_tail(source, options, &report, &error);
	if (result < 0)
		status = report_history(source, result, &error);
	if (status == EXIT_OK)
		status = print(source, &report);
	buffer_free(&report.document);
	astshm_snapshot_free(&report.last);
	astshm_snapshot_free(&report.tail);
	astshm_history_free(&report.history);
	return status;
}
