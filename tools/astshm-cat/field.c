/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <astshm/layout.h>

#include "field.h"
#include "scale.h"

static const struct {
	const char *name;
	struct field field;
} names[] = {
	{ "value", { FIELD_VALUE, 0 } },	 { "current", { FIELD_CURRENT, 0 } },
	{ "count", { FIELD_COUNT, 0 } },	 { "sum", { FIELD_SUM, 0 } },
	{ "mean", { FIELD_MEAN, 0 } },		 { "min", { FIELD_MIN, 0 } },
	{ "max", { FIELD_MAX, 0 } },		 { "rate", { FIELD_RATE, 0 } },
	{ "increase", { FIELD_INCREASE, 0 } },	 { "p999", { FIELD_QUANTILE, 0.999 } },
	{ "p9999", { FIELD_QUANTILE, 0.9999 } },
};

/* A decimal number from 0 to `limit`, without sign, exponent or locale. */
static bool parse_decimal(const char *text, double limit, double *value)
{
	double number = 0, weight = 1;
	bool point = false;
	const char *at = text;

	for (; *at; at++) {
		if (*at == '.' && !point && at > text && at[1]) {
			point = true;
			continue;
		}
		if (*at < '0' || *at > '9' || weight > 1e15)
			return false;
		number = number * 10 + (*at - '0');
		weight *= point ? 10 : 1;
	}
	*value = number / weight;
	return at > text && *value <= limit;
}

static bool parse_quantile(const char *text, struct field *field)
{
	double percent;

	field->id = FIELD_QUANTILE;
	if (text[0] == 'q')
		return parse_decimal(text + 1, 1, &field->q);
	if (text[0] != 'p' || !parse_decimal(text + 1, 100, &percent))
		return false;
	field->q = percent / 100;
	return true;
}

bool field_parse(const char *text, struct field *field)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*field = names[i].field;
			return true;
		}
	}
	return parse_quantile(text, field);
}

bool field_parse_sort(const char *text, struct sort_field *sort)
{
	char sign = *text == '+' || *text == '-' ? *text++ : '\0';

	if (strcmp(text, "key") == 0 || strcmp(text, "name") == 0) {
		sort->field = (struct field){ .id = FIELD_KEY };
		sort->ascending = sign != '-';
		return true;
	}
	sort->ascending = sign == '+';
	return field_parse(text, &sort->field);
}

bool field_applies(struct field field, enum astshm_kind kind)
{
	bool histogram = kind == ASTSHM_KIND_TIMING || kind == ASTSHM_KIND_DISTRIBUTION;

	switch (field.id) {
	case FIELD_MAIN:
	case FIELD_KEY:
		return true;
	case FIELD_VALUE:
	case FIELD_INCREASE:
	case FIELD_RATE:
		return kind == ASTSHM_KIND_COUNTER;
	case FIELD_CURRENT:
		return kind == ASTSHM_KIND_GAUGE;
	case FIELD_QUANTILE:
		return histogram;
	default: /* count, sum, mean, min, max */
		return histogram || kind == ASTSHM_KIND_GAUGE;
	}
}

struct field field_resolve(struct field field, const struct astshm_series *series)
{
	if (field.id != FIELD_MAIN)
		return field;
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		return (struct field){ series->counter.has_rate ? FIELD_RATE : FIELD_VALUE, 0 };
	case ASTSHM_KIND_GAUGE:
		return (struct field){ FIELD_CURRENT, 0 };
	default:
		return (struct field){ FIELD_QUANTILE, 0.95 };
	}
}

static double counter_number(struct field field, const struct astshm_series *series)
{
	const struct astshm_counter_value *counter = &series->counter;

	if (field.id == FIELD_VALUE)
		return scale_number(series->family, (double)counter->value);
	if (!counter->has_rate)
		return NAN;
	return scale_number(series->family, field.id == FIELD_RATE ? counter->rate
								   : (double)counter->increase);
}

static double gauge_number(struct field field, const struct astshm_gauge_value *gauge)
{
	if (field.id == FIELD_CURRENT)
		return gauge->current;
	if (field.id == FIELD_COUNT)
		return (double)gauge->count;
	if (gauge->count == 0)
		return NAN;
	switch (field.id) {
	case FIELD_SUM:
		return gauge->sum;
	case FIELD_MEAN:
		return gauge->sum / (double)gauge->count;
	case FIELD_MIN:
		return gauge->min;
	default:
		return gauge->max;
	}
}

static uint32_t lowest_slot(const struct astshm_histogram *histogram)
{
	uint32_t i = 0;

	if (histogram->zero_count > 0)
		return ASTSHM_HISTOGRAM_ZERO;
	while (i < histogram->slot_count && histogram->slots[i] == 0)
		i++;
	return i < histogram->slot_count ? histogram->first_slot + i : ASTSHM_HISTOGRAM_OVERFLOW;
}

static uint32_t highest_slot(const struct astshm_histogram *histogram)
{
	uint32_t i = histogram->slot_count;

	if (histogram->overflow_count > 0)
		return ASTSHM_HISTOGRAM_OVERFLOW;
	while (i > 0 && histogram->slots[i - 1] == 0)
		i--;
	return i > 0 ? histogram->first_slot + i - 1 : ASTSHM_HISTOGRAM_ZERO;
}

/* The largest integer in a slot; documents say the same of an interval. */
static uint64_t slot_limit(enum astshm_kind kind, uint32_t slot)
{
	double bound = astshm_histogram_bound(kind, slot);

	if (slot == ASTSHM_HISTOGRAM_ZERO)
		return 0;
	return slot < ASTSHM_HISTOGRAM_OVERFLOW && bound < 0x1p63 ? (uint64_t)floor(bound)
								  : (uint64_t)INT64_MAX;
}

/* An interval does not know its extremes, only which buckets they lie in. */
bool field_extreme(enum field_id id, enum astshm_kind kind,
		   const struct astshm_histogram *histogram, uint64_t *value)
{
	uint32_t slot;

	if (histogram->count == 0 || (!histogram->has_extremes && !histogram->has_buckets))
		return false;
	if (histogram->has_extremes) {
		*value = id == FIELD_MIN ? histogram->min : histogram->max;
	} else if (id == FIELD_MAX) {
		*value = slot_limit(kind, highest_slot(histogram));
	} else {
		slot = lowest_slot(histogram);
		*value = slot > 0 ? slot_limit(kind, slot - 1) + 1 : 0;
	}
	return true;
}

static double histogram_number(struct field field, enum astshm_kind kind,
			       const struct astshm_histogram *histogram)
{
	uint64_t extreme;

	if (field.id == FIELD_COUNT)
		return (double)histogram->count;
	if (histogram->count == 0)
		return NAN;
	switch (field.id) {
	case FIELD_SUM:
		return ldexp((double)histogram->sum_hi, 64) + (double)histogram->sum;
	case FIELD_MEAN:
		return astshm_histogram_mean(histogram);
	case FIELD_MIN:
	case FIELD_MAX:
		return field_extreme(field.id, kind, histogram, &extreme) ? (double)extreme : NAN;
	default:
		return astshm_histogram_quantile(histogram, kind, field.q);
	}
}

double field_number(struct field field, const struct astshm_series *series)
{
	if (!field_applies(field, series->kind))
		return NAN;
	field = field_resolve(field, series);
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		return counter_number(field, series);
	case ASTSHM_KIND_GAUGE:
		return gauge_number(field, &series->gauge);
	default:
		return histogram_number(field, series->kind, &series->histogram);
	}
}
