/* SPDX-License-Identifier: MIT */
/* /live/track/...: the track at an index, returns and master among them. */
#include <inttypes.h>
#include <stdio.h>

#include "apply.h"

enum event_result handle_track_renamed(struct ast_server *server, const struct event_call *call)
{
	struct node *track = apply_track(server, call->values[0].integer);

	return track ? apply_rename(server, call, track, "tracks") : EVENT_NO_TARGET;
}

static enum event_result set(struct ast_server *server, const struct event_call *call,
			     const char *attribute)
{
	struct node *track = apply_track(server, call->values[0].integer);
	char path[40];

	if (!track)
		return EVENT_NO_TARGET;
	snprintf(path, sizeof path, "tracks[%" PRId64 "]", call->values[0].integer);
	enum event_result result = apply_state(server, call, track, path, attribute,
					       apply_value(call->values[1].sent));
	return result == EVENT_PROCESSED ? apply_send(server) : result;
}

enum event_result handle_track_mute(struct ast_server *server, const struct event_call *call)
{
	return set(server, call, "is_muted");
}

enum event_result handle_track_arm(struct ast_server *server, const struct event_call *call)
{
	return set(server, call, "is_armed");
}

/* Of the track node; the mixer's volume is what the file said. */
enum event_result handle_track_volume(struct ast_server *server, const struct event_call *call)
{
	return set(server, call, "volume");
}
