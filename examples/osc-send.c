/* SPDX-License-Identifier: MIT */
/*
 * Sends sequenced Ableton Live events to ast-server, as its remote script
 * does: each in a /live/seq envelope (number, timestamp, path, arguments).
 *
 *     osc-send HOST:PORT COUNT [--rate N] [--first SEQ] [--mix]
 *
 * The default rate is one that a queue of 1000 events on two busy cores
 * follows. Prints what was sent, path by path, to be compared with what
 * astshm-cat shows.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lo/lo.h>

#define BURST 50u /* events sent in a row at most, however late we are */

struct event {
	const char *path;
	const char *types; /* of its arguments: i, f, s, T or F */
};

/* The first three change any project; --mix sends the others too. */
static const struct event events[] = {
	{ "/live/transport/play", "T" },
	{ "/live/transport/tempo", "f" },
	{ "/live/transport/position", "f" },
	{ "/live/track/renamed", "is" },
	{ "/live/track/mute", "iT" },
	{ "/live/track/arm", "iF" },
	{ "/live/track/volume", "if" },
	{ "/live/device/added", "iis" },
	{ "/live/device/deleted", "ii" },
	{ "/live/device/param", "iiif" },
	{ "/live/scene/renamed", "is" },
	{ "/live/scene/added", "is" },
	{ "/live/scene/removed", "i" },
	{ "/live/scene/reordered", "is" },
	{ "/live/clip_slot/created", "iiTFi" },
};
#define TRANSPORT_EVENTS 3u
#define ALL_EVENTS (sizeof events / sizeof events[0])

struct settings {
	char host[256];
	const char *port;
	uint64_t count;
	uint64_t rate; /* events a second; 0: as fast as it goes */
	int32_t first;
	bool mix;
};

static void add_argument(lo_message message, char type, int32_t number)
{
	switch (type) {
	case 'i':
		lo_message_add_int32(message, number % 8);
		break;
	case 'f':
		lo_message_add_float(message, (float)(number % 1000) / 8.0f);
		break;
	case 's':
		lo_message_add_string(message, "Größe");
		break;
	case 'T':
		lo_message_add_true(message);
		break;
	default:
		lo_message_add_false(message);
		break;
	}
}

static bool send_event(lo_address target, const struct event *event, int32_t number)
{
	lo_message message = lo_message_new();

	lo_message_add_int32(message, number);
	lo_message_add_float(message, (float)time(NULL));
	lo_message_add_string(message, event->path);
	for (const char *type = event->types; *type; type++)
		add_argument(message, *type, number);
	bool sent = lo_send_message(target, "/live/seq", message) > 0;
	lo_message_free(message);
	return sent;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec pause = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&pause, NULL);
}

/* Numbers wrap at 2^31 as the receiver's serial arithmetic expects. */
static int32_t number_of(const struct settings *settings, uint64_t i)
{
	return (int32_t)((uint32_t)settings->first + (uint32_t)i);
}

/* Sends `settings->count` events; counts each path in `sent`. */
static bool send_all(lo_address target, const struct settings *settings, uint64_t *sent)
{
	uint64_t kinds = settings->mix ? ALL_EVENTS : TRANSPORT_EVENTS;
	uint64_t burst = settings->rate / 1000;

	burst = burst < 1 ? 1 : burst > BURST ? BURST : burst;
	for (uint64_t i = 0; i < settings->count; i++) {
		if (!send_event(target, &events[i % kinds], number_of(settings, i))) {
			fprintf(stderr, "osc-send: %s\n", lo_address_errstr(target));
			return false;
		}
		sent[i % kinds]++;
		if (settings->rate > 0 && (i + 1) % burst == 0)
			sleep_ns(burst * 1000000000 / settings->rate);
	}
	return true;
}

static void print_sent(const uint64_t *sent)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ALL_EVENTS; i++) {
		if (sent[i] > 0)
			printf("%s %llu\n", events[i].path, (unsigned long long)sent[i]);
		total += sent[i];
	}
	printf("total %llu\n", (unsigned long long)total);
}

static bool parse_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *end;

	*number = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *number >= least && *number <= most;
}

static bool parse_target(const char *text, struct settings *settings)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof settings->host)
		return false;
	memcpy(settings->host, text, (size_t)(colon - text));
	settings->host[colon - text] = '\0';
	settings->port = colon + 1;
	return true;
}

static bool parse_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = { { "rate", required_argument, NULL, 'r' },
						 { "first", required_argument, NULL, 'f' },
						 { "mix", no_argument, NULL, 'm' },
						 { NULL, 0, NULL, 0 } };
	int64_t number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'm')
			settings->mix = true;
		else if (option == 'r' && parse_number(optarg, 0, 10000000, &number))
			settings->rate = (uint64_t)number;
		else if (option == 'f' && parse_number(optarg, INT32_MIN, INT32_MAX, &number))
			settings->first = (int32_t)number;
		else
			return false;
	}
	if (argc - optind != 2 || !parse_number(argv[optind + 1], 0, INT64_MAX, &number))
		return false;
	settings->count = (uint64_t)number;
	return parse_target(argv[optind], settings);
}

int main(int argc, char **argv)
{
	struct settings settings = { .rate = 10000 };
	uint64_t sent[ALL_EVENTS] = { 0 };

	if (!parse_options(argc, argv, &settings)) {
		fputs("usage: osc-send HOST:PORT COUNT [--rate N] [--first SEQ] [--mix]\n", stderr);
		return 2;
	}
	lo_address target = lo_address_new_with_proto(LO_UDP, settings.host, settings.port);
	if (!target) {
		fputs("osc-send: bad address\n", stderr);
		return 2;
	}
	bool done = send_all(target, &settings, sent);
	lo_address_free(target);
	print_sent(sent);
	return done ? 0 : 1;
}
