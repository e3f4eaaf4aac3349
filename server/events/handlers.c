/* SPDX-License-Identifier: MIT */
/* The events of the protocol, and who handles each. */
#include <stddef.h>

#include "apply.h"
#include "envelope.h"

/* Complete as it is: the event asks for no change of the project. */
static enum event_result change_nothing(struct ast_server *server, const struct event_call *call)
{
	(void)server;
	(void)call;
	return EVENT_PROCESSED;
}

/* An attribute of the transport that the tree does not have. */
static enum event_result find_nothing(struct ast_server *server, const struct event_call *call)
{
	(void)server;
	(void)call;
	return EVENT_NO_TARGET;
}

static void write_argument(struct json_out *out, const struct osc_value *argument)
{
	switch (argument->tag) {
	case 'i':
		json_out_integer(out, argument->i);
		break;
	case 'f':
		json_out_number(out, (double)argument->f);
		break;
	case 's':
		json_out_text(out, argument->s);
		break;
	default:
		json_out_boolean(out, argument->tag == 'T');
	}
}

/* Passed on as it is: where the user's cursor stands is no part of the project. */
enum event_result handle_cursor(struct ast_server *server, const struct event_call *call)
{
	const struct live_event *event = call->event;
	struct json_out out;

	json_out_init(&out, 0);
	envelope_begin(&out, "live_event");
	json_out_begin_object(&out);
	json_out_key(&out, "event_path");
	json_out_text(&out, event->path);
	json_out_key(&out, "args");
	json_out_begin_array(&out);
	for (size_t i = 0; i < event->count; i++)
		write_argument(&out, &event->arguments[i]);
	json_out_end_array(&out);
	json_out_key(&out, "seq_num");
	json_out_integer(&out, event->sequence);
	json_out_key(&out, "timestamp");
	json_out_number(&out, event->timestamp);
	json_out_end_object(&out);
	envelope_end(&out);
	ast_server_broadcast(server, message_of_json(&out));
	json_out_fini(&out);
	return EVENT_PROCESSED;
}

#define TRANSPORT "transport"
#define DEVICE_PARAM "device_param"

static const struct event_handler defaults[] = {
	{ "track", "/live/track/renamed", 0, "is", NULL, NULL, handle_track_renamed, NULL },
	{ "track", "/live/track/mute", 0, "iv", NULL, NULL, handle_track_mute, NULL },
	{ "track", "/live/track/arm", 0, "iv", NULL, NULL, handle_track_arm, NULL },
	{ "track", "/live/track/volume", 0, "iv", NULL, NULL, handle_track_volume, NULL },
	{ "device", "/live/device/added", 0, "iis", NULL, NULL, handle_device_added, NULL },
	{ "device", "/live/device/deleted", 0, "ii", NULL, NULL, handle_device_deleted, NULL },
	{ "device", "/live/device/param", 0, "iiif", DEVICE_PARAM, DEVICE_PARAM,
	  handle_device_param, NULL },
	{ "device", "/live/device/param", EVENT_PREFIX, "iiif", DEVICE_PARAM, DEVICE_PARAM,
	  handle_device_param, NULL },
	{ "scene", "/live/scene/renamed", 0, "is", NULL, NULL, handle_scene_renamed, NULL },
	{ "scene", "/live/scene/added", 0, "is", NULL, NULL, handle_scene_added, NULL },
	{ "scene", "/live/scene/removed", 0, "i", NULL, NULL, handle_scene_removed, NULL },
	{ "scene", "/live/scene/reordered", 0, "", NULL, NULL, change_nothing, NULL },
	{ "clip_slot", "/live/clip_slot/created", 0, "iibbi", NULL, NULL, handle_slot_created,
	  NULL },
	{ "transport", "/live/transport/play", 0, "b", TRANSPORT, NULL, handle_play, NULL },
	{ "transport", "/live/transport/tempo", 0, "f", TRANSPORT, NULL, handle_tempo, NULL },
	{ "transport", "/live/transport/position", 0, "f", TRANSPORT, NULL, handle_position,
	  NULL },
	{ "transport", "/live/transport/", EVENT_PREFIX, "", TRANSPORT, TRANSPORT, find_nothing,
	  NULL },
	{ "cursor", "/live/cursor/", EVENT_PREFIX | EVENT_SILENT, "", NULL, NULL, handle_cursor,
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
