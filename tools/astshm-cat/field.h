/* SPDX-License-Identifier: MIT */
/*
 * A field of a series, as --value and --sort name it.
 */
#ifndef CAT_FIELD_H
#define CAT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include <astshm/reader.h>

enum field_id {
	FIELD_MAIN, /* value or rate, current, p95: the one number of a kind */
	FIELD_KEY,  /* --sort only */
	FIELD_VALUE,
	FIELD_CURRENT,
	FIELD_COUNT,
	FIELD_SUM,
	FIELD_MEAN,
	FIELD_MIN,
	FIELD_MAX,
	FIELD_QUANTILE,
	FIELD_RATE,
	FIELD_INCREASE,
};

struct field {
	enum field_id id;
	double q; /* FIELD_QUANTILE */
};

struct sort_field {
	struct field field;
	bool ascending;
};

/* "value", "p95", "p99.9", "p999", "q0.25", ... False: no such field. */
bool field_parse(const char *text, struct field *field);

/* "p95" (largest first), "key" (A to Z); a leading + or - says which way. */
bool field_parse_sort(const char *text, struct sort_field *sort);

/* Can a series of this kind have the field at all? */
bool field_applies(struct field field, enum astshm_kind kind);

/* FIELD_MAIN becomes the field it stands for; others stay. */
struct field field_resolve(struct field field, const struct astshm_series *series);

/*
 * FIELD_MIN or FIELD_MAX of a histogram, in nanoseconds or the unit. False: no
 * sample, or nothing to tell it from.
 */
bool field_extreme(enum field_id id, enum astshm_kind kind,
		   const struct astshm_histogram *histogram, uint64_t *value);

/*
 * The field to compare by; NaN where there is no number. Counters of time are in
 * seconds, as they are printed, to stand beside others; timings in nanoseconds.
 */
double field_number(struct field field, const struct astshm_series *series);

#define FIELD_TEXT_MAX 64

/*
 * The number as documents print it: seconds with nanosecond digits, integers
 * exact. False: the series has no such number (no sample, or not its kind).
 */
bool field_text(struct field field, const struct astshm_series *series,
		char text[FIELD_TEXT_MAX]);

#endif
