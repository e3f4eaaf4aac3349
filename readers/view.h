/* SPDX-License-Identifier: MIT */
/*
 * What of a segment may be touched now, and the ways into it. Everything that
 * comes out of here was checked against one `committed` size.
 */
#ifndef READERS_VIEW_H
#define READERS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <astshm/layout.h>

#include "load.h"
#include "segment.h"

struct reader_view {
	const uint8_t *base;
	uint64_t committed;   /* bytes; at least the header's */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
};

static inline const struct astshm_segment_header *view_header(const struct reader_view *view)
{
	return (const struct astshm_segment_header *)(const void *)view->base;
}

/* `bytes` at an offset from the segment, aligned to 64, or NULL. */
static inline const void *view_block(const struct reader_view *view, uint64_t off, uint64_t bytes)
{
	if (off % ASTSHM_SEGMENT_ALIGN != 0 || off < ASTSHM_SEGMENT_HEADER_BYTES ||
	    !shm_in_bounds(off, bytes, view->committed))
		return NULL;
	return view->base + off;
}

static inline bool view_late(const struct reader_view *view)
{
	return view->deadline_ns != UINT64_MAX && shm_monotonic_ns() > view->deadline_ns;
}

/*
 * Most elements of a table that are looked at: four families for each of the
 * series that a writer may make. A sparse file costs nothing and may claim
 * 2^32; they would cost the reader gigabytes, and minutes.
 */
#define VIEW_ELEMENTS_MAX (UINT32_C(1) << 22)

/*
 * Elements of a table worth asking shm_table_element for: 0 to this, some of
 * which may still be NULL. Never more than twice what the segment has room
 * for, whatever the table says; *bad counts what was off.
 */
uint32_t view_table_count(const struct reader_view *view, const struct astshm_segment_table *table,
			  uint32_t stride, uint64_t *bad);

/* A walk along a table, from `index` on. */
struct view_walk {
	const struct reader_view *view;
	const struct astshm_segment_table *table;
	uint32_t stride; /* at least, of an element */
	uint32_t index;  /* of the next one */
	struct shm_table_run run; /* that begins with it */
};

/* The next element, or NULL as from shm_table_element; on to the one behind it. */
static inline const void *view_walk(struct view_walk *walk)
{
	if (walk->run.count == 0)
		walk->run = shm_table_run(walk->view->base, walk->view->committed, walk->table,
					  walk->index, walk->stride);
	const uint8_t *element = walk->run.first;
	walk->index++;
	if (element == NULL)
		return NULL;
	walk->run.first += walk->run.step;
	walk->run.count--;
	return element;
}

/*
 * Copies `length` untrusted bytes into `text` (which has room for a NUL as
 * well), a question mark for each byte that is not part of valid UTF-8; ends at
 * the first NUL. Returns the length.
 */
uint32_t view_clean_text(char *text, const char *bytes, uint32_t length);

#endif
