/* SPDX-License-Identifier: MIT */
/*
 * What is known of each segment that is served, as JSON (doc/export.md).
 */
#ifndef EXPORT_STATES_H
#define EXPORT_STATES_H

#include <stddef.h>

#include <astshm/reader.h>

#include "gather.h"

/* "live", "closed", "dead", "replaced", or "missing". */
const char *states_name(const struct gather_part *part);

/* Errors: what the sink returned. */
int states_encode(const struct gather_part *parts, size_t count, const struct astshm_sink *to);

#endif
