/* SPDX-License-Identifier: MIT */
/*
 * The server's metrics: the segment, the handles of the table in
 * metrics_table.h, and the series that are tagged with an event's path.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdbool.h>

#include <astshm/writer.h>

#include "log.h"
#include "metrics_table.h"
#include "node.h"
#include "room.h"

/* The types of which trees have nodes stand first. */
#define METRICS_NODE_TYPES NODE_AUTOMATION

struct server_metrics {
	struct astshm_writer *writer; /* NULL: nothing is recorded */
#define METRICS_FIELD(kind, field, name, unit, help) struct astshm_##kind field;
	SERVER_METRICS(METRICS_FIELD)
#undef METRICS_FIELD
	struct astshm_timing other_duration; /* of paths that no handler knows */
	struct astshm_gauge nodes[METRICS_NODE_TYPES];
	struct log_limit tick_failures;
	struct room room;
};

/* The tagged series of one handler. */
struct route_metrics {
	struct astshm_counter received;
	struct astshm_counter processed;
	struct astshm_timing duration;
	struct astshm_timing handler; /* of its group */
};

struct metrics_options {
	bool off;          /* no segment */
	const char *name;  /* of the segment, or a path */
	mode_t mode;       /* 0: the library's default */
	const char *group; /* NULL: the process's */
	bool history_off;  /* the segment keeps no history */
	uint32_t history_ms, history_count; /* 0: the library's default */
	uint32_t coarse_ms, coarse_count;   /* of older entries; count 0: none */
	bool keep;         /* leave the closed segment behind */
};

/*
 * Opens the segment and registers the table. -EBUSY: a living process writes
 * the segment of that name (logged). Any other failure is logged, and 0: the
 * server serves without metrics.
 */
int metrics_open(struct server_metrics *metrics, const struct metrics_options *options);
/* No thread may be recording. */
void metrics_close(struct server_metrics *metrics);
/* The housekeeping, once a second. */
void metrics_tick(struct server_metrics *metrics);
/* After the last tick: says what was not recorded, if that is not over. */
void metrics_tell_end(struct server_metrics *metrics);
/* What to call the segment before people; "off" if there is none. */
const char *metrics_segment(const struct server_metrics *metrics);

/*
 * Registers the series of a handler of that group. `path` may be NULL:
 * events.received is then tagged by name, under the tag-set limit.
 */
void metrics_register_route(struct server_metrics *metrics, const char *group, const char *path,
			    const char *processed_type, const char *duration_type,
			    struct route_metrics *route);

/* One more of a tagged family, by name, for a path that a stranger may have chosen. */
void metrics_count_path(struct server_metrics *metrics, const char *family, const char *path);

#define METRICS_TAG "event_type"

#endif
