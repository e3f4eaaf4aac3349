/* SPDX-License-Identifier: MIT */
/* The same series, fewer of them or in another order. */
#include <errno.h>
#include <stdlib.h>

#include "derive.h"

/* The series of `from` at these places, in that order. */
static int pick(const struct astshm_snapshot *from, const size_t *places, size_t count,
		bool reordered, struct astshm_snapshot **picked)
{
	struct astshm_snapshot *made = derive_create(from, count);
	if (!made)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		made->series[i] = from->series[places[i]];
	made->series_count = count;
	made->reordered |= reordered;
	int code = derive_families(made, from);
	/* A window has its series in the same places. */
	if (code == 0 && from->window)
		code = pick(from->window, places, count, reordered, &made->window);
	if (code < 0)
		astshm_snapshot_free(&made);
	else
		*picked = made;
	return code;
}

int astshm_snapshot_filter(const struct astshm_snapshot *snapshot,
			   bool (*keep)(const struct astshm_series *series, void *context),
			   void *context, struct astshm_snapshot **filtered,
			   struct astshm_error *error)
{
	size_t *places = calloc(snapshot->series_count + 1, sizeof *places);
	size_t count = 0;
	int code = -ENOMEM;
	for (size_t i = 0; places && i < snapshot->series_count; i++) {
		if (keep(&snapshot->series[i], context))
			places[count++] = i;
	}
	if (places)
		code = pick(snapshot, places, count, false, filtered);
	free(places);
	return code < 0 ? derive_fail(error, code, "out of memory") : 0;
}

struct order {
	const struct astshm_series *series;
	int (*compare)(const struct astshm_series *a, const struct astshm_series *b,
		       void *context);
	void *context;
};

static int compare_places(const void *left, const void *right, void *context)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	const struct order *order = context;
	const struct astshm_series *series = order->series;
	if (series[a].kind != series[b].kind)
		return series[a].kind < series[b].kind ? -1 : 1;
	int result = order->compare(&series[a], &series[b], order->context);
	return result ? result : (a > b) - (a < b); /* which makes any sort stable */
}

int astshm_snapshot_sort(const struct astshm_snapshot *snapshot,
			 int (*compare)(const struct astshm_series *a,
					const struct astshm_series *b, void *context),
			 void *context, struct astshm_snapshot **sorted, struct astshm_error *error)
{
	size_t count = snapshot->series_count;
	struct order order = { snapshot->series, compare, context };
	size_t *places = calloc(count + 1, sizeof *places);
	int code = -ENOMEM;
	if (places) {
		for (size_t i = 0; i < count; i++)
			places[i] = i;
		qsort_r(places, count, sizeof *places, compare_places, &order);
		code = pick(snapshot, places, count, true, sorted);
	}
	free(places);
	return code < 0 ? derive_fail(error, code, "out of memory") : 0;
}
