/* SPDX-License-Identifier: MIT */
/*
 * A handler of one's own in ast-server, with metrics of its own. Live tells the
 * color of a track, which the protocol's handlers pass over; here it changes the
 * tree, clients are told, and it is counted. The server is linked as a library
 * and fed without sockets: what clients would be sent is printed.
 * usage: server-handler LIVE-SET [SEGMENT]
 */
#include <inttypes.h>
#include <stdio.h>

#include "apply.h"

#define COLOR_PATH "/live/track/color"

struct colors {
	struct astshm_counter set;
	struct astshm_counter unchanged;
	struct astshm_timing duration;
};

static void colors_register(struct colors *colors, struct astshm_writer *writer)
{
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "colors.set",
				.help = "Tracks that were given a color" },
				&colors->set, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "colors.unchanged",
				.help = "Colors that a track had already" },
				&colors->unchanged, NULL);
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "colors.duration",
			       .help = "Time to set a color" },
			       &colors->duration, NULL);
}

static enum event_result set_color(struct ast_server *server, const struct event_call *call,
				   struct colors *colors, struct node *track)
{
	int64_t color = call->values[1].integer;
	char path[40];

	snprintf(path, sizeof path, "tracks[%" PRId64 "]", call->values[0].integer);
	enum event_result result = apply_state(server, call, track, path, "color",
					       value_integer(color));
	if (result != EVENT_PROCESSED)
		return result;
	astshm_counter_add(colors->set, 1);
	return apply_send(server);
}

/* "ii": both arguments are integers by now, or the event has failed already. */
static enum event_result handle_color(struct ast_server *server, const struct event_call *call)
{
	struct colors *colors = call->context;
	struct node *track = apply_track(server, call->values[0].integer);

	ASTSHM_TIME_SCOPE(colors->duration);
	if (!track)
		return EVENT_NO_TARGET;
	if (node_integer(track, "color", -1) != call->values[1].integer)
		return set_color(server, call, colors, track);
	astshm_counter_add(colors->unchanged, 1);
	return EVENT_PROCESSED;
}

static void print_message(void *context, struct message *message)
{
	(void)context;
	/* A FULL_AST is long. */
	if (message)
		printf("to clients: %.*s\n", (int)(message->length < 300 ? message->length : 300),
		       message_text(message));
	message_release(message);
}

static void send_color(struct ast_server *server, int32_t number, struct osc_value track,
		       struct osc_value color)
{
	const struct osc_value arguments[] = { track, color };
	struct live_event event = { .path = COLOR_PATH, .sequence = number, .count = 2,
				    .arguments = arguments };

	process_live_event(server, &event);
}

/* Six events: set, set again, another track, no number, no track, set. */
static void send_colors(struct ast_server *server)
{
	const struct osc_value first = { .tag = 'i', .i = 0 }, second = { .tag = 'i', .i = 1 };
	const struct osc_value none = { .tag = 'i', .i = 1000 };
	const struct osc_value red = { .tag = 'i', .i = 0xff0000 };
	const struct osc_value word = { .tag = 's', .s = "red" };

	send_color(server, 1, first, red);
	send_color(server, 2, first, red);
	send_color(server, 3, second, red);
	send_color(server, 4, first, word);
	send_color(server, 5, none, red);
	send_color(server, 6, first, first);
}

static void print_results(struct ast_server *server)
{
	struct astshm_writer *writer = server->metrics.writer;
	struct astshm_statistics duration;
	struct json_out summary;
	int64_t set, unchanged;

	if (astshm_get_counter(writer, "colors.set", ASTSHM_NO_TAGS, &set) == 0 &&
	    astshm_get_counter(writer, "colors.unchanged", ASTSHM_NO_TAGS, &unchanged) == 0)
		printf("set %" PRId64 " unchanged %" PRId64 "\n", set, unchanged);
	if (astshm_get_timing(writer, "colors.duration", ASTSHM_NO_TAGS, &duration) == 0)
		printf("duration: %" PRIu64 " times, mean %.0f ns\n", duration.count,
		       duration.mean);
	json_out_init(&summary, 0);
	if (get_metrics_summary(server, 0, &summary) == 0)
		printf("%.*s\n", (int)summary.length, summary.text);
	json_out_fini(&summary);
}

static int serve(struct ast_server *server, const char *live_set)
{
	struct colors colors = { 0 };
	const struct event_handler handler = { .group = "track", .path = COLOR_PATH,
					       .arguments = "ii", .apply = handle_color,
					       .context = &colors };

	colors_register(&colors, server->metrics.writer);
	server->broadcast = print_message;
	if (event_table_add(&server->events, &server->metrics, &handler) < 0 ||
	    ast_server_load(server, live_set, NULL) < 0)
		return 1;
	send_colors(server);
	print_results(server);
	return 0;
}

int main(int argc, char **argv)
{
	struct server_options options = {
		.udp_off = true, .websocket_off = true, .queue_capacity = 1,
		.cache_capacity = CACHE_CAPACITY,
		.metrics = { .name = argc > 2 ? argv[2] : "server-handler" },
	};
	struct ast_server *server;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: server-handler LIVE-SET [SEGMENT]\n");
		return 2;
	}
	if (ast_server_create(&server, &options) < 0)
		return 1;
	int status = serve(server, argv[1]);
	ast_server_destroy(&server);
	return status;
}
