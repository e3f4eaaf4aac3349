/* SPDX-License-Identifier: MIT */
/* One record of a directory, from a stranger's bytes to something sound. */
#ifndef READERS_PARSE_H
#define READERS_PARSE_H

#include "directory.h"

enum parse_result { PARSE_GOOD, PARSE_BAD, PARSE_NOT_LIVE, PARSE_NO_MEMORY };

/*
 * Parses a series whose state word was loaded (acquire) and says live, and
 * fills *row. Families are known already. NOT_LIVE: it was retired meanwhile.
 */
enum parse_result parse_series(struct directory *directory, const struct reader_view *view,
			       uint32_t index, uint64_t state_word, struct directory_row *row);

/* Parses family `index`, or parses it again after it was described anew. `record`
 * is its place in the segment; NULL, not reachable, is bad. A family whose unit or
 * help alone is off is shown without, and `bad`. */
enum parse_result parse_family(struct directory *directory, const struct reader_view *view,
			       uint32_t index, const struct astshm_segment_family *record);

/* The family as it is, but for `monotonic`. False: no memory. */
bool parse_family_monotonic(struct directory *directory, uint32_t index, bool monotonic);

#endif
