/* SPDX-License-Identifier: MIT */
/*
 * The inside of a snapshot. Made by collect.c (from a segment), decode.c (from
 * msgpack) and derive.c (subtract, merge, group, filter); constant afterwards.
 */
#ifndef READERS_SNAPSHOT_H
#define READERS_SNAPSHOT_H

#include <astshm/reader.h>

#include "arena.h"

#define SNAPSHOT_KINDS 4

struct astshm_snapshot {
	uint64_t timestamp_ns;
	uint64_t monotonic_ns; /* of the pass; of the last beat where the writer ended */
	uint64_t uptime_ns;
	uint64_t interval_ns; /* > 0: an interval view */
	bool has_segment;     /* false: merged, see sources */
	struct astshm_segment_info segment;
	struct astshm_segment_info *sources;
	size_t source_count;

	/* Sorted by (kind, key); kind k is [first[k - 1], first[k]). */
	struct astshm_series *series;
	size_t series_count;
	size_t first[SNAPSHOT_KINDS + 1];
	uint32_t *row_of; /* each series' row in the reader's directory, or NULL */
	bool reordered; /* within a kind by something else than the key */

	const struct astshm_family **families; /* sorted by (name, kind) */
	size_t family_count;

	struct astshm_snapshot *window; /* the last while, an interval view; or NULL */

	struct reader_arena *arena; /* what this snapshot alone owns */
	struct reader_arena **held; /* what it shares (names), one reference each */
	size_t held_count;
};

/* An empty snapshot with an arena of its own, or NULL. */
struct astshm_snapshot *snapshot_create(void);

/* Keeps `arena` alive as long as the snapshot. -ENOMEM. */
int snapshot_hold(struct astshm_snapshot *snapshot, struct reader_arena *arena);
/* Keeps everything alive that the pointers of `others` lead to; it holds nothing yet. */
int snapshot_hold_all(struct astshm_snapshot *snapshot,
		      const struct astshm_snapshot *const *others, size_t count);

/*
 * Sorts series by (kind, key), fills first[], and makes the family list out of
 * the series' families (each once). Duplicate (kind, key) pairs are -EEXIST.
 */
int snapshot_finish(struct astshm_snapshot *snapshot);
/* The same when series are known to be sorted and families set: only first[]. */
void snapshot_index_kinds(struct astshm_snapshot *snapshot);

/* The longest key that people see: every byte of every tag escaped. */
#define SNAPSHOT_KEY_MAX                                                                   \
	(ASTSHM_NAME_MAX +                                                                 \
	 ASTSHM_TAGS_MAX * (2 * (ASTSHM_TAG_KEY_MAX + ASTSHM_TAG_VALUE_MAX) + 2) + 1)

/*
 * Writes the key that people see, name[k=v,...] with , = [ ] \ escaped inside
 * tags, into `text` (NULL: only measure); returns its length without a NUL.
 * Tags must be sorted.
 */
size_t snapshot_key(char *text, const char *name, size_t name_len,
		    const struct astshm_label *tags, uint32_t tag_count);

/* The unit's default when none was given: "seconds" for timings, else "". */
const char *snapshot_kind_unit(enum astshm_kind kind);
/* "counter", "gauge", "timing", "distribution" */
const char *snapshot_kind_name(enum astshm_kind kind);

#endif
