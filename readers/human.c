/* SPDX-License-Identifier: MIT */
#include "human.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "number.h"

static void end_with(char *p, const char *suffix)
{
	memcpy(p, suffix, strlen(suffix) + 1);
}

/* Three digits: 1.23, 12.3, 123, and all of it from 1000 on. 0 <= value < 1e18. */
static char *put_three(char *p, double value)
{
	unsigned decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	static const unsigned scales[] = { 1, 10, 100 };
	uint64_t scaled = (uint64_t)(value * scales[decimals] + 0.5);
	p = number_put_u64(p, scaled / scales[decimals]);
	if (!decimals)
		return p;
	*p++ = '.';
	if (decimals == 2)
		*p++ = (char)('0' + scaled / 10 % 10);
	*p++ = (char)('0' + scaled % 10);
	return p;
}

struct unit {
	double size;
	const char *name;
};

/* In the first unit that keeps it below `turn`, else in the last. */
static void put_in_units(char *text, double value, const struct unit *units, int count,
			 double turn)
{
	char *p = text;
	int i = 0;
	if (!isfinite(value)) {
		human_number(text, value);
		return;
	}
	if (value < 0) {
		*p++ = '-';
		value = -value;
	}
	while (i < count - 1 && value / units[i].size >= turn - 0.5)
		i++;
	value /= units[i].size;
	if (i == 0 && value == floor(value))
		p = number_put_u64(p, (uint64_t)value);
	else
		p = put_three(p, value < 1e18 ? value : 1e18);
	end_with(p, units[i].name);
}

void human_time(char text[HUMAN_BYTES], double ns)
{
	static const struct unit units[] = {
		{ 1, "ns" }, { 1e3, "us" }, { 1e6, "ms" }, { 1e9, "s" },
	};
	put_in_units(text, ns, units, 4, 1000);
}

void human_bytes(char text[HUMAN_BYTES], double bytes)
{
	static const struct unit units[] = {
		{ 1, "B" },
		{ 1024.0, "KiB" },
		{ 1048576.0, "MiB" },
		{ 1073741824.0, "GiB" },
		{ 1099511627776.0, "TiB" },
	};
	put_in_units(text, bytes, units, 5, 1024);
}

/* The nearest number of six digits, or the value where that is not one. */
static double six_digits(double value)
{
	if (value == 0 || fabs(value) >= 1e15 || fabs(value) < 1e-15)
		return value;
	double scale = pow(10, 5 - floor(log10(fabs(value))));
	return scale >= 1 ? round(value * scale) / scale : round(value);
}

void human_number(char text[HUMAN_BYTES], double value)
{
	if (!isfinite(value)) {
		end_with(text, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	char *end = number_put_double(text, six_digits(value));
	if (end - text > 2 && end[-1] == '0' && end[-2] == '.')
		end -= 2;
	*end = '\0';
}

void human_integer(char text[HUMAN_BYTES], int64_t value)
{
	*number_put_i64(text, value) = '\0';
}

static char *put_two(char *p, uint64_t value, bool padded, char unit)
{
	if (padded && value < 10)
		*p++ = '0';
	p = number_put_u64(p, value);
	*p++ = unit;
	return p;
}

void human_uptime(char text[HUMAN_BYTES], uint64_t ns)
{
	uint64_t seconds = ns / 1000000000u, days = seconds / 86400;
	char *p = text;
	if (seconds < 60) {
		human_time(text, (double)ns);
		return;
	}
	if (days) {
		p = put_two(p, days, false, 'd');
		*p++ = ' ';
	}
	if (seconds >= 3600)
		p = put_two(p, seconds / 3600 % 24, days > 0, 'h');
	p = put_two(p, seconds / 60 % 60, seconds >= 3600, 'm');
	p = put_two(p, seconds % 60, true, 's');
	*p = '\0';
}
