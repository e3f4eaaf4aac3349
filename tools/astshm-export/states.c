/* SPDX-License-Identifier: MIT */
#include "states.h"

#include <string.h>

#include "number.h"
#include "sink.h"
#include "text.h"

const char *states_name(const struct gather_part *part)
{
	const struct astshm_segment_info *segment =
		part->snapshot ? astshm_snapshot_segment(part->snapshot) : NULL;

	return segment ? astshm_state_name(segment->state) : "missing";
}

static void put_number(struct sink *sink, const char *key, uint64_t number)
{
	sink_put_text(sink, key);
	sink_end(sink, number_put_u64(sink_room(sink, NUMBER_BYTES), number));
}

static void put_seconds(struct sink *sink, const char *key, int64_t ns)
{
	sink_put_text(sink, key);
	if (ns < 0)
		sink_put_text(sink, "null");
	else
		sink_end(sink, number_put_fixed(sink_room(sink, NUMBER_BYTES), (uint64_t)ns, 9));
}

static void put_segment(struct sink *sink, const struct gather_part *part)
{
	const struct astshm_segment_info *segment =
		part->snapshot ? astshm_snapshot_segment(part->snapshot) : NULL;

	sink_put_text(sink, "{\"name\":");
	text_put_json(sink, part->name, strlen(part->name));
	sink_put_text(sink, ",\"state\":\"");
	sink_put_text(sink, states_name(part));
	sink_put_char(sink, '"');
	if (segment) {
		put_number(sink, ",\"pid\":", segment->pid);
		put_seconds(sink, ",\"heartbeat_age_seconds\":", segment->heartbeat_age_ns);
		put_seconds(sink, ",\"heartbeat_period_seconds\":", segment->heartbeat_period_ns);
		put_seconds(sink, ",\"uptime_seconds\":",
			    (int64_t)astshm_snapshot_uptime_ns(part->snapshot));
	}
	sink_put_char(sink, '}');
}

int states_encode(const struct gather_part *parts, size_t count, const struct astshm_sink *to)
{
	struct sink sink;

	sink_init(&sink, to);
	sink_put_text(&sink, "{\"schema\":\"astshm.segments/1\",\"segments\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			sink_put_char(&sink, ',');
		put_segment(&sink, &parts[i]);
	}
	sink_put_text(&sink, "]}");
	return sink_finish(&sink);
}
