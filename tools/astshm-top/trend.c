/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trend.h"

int series_order(enum astshm_kind kind, const char *key, uint32_t key_len,
		 const struct astshm_series *series)
{
	uint32_t shorter = key_len < series->key_len ? key_len : series->key_len;
	int result;

	if (kind != series->kind)
		return kind < series->kind ? -1 : 1;
	result = memcmp(key, series->key, shorter);
	if (result != 0)
		return result;
	return key_len == series->key_len ? 0 : key_len < series->key_len ? -1 : 1;
}

/* The one number of a kind that shows how it went. */
static float point_of(const struct astshm_series *series)
{
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		return series->counter.has_rate ? (float)series->counter.rate : NAN;
	case ASTSHM_KIND_GAUGE:
		return (float)series->gauge.current;
	default:
		return (float)astshm_histogram_quantile(&series->histogram, series->kind, 0.95);
	}
}

static int begin(struct trend *trend, const struct astshm_series *series)
{
	*trend = (struct trend){ .kind = series->kind, .key_len = series->key_len };
	trend->key = malloc(series->key_len + 1);
	if (!trend->key)
		return -ENOMEM;
	memcpy(trend->key, series->key, series->key_len);
	trend->key[series->key_len] = '\0';
	for (size_t i = 0; i < TREND_POINTS; i++)
		trend->points[i] = NAN;
	return 0;
}

/* Moves the trend of `series` out of the old ones, from *at on. */
static int take_over(struct trends *old, size_t *at, const struct astshm_series *series,
		     struct trend *trend)
{
	int order = -1;

	for (; *at < old->count; ++*at) {
		order = -series_order(old->items[*at].kind, old->items[*at].key,
				      old->items[*at].key_len, series);
		if (order <= 0)
			break;
	}
	if (*at == old->count || order != 0)
		return begin(trend, series);
	*trend = old->items[*at];
	old->items[(*at)++].key = NULL;
	return 0;
}

int trends_append(struct trends *trends, const struct astshm_snapshot *interval)
{
	size_t count = astshm_snapshot_count(interval), at = 0;
	struct trends next = { .interval_ns = astshm_snapshot_interval_ns(interval) };
	int result = 0;

	next.items = calloc(count ? count : 1, sizeof(*next.items));
	if (!next.items)
		return -ENOMEM;
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct astshm_series *series = astshm_snapshot_at(interval, i);
		struct trend *trend = &next.items[i];

		result = take_over(trends, &at, series, trend);
		if (result < 0)
			break;
		memmove(trend->points, trend->points + 1,
			(TREND_POINTS - 1) * sizeof(trend->points[0]));
		trend->points[TREND_POINTS - 1] = point_of(series);
		next.count++;
	}
	trends_free(trends);
	*trends = next;
	return result;
}

void trends_free(struct trends *trends)
{
	for (size_t i = 0; i < trends->count; i++)
		free(trends->items[i].key);
	free(trends->items);
	*trends = (struct trends){ 0 };
}
