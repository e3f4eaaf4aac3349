/* SPDX-License-Identifier: MIT */
#ifndef ALERT_UNITS_H
#define ALERT_UNITS_H

#include "rule.h"

/*
 * The unit of a threshold: ns us ms s m min h, B KiB MiB GiB TiB kB MB GB TB, %.
 * False: there is no such one.
 */
bool unit_find(const char *text, size_t length, enum dimension *dimension, double *scale);

/* What stands behind the '/' of a rate: its seconds; 0: nothing that is known. */
double unit_period(const char *text, size_t length);

#endif
