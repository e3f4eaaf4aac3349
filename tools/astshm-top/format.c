/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "scale.h"

#define SECOND_NS 1000000000
#define MOMENT_S 1e9 /* in 2001: nothing lasts for 31 years */

const char *units_name(enum units units)
{
	return units == UNITS_AUTO ? "auto" : units == UNITS_MILLI ? "ms" : "base";
}

unsigned format_width(enum units units)
{
	return units == UNITS_BASE ? 15 : 9;
}

static bool put_odd(char cell[CELL_BYTES], double value)
{
	if (isfinite(value))
		return false;
	strcpy(cell, isnan(value) ? "-" : value > 0 ? "+Inf" : "-Inf");
	return true;
}

/* Three digits or more in front of a unit: 1.23k 12.3k 123k. */
static void put_scaled(char cell[CELL_BYTES], double value, double step,
		       const char *const *suffixes)
{
	double rest = fabs(value);
	int decimals;

	for (; rest >= step - 0.5 && suffixes[1]; suffixes++)
		rest /= step;
	decimals = rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0;
	snprintf(cell, CELL_BYTES, "%s%.*f%s", value < 0 ? "-" : "", decimals, rest, *suffixes);
}

static const char *const thousands[] = { "", "k", "M", "G", "T", "P", "E", NULL };

void format_count(char cell[CELL_BYTES], enum units units, double value)
{
	if (put_odd(cell, value))
		return;
	if (fabs(value) >= 1e7 && units != UNITS_BASE)
		put_scaled(cell, value, 1000, thousands);
	else if (value == floor(value) && fabs(value) < 1e18)
		snprintf(cell, CELL_BYTES, "%.0f", value);
	else
		snprintf(cell, CELL_BYTES, units == UNITS_BASE ? "%.10g" : "%.5g", value);
}

void format_rate(char cell[CELL_BYTES], enum units units, double per_second)
{
	if (put_odd(cell, per_second))
		return;
	if (per_second != 0 && fabs(per_second) < 0.01)
		snprintf(cell, CELL_BYTES, "%.1g", per_second);
	else if (fabs(per_second) >= 1e5 && units != UNITS_BASE)
		put_scaled(cell, per_second, 1000, thousands);
	else if (fabs(per_second) < 1000)
		snprintf(cell, CELL_BYTES, "%.*f", fabs(per_second) < 10 ? 2 : 1, per_second);
	else
		format_count(cell, units, round(per_second));
}

void format_time(char cell[CELL_BYTES], enum units units, double ns)
{
	static const char *const suffixes[] = { "ns", "us", "ms", "s", NULL };

	if (put_odd(cell, ns))
		return;
	if (units == UNITS_BASE)
		snprintf(cell, CELL_BYTES, "%.0f", ns);
	else if (units == UNITS_MILLI)
		snprintf(cell, CELL_BYTES, "%.3f", ns / 1e6);
	else if (fabs(ns) < 1000 && ns == floor(ns))
		snprintf(cell, CELL_BYTES, "%.0fns", ns);
	else
		put_scaled(cell, ns, 1000, suffixes);
}

void format_bytes(char cell[CELL_BYTES], double bytes)
{
	static const char *const suffixes[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", NULL };

	if (put_odd(cell, bytes))
		return;
	if (fabs(bytes) < 1024 && bytes == floor(bytes))
		snprintf(cell, CELL_BYTES, "%.0fB", bytes);
	else
		put_scaled(cell, bytes, 1024, suffixes);
}

void format_moment(char cell[CELL_BYTES], double seconds, double now_s)
{
	static const struct {
		double limit, unit;
		char letter;
	} units[] = { { 120, 1, 's' }, { 7200, 60, 'm' }, { 172800, 3600, 'h' },
		      { (double)INFINITY, 86400, 'd' } };
	double distance = fabs(now_s - seconds);
	int i = 0;

	while (distance >= units[i].limit)
		i++;
	snprintf(cell, CELL_BYTES, seconds > now_s ? "in %.0f%c" : "%.0f%c ago",
		 floor(distance / units[i].unit), units[i].letter);
}

/* A gauge of seconds holds a time, or since 1970 a point in it. */
static bool is_gauge_of_time(const struct astshm_family *family, enum units units, double value)
{
	return family->kind == ASTSHM_KIND_GAUGE && strcmp(family->unit, "seconds") == 0 &&
	       units != UNITS_BASE && isfinite(value);
}

void format_amount(char cell[CELL_BYTES], enum units units, const struct astshm_family *family,
		   double value)
{
	if (family->kind == ASTSHM_KIND_TIMING)
		format_time(cell, units, value);
	else if (is_gauge_of_time(family, units, value) && value >= MOMENT_S)
		format_moment(cell, value, (double)time(NULL));
	else if (is_gauge_of_time(family, units, value))
		format_time(cell, units, value * SECOND_NS);
	else if (strcmp(family->unit, "bytes") == 0 && units != UNITS_BASE)
		format_bytes(cell, value);
	else
		format_count(cell, units, value);
}

void format_counter(char cell[CELL_BYTES], enum units units, const struct astshm_family *family,
		    double value)
{
	if (scale_is_time(family))
		format_time(cell, units, value);
	else if (strcmp(family->unit, "bytes") == 0 && units != UNITS_BASE)
		format_bytes(cell, value);
	else
		format_count(cell, units, value);
}

void format_counter_rate(char cell[CELL_BYTES], enum units units,
			 const struct astshm_family *family, double per_second)
{
	/* Of time: seconds of it in a second. A timing's samples are no time. */
	if (family->kind == ASTSHM_KIND_COUNTER)
		per_second = scale_number(family, per_second);
	format_rate(cell, units, per_second);
}

void format_percent(char cell[CELL_BYTES], double fraction)
{
	if (!put_odd(cell, fraction))
		snprintf(cell, CELL_BYTES, "%.*f%%", fabs(fraction) < 0.1 ? 2 : 1,
			 fraction * 100);
}

void format_age(char cell[CELL_BYTES], uint64_t ns)
{
	uint64_t s = ns / SECOND_NS;

	if (s < 60)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(cell, CELL_BYTES, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
			 s / 3600 % 24);
}

void format_span(char cell[CELL_BYTES], uint64_t ns)
{
	double s = (double)ns / 1e9;

	if (s < 0.0995)
		snprintf(cell, CELL_BYTES, "%.0fms", s * 1000);
	else if (s < 9.95)
		snprintf(cell, CELL_BYTES, "%gs", round(s * 10) / 10);
	else if (s < 99.5)
		snprintf(cell, CELL_BYTES, "%.0fs", s);
	else
		format_age(cell, ns);
}
