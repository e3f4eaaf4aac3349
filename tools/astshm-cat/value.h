/* SPDX-License-Identifier: MIT */
#ifndef CAT_VALUE_H
#define CAT_VALUE_H

#include <astshm/reader.h>

#include "field.h"
#include "message.h"

/*
 * Finds the number that KEY[:FIELD] asks for. A key may hold ':' itself, so
 * the whole text is tried as a key before its end is taken for a field; a key
 * is looked up among counters, gauges, timings, distributions in this order; its
 * tags may stand in any order.
 * EXIT_NO_MATCH: no such metric, or it has no sample; EXIT_USAGE: its kind
 * does not have the field. *why is then what to say.
 */
enum exit_status value_find(const char *wanted, const struct astshm_snapshot *snapshot,
			    char text[FIELD_TEXT_MAX], struct astshm_error *why);

#endif
