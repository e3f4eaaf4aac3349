/* SPDX-License-Identifier: MIT */
/*
 * Conversions of event arguments, as the Python original's int(), float(),
 * str() and bool() have them.
 */
#ifndef SERVER_CONVERT_H
#define SERVER_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "json_out.h"
#include "osc.h"

/*
 * A float is truncated toward zero, T and F are 1 and 0, a string must be a
 * decimal integer. What exceeds int64 becomes its nearest value: Python's
 * integers have no end, and no index lies there. False: no integer.
 */
bool convert_integer(const struct osc_value *value, int64_t *integer);
/* Any number, T, F, or a string that holds a decimal number, "inf" or "nan". */
bool convert_number(const struct osc_value *value, double *number);
/* Everything has a text: True, False, digits as repr() has them. `room` holds a number's. */
const char *convert_text(const struct osc_value *value, char room[JSON_NUMBER_MAX]);
/* Everything has a truth: 0, 0.0, "" and F are false. */
bool convert_truth(const struct osc_value *value);

#endif
