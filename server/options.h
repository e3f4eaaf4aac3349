/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "housekeeping.h"
#include "log.h"
#include "print.h"
#include "server.h"

#define OPTIONS_UDP_PORT 9002u
#define OPTIONS_UDP_BUFFER_BYTES (4u << 20)
#define OPTIONS_QUEUE 1000u
#define OPTIONS_METRICS_NAME "ast-server"
#define OPTIONS_WEBSOCKET_PORT 8765u
#define OPTIONS_CLIENTS 128u
#define OPTIONS_CLIENT_QUEUE 1000u
#define OPTIONS_ORIGINS_MAX 16u
#define OPTIONS_HISTORY_MOST 10000u /* snapshots of either age */
#define OPTIONS_HISTORY_LEAST_MS HOUSEKEEPING_TICK_MS /* from one to the next */
#define OPTIONS_HISTORY_MOST_MS 86400000u

/* HOST:PORT as it was given, before names are looked up. */
struct options_host {
	char name[256];
	uint16_t port;
};

struct options {
	struct server_options server;
	enum log_level log_level;
	struct print_options print;
	struct housekeeping_options housekeeping;
	bool allow_remote;
	struct options_host udp;
	struct options_host websocket;
	const char *origins[OPTIONS_ORIGINS_MAX]; /* options.server.websocket points here */
};

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_PRINT, /* as options.print says, and serve nothing */
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_USAGE,  /* the command line is wrong */
	OPTIONS_FAILED, /* it is right, but the host cannot be found */
};

#define OPTIONS_TEXT_MAX 320u

/*
 * Fills *options; strings in it point into argv. On OPTIONS_USAGE and
 * OPTIONS_FAILED `text` says what is wrong.
 */
enum options_outcome options_parse(int argc, char **argv, struct options *options,
				   char text[OPTIONS_TEXT_MAX]);

/* What --help prints. */
extern const char options_help[];

#endif
