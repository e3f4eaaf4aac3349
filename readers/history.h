/* SPDX-License-Identifier: MIT */
/*
 * The recent past that a segment keeps (doc/segment.md, "History"): snapshots
 * as runs of bytes, written by history_encode.c for the writer, fetched from a
 * segment by history.c and made snapshots again by history_decode.c.
 */
#ifndef READERS_HISTORY_H
#define READERS_HISTORY_H

#include <astshm/layout.h>

#include "attachment.h"

/* What a series' first number says besides its place. */
#define HISTORY_KIND_BITS 3u /* kind - 1, and HISTORY_MONOTONIC */
#define HISTORY_MONOTONIC 4u

/* An entry, out of the segment. */
struct history_entry {
	struct astshm_history_entry head;
	uint8_t *bytes; /* head.bytes of them; NULL until fetched */
};

/* Where a segment keeps its history, checked. */
struct history_place {
	struct astshm_segment_history head;
	uint64_t entries_off;
};

/* -ENODATA: the writer keeps none (yet); -EBADMSG: not where it may lie. */
int history_place(const struct reader_view *view, struct history_place *place);

/*
 * The heads of all entries that are whole, oldest first, in memory of malloc's;
 * *bad counts what was off. -ENOMEM.
 */
int history_heads(const struct reader_view *view, const struct history_place *place,
		  struct history_entry **entries, size_t *count, uint64_t *bad);

/*
 * Fetches the bytes of an entry: malloc'ed, the caller's. At most *budget bytes,
 * which are then taken off it. -ESTALE: overwritten meanwhile; -EBADMSG: its
 * chunks lead nowhere; -ENOMEM.
 */
int history_fetch(const struct reader_view *view, const struct history_place *place,
		  struct history_entry *entry, uint64_t *budget);

/* A series inside an entry, on its way. */
struct history_value {
	enum astshm_kind kind;
	bool monotonic;
	uint64_t index;
	uint64_t generation;
	uint32_t at; /* where its values begin */
	uint32_t slots; /* histograms: how many it tells of */
};

struct history_cursor {
	const uint8_t *bytes;
	uint32_t at, size;
	uint64_t index;
	bool bad;
};

static inline struct history_cursor history_cursor(const struct history_entry *entry)
{
	return (struct history_cursor){ .bytes = entry->bytes, .size = entry->head.bytes };
}

/* The next series; the cursor then stands behind its values. false: the end,
 * or (cursor->bad) bytes that are no entry. */
bool history_next(struct history_cursor *cursor, struct history_value *value);
/* The values of a gauge that history_next found. */
void history_gauge(const struct history_entry *entry, const struct history_value *value,
		   struct astshm_gauge_value *gauge);

/* The names that the series of entries have, as a directory knows them. */
struct history_names {
	const struct directory_row *rows;
	uint32_t row_count;
	uint32_t entry_count; /* indices are below it */
	struct reader_arena *names;
	const struct astshm_segment_info *segment;
};

/*
 * The entry as the snapshot that it was. Series removed since are left out.
 * -ENOMEM; bytes that are off are counted in its bad_records.
 */
int history_decode(const struct history_names *names, const struct history_entry *entry,
		   struct astshm_snapshot **snapshot);

/* Fills *error with what the code of a function of this header means. */
int history_fail(int code, struct astshm_error *error);

/* The names of a reader's directory as it is now. */
struct history_names history_names_of(const struct astshm_reader *reader,
				      const struct astshm_segment_info *segment);

#endif
