/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "convert.h"
#include "load_read.h"

struct value load_text_or_null(const char *text)
{
	return text ? value_text(text) : value_null();
}

struct value load_text(const struct load_skeleton *part, uint32_t element, const char *otherwise)
{
	const char *text = load_value(part, element);

	return value_text(text ? text : otherwise);
}

struct value load_integer(const struct load_skeleton *part, uint32_t element, int64_t otherwise)
{
	struct osc_value text = { .tag = 's', .s = load_value(part, element) };
	int64_t integer;

	return value_integer(text.s && convert_integer(&text, &integer) ? integer : otherwise);
}

struct value load_number(const struct load_skeleton *part, uint32_t element, double otherwise)
{
	struct osc_value text = { .tag = 's', .s = load_value(part, element) };
	double number;

	return value_number(text.s && convert_number(&text, &number) ? number : otherwise);
}

bool load_flag(const struct load_skeleton *part, uint32_t element, bool otherwise)
{
	const char *text = load_value(part, element);

	return text ? strcmp(text, "true") == 0 : otherwise;
}

struct value load_color(const struct load_skeleton *part, uint32_t element)
{
	struct osc_value text = { .tag = 's', .s = load_value(part, element) };
	int64_t color;

	if (element == NO_ELEMENT)
		return value_null();
	if (!text.s)
		return value_integer(-1);
	return convert_integer(&text, &color) ? value_integer(color) : value_null();
}
