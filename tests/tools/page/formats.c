/* SPDX-License-Identifier: MIT */
/* Prints each "WORD UNITS VALUE" of stdin as astshm-top shows it. */
#include <stdio.h>
#include <string.h>

#include "format.h"

static enum units units_of(const char *name)
{
	return strcmp(name, "auto") == 0    ? UNITS_AUTO
	       : strcmp(name, "milli") == 0 ? UNITS_MILLI
					    : UNITS_BASE;
}

static void put(char cell[CELL_BYTES], const char *word, enum units units, double value)
{
	if (strcmp(word, "count") == 0)
		format_count(cell, units, value);
	else if (strcmp(word, "rate") == 0)
		format_rate(cell, units, value);
	else if (strcmp(word, "time") == 0)
		format_time(cell, units, value);
	else if (strcmp(word, "bytes") == 0)
		format_bytes(cell, value);
	else if (strcmp(word, "percent") == 0)
		format_percent(cell, value);
	else if (strcmp(word, "age") == 0)
		format_age(cell, (uint64_t)value);
	else if (strcmp(word, "moment") == 0)
		format_moment(cell, 1e9, 1e9 + value);
	else
		format_span(cell, (uint64_t)value);
}

int main(void)
{
	char word[16], units[16], cell[CELL_BYTES];
	double value;

	while (scanf("%15s %15s %lf", word, units, &value) == 3) {
		put(cell, word, units_of(units), value);
		puts(cell);
	}
	return 0;
}
