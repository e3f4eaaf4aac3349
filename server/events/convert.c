/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"

#define BLANKS " \t\n\r\f\v"

/* 2^63: the first double that int64 does not hold. */
#define INT64_END 9223372036854775808.0

static bool integer_of_double(double number, int64_t *integer)
{
	if (!isfinite(number))
		return false;
	if (number >= INT64_END)
		*integer = INT64_MAX;
	else if (number < -INT64_END)
		*integer = INT64_MIN;
	else
		*integer = (int64_t)number;
	return true;
}

/* The text without blanks at its ends. */
static const char *trimmed(const char *text, size_t *length)
{
	text += strspn(text, BLANKS);
	*length = strlen(text);
	while (*length > 0 && strchr(BLANKS, text[*length - 1]))
		--*length;
	return text;
}

static bool integer_of_string(const char *string, int64_t *integer)
{
	size_t length;
	const char *text = trimmed(string, &length);
	size_t sign = text[0] == '-' || text[0] == '+';

	if (length == sign || strspn(text + sign, "0123456789") != length - sign)
		return false;
	/* Clamps to the ends of long long by itself. */
	*integer = strtoll(text, NULL, 10);
	return true;
}

bool convert_integer(const struct osc_value *value, int64_t *integer)
{
	switch (value->tag) {
	case 'i':
		*integer = value->i;
		return true;
	case 'f':
		return integer_of_double((double)value->f, integer);
	case 's':
		return integer_of_string(value->s, integer);
	default:
		*integer = value->tag == 'T';
		return true;
	}
}

/* strtod also takes hexadecimal and nan(...), which are no numbers here. */
static bool number_of_string(const char *string, double *number)
{
	size_t length;
	const char *text = trimmed(string, &length);
	char *end;

	if (length == 0 || memchr(text, 'x', length) || memchr(text, 'X', length) ||
	    memchr(text, '(', length))
		return false;
	double parsed = strtod(text, &end);
	if (end != text + length)
		return false;
	*number = parsed;
	return true;
}

bool convert_number(const struct osc_value *value, double *number)
{
	switch (value->tag) {
	case 'i':
		*number = value->i;
		return true;
	case 'f':
		*number = (double)value->f;
		return true;
	case 's':
		return number_of_string(value->s, number);
	default:
		*number = value->tag == 'T' ? 1.0 : 0.0;
		return true;
	}
}

bool convert_truth(const struct osc_value *value)
{
	switch (value->tag) {
	case 'i':
		return value->i != 0;
	case 'f':
		return value->f != 0.0f;
	case 's':
		return value->s[0] != '\0';
	default:
		return value->tag == 'T';
	}
}

static const char *text_of_float(double number, char room[JSON_NUMBER_MAX])
{
	if (isnan(number))
		return "nan";
	if (isinf(number))
		return number < 0 ? "-inf" : "inf";
	json_out_format(room, number);
	return room;
}

const char *convert_text(const struct osc_value *value, char room[JSON_NUMBER_MAX])
{
	switch (value->tag) {
	case 'i':
		snprintf(room, JSON_NUMBER_MAX, "%" PRId32, value->i);
		return room;
	case 'f':
		return text_of_float((double)value->f, room);
	case 's':
		return value->s;
	default:
		return value->tag == 'T' ? "True" : "False";
	}
}
