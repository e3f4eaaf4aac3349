/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "duration.h"

#define SECOND_NS 1000000000ull

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool suffix_ns(const char *suffix, uint64_t *unit_ns)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {
		{ "", SECOND_NS },	 { "s", SECOND_NS },
		{ "ms", 1000000 },	 { "m", 60 * SECOND_NS },
		{ "h", 3600 * SECOND_NS },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(suffix, units[i].suffix) == 0) {
			*unit_ns = units[i].ns;
			return true;
		}
	}
	return false;
}

/* The digits after the point, as billionths. */
static const char *parse_fraction(const char *text, uint64_t *billionths)
{
	uint64_t weight = 100000000;

	for (; is_digit(*text); text++) {
		*billionths += (uint64_t)(*text - '0') * weight;
		weight /= 10;
	}
	return text;
}

bool duration_parse(const char *text, int64_t *ns)
{
	uint64_t whole = 0, billionths = 0, unit_ns, total, part;
	const char *at = text;

	for (; is_digit(*at); at++) {
		if (__builtin_mul_overflow(whole, 10u, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
			return false;
	}
	if (*at == '.') {
		if (!is_digit(at[1]))
			return false;
		at = parse_fraction(at + 1, &billionths);
	}
	if (at == text || !suffix_ns(at, &unit_ns))
		return false;
	/* An hour is 3.6e12 ns, so that billionths of it fit into 64 bits only
	 * when the unit is reduced to whole seconds (or parts of one) first. */
	part = unit_ns >= SECOND_NS ? billionths * (unit_ns / SECOND_NS)
				    : billionths / (SECOND_NS / unit_ns);
	if (__builtin_mul_overflow(whole, unit_ns, &total) ||
	    __builtin_add_overflow(total, part, &total) || total > INT64_MAX)
		return false;
	*ns = (int64_t)total;
	return true;
}
