/* SPDX-License-Identifier: MIT */
/* The inside of a reader: what it is attached to and what it keeps. */
#ifndef READERS_ATTACHMENT_H
#define READERS_ATTACHMENT_H

#include <astshm/reader.h>

#include "directory.h"
#include "sigbus.h"
#include "view.h"

struct astshm_reader {
	struct shm_segment segment; /* fd -1: over memory of the caller's */
	const uint8_t *base;
	uint64_t memory_bytes; /* over memory: what may be touched; else 0 */
	uint64_t attachment;   /* raised whenever another segment is attached */
	int64_t deadline_ns;   /* most time one call may take */
	bool follow;
	struct sigbus_range *range;
	struct directory directory;

	uint64_t *slots[2]; /* two histograms, aligned to 64 */
	uint64_t *totals;   /* of counters, by cell; kept from pass to pass */
	uint64_t total_room;
	/* An entry of the history (history_encode.c); kept for the next. */
	struct history_bytes {
		uint8_t *start;
		size_t room;
	} entry_bytes;
	size_t snapshot_bytes; /* what the last snapshot took: a hint for the next */
	/* The most that was asked for by that hint: up to this the heap is taken to
	 * have memory that earlier snapshots gave back. */
	size_t reserved_bytes;
};

/*
 * What may be touched now; -EBADMSG: corrupt, or truncated meanwhile. With one
 * fstat per call; reader_view_cached does without unless the segment has grown.
 */
int reader_view(struct astshm_reader *reader, struct reader_view *view);
int reader_view_cached(struct astshm_reader *reader, struct reader_view *view);

/* As astshm_reader_snapshot, with row_of: good until the reader's next call. */
int reader_snapshot_rows(struct astshm_reader *reader, unsigned flags,
			 struct astshm_snapshot **snapshot, struct astshm_error *error);

/* With `follow`: attaches to the segment that has taken the name, if there is
 * one and it can be attached; else everything stays as it is. */
void reader_follow(struct astshm_reader *reader);

#endif
