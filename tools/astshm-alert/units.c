/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "units.h"

struct unit {
	const char *name;
	enum dimension dimension;
	double scale;
};

static const struct unit units[] = {
	{ "ns", DIMENSION_TIME, 1e-9 },	      { "us", DIMENSION_TIME, 1e-6 },
	{ "\xc2\xb5s", DIMENSION_TIME, 1e-6 }, { "ms", DIMENSION_TIME, 1e-3 },
	{ "s", DIMENSION_TIME, 1 },	      { "m", DIMENSION_TIME, 60 },
	{ "min", DIMENSION_TIME, 60 },	      { "h", DIMENSION_TIME, 3600 },
	{ "B", DIMENSION_BYTES, 1 },	      { "KiB", DIMENSION_BYTES, 1024.0 },
	{ "MiB", DIMENSION_BYTES, 1048576.0 }, { "GiB", DIMENSION_BYTES, 1073741824.0 },
	{ "TiB", DIMENSION_BYTES, 1099511627776.0 },
	{ "kB", DIMENSION_BYTES, 1e3 },	      { "MB", DIMENSION_BYTES, 1e6 },
	{ "GB", DIMENSION_BYTES, 1e9 },	      { "TB", DIMENSION_BYTES, 1e12 },
	{ "%", DIMENSION_PERCENT, 0.01 },
};

static const struct unit *find(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
			return &units[i];
	}
	return NULL;
}

bool unit_find(const char *text, size_t length, enum dimension *dimension, double *scale)
{
	const struct unit *unit = find(text, length);

	if (!unit)
		return false;
	*dimension = unit->dimension;
	*scale = unit->scale;
	return true;
}

double unit_period(const char *text, size_t length)
{
	const struct unit *unit = find(text, length);

	return unit && unit->dimension == DIMENSION_TIME && unit->scale >= 1 ? unit->scale : 0;
}
