/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "status.h"

#define HEARTBEATS_MISSED 3 /* as astshm-cat and astshm-ls count */
#define RESTART_TOLD_NS 60000000000

uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* "" if nobody beats. */
static void heartbeat_text(char text[CELL_BYTES], const struct astshm_segment_info *segment)
{
	char age[CELL_BYTES];

	text[0] = '\0';
	if (segment->heartbeat_age_ns < 0)
		return;
	format_age(age, (uint64_t)segment->heartbeat_age_ns);
	snprintf(text, CELL_BYTES, ", heartbeat %.40s ago", age);
}

static bool is_late(const struct astshm_segment_info *segment)
{
	return segment->heartbeat_age_ns >= 0 && segment->heartbeat_period_ns > 0 &&
	       segment->heartbeat_age_ns / HEARTBEATS_MISSED > segment->heartbeat_period_ns;
}

static void fill_state(struct status *status, const struct astshm_segment_info *segment)
{
	bool is_live = segment->state == ASTSHM_STATE_LIVE, late = is_live && is_late(segment);
	char heartbeat[CELL_BYTES] = "";

	if (late)
		heartbeat_text(heartbeat, segment);
	snprintf(status->state, sizeof(status->state), "%s%.60s%s",
		 astshm_state_name(segment->state), heartbeat,
		 segment->recording ? "" : ", recording off");
	status->style = !is_live ? STYLE_BAD
			: late || !segment->recording ? STYLE_WARN : STYLE_GOOD;
}

static void say_gone(struct status *status, const struct astshm_segment_info *segment)
{
	char heartbeat[CELL_BYTES];

	heartbeat_text(heartbeat, segment);
	snprintf(status->notice, sizeof(status->notice),
		 "The writer (pid %" PRIu32 ") %s%.60s; these are its last values.", segment->pid,
		 segment->state == ASTSHM_STATE_CLOSED ? "closed the segment" : "is dead",
		 heartbeat);
	status->notice_style = STYLE_BAD;
}

static void say_trouble(struct status *status, const struct model *model, uint64_t now_ns)
{
	uint64_t taken_ns = model->life ? astshm_snapshot_timestamp_ns(model->life) : now_ns;
	char age[CELL_BYTES];

	format_age(age, now_ns > taken_ns ? now_ns - taken_ns : 0);
	snprintf(status->notice, sizeof(status->notice), "%s; these values are %.40s old.",
		 model->trouble, age);
	status->notice_style = STYLE_BAD;
}

static void say_restarted(struct status *status, const struct model *model,
			  const struct astshm_segment_info *segment, uint64_t now_ns)
{
	char age[CELL_BYTES];

	format_age(age, now_ns > model->replaced_ns ? now_ns - model->replaced_ns : 0);
	snprintf(status->notice, sizeof(status->notice),
		 "Restarted %.40s ago: pid %" PRIu32 " took over from pid %" PRIu32 ".", age,
		 segment->pid, model->previous_pid);
	status->notice_style = STYLE_WARN;
}

void status_fill(struct status *status, const struct model *model, uint64_t now_ns)
{
	const struct astshm_segment_info *segment = model_segment(model);

	*status = (struct status){ .state = "not read yet", .style = STYLE_WARN };
	if (segment)
		fill_state(status, segment);
	if (model->trouble[0])
		say_trouble(status, model, now_ns);
	else if (segment && segment->state != ASTSHM_STATE_LIVE)
		say_gone(status, segment);
	else if (segment && model->previous_pid &&
		 now_ns - model->replaced_ns < RESTART_TOLD_NS)
		say_restarted(status, model, segment, now_ns);
}
