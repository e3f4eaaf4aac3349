/* SPDX-License-Identifier: MIT */
/*
 * What the screen shows, without the screen: one segment over time, in three views
 * of the same series, and whatever becomes of its writer.
 */
#ifndef TOP_MODEL_H
#define TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

#include "baseline.h"
#include "trend.h"

enum view {
	VIEW_NOW,    /* since the refresh before */
	VIEW_WINDOW, /* the last minute, or what was asked for */
	VIEW_LIFE,   /* since the server started, or its last reset */
	VIEW_COUNT,
};

/* One series. The views that there are: NULL before anything is known of it. */
struct model_row {
	const struct astshm_series *views[VIEW_COUNT]; /* VIEW_LIFE is never NULL */
	const struct trend *trend;
};

struct model {
	struct astshm_reader *reader; /* NULL: to be opened again */
	char *name;                   /* what the segment is called by */
	int64_t window_ns;
	int64_t interval_ns;          /* that refreshes are planned apart */
	bool per_thread;              /* lifetime series have their threads */

	struct astshm_snapshot *life;       /* owns the window, where it has one */
	struct astshm_snapshot *own_window; /* made of the baselines, where it has none */
	struct astshm_snapshot *interval;   /* NULL: nothing to compare with yet */
	struct model_row *rows;             /* in the order of the snapshot */
	size_t row_count;

	bool has_history;            /* trends are the segment's own, else ours */
	struct trends trends;
	uint64_t history_looked_ns;  /* realtime of the last look at the history */
	uint64_t history_until_ns;   /* of the youngest entry that the trends know */
	struct baselines baselines;

	uint64_t generation;   /* of the writer; 0: none yet */
	uint32_t previous_pid; /* of the writer before; 0: there was none */
	uint64_t replaced_ns;  /* realtime when the present one was first seen */
	char trouble[256];        /* why there is nothing newer; "": there is */
};

/* Takes over `reader` and `name`. */
void model_init(struct model *model, struct astshm_reader *reader, char *name,
		int64_t window_ns, int64_t interval_ns);
void model_fini(struct model *model);

/*
 * Looks again. What fails leaves the values as they were, says why in `trouble`, and
 * is tried again the next time. 0, or the negative errno value.
 */
int model_refresh(struct model *model);

/* From the next refresh on. */
void model_set_window(struct model *model, int64_t window_ns);

/* NULL: there is none yet. */
const struct astshm_snapshot *model_view(const struct model *model, enum view view);

/* Of the last refresh that worked; NULL before the first. */
const struct astshm_segment_info *model_segment(const struct model *model);

/* The row of a series that has been seen before; NULL: it is gone. */
const struct model_row *model_find(const struct model *model, enum astshm_kind kind,
				   const char *key);

#endif
