/* SPDX-License-Identifier: MIT */
/* The same series, fewer of them or in another order. */
#include <errno.h>
#include <stdlib.h>

#include "derive.h"

/* Hands the snapshot over if `code` is 0, else frees it. */
static int hand_over(struct astshm_snapshot *made, int code, struct astshm_snapshot **result,
		     struct astshm_error *error)
{
	if (code < 0) {
		astshm_snapshot_free(&made);
		return derive_fail(error, code, "out of memory");
	}
	*result = made;
	return 0;
}

int astshm_snapshot_filter(const struct astshm_snapshot *snapshot,
			   bool (*keep)(const struct astshm_series *series, void *context),
			   void *context, struct astshm_snapshot **filtered,
			   struct astshm_error *error)
{
	struct astshm_snapshot *made = derive_create(snapshot, snapshot->series_count);
	if (!made)
		return derive_fail(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < snapshot->series_count; i++) {
		if (keep(&snapshot->series[i], context))
			made->series[made->series_count++] = snapshot->series[i];
	}
	return hand_over(made, derive_families(made, snapshot), filtered, error);
}

struct order {
	int (*compare)(const struct astshm_series *a, const struct astshm_series *b,
		       void *context);
	void *context;
};

/* Places in the old snapshot break ties, which makes any sort stable. */
static int compare_series(const void *left, const void *right, void *context)
{
	const struct astshm_series *a = *(const struct astshm_series *const *)left;
	const struct astshm_series *b = *(const struct astshm_series *const *)right;
	const struct order *order = context;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int result = order->compare(a, b, order->context);
	return result ? result : (a > b) - (a < b);
}

int astshm_snapshot_sort(const struct astshm_snapshot *snapshot,
			 int (*compare)(const struct astshm_series *a,
					const struct astshm_series *b, void *context),
			 void *context, struct astshm_snapshot **sorted, struct astshm_error *error)
{
	size_t count = snapshot->series_count;
	struct order order = { compare, context };
	struct astshm_snapshot *made = derive_create(snapshot, count);
	const struct astshm_series **places = calloc(count + 1, sizeof *places);
	if (!made || !places) {
		free(places);
		return hand_over(made, -ENOMEM, sorted, error);
	}
	for (size_t i = 0; i < count; i++)
		places[i] = &snapshot->series[i];
	qsort_r(places, count, sizeof *places, compare_series, &order);
	for (size_t i = 0; i < count; i++)
		made->series[i] = *places[i];
	free(places);
	made->series_count = count;
	made->reordered = true;
	return hand_over(made, derive_families(made, snapshot), sorted, error);
}
