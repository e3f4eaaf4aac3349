/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "version.h"

/* An hour's entries of a busy server take 0.9 MiB; of a busier one the oldest go. */
#define HISTORY_BYTES (1u << 20)

#define SEGMENT_PREFIX "/dev/shm/astshm."

struct metric_row {
	enum astshm_kind kind;
	const char *name;
	const char *unit;
	const char *help;
	size_t field_off; /* of the handle in struct server_metrics */
};

#define KIND_counter ASTSHM_KIND_COUNTER
#define KIND_gauge ASTSHM_KIND_GAUGE
#define KIND_timing ASTSHM_KIND_TIMING
#define KIND_distribution ASTSHM_KIND_DISTRIBUTION

static const struct metric_row rows[] = {
#define ROW(kind, field, name, unit, help) \
	{ KIND_##kind, name, unit, help, offsetof(struct server_metrics, field) },
	SERVER_METRICS(ROW)
#undef ROW
};

static const struct metric_row tagged_rows[] = {
#define ROW(kind, tags, name, unit, help) { KIND_##kind, name, unit, help, 0 },
	SERVER_TAGGED_METRICS(ROW)
#undef ROW
};

static void report(int result, const char *name, const struct astshm_error *error)
{
	if (result < 0)
		log_write(LOG_WARNING, "metric %s is not recorded: %s", name, error->text);
}

static int register_one(struct astshm_writer *writer, enum astshm_kind kind,
			const struct astshm_metric *metric, void *handle,
			struct astshm_error *error)
{
	switch (kind) {
	case ASTSHM_KIND_COUNTER:
		return astshm_counter_register(writer, metric, handle, error);
	case ASTSHM_KIND_GAUGE:
		return astshm_gauge_register(writer, metric, handle, error);
	case ASTSHM_KIND_DISTRIBUTION:
		return astshm_distribution_register(writer, metric, handle, error);
	default:
		return astshm_timing_register(writer, metric, handle, error);
	}
}

/* A handle that could not be had is the null handle: harmless to record through. */
static void register_row(struct server_metrics *metrics, const struct metric_row *row)
{
	struct astshm_error error = { 0 };
	struct astshm_metric metric = { .name = row->name, .unit = row->unit,
					.help = row->help };
	void *handle = (char *)metrics + row->field_off;

	report(register_one(metrics->writer, row->kind, &metric, handle, &error), row->name,
	       &error);
}

static void describe_row(struct server_metrics *metrics, const struct metric_row *row)
{
	struct astshm_error error = { 0 };
	int result = astshm_describe(metrics->writer, row->kind, row->name, row->unit, row->help,
				     &error);
	report(result, row->name, &error);
}

/* Of a family that the table describes. */
static void register_tagged(struct server_metrics *metrics, enum astshm_kind kind,
			    const char *family, const char *key, const char *value, void *handle)
{
	struct astshm_error error = { 0 };
	struct astshm_tag tag = { key, value };
	struct astshm_metric metric = { .name = family, .tags = &tag, .tag_count = 1 };

	report(register_one(metrics->writer, kind, &metric, handle, &error), family, &error);
}

static void register_counter(struct server_metrics *metrics, const char *family,
			     const char *type, struct astshm_counter *handle)
{
	register_tagged(metrics, ASTSHM_KIND_COUNTER, family, METRICS_TAG, type, handle);
}

static void register_duration(struct server_metrics *metrics, const char *type,
			      struct astshm_timing *handle)
{
	register_tagged(metrics, ASTSHM_KIND_TIMING, "event.processing.duration", METRICS_TAG,
			type, handle);
}

/* ast.nodes of the types that trees have. */
static void register_nodes(struct server_metrics *metrics)
{
	for (int type = 0; type < METRICS_NODE_TYPES; type++)
		register_tagged(metrics, ASTSHM_KIND_GAUGE, "ast.nodes", "node_type",
				node_type_name((enum node_type)type), &metrics->nodes[type]);
}

static void record_build(struct server_metrics *metrics)
{
	struct astshm_error error = { 0 };
	struct astshm_tag tags[] = { { "version", ASTSHM_VERSION },
				     { "revision", ASTSHM_REVISION } };
	struct astshm_metric metric = { .name = "astshm.build_info", .tags = tags,
					.tag_count = sizeof tags / sizeof tags[0] };
	struct astshm_gauge build;

	/* By handle: a reset hides what was made by name, and this is set but once. */
	report(astshm_gauge_register(metrics->writer, &metric, &build, &error), metric.name,
	       &error);
	astshm_gauge_set(build, 1.0);
}

static void register_table(struct server_metrics *metrics)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		register_row(metrics, &rows[i]);
	for (size_t i = 0; i < sizeof tagged_rows / sizeof tagged_rows[0]; i++)
		describe_row(metrics, &tagged_rows[i]);
	register_duration(metrics, ASTSHM_OTHER, &metrics->other_duration);
	register_nodes(metrics);
	record_build(metrics);
}

static void set_history(struct astshm_writer_options *writer,
			const struct metrics_options *options)
{
	writer->history_ms = options->history_off ? ASTSHM_HISTORY_NONE : options->history_ms;
	if (options->history_ms == 0) {
		writer->history_bytes = HISTORY_BYTES;
		return;
	}
	writer->history_count = options->history_count;
	writer->history_coarse_ms = options->coarse_ms;
	writer->history_coarse_count =
		options->coarse_count ? options->coarse_count : ASTSHM_HISTORY_NONE;
}

int metrics_open(struct server_metrics *metrics, const struct metrics_options *options)
{
	struct astshm_writer_options writer_options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error = { 0 };

	memset(metrics, 0, sizeof *metrics);
	if (options->off)
		return 0;
	writer_options.flags = ASTSHM_OPEN_HEALTH | (options->keep ? ASTSHM_OPEN_KEEP : 0);
	writer_options.mode = options->mode;
	writer_options.group = options->group;
	set_history(&writer_options, options);
	int result = astshm_writer_open(&metrics->writer, options->name, &writer_options, &error);
	if (result == -EBUSY) {
		log_write(LOG_ERROR, "metrics %s: %s", options->name, error.text);
		return result;
	}
	if (error.text[0] != '\0')
		log_write(LOG_WARNING, "metrics %s: %s", options->name, error.text);
	if (result < 0)
		log_write(LOG_WARNING, "serving without metrics");
	else
		register_table(metrics);
	return 0;
}

void metrics_close(struct server_metrics *metrics)
{
	astshm_writer_close(&metrics->writer);
}

static uint64_t dropped_in_all(const struct server_metrics *metrics)
{
	struct astshm_snapshot *snapshot;

	if (astshm_get_all_metrics(metrics->writer, &snapshot, NULL) < 0)
		return 0;
	uint64_t dropped = astshm_snapshot_segment(snapshot)->dropped;
	astshm_snapshot_free(&snapshot);
	return dropped;
}

/* `lack` is the tick's warning, or empty. */
static void tell_room(struct server_metrics *metrics, const char *lack)
{
	switch (room_look(&metrics->room, lack[0] != '\0', clock_now_ms())) {
	case ROOM_LACKING:
		log_write(LOG_WARNING, "metrics: no room in the segment, so not all is recorded "
			  "(events are served all the same; once there is room it goes on): %s",
			  lack);
		break;
	case ROOM_THERE_AGAIN:
		log_write(LOG_WARNING, "metrics: there is room again: for %d s nothing was "
			  "dropped, after %llu in all", ROOM_OVER_MS / 1000,
			  (unsigned long long)dropped_in_all(metrics));
		break;
	case ROOM_NO_NEWS:
		break;
	}
}

void metrics_tick(struct server_metrics *metrics)
{
	struct astshm_error error = { 0 };

	if (astshm_writer_tick(metrics->writer, &error) < 0)
		log_limited(&metrics->tick_failures, LOG_WARNING, "metrics: %s", error.text);
	else
		tell_room(metrics, error.text);
}

void metrics_tell_end(struct server_metrics *metrics)
{
	if (metrics->room.lacking)
		log_write(LOG_WARNING, "metrics: %llu records and registrations were dropped "
			  "in all for want of room",
			  (unsigned long long)dropped_in_all(metrics));
	metrics->room.lacking = false;
}

const char *metrics_segment(const struct server_metrics *metrics)
{
	const char *path = metrics->writer ? astshm_writer_path(metrics->writer) : "";

	if (path[0] == '\0')
		return "off";
	if (strncmp(path, SEGMENT_PREFIX, strlen(SEGMENT_PREFIX)) == 0)
		return path + strlen(SEGMENT_PREFIX);
	return path;
}

void metrics_register_route(struct server_metrics *metrics, const char *group, const char *path,
			    const char *processed_type, const char *duration_type,
			    struct route_metrics *route)
{
	memset(route, 0, sizeof *route);
	register_tagged(metrics, ASTSHM_KIND_TIMING, "handler.duration", "handler", group,
			&route->handler);
	if (path)
		register_counter(metrics, "events.received.by_type", path, &route->received);
	if (processed_type)
		register_counter(metrics, "events.processed.by_type", processed_type,
				 &route->processed);
	if (duration_type)
		register_duration(metrics, duration_type, &route->duration);
}

void metrics_count_path(struct server_metrics *metrics, const char *family, const char *path)
{
	size_t length = strlen(path);
	bool fits = length > 0 && length <= ASTSHM_TAG_VALUE_MAX;
	struct astshm_tag tag = { METRICS_TAG, fits ? path : ASTSHM_OTHER };

	astshm_increment(metrics->writer, family, 1, &tag, 1);
}
