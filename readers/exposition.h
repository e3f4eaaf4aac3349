/* SPDX-License-Identifier: MIT */
/*
 * What Prometheus calls things: names of families and labels in its alphabet,
 * each once, and cumulative buckets at fixed bounds.
 */
#ifndef READERS_EXPOSITION_H
#define READERS_EXPOSITION_H

#include "derive.h"

/* --- names of families --------------------------------------------------- */

struct exposition_names {
	char *text;       /* all names, NUL-terminated */
	size_t *offset;   /* of each family's in text */
	bool *taken;      /* an earlier family has this name or one of its own */
	size_t *window_offset; /* the same of what tells of a window */
	bool *window_taken;
	bool window_seconds_taken;
};

/* What stands behind exposition_window_name() in those names. */
#define EXPOSITION_WINDOW "_window"
#define EXPOSITION_RATE "_window_rate"
#define EXPOSITION_MIN "_window_min"
#define EXPOSITION_MAX "_window_max"
/* One of no family: how long the window is. */
#define EXPOSITION_WINDOW_SECONDS "astshm_window_seconds"

/*
 * A fixed number of allocations. Families without series take no name; totals
 * come before what tells of the snapshot's window. `openmetrics`: counters are
 * called without _total, which their samples have. -ENOMEM.
 */
int exposition_names_init(struct exposition_names *names, const struct astshm_snapshot *snapshot,
			  const struct family_index *index, bool openmetrics);
void exposition_names_fini(struct exposition_names *names);
const char *exposition_name(const struct exposition_names *names, size_t family);
#define EXPOSITION_UNIT_BYTES (3 * ASTSHM_UNIT_MAX + 2)
/* The unit in Prometheus' alphabet; false: none, or the name does not end in it. */
bool exposition_unit(const struct exposition_names *names, size_t family,
		     const struct astshm_family *of, char unit[EXPOSITION_UNIT_BYTES]);
const char *exposition_window_name(const struct exposition_names *names, size_t family);

/* --- names of labels ------------------------------------------------------ */

#define EXPOSITION_LABELS_MAX 64
#define EXPOSITION_LABEL_BYTES (3 * ASTSHM_TAG_KEY_MAX + 16)

/*
 * The different tag keys of one family and what they are called: mangled, and
 * different for each key (a second that would be the same gets _2, and so on).
 */
struct exposition_labels {
	const struct astshm_label *keys[EXPOSITION_LABELS_MAX];
	char names[EXPOSITION_LABELS_MAX][EXPOSITION_LABEL_BYTES];
	unsigned count;
	const char *reserved; /* a name with a meaning of its own: le, quantile; or NULL */
};

/* false: more than EXPOSITION_LABELS_MAX keys. `places` index `series`. */
bool exposition_labels_init(struct exposition_labels *labels, const struct astshm_series *series,
			    const uint32_t *places, size_t count, const char *reserved);
/* The label name of a tag that _init met. */
const char *exposition_label(const struct exposition_labels *labels,
			     const struct astshm_label *tag);

/* --- buckets ---------------------------------------------------------------- */

#define EXPOSITION_BOUNDS_MAX 22

struct exposition_bound {
	uint64_t value; /* nanoseconds or the unit; samples equal to it are inside */
	const char *text;
};

/* Ascending. */
const struct exposition_bound *exposition_bounds(enum astshm_kind kind, size_t *count);

/*
 * For each bound, samples that are not above it. A bucket that straddles a
 * bound counts by proportion of the integers it holds, rounded down; so the
 * counts never fall from bound to bound. Needs buckets.
 */
void exposition_below(const struct astshm_histogram *histogram, enum astshm_kind kind,
		      uint64_t below[EXPOSITION_BOUNDS_MAX]);

#endif
