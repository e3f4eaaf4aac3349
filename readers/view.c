/* SPDX-License-Identifier: MIT */
#include "view.h"

static bool extent_usable(const struct reader_view *view, const struct astshm_segment_table *table,
			  uint32_t start, uint32_t count, uint32_t stride)
{
	return shm_table_element(view->base, view->committed, table, start, stride) != NULL &&
	       shm_table_element(view->base, view->committed, table, start + count - 1, stride) !=
		       NULL;
}

uint32_t view_table_count(const struct reader_view *view, const struct astshm_segment_table *table,
			  uint32_t stride, uint64_t *bad)
{
	/* Acquire: pairs with the release that follows a complete element. */
	uint32_t count = load_acquire32(&table->count);
	uint32_t first = load_relaxed32(&table->first);
	uint32_t limit = load_relaxed32(&table->limit);
	if (count > limit || first == 0 || (first & (first - 1)) != 0) {
		*bad += 1;
		return 0;
	}
	if (count > VIEW_ELEMENTS_MAX) {
		*bad += 1;
		count = VIEW_ELEMENTS_MAX;
	}
	uint32_t usable = 0;
	uint64_t start = 0;
	for (uint32_t e = 0; e < ASTSHM_SEGMENT_EXTENTS && start < count; e++) {
		uint64_t size = e == 0 ? first : (uint64_t)first << (e - 1);
		uint64_t here = count - start < size ? count - start : size;
		/* The elements before these have no room, wherever they are said to be. */
		if (start > view->committed / stride) {
			*bad += 1;
			break;
		}
		if (extent_usable(view, table, (uint32_t)start, (uint32_t)here, stride))
			usable = (uint32_t)(start + here);
		else
			*bad += 1;
		start += size;
	}
	return usable;
}

/* Length of the UTF-8 sequence that starts here, 0 if none does. */
static uint32_t sequence_length(const char *bytes, uint32_t length)
{
	for (uint32_t n = 1; n <= 4 && n <= length; n++)
		if (shm_utf8_valid(bytes, n))
			return n;
	return 0;
}

uint32_t view_clean_text(char *text, const char *bytes, uint32_t length)
{
	uint32_t at = 0;
	while (at < length && bytes[at] != '\0') {
		uint32_t n = sequence_length(bytes + at, length - at);
		if (n == 0)
			text[at++] = '?';
		for (uint32_t i = 0; i < n; i++, at++)
			text[at] = bytes[at];
	}
	text[at] = '\0';
	return at;
}
