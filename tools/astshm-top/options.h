/* SPDX-License-Identifier: MIT */
#ifndef TOP_OPTIONS_H
#define TOP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

/* What the command line asked for. Strings point into argv. */
struct options {
	bool once;
	bool no_color;
	bool ascii;
	int64_t interval_ns;
	int64_t window_ns;
	int64_t wait_ns;
	const char *segment; /* NULL: the only live one */
};

/* True: go on. False: *status is how to exit. */
bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status);

#endif
