/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "glob.h"

bool metrics_add(struct metric_choice *choice, const char *glob)
{
	if (choice->count == METRIC_GLOBS_MAX)
		return false;
	choice->globs[choice->count++] = glob;
	return true;
}

static bool is_chosen(const struct astshm_series *series, void *context)
{
	const struct metric_choice *choice = context;

	for (size_t i = 0; i < choice->count; i++) {
		if (glob_matches(choice->globs[i], series->family->name))
			return true;
	}
	return false;
}

int metrics_choose(const struct metric_choice *choice, struct astshm_snapshot **snapshot)
{
	struct metric_choice copy = *choice;
	struct astshm_snapshot *chosen = NULL;
	int result;

	if (choice->count == 0)
		return 0;
	result = astshm_snapshot_filter(*snapshot, is_chosen, &copy, &chosen, NULL);
	if (result < 0)
		return result;
	astshm_snapshot_free(snapshot);
	*snapshot = chosen;
	return 0;
}
