/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEN_19 10000000000000000000ull

static const char pairs[201] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

static const uint64_t powers[13] = {
	1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull,
	100000000ull, 1000000000ull, 10000000000ull, 100000000000ull, 1000000000000ull,
};

/* Writes backwards from `end`; returns the first digit. */
static char *digits_before(char *end, uint64_t value)
{
	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + 2 * value, 2);
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

char *number_put_u64(char *p, uint64_t value)
{
	char text[20];
	if (value < 10) {
		*p = (char)('0' + value);
		return p + 1;
	}
	char *first = digits_before(text + sizeof text, value);
	size_t count = (size_t)(text + sizeof text - first);
	memcpy(p, first, count);
	return p + count;
}

char *number_put_i64(char *p, int64_t value)
{
	if (value >= 0)
		return number_put_u64(p, (uint64_t)value);
	*p = '-';
	return number_put_u64(p + 1, 0 - (uint64_t)value);
}

/* Exactly `width` digits, zeros in front. */
static char *put_padded(char *p, uint64_t value, unsigned width)
{
	char text[20];
	char *first = digits_before(text + sizeof text, value);
	size_t count = (size_t)(text + sizeof text - first);
	memset(p, '0', width - count);
	memcpy(p + width - count, first, count);
	return p + width;
}

char *number_put_u128(char *p, number_u128 value)
{
	if (value >> 64 == 0)
		return number_put_u64(p, (uint64_t)value);
	p = number_put_u128(p, value / TEN_19);
	return put_padded(p, (uint64_t)(value % TEN_19), 19);
}

char *number_put_fixed(char *p, number_u128 value, unsigned decimals)
{
	uint64_t unit = powers[decimals], part;
	if (decimals == 0)
		return number_put_u128(p, value);
	if (value >> 64 == 0) {
		p = number_put_u64(p, (uint64_t)value / unit);
		part = (uint64_t)value % unit;
	} else {
		p = number_put_u128(p, value / unit);
		part = (uint64_t)(value % unit);
	}
	*p++ = '.';
	char *least = p + 1;
	p = put_padded(p, part, decimals);
	while (p > least && p[-1] == '0')
		p--;
	return p;
}

/*
 * Doubles that are a decimal of at most 15 digits, 9 of them behind the point.
 * y below 2^53 and 10^k are exact, so y / 10^k is the double that a correct
 * strtod makes of these digits; the smallest such k gives the fewest.
 */
static char *put_short_decimal(char *p, double value)
{
	for (unsigned k = 0; k <= 9; k++) {
		double unit = (double)powers[k], y = value * unit;
		if (y >= 1e15)
			return NULL;
		if (y != (double)(uint64_t)y || y / unit != value)
			continue;
		if (k > 0)
			return number_put_fixed(p, (uint64_t)y, k);
		p = number_put_u64(p, (uint64_t)y);
		memcpy(p, ".0", 2);
		return p + 2;
	}
	return NULL;
}

static bool is_number_byte(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
}

/*
 * printf's digits with whatever the locale has for a decimal point (one byte
 * or several) made a dot. "1e+20" needs none; "12" becomes "12.0".
 */
static char *put_with_dot(char *p, const char *text)
{
	bool point = false, exponent = false;
	for (; *text; text++) {
		if (is_number_byte(*text)) {
			exponent |= *text == 'e';
			*p++ = *text;
		} else if (!point) {
			point = true;
			*p++ = '.';
		}
	}
	if (point || exponent)
		return p;
	memcpy(p, ".0", 2);
	return p + 2;
}

char *number_put_double(char *p, double value)
{
	if (signbit(value)) {
		*p++ = '-';
		value = -value;
	}
	char *end = value < 1e15 ? put_short_decimal(p, value) : NULL;
	if (end)
		return end;
	char text[40];
	/* 17 digits always read back; printf and strtod share one locale. */
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (precision == 17 || strtod(text, NULL) == value)
			break;
	}
	return put_with_dot(p, text);
}

double number_scale(number_u128 value, unsigned decimals)
{
	/* long double: a quotient of more than 2^53 is rounded once, nearly. */
	return (double)((long double)value / (long double)powers[decimals]);
}

uint64_t number_ns(double seconds)
{
	if (!(seconds > 0))
		return 0;
	if (seconds >= 18446744073.0)
		return 18446744073000000000ull;
	return (uint64_t)roundl((long double)seconds * 1e9L);
}
