/* SPDX-License-Identifier: MIT */
/* The events of the protocol, and what each does to the project. */
#include <stddef.h>

#include "events.h"
#include "server.h"

static enum event_result set_playing(struct ast_server *server, const struct event_call *call)
{
	project_set_playing(&server->project, call->values[0].truth);
	return EVENT_PROCESSED;
}

static enum event_result set_tempo(struct ast_server *server, const struct event_call *call)
{
	project_set_tempo(&server->project, call->values[0].number);
	return EVENT_PROCESSED;
}

static enum event_result set_position(struct ast_server *server, const struct event_call *call)
{
	project_set_position(&server->project, call->values[0].number);
	return EVENT_PROCESSED;
}

/*
 * Looks for a track, device, scene or transport attribute that a bare project
 * cannot have. A scene is not added either while there is no tree to hold it.
 */
static enum event_result find_nothing(struct ast_server *server, const struct event_call *call)
{
	(void)server;
	(void)call;
	return EVENT_NO_TARGET;
}

/* Complete as it is: the event asks for no change of the project. */
static enum event_result change_nothing(struct ast_server *server, const struct event_call *call)
{
	(void)server;
	(void)call;
	return EVENT_PROCESSED;
}

#define TRANSPORT "transport"
#define DEVICE_PARAM "device_param"

static const struct event_handler defaults[] = {
	{ "track", "/live/track/renamed", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "track", "/live/track/mute", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "track", "/live/track/arm", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "track", "/live/track/volume", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "device", "/live/device/added", 0, "iiv", NULL, NULL, find_nothing, NULL },
	{ "device", "/live/device/deleted", 0, "ii", NULL, NULL, find_nothing, NULL },
	{ "device", "/live/device/param", 0, "iiif", DEVICE_PARAM, DEVICE_PARAM, find_nothing,
	  NULL },
	{ "device", "/live/device/param", EVENT_PREFIX, "iiif", DEVICE_PARAM, DEVICE_PARAM,
	  find_nothing, NULL },
	{ "scene", "/live/scene/renamed", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "scene", "/live/scene/added", 0, "iv", NULL, NULL, find_nothing, NULL },
	{ "scene", "/live/scene/removed", 0, "i", NULL, NULL, find_nothing, NULL },
	{ "scene", "/live/scene/reordered", 0, "", NULL, NULL, change_nothing, NULL },
	{ "clip_slot", "/live/clip_slot/created", 0, "iibbi", NULL, NULL, find_nothing, NULL },
	{ "transport", "/live/transport/play", 0, "b", TRANSPORT, NULL, set_playing, NULL },
	{ "transport", "/live/transport/tempo", 0, "f", TRANSPORT, NULL, set_tempo, NULL },
	{ "transport", "/live/transport/position", 0, "f", TRANSPORT, NULL, set_position, NULL },
	{ "transport", "/live/transport/", EVENT_PREFIX, "", TRANSPORT, TRANSPORT, find_nothing,
	  NULL },
	{ "cursor", "/live/cursor/", EVENT_PREFIX | EVENT_SILENT, "", NULL, NULL, change_nothing,
	  NULL },
};

int event_table_add_defaults(struct event_table *table, struct server_metrics *metrics)
{
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
		int result = event_table_add(table, metrics, &defaults[i]);
		if (result < 0)
			return result;
	}
	return 0;
}
