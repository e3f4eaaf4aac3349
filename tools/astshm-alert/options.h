/* SPDX-License-Identifier: MIT */
#ifndef ALERT_OPTIONS_H
#define ALERT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules.h"

/* The monitoring plugins' convention; usage is 3 too. */
enum plugin_status { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

struct options {
	bool once;
	bool check;
	int64_t interval_ns;
	char **command;     /* --exec, in words; or NULL */
	int64_t timeout_ns; /* of a run of it */
	const char *segment; /* NULL: the only live one */
	struct rules rules;
};

/*
 * Fills *options, rules of -r and --rules included. True: go on. False: *status is
 * how to exit; --help and --version have printed, or a message says what was wrong.
 */
bool options_parse(struct options *options, int argc, char **argv, int *status);
void options_free(struct options *options);

#endif
