/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "units.h"

/* Parts are divided by: 7ns is then the same double as 7 measured nanoseconds. */
struct unit {
	const char *name;
	enum dimension dimension;
	double size;    /* 1 or more */
	double divisor; /* 1, or how many there are to one */
};

static const struct unit units[] = {
	{ "ns", DIMENSION_TIME, 1, 1e9 },
	{ "us", DIMENSION_TIME, 1, 1e6 },
	{ "\xc2\xb5s", DIMENSION_TIME, 1, 1e6 },
	{ "ms", DIMENSION_TIME, 1, 1e3 },
	{ "s", DIMENSION_TIME, 1, 1 },
	{ "m", DIMENSION_TIME, 60, 1 },
	{ "min", DIMENSION_TIME, 60, 1 },
	{ "h", DIMENSION_TIME, 3600, 1 },
	{ "B", DIMENSION_BYTES, 1, 1 },
	{ "KiB", DIMENSION_BYTES, 0x1p10, 1 },
	{ "MiB", DIMENSION_BYTES, 0x1p20, 1 },
	{ "GiB", DIMENSION_BYTES, 0x1p30, 1 },
	{ "TiB", DIMENSION_BYTES, 0x1p40, 1 },
	{ "kB", DIMENSION_BYTES, 1e3, 1 },
	{ "MB", DIMENSION_BYTES, 1e6, 1 },
	{ "GB", DIMENSION_BYTES, 1e9, 1 },
	{ "TB", DIMENSION_BYTES, 1e12, 1 },
	{ "%", DIMENSION_PERCENT, 1, 100 },
};

static const struct unit *find(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
			return &units[i];
	}
	return NULL;
}

bool unit_apply(const char *text, size_t length, enum dimension *dimension, double *value)
{
	const struct unit *unit = find(text, length);

	if (!unit)
		return false;
	*dimension = unit->dimension;
	*value = *value * unit->size / unit->divisor;
	return true;
}

double unit_period(const char *text, size_t length)
{
	const struct unit *unit = find(text, length);

	return unit && unit->dimension == DIMENSION_TIME && unit->divisor == 1 ? unit->size : 0;
}
