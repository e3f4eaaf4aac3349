/* SPDX-License-Identifier: MIT */
/*
 * The names of a segment, parsed once and kept: a poll finds a few unchanged
 * words and touches nothing else of the directory.
 */
#ifndef READERS_DIRECTORY_H
#define READERS_DIRECTORY_H

#include <astshm/layout.h>
#include <astshm/reader.h>

#include "arena.h"
#include "view.h"

/* What a struct astshm_series begins with: all but the values. */
struct directory_series {
	enum astshm_kind kind;
	bool monotonic;
	uint32_t key_len;
	uint32_t tag_count;
	const char *key;
	const struct astshm_family *family;
	const struct astshm_label *tags;
	uint64_t created_realtime_ns;
};

/* A live series. Sorted by (kind, key), keys unique within a kind. */
struct directory_row {
	struct directory_series series;
	const struct astshm_segment_series *record;
	uint64_t state_word; /* the one it was parsed under */
	uint32_t index;      /* in the segment's table */
	uint32_t family;
	uint32_t cell;
	uint32_t bytes; /* in the arena of names */
};

/* The series of a row, all but its values, which are zeroes. Written in place: it is
 * large, and copying it is a tenth of a snapshot. */
static inline void directory_begin_series(const struct directory_row *row,
					  struct astshm_series *series)
{
	*series = (struct astshm_series){
		.kind = row->series.kind,
		.monotonic = row->series.monotonic,
		.key_len = row->series.key_len,
		.tag_count = row->series.tag_count,
		.key = row->series.key,
		.family = row->series.family,
		.tags = row->series.tags,
		.created_realtime_ns = row->series.created_realtime_ns,
	};
}

/* What is known of series `index`. */
struct directory_entry {
	const struct astshm_segment_series *record; /* NULL: not reachable */
	uint64_t state_word;
	bool bad;
};

struct directory_family {
	const struct astshm_family *shown; /* NULL: bad. Replaced, never changed */
	uint64_t unit_ref;
	uint64_t help_ref;
	bool bad;
	bool up_down; /* some series of it may fall */
	bool used;    /* some series of it is live */
	bool listed;  /* while families are listed: it is */
};

struct directory {
	struct reader_arena *names; /* shared with the snapshots made from it */
	size_t garbage_bytes;       /* of it, no longer referred to */

	struct directory_entry *entries;
	uint32_t entry_count;
	struct directory_family *families;
	uint32_t family_count;
	struct directory_row *rows;
	uint32_t row_count;
	uint32_t row_room;
	uint32_t sorted_count; /* rows from the start on that an update left sorted */

	/* Families of live series, sorted by (name, kind); in `names`. */
	const struct astshm_family **shown;
	uint32_t shown_count;

	uint64_t changes;  /* header.directory_changes when last looked */
	uint64_t retiring; /* header.retiring when last looked */
	/* Bytes committed then: what was bad may have been what lay beyond. */
	uint64_t committed;
	uint64_t bad_records;
	uint64_t bad_extents;
};

/*
 * Brings the directory up to date. `retiring` is what the caller loaded
 * (acquire) at the start of its pass; `recheck` compares every record's state
 * word even if nothing seems changed. -ENOMEM; -ETIMEDOUT.
 */
int directory_update(struct directory *directory, const struct reader_view *view,
		     uint64_t retiring, bool recheck);

/* The live series under a key, or NULL. */
const struct directory_row *directory_find(const struct directory *directory,
					   enum astshm_kind kind, const char *key,
					   uint32_t length);

/* Forgets everything; snapshots keep the names they share. */
void directory_clear(struct directory *directory);

#endif
