/* SPDX-License-Identifier: MIT */
/*
 * Numbers as cells, in the units that the user chose. NaN is "-" in all of them.
 */
#ifndef TOP_FORMAT_H
#define TOP_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include <astshm/reader.h>

#define CELL_BYTES 64

enum units {
	UNITS_AUTO,  /* 850us 12.3ms 1.50KiB 12.3M */
	UNITS_MILLI, /* times as milliseconds: 12.346 */
	UNITS_BASE,  /* nanoseconds, bytes, every digit */
	UNITS_COUNT,
};

const char *units_name(enum units units);

/* How wide a cell of a number is at most, in most cases. */
unsigned format_width(enum units units);

void format_count(char cell[CELL_BYTES], enum units units, double value);
void format_rate(char cell[CELL_BYTES], enum units units, double per_second);
/* In nanoseconds. */
void format_time(char cell[CELL_BYTES], enum units units, double ns);
/* In seconds since 1970: "45s ago", "3d ago", "in 2h". */
void format_moment(char cell[CELL_BYTES], double seconds, double now_s);
/* A sample of the family: a time, a point in it, bytes, or another number. */
void format_amount(char cell[CELL_BYTES], enum units units, const struct astshm_family *family,
		   double value);
/* A counter's total or rate, which may be of nanoseconds. */
void format_counter(char cell[CELL_BYTES], enum units units, const struct astshm_family *family,
		    double value);
void format_counter_rate(char cell[CELL_BYTES], enum units units,
			 const struct astshm_family *family, double per_second);
/* A fraction, as percent. */
void format_percent(char cell[CELL_BYTES], double fraction);
/* "3s", "2m05s", "1h02m", "3d04h". */
void format_age(char cell[CELL_BYTES], uint64_t ns);
/* "25ms", "0.3s", "4.8s", "60s", "5m00s": a length that heads a column. */
void format_span(char cell[CELL_BYTES], uint64_t ns);
void format_bytes(char cell[CELL_BYTES], double bytes);

#endif
