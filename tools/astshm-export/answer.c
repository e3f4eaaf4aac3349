/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "message.h"
#include "past.h"
#include "states.h"

enum { STATUS_OK = 200, STATUS_BAD = 400, STATUS_MISSING = 404, STATUS_CONFLICT = 409,
       STATUS_FAILED = 500, STATUS_UNAVAILABLE = 503 };

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_JSON "application/json"

static const struct {
	const char *path;
	enum document document;
} paths[] = {
	{ "metrics", DOCUMENT_METRICS },      { "snapshot.json", DOCUMENT_JSON },
	{ "snapshot.msgpack", DOCUMENT_MSGPACK }, { "summary.json", DOCUMENT_SUMMARY },
	{ "history.json", DOCUMENT_HISTORY }, { "healthz", DOCUMENT_HEALTH },
};
#define PATH_COUNT (sizeof(paths) / sizeof(paths[0]))

static bool route_page(struct request *request, const char *path)
{
	static const char prefix[] = "/page/";

	if (strcmp(path, "/") == 0)
		request->file = page_find("index.html");
	else if (strncmp(path, prefix, sizeof(prefix) - 1) == 0)
		request->file = page_find(path + sizeof(prefix) - 1);
	if (request->file)
		request->document = DOCUMENT_PAGE;
	return request->file;
}

void answer_route(struct request *request, const char *path)
{
	static const char prefix[] = "/segments/";
	const char *end;

	request->document = DOCUMENT_NONE;
	if (route_page(request, path))
		return;
	if (strcmp(path, "/segments.json") == 0)
		request->document = DOCUMENT_SEGMENTS;
	if (strncmp(path, prefix, sizeof(prefix) - 1) == 0) {
		request->segment = path + sizeof(prefix) - 1;
		end = strchr(request->segment, '/');
		if (!end)
			return;
		request->segment_length = (size_t)(end - request->segment);
		path = end;
	}
	for (size_t i = 0; i < PATH_COUNT; i++) {
		if (strcmp(path + 1, paths[i].path) == 0)
			request->document = paths[i].document;
	}
}

void answer_refuse(struct answer *answer, unsigned status, const char *format, ...)
{
	char line[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a stranger's name on its way to a terminal */
	}
	strcat(line, "\n");
	answer->status = status;
	answer->type = TYPE_TEXT;
	answer->body.count = 0;
	if (buffer_write(&answer->body, line, strlen(line)) < 0)
		answer->status = STATUS_FAILED; /* nothing said is no good news */
}

/* --- documents -------------------------------------------------------------------- */

static int encode_metrics(const struct astshm_snapshot *snapshot, const struct request *request,
			  const struct astshm_sink *sink)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;

	if (request->exposition == EXPOSITION_PROTOBUF)
		return protobuf_encode(snapshot, request->style, sink);
	if (request->exposition == EXPOSITION_OPENMETRICS)
		options.flags |= ASTSHM_ENCODE_OPENMETRICS;
	return astshm_encode_prometheus(snapshot, sink, &options);
}

static void encode(struct answer *answer, const struct request *request,
		   const struct astshm_snapshot *snapshot)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { .write = buffer_write, .context = &answer->body };
	int result;

	options.flags = request->buckets ? ASTSHM_ENCODE_BUCKETS : 0;
	answer->status = STATUS_OK;
	answer->type = TYPE_JSON;
	if (request->document == DOCUMENT_METRICS) {
		answer->type = negotiate_type(request->exposition);
		result = encode_metrics(snapshot, request, &sink);
	} else if (request->document == DOCUMENT_MSGPACK) {
		answer->type = "application/vnd.msgpack";
		result = astshm_encode_msgpack(snapshot, &sink, &options);
	} else if (request->document == DOCUMENT_SUMMARY) {
		result = astshm_encode_summary(snapshot, &sink, &options);
	} else {
		result = astshm_encode_json(snapshot, &sink, &options);
	}
	if (result < 0)
		answer_refuse(answer, STATUS_FAILED, "cannot encode: %s", strerror(-result));
}

/* What stands for nothing is no answer, but where what there is was asked for. */
static bool must_match(const struct request *request)
{
	return request->metrics.count > 0 && !request->last;
}

static void refuse_unmatched(struct answer *answer)
{
	answer_refuse(answer, STATUS_MISSING, "no metric matches metric=");
}

/* Formats that are a whole by themselves: the others would tell half the truth. */
static void encode_chosen(struct answer *answer, const struct request *request,
			  struct astshm_snapshot **snapshot)
{
	bool whole = request->document != DOCUMENT_JSON && request->document != DOCUMENT_MSGPACK;

	if (!whole && metrics_choose(&request->metrics, snapshot) < 0)
		answer_refuse(answer, STATUS_FAILED, "out of memory");
	else if (!whole && must_match(request) && astshm_snapshot_count(*snapshot) == 0)
		refuse_unmatched(answer);
	else
		encode(answer, request, *snapshot);
}

/* --- one segment ---------------------------------------------------------------- */

/* A segment that cannot be read is like a server that does not answer. */
static void refuse_unread(struct answer *answer, const struct served *served, int result,
			  const struct astshm_error *error)
{
	const char *text = error->text[0] ? error->text : strerror(-result);
	unsigned status = result == -ENODATA  ? STATUS_MISSING
			  : result == -EINVAL ? STATUS_BAD
					      : STATUS_UNAVAILABLE;

	answer_refuse(answer, status, "%s: %s", served->name, text);
}

static void refuse_dead(struct answer *answer, const struct served *served,
			const struct astshm_segment_info *segment)
{
	int64_t age_ns = segment->heartbeat_age_ns;
	char heard[64] = "";

	if (age_ns >= 0)
		snprintf(heard, sizeof(heard), ", last heard of %" PRId64 ".%03" PRId64 " s ago",
			 age_ns / 1000000000, age_ns / 1000000 % 1000);
	answer_refuse(answer, STATUS_UNAVAILABLE, "%s: the writer (pid %" PRIu32 ") %s%s",
		      served->name, segment->pid,
		      segment->state == ASTSHM_STATE_CLOSED ? "closed the segment" : "is dead",
		      heard);
}

static bool is_live(const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);

	return segment && segment->state == ASTSHM_STATE_LIVE;
}

/* A health check or a scrape must not take the past for the present. */
static bool wants_last(const struct request *request)
{
	return request->last && (request->document == DOCUMENT_JSON ||
				 request->document == DOCUMENT_MSGPACK ||
				 request->document == DOCUMENT_HISTORY);
}

/* Who asks for what there is has that no window is kept in the document, not as a 404. */
static bool bears_no_past(const struct request *request)
{
	return wants_last(request) || (request->last && request->document == DOCUMENT_SUMMARY);
}

/* NULL: the answer says why. */
static struct astshm_snapshot *take(struct served *served, const struct request *request,
					 struct answer *answer)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	int64_t window_ns = request->document == DOCUMENT_HISTORY ? 0 : request->window_ns;
	int result = request->document == DOCUMENT_HEALTH
			     ? served_head(served, &snapshot, &error)
			     : served_snapshot(served, window_ns, &snapshot, &error);

	if (result == -ENODATA && bears_no_past(request))
		result = served_snapshot(served, 0, &snapshot, &error);
	if (result < 0) {
		refuse_unread(answer, served, result, &error);
	} else if (!is_live(snapshot) && !wants_last(request)) {
		refuse_dead(answer, served, astshm_snapshot_segment(snapshot));
		astshm_snapshot_free(&snapshot);
	}
	return snapshot;
}

/* Beside a window stands nothing of ours: a merged snapshot cannot have one. */
static void encode_with_facts(struct answer *answer, const struct request *request,
			      const struct served *served, const struct astshm_snapshot *snapshot)
{
	const struct gather_part part = { served->name, snapshot, true };
	struct astshm_snapshot *gathered = NULL;
	struct astshm_error error = { 0 };
	int result = gather(&part, 1, request->feeds, false, &gathered, &error);

	if (result == 0)
		encode(answer, request, gathered);
	else
		answer_refuse(answer, STATUS_FAILED, "%s: %s", served->name,
			      error.text[0] ? error.text : strerror(-result));
	astshm_snapshot_free(&gathered);
}

static void answer_history(struct answer *answer, const struct request *request,
			   struct served *served)
{
	struct astshm_sink sink = { .write = buffer_write, .context = &answer->body };
	struct past_style style = {
		.last_ns = request->window_ns,
		.flags = request->buckets ? ASTSHM_ENCODE_BUCKETS : 0,
		.metrics = &request->metrics,
	};
	struct astshm_history *history = NULL;
	struct astshm_error error = { 0 };
	int result = served_history(served, &history, &error);

	if (result == -ENODATA && bears_no_past(request))
		result = 0;
	if (result == 0)
		result = past_encode(history, served->name, &style, &sink, &error);
	astshm_history_free(&history);
	answer->status = STATUS_OK;
	answer->type = TYPE_JSON;
	if (result < 0)
		refuse_unread(answer, served, result, &error);
	else if (result == 0 && must_match(request))
		refuse_unmatched(answer);
}

static void answer_one(struct answer *answer, const struct request *request,
		       struct served *served)
{
	struct astshm_snapshot *snapshot = take(served, request, answer);

	if (!snapshot)
		return;
	if (request->document == DOCUMENT_HEALTH)
		answer_refuse(answer, STATUS_OK, "%s: live", served->name);
	else if (request->document == DOCUMENT_HISTORY)
		answer_history(answer, request, served);
	else if (request->document == DOCUMENT_METRICS && !request->window_ns)
		encode_with_facts(answer, request, served, snapshot);
	else
		encode_chosen(answer, request, &snapshot);
	if (answer->status == STATUS_OK && !is_live(snapshot))
		answer->status = STATUS_UNAVAILABLE;
	astshm_snapshot_free(&snapshot);
}

/* --- several ---------------------------------------------------------------------- */

struct parts {
	struct gather_part *items;
	size_t count;
	size_t live;
};

/* `heads`: without their series. */
static int parts_take(struct parts *parts, struct segments *segments, bool heads)
{
	int result;

	parts->items = calloc(segments->count + 1, sizeof(*parts->items));
	if (!parts->items)
		return -ENOMEM;
	for (size_t i = 0; i < segments->count; i++) {
		struct gather_part *part = &parts->items[parts->count++];
		struct astshm_snapshot *snapshot = NULL;
		struct astshm_error error = { 0 };

		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as many as count says */
		part->name = segments->items[i].name;
		result = heads ? served_head(&segments->items[i], &snapshot, &error)
			       : served_snapshot(&segments->items[i], 0, &snapshot, &error);
		if (result == -ENOMEM)
			return result; /* which says nothing of the segment */
		if (result < 0 || !snapshot)
			continue;
		part->snapshot = snapshot;
		part->live = is_live(snapshot);
		parts->live += part->live;
	}
	return 0;
}

static void parts_free(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct astshm_snapshot *snapshot =
			(struct astshm_snapshot *)parts->items[i].snapshot;

		astshm_snapshot_free(&snapshot);
	}
	free(parts->items);
}

/* The document of all living segments together. */
static int merge_live(const struct parts *parts, struct astshm_snapshot **merged,
		      struct astshm_error *error)
{
	const struct astshm_snapshot **live = calloc(parts->count + 1, sizeof(*live));
	size_t count = 0;
	int result;

	if (!live)
		return -ENOMEM;
	for (size_t i = 0; i < parts->count; i++) {
		if (parts->items[i].live)
			live[count++] = parts->items[i].snapshot;
	}
	result = astshm_snapshot_merge(live, count, merged, error);
	free(live);
	return result;
}

/* Healthy: something lives, and all that was named does. */
static void answer_health(struct answer *answer, const struct segments *segments,
			  const struct parts *parts)
{
	bool healthy = parts->live > 0;
	int result = 0;

	for (size_t i = 0; i < parts->count && result == 0; i++) {
		struct answer line = { 0 };

		answer_refuse(&line, STATUS_OK, "%s: %s", parts->items[i].name,
			      states_name(&parts->items[i]));
		result = line.status == STATUS_OK ? buffer_write(&answer->body, line.body.bytes,
								 line.body.count) : -ENOMEM;
		buffer_free(&line.body);
		healthy = healthy && (parts->items[i].live || segments->items[i].matched);
	}
	if (result < 0) {
		answer_refuse(answer, STATUS_FAILED, "out of memory");
		return;
	}
	if (parts->count == 0)
		answer_refuse(answer, STATUS_OK, "no segment matches");
	answer->type = TYPE_TEXT;
	answer->status = healthy ? STATUS_OK : STATUS_UNAVAILABLE;
}

static void encode_several(struct answer *answer, const struct request *request,
			   const struct parts *parts)
{
	bool metrics = request->document == DOCUMENT_METRICS;
	struct astshm_snapshot *whole = NULL;
	struct astshm_error error = { 0 };
	int result;

	if (metrics ? parts->count == 0 : parts->live == 0) {
		answer_refuse(answer, STATUS_UNAVAILABLE,
			      parts->count == 0 ? "no segment matches" : "no writer lives");
		return;
	}
	result = metrics ? gather(parts->items, parts->count, request->feeds, true, &whole, &error)
			 : merge_live(parts, &whole, &error);
	if (result == 0)
		encode_chosen(answer, request, &whole);
	else
		answer_refuse(answer, result == -EINVAL ? STATUS_CONFLICT : STATUS_FAILED,
			      "the segments make no one document: %s; ask for /segments/NAME/",
			      error.text[0] ? error.text : strerror(-result));
	astshm_snapshot_free(&whole);
}

static void answer_several(struct answer *answer, struct segments *segments,
			   const struct request *request)
{
	struct parts parts = { 0 };

	if (request->document == DOCUMENT_HISTORY) {
		answer_refuse(answer, STATUS_MISSING,
			      "a history is of one segment: ask for /segments/NAME/history.json");
		return;
	}
	if (request->window_ns) {
		answer_refuse(answer, STATUS_BAD,
			      "window= is of one segment: ask for it under /segments/NAME/");
		return;
	}
	if (parts_take(&parts, segments, request->document == DOCUMENT_HEALTH) < 0)
		answer_refuse(answer, STATUS_FAILED, "out of memory");
	else if (request->document == DOCUMENT_HEALTH)
		answer_health(answer, segments, &parts);
	else
		encode_several(answer, request, &parts);
	parts_free(&parts);
}

/* --- of no segment ------------------------------------------------------------------ */

/* Which segments there are and how they fare: that one is dead is an answer here. */
static void answer_states(struct answer *answer, struct segments *segments)
{
	struct astshm_sink sink = { .write = buffer_write, .context = &answer->body };
	struct parts parts = { 0 };

	answer->status = STATUS_OK;
	answer->type = TYPE_JSON;
	if (parts_take(&parts, segments, true) < 0 ||
	    states_encode(parts.items, parts.count, &sink) < 0)
		answer_refuse(answer, STATUS_FAILED, "out of memory");
	parts_free(&parts);
}

static void answer_page(struct answer *answer, const struct page_file *file)
{
	answer->status = STATUS_OK;
	answer->type = file->type;
	if (buffer_write(&answer->body, file->bytes, file->count) == 0)
		answer->file = file;
	else
		answer_refuse(answer, STATUS_FAILED, "out of memory");
}

void answer_make(struct segments *segments, const struct request *request,
		 struct answer *answer)
{
	struct served *served = segments->several ? NULL : &segments->items[0];
	int result;

	if (request->document == DOCUMENT_PAGE) {
		answer_page(answer, request->file);
		return;
	}
	result = segments_refresh(segments);
	if (request->segment)
		served = segments_find(segments, request->segment, request->segment_length);
	if (request->document == DOCUMENT_NONE)
		answer_refuse(answer, STATUS_MISSING, "no such path; see astshm-export(1)");
	else if (request->segment && !served)
		answer_refuse(answer, STATUS_MISSING, "there is no segment of that name");
	else if (result < 0)
		answer_refuse(answer, STATUS_FAILED, "cannot list the segments: %s",
			      strerror(-result));
	else if (request->document == DOCUMENT_SEGMENTS)
		answer_states(answer, segments);
	else if (served)
		answer_one(answer, request, served);
	else
		answer_several(answer, segments, request);
}
