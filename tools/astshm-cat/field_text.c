/* SPDX-License-Identifier: MIT */
/*
 * Fields as the documents print them, digit for digit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "scale.h"

#define NANO_DECIMALS 9
/* 39 digits of 128 bits, a point, a NUL; leaves FIELD_TEXT_MAX room for a sign. */
#define NUMBER_MAX 48

__extension__ typedef unsigned __int128 uint128;

/* The shortest digits that read back as the same double. printf keeps to the
 * C locale, which this program never leaves for numbers. */
static void print_double(double value, char text[FIELD_TEXT_MAX])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, FIELD_TEXT_MAX, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

/* value / 10^decimals with every digit, but without zeros at the end. */
static void print_fixed(uint128 value, int decimals, char text[NUMBER_MAX])
{
	char digits[NUMBER_MAX];
	char *end = digits + sizeof(digits) - 1, *first = end;

	*end = '\0';
	for (int i = 0; value > 0 || i <= decimals; i++) {
		if (i > 0 && i == decimals)
			*--first = '.';
		*--first = (char)('0' + (int)(value % 10));
		value /= 10;
	}
	while (decimals > 0 && end[-1] == '0')
		*--end = '\0';
	if (decimals > 0 && end[-1] == '.')
		*--end = '\0';
	memcpy(text, first, (size_t)(end - first) + 1);
}

static int decimals_of(const struct astshm_series *series)
{
	return scale_is_time(series->family) ? NANO_DECIMALS : 0;
}

static bool counter_text(struct field field, const struct astshm_series *series,
			 char text[FIELD_TEXT_MAX])
{
	const struct astshm_counter_value *counter = &series->counter;
	int64_t value = field.id == FIELD_VALUE ? counter->value : counter->increase;
	int decimals = decimals_of(series);

	if (field.id != FIELD_VALUE && !counter->has_rate)
		return false;
	if (field.id == FIELD_RATE) {
		print_double(decimals ? counter->rate / 1e9 : counter->rate, text);
		return true;
	}
	if (value < 0)
		*text++ = '-';
	print_fixed(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, decimals, text);
	return true;
}

/* Thousandths of a nanosecond, rounded. */
static uint128 mean_milli(uint128 sum, uint64_t count)
{
	return sum / count * 1000 + (sum % count * 1000 + count / 2) / count;
}

static bool mean_text(const struct astshm_series *series, char text[FIELD_TEXT_MAX])
{
	const struct astshm_histogram *histogram = &series->histogram;
	uint128 sum = (uint128)histogram->sum_hi << 64 | histogram->sum;

	if (histogram->count == 0)
		return false;
	if (series->kind == ASTSHM_KIND_TIMING)
		print_fixed(mean_milli(sum, histogram->count), NANO_DECIMALS + 3, text);
	else
		print_double((double)sum / (double)histogram->count, text);
	return true;
}

/* Rounded to a whole number of nanoseconds or of the unit. */
static bool quantile_text(double q, const struct astshm_series *series, char text[FIELD_TEXT_MAX])
{
	double number = astshm_histogram_quantile(&series->histogram, series->kind, q);

	if (!isfinite(number))
		return false;
	print_fixed((uint128)(number + 0.5), decimals_of(series), text);
	return true;
}

static bool histogram_text(struct field field, const struct astshm_series *series,
			   char text[FIELD_TEXT_MAX])
{
	const struct astshm_histogram *histogram = &series->histogram;
	uint64_t extreme;

	switch (field.id) {
	case FIELD_COUNT:
		print_fixed(histogram->count, 0, text);
		return true;
	case FIELD_SUM:
		print_fixed((uint128)histogram->sum_hi << 64 | histogram->sum, decimals_of(series),
			    text);
		return true;
	case FIELD_MEAN:
		return mean_text(series, text);
	case FIELD_QUANTILE:
		return quantile_text(field.q, series, text);
	default:
		if (!field_extreme(field.id, series->kind, histogram, &extreme))
			return false;
		print_fixed(extreme, decimals_of(series), text);
		return true;
	}
}

static bool gauge_text(struct field field, const struct astshm_series *series,
		       char text[FIELD_TEXT_MAX])
{
	double number = field_number(field, series);

	if (!isfinite(number))
		return false;
	if (field.id == FIELD_COUNT)
		print_fixed(series->gauge.count, 0, text);
	else
		print_double(number, text);
	return true;
}

bool field_text(struct field field, const struct astshm_series *series,
		char text[FIELD_TEXT_MAX])
{
	if (!field_applies(field, series->kind))
		return false;
	field = field_resolve(field, series);
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		return counter_text(field, series, text);
	case ASTSHM_KIND_GAUGE:
		return gauge_text(field, series, text);
	default:
		return histogram_text(field, series, text);
	}
}
