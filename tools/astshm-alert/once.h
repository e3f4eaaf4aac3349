/* SPDX-License-Identifier: MIT */
#ifndef ALERT_ONCE_H
#define ALERT_ONCE_H

#include "options.h"

/*
 * One look, told as monitoring plugins do: a line with performance data behind
 * '|', then a line for each rule. The status to exit with.
 */
int once(const struct options *options, const char *segment);

#endif
