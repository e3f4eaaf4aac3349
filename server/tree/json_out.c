/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "utf8.h"

void json_out_init(struct json_out *out, unsigned indent)
{
	*out = (struct json_out){ .indent = indent };
}

void json_out_fini(struct json_out *out)
{
	free(out->text);
	*out = (struct json_out){ 0 };
}

void json_out_clear(struct json_out *out)
{
	out->length = out->depth = 0;
	out->filled = out->after_key = out->failed = false;
}

int json_out_result(const struct json_out *out)
{
	return out->failed ? -ENOMEM : 0;
}

static bool grow(struct json_out *out, size_t length)
{
	size_t wanted = out->capacity ? out->capacity : 4096;

	while (wanted - out->length < length && wanted <= SIZE_MAX / 2)
		wanted *= 2;
	char *grown = realloc(out->text, wanted);
	if (!grown || wanted - out->length < length) {
		out->text = grown ? grown : out->text;
		out->failed = true;
		return false;
	}
	out->text = grown;
	out->capacity = wanted;
	return true;
}

/* After a failure shorter pieces may still find room: what is then written is not used. */
static inline bool make_room(struct json_out *out, size_t length)
{
	return length <= out->capacity - out->length || grow(out, length);
}

static inline void put(struct json_out *out, const char *bytes, size_t length)
{
	/* Nothing may come from, or go, nowhere: memcpy takes no NULL. */
	if (!make_room(out, length) || length == 0)
		return;
	memcpy(out->text + out->length, bytes, length);
	out->length += length;
}

static void put_string(struct json_out *out, const char *string)
{
	put(out, string, strlen(string));
}

static void new_line(struct json_out *out)
{
	size_t blanks = (size_t)out->indent * out->depth;

	if (out->indent == 0 || !make_room(out, blanks + 1))
		return;
	out->text[out->length] = '\n';
	memset(out->text + out->length + 1, ' ', blanks);
	out->length += blanks + 1;
}

/* What stands before a value or a key: a comma and a new line, as the place asks. */
static void begin_item(struct json_out *out)
{
	if (out->after_key) {
		out->after_key = false;
		return;
	}
	if (out->filled)
		put(out, ",", 1);
	if (out->depth > 0)
		new_line(out);
	out->filled = true;
}

static void begin(struct json_out *out, const char *bracket)
{
	begin_item(out);
	put(out, bracket, 1);
	out->depth++;
	out->filled = false;
}

static void end(struct json_out *out, const char *bracket)
{
	out->depth--;
	if (out->filled)
		new_line(out);
	put(out, bracket, 1);
	out->filled = true;
}

void json_out_begin_object(struct json_out *out)
{
	begin(out, "{");
}

void json_out_end_object(struct json_out *out)
{
	end(out, "}");
}

void json_out_begin_array(struct json_out *out)
{
	begin(out, "[");
}

void json_out_end_array(struct json_out *out)
{
	end(out, "]");
}

/* Bytes that stand for themselves: ASCII but for controls, the quote and the backslash. */
#define ALL 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
#define NONE 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
static const bool plain[256] = {
	NONE, NONE,
	1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* " */
	ALL, ALL,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* \ */
	ALL, ALL,
};
#undef ALL
#undef NONE

static void put_escaped(struct json_out *out, unsigned char byte)
{
	static const char letters[] = "btn\0fr"; /* of 8 to 13 */
	char escape[8];

	if (byte == '"' || byte == '\\')
		snprintf(escape, sizeof escape, "\\%c", byte);
	else if (byte >= 8 && byte <= 13 && letters[byte - 8])
		snprintf(escape, sizeof escape, "\\%c", letters[byte - 8]);
	else
		snprintf(escape, sizeof escape, "\\u%04x", byte);
	put_string(out, escape);
}

static void put_quoted(struct json_out *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	put(out, "\"", 1);
	while (*text) {
		size_t run = 0;
		while (plain[text[run]])
			run++;
		put(out, (const char *)text, run);
		text += run;
		/* The NUL that ends the text is no continuation: nothing behind it is read. */
		size_t length = *text ? utf8_sequence(text, 4) : 0;
		if (length > 1)
			put(out, (const char *)text, length);
		else if (length == 1)
			put_escaped(out, *text);
		else if (*text)
			put_string(out, "\xef\xbf\xbd");
		text += length ? length : *text != '\0';
	}
	put(out, "\"", 1);
}

/* Keys are words of ours: nothing in them needs an escape. */
void json_out_key(struct json_out *out, const char *key)
{
	begin_item(out);
	put(out, "\"", 1);
	put_string(out, key);
	put_string(out, out->indent ? "\": " : "\":");
	out->after_key = true;
}

void json_out_null(struct json_out *out)
{
	begin_item(out);
	put_string(out, "null");
}

void json_out_boolean(struct json_out *out, bool boolean)
{
	begin_item(out);
	put_string(out, boolean ? "true" : "false");
}

/* Decimal digits that end before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return end;
}

void json_out_integer(struct json_out *out, int64_t integer)
{
	char text[JSON_NUMBER_MAX];
	uint64_t size = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
	char *begin = digits_before(text + sizeof text, size);

	if (integer < 0)
		*--begin = '-';
	begin_item(out);
	put(out, begin, (size_t)(text + sizeof text - begin));
}

/*
 * d.ddde+XX with the fewest digits that read back as `number`. 15 always
 * survive, and fewer are told by their zeros; subnormals hold less.
 */
static int shortest(char text[JSON_NUMBER_MAX], double number)
{
	for (int digits = number < DBL_MIN ? 1 : 15; digits < 17; digits++) {
		snprintf(text, JSON_NUMBER_MAX, "%.*e", digits - 1, number);
		if (strtod(text, NULL) == number)
			return digits;
	}
	snprintf(text, JSON_NUMBER_MAX, "%.16e", number);
	return 17;
}

/* The digits alone, without the trailing zeros; at least one stays. */
static int take_digits(char digits[20], const char *text, int count)
{
	digits[0] = text[0];
	if (count > 1)
		memcpy(digits + 1, text + 2, (size_t)count - 1);
	while (count > 1 && digits[count - 1] == '0')
		count--;
	return count;
}

static void lay_out(char *text, const char *digits, int count, int exponent)
{
	int room = (int)JSON_NUMBER_MAX - 1; /* a sign went before */

	if (exponent < -4 || exponent >= 16)
		snprintf(text, (size_t)room, "%c%s%.*se%c%02d", digits[0], count > 1 ? "." : "",
			 count - 1, digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
	else if (exponent < 0)
		snprintf(text, (size_t)room, "0.%.*s%.*s", -exponent - 1, "000", count, digits);
	else if (count <= exponent + 1)
		snprintf(text, (size_t)room, "%.*s%.*s.0", count, digits, exponent + 1 - count,
			 "000000000000000");
	else
		snprintf(text, (size_t)room, "%.*s.%.*s", exponent + 1, digits,
			 count - exponent - 1, digits + exponent + 1);
}

/*
 * Most numbers of a set are a few digits long. If `number` is m / 10^6 for a whole m,
 * division rounds as reading the decimal does, and at most 15 digits have only one
 * decimal that reads back so (DBL_DIG): m without its zeros is the shortest.
 */
static bool format_short(char *text, double number)
{
	double scaled = number * 1e6;
	char decimal[JSON_NUMBER_MAX];

	if (!(scaled < 1e15) || scaled != floor(scaled) || scaled / 1e6 != number)
		return false;
	uint64_t whole = (uint64_t)scaled / 1000000, part = (uint64_t)scaled % 1000000;
	char *begin = digits_before(decimal + sizeof decimal, whole);
	size_t length = (size_t)(decimal + sizeof decimal - begin);
	memcpy(text, begin, length);
	text[length++] = '.';
	/* At least one digit, also of zero. */
	for (uint64_t unit = 100000; part > 0 || unit == 100000; unit /= 10) {
		/* cppcheck-suppress zerodivcond ; part is 0 before unit is */
		text[length++] = (char)('0' + part / unit);
		part %= unit;
	}
	text[length] = '\0';
	return true;
}

void json_out_format(char text[JSON_NUMBER_MAX], double number)
{
	char scientific[JSON_NUMBER_MAX], digits[20];

	if (signbit(number))
		*text++ = '-';
	/* Below that repr() writes exponents. */
	if ((fabs(number) >= 1e-4 || number == 0.0) && format_short(text, fabs(number)))
		return;
	int count = shortest(scientific, fabs(number));
	int exponent = (int)strtol(strchr(scientific, 'e') + 1, NULL, 10);
	count = take_digits(digits, scientific, count);
	lay_out(text, digits, count, exponent);
}

void json_out_number(struct json_out *out, double number)
{
	char text[JSON_NUMBER_MAX];

	if (!isfinite(number)) {
		json_out_null(out);
		return;
	}
	begin_item(out);
	json_out_format(text, number);
	put_string(out, text);
}

void json_out_text(struct json_out *out, const char *text)
{
	begin_item(out);
	put_quoted(out, text);
}

void json_out_raw(struct json_out *out, const char *text, size_t length)
{
	begin_item(out);
	put(out, text, length);
}

void json_out_append(struct json_out *out, const char *text, size_t length)
{
	put(out, text, length);
}

static void write_list(struct json_out *out, const struct value_list *list)
{
	json_out_begin_array(out);
	for (size_t i = 0; i < list->count; i++)
		json_out_value(out, &list->items[i]);
	json_out_end_array(out);
}

void json_out_value(struct json_out *out, const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		json_out_null(out);
		break;
	case VALUE_BOOLEAN:
		json_out_boolean(out, value->boolean);
		break;
	case VALUE_INTEGER:
		json_out_integer(out, value->integer);
		break;
	case VALUE_NUMBER:
		json_out_number(out, value->number);
		break;
	case VALUE_TEXT:
		json_out_text(out, value->text);
		break;
	case VALUE_LIST:
		write_list(out, value->list);
		break;
	case VALUE_MAP:
		json_out_map(out, value->map);
		break;
	}
}

void json_out_map(struct json_out *out, const struct value_map *map)
{
	json_out_begin_object(out);
	for (size_t i = 0; i < map->count; i++) {
		json_out_key(out, map->fields[i].key);
		json_out_value(out, &map->fields[i].value);
	}
	json_out_end_object(out);
}
