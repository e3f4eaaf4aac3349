/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "look.h"
#include "segment.h"
#include "signals.h"

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void set_unreadable(struct look *look, int result, const struct astshm_error *error)
{
	look->error = result;
	if (result == -ENOENT)
		snprintf(look->why, sizeof(look->why), "there is no such segment");
	else
		snprintf(look->why, sizeof(look->why), "%.150s",
			 error->text[0] ? error->text : strerror(-result));
}

static int attach(struct server *server, struct astshm_error *error)
{
	char *name = NULL;
	int result;

	if (server->reader)
		return 0;
	result = segment_open(&server->reader, &name, server->argument, error);
	free(name);
	return result;
}

/* A writer without a history that reaches back so far leaves the window NULL. */
static int take_window(struct server *server, struct look *look, int64_t window_ns,
		       struct astshm_error *error)
{
	struct astshm_snapshot *snapshot = NULL;
	int result = astshm_reader_window(server->reader, window_ns, 0, &snapshot, error);

	if (result < 0 && result != -ENODATA)
		return result;
	look->window_ns[look->window_count] = window_ns;
	look->windowed[look->window_count++] = snapshot;
	return 0;
}

static int take_all(struct server *server, const struct rules *rules, struct look *look,
		    struct astshm_error *error)
{
	int result = astshm_reader_snapshot(server->reader, 0, &look->whole, error);

	for (size_t i = 0; result == 0 && i < rules->window_count; i++)
		result = take_window(server, look, rules->windows[i], error);
	return result;
}

static void set_down(struct look *look, const struct astshm_segment_info *info)
{
	if (info->state == ASTSHM_STATE_CLOSED)
		snprintf(look->why, sizeof(look->why), "pid %" PRIu32 " closed the segment",
			 info->pid);
	else if (info->state == ASTSHM_STATE_REPLACED)
		snprintf(look->why, sizeof(look->why), "pid %" PRIu32 " lost the segment's name",
			 info->pid);
	else
		snprintf(look->why, sizeof(look->why), "pid %" PRIu32 " is dead", info->pid);
}

/* A restart between two looks is told by the generation alone. One after the
 * server was seen down is the end of that. */
static void judge(struct server *server, struct look *look)
{
	const struct astshm_segment_info *info = astshm_snapshot_segment(look->whole);

	look->pid = info->pid;
	look->generation = info->generation;
	look->heartbeat_age_ns = info->heartbeat_age_ns;
	look->is_live = info->state == ASTSHM_STATE_LIVE;
	look->is_up = look->is_live &&
		      !(server->was_up && server->generation != info->generation);
	if (!look->is_live)
		set_down(look, info);
	else if (!look->is_up)
		snprintf(look->why, sizeof(look->why),
			 "pid %" PRIu32 " was replaced by pid %" PRIu32, server->pid, info->pid);
	server->was_up = look->is_live;
	server->generation = info->generation;
	server->pid = info->pid;
}

void look_take(struct server *server, const struct rules *rules, struct look *look)
{
	struct astshm_error error = { 0 };
	int result;

	*look = (struct look){
		.monotonic_ns = monotonic_ns(), .realtime_ns = realtime_ns(),
		.heartbeat_age_ns = -1, .pid = server->pid, .generation = server->generation,
	};
	result = attach(server, &error);
	if (result == 0)
		result = take_all(server, rules, look, &error);
	if (result == 0) {
		judge(server, look);
		return;
	}
	look_free(look);
	server_close(server);
	server->was_up = false;
	set_unreadable(look, result, &error);
}

const struct astshm_snapshot *look_window(const struct look *look, int64_t window_ns)
{
	for (size_t i = 0; i < look->window_count; i++) {
		if (look->window_ns[i] == window_ns && look->windowed[i])
			return astshm_snapshot_window(look->windowed[i]);
	}
	return NULL;
}

void look_free(struct look *look)
{
	astshm_snapshot_free(&look->whole);
	for (size_t i = 0; i < look->window_count; i++)
		astshm_snapshot_free(&look->windowed[i]);
	look->window_count = 0;
}

void server_close(struct server *server)
{
	astshm_reader_close(&server->reader);
}
