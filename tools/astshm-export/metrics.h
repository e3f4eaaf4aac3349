/* SPDX-License-Identifier: MIT */
/*
 * Which metrics a document is to have: ?metric=GLOB, as often as wanted. A stranger
 * writes them: glob_matches() takes a time that is bounded.
 */
#ifndef EXPORT_METRICS_H
#define EXPORT_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include <astshm/reader.h>

#define METRIC_GLOBS_MAX 32

struct metric_choice {
	const char *globs[METRIC_GLOBS_MAX];
	size_t count; /* 0: all metrics */
};

/* False: there is no room for one more. */
bool metrics_add(struct metric_choice *choice, const char *glob);

/*
 * Replaces *snapshot by one of the chosen metrics alone, where any are chosen.
 * -ENOMEM; *snapshot is then what it was.
 */
int metrics_choose(const struct metric_choice *choice, struct astshm_snapshot **snapshot);

#endif
