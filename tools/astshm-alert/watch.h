/* SPDX-License-Identifier: MIT */
#ifndef ALERT_WATCH_H
#define ALERT_WATCH_H

#include "options.h"

/*
 * Looks again and again, until a signal asks for an end or nobody reads stdout any
 * more: a line of JSON, and --exec, for each change. The status to exit with.
 */
int watch(const struct options *options, const char *segment);

#endif
