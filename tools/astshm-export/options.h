/* SPDX-License-Identifier: MIT */
#ifndef EXPORT_OPTIONS_H
#define EXPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "message.h"
#include "target.h"

#define STREAMS_MAX 16

struct options {
	const char *listen; /* NULL: no HTTP */
	bool allow_remote;
	const char *tls_certificate; /* files */
	const char *tls_key;
	const char *token_file;
	const char *user_file;
	struct http_options http;
	struct target streams[STREAMS_MAX];
	size_t stream_count;
	int64_t stream_interval_ns;
	char **arguments;
	size_t argument_count;
};

/* False: *status is how to exit; it was told why. */
bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status);

#endif
