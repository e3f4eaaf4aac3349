/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "order.h"

struct comparison {
	const struct sort_field *sort;
	const struct astshm_series *first;    /* of the snapshot that is sorted */
	const struct astshm_snapshot *window; /* whose numbers count; or NULL */
};

/* A window has the same series in the same places. */
static const struct astshm_series *figures_of(const struct comparison *comparison,
					      const struct astshm_series *series)
{
	return comparison->window ? astshm_snapshot_at(comparison->window,
						       (size_t)(series - comparison->first))
				  : series;
}

/* Numbers before "no number"; then as the field says. Equal: left as by key. */
static int compare(const struct astshm_series *a, const struct astshm_series *b, void *context)
{
	const struct comparison *comparison = context;
	const struct sort_field *sort = comparison->sort;
	double left, right;

	if (sort->field.id == FIELD_KEY)
		return sort->ascending ? strcmp(a->key, b->key) : strcmp(b->key, a->key);
	left = field_number(sort->field, figures_of(comparison, a));
	right = field_number(sort->field, figures_of(comparison, b));
	if (isnan(left) || isnan(right))
		return !!isnan(left) - !!isnan(right);
	if (left == right)
		return 0;
	return (left < right) == sort->ascending ? -1 : 1;
}

/* Series come in order, kind by kind. */
struct head {
	const struct sort_field *sort;
	uint64_t top;
	enum astshm_kind kind;
	uint64_t taken;
};

static bool keep_head(const struct astshm_series *series, void *context)
{
	struct head *head = context;

	if (series->kind != head->kind) {
		head->kind = series->kind;
		head->taken = 0;
	}
	if (!field_applies(head->sort->field, series->kind) || head->taken >= head->top)
		return false;
	head->taken++;
	return true;
}

int order_snapshot(struct astshm_snapshot **snapshot, const struct sort_field *sort,
		   uint64_t top, struct astshm_error *error)
{
	struct head head = { .sort = sort, .top = top };
	struct comparison comparison = { sort, astshm_snapshot_at(*snapshot, 0),
					 astshm_snapshot_window(*snapshot) };
	struct astshm_snapshot *sorted = NULL, *first = NULL;
	int result = astshm_snapshot_sort(*snapshot, compare, &comparison, &sorted, error);

	if (result < 0)
		return result;
	if (top > 0) {
		result = astshm_snapshot_filter(sorted, keep_head, &head, &first, error);
		astshm_snapshot_free(&sorted);
		if (result < 0)
			return result;
		sorted = first;
	}
	astshm_snapshot_free(snapshot);
	*snapshot = sorted;
	return 0;
}
