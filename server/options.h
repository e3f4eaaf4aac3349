/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "log.h"
#include "print.h"
#include "server.h"

#define OPTIONS_UDP_PORT 9002u
#define OPTIONS_UDP_BUFFER_BYTES (4u << 20)
#define OPTIONS_QUEUE 1000u
#define OPTIONS_METRICS_NAME "ast-server"

struct options {
	struct server_options server;
	enum log_level log_level;
	struct print_options print;
	bool allow_remote;
	char udp_host[256];
	uint16_t udp_port;
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
