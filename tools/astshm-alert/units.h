/* SPDX-License-Identifier: MIT */
#ifndef ALERT_UNITS_H
#define ALERT_UNITS_H

#include "rule.h"

/*
 * Makes seconds, bytes or a fraction of a value in one of the units ns us ms s m min
 * h, B KiB MiB GiB TiB kB MB GB TB, %. False: there is no such one.
 */
bool unit_apply(const char *text, size_t length, enum dimension *dimension, double *value);

/* What stands behind the '/' of a rate: its seconds; 0: nothing that is known. */
double unit_period(const char *text, size_t length);

#endif
