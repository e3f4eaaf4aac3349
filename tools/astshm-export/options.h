/* SPDX-License-Identifier: MIT */
#ifndef EXPORT_OPTIONS_H
#define EXPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "message.h"

struct options {
	const char *listen;
	bool allow_remote;
	const char *tls_certificate; /* files */
	const char *tls_key;
	const char *token_file;
	const char *user_file;
	struct http_options http;
	char **arguments;
	size_t argument_count;
};

/* False: *status is how to exit; it was told why. */
bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status);

#endif
