/* SPDX-License-Identifier: MIT */
#ifndef READERS_COLLECT_H
#define READERS_COLLECT_H

#include "attachment.h"
#include "blocks.h"

/* A flag besides enum astshm_snapshot_flags: fill row_of of the snapshot. */
#define COLLECT_ROWS (1u << 31)
/* The segment alone, without its series, which are not looked at. */
#define COLLECT_HEAD (1u << 30)

/* What a pass must find unchanged at its end. */
struct collect_stamp {
	uint64_t retiring;
	uint64_t epoch;
	uint64_t counters_epoch;
};

/* Loaded with acquire, before anything else of a pass. */
struct collect_stamp collect_stamp(const struct reader_view *view);
/* After the pass: an acquire fence, and the same words again. */
struct collect_stamp collect_stamp_again(const struct reader_view *view);

/* Is a series shown, or hidden by a reset until it is touched again? */
static inline bool collect_visible(const struct astshm_segment_series *record, uint64_t epoch)
{
	return (load_relaxed32(&record->flags) & ASTSHM_SERIES_BY_HANDLE) != 0 ||
	       load_relaxed(&record->shown_epoch) >= epoch;
}

/* The cell at a series' shared_off, or NULL: none, or not where one may be. */
const uint64_t *collect_shared_cell(struct blocks_pass *pass,
				    const struct astshm_segment_series *record);

/* One pass, or as many as it takes to find one that nothing disturbed. */
int collect_snapshot(struct astshm_reader *reader, unsigned flags,
		     struct astshm_snapshot **snapshot);

/* Takes the series of a pass as they are read. */
struct collect_visitor {
	void (*begin)(void *context); /* again, where a pass was disturbed */
	/* Values, slots included, are good for the call. */
	void (*take)(void *context, const struct directory_row *row,
		     const struct astshm_series *series);
	void *context;
};

/* The same without a snapshot of the series; *head has all but them. */
int collect_each(struct astshm_reader *reader, const struct collect_visitor *visitor,
		 struct astshm_snapshot **head);

#endif
