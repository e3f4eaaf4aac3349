/* SPDX-License-Identifier: MIT */
/*
 * Timings and counters of the unit seconds are kept in nanoseconds, and documents
 * tell them in seconds (doc/snapshot.md): beside other numbers they are seconds.
 */
#ifndef TOOLS_SCALE_H
#define TOOLS_SCALE_H

#include <stdbool.h>

#include <astshm/reader.h>

/* Are the family's values kept in nanoseconds? */
bool scale_is_time(const struct astshm_family *family);

/* A value of the family, its total or rate, as documents tell it. */
double scale_number(const struct astshm_family *family, double number);

#endif
