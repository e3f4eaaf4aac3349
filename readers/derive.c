/* SPDX-License-Identifier: MIT */
#include "derive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int derive_fail(struct astshm_error *error, int code, const char *text)
{
	if (error) {
		error->code = code;
		error->position = 0;
		snprintf(error->text, sizeof error->text, "%s", text);
	}
	return code;
}

struct astshm_snapshot *derive_create(const struct astshm_snapshot *from, size_t count)
{
	struct astshm_snapshot *snapshot = snapshot_create();
	if (!snapshot)
		return NULL;
	snapshot->timestamp_ns = from->timestamp_ns;
	snapshot->uptime_ns = from->uptime_ns;
	snapshot->interval_ns = from->interval_ns;
	snapshot->has_segment = from->has_segment;
	snapshot->segment = from->segment;
	snapshot->sources = from->sources;
	snapshot->source_count = from->source_count;
	snapshot->reordered = from->reordered;
	snapshot->series =
		reader_arena_array(snapshot->arena, count + 1, sizeof *snapshot->series);
	if (!snapshot->series || snapshot_hold_all(snapshot, &from, 1) < 0)
		astshm_snapshot_free(&snapshot);
	return snapshot;
}

int derive_compare_families(const void *left, const void *right)
{
	const struct astshm_family *a = *(const struct astshm_family *const *)left;
	const struct astshm_family *b = *(const struct astshm_family *const *)right;
	size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, shorter);
	if (order)
		return order;
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

size_t derive_family_place(const struct astshm_snapshot *snapshot,
			   const struct astshm_family *family)
{
	size_t low = 0, high = snapshot->family_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = derive_compare_families(&snapshot->families[middle], &family);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return snapshot->family_count;
}

int derive_families(struct astshm_snapshot *snapshot, const struct astshm_snapshot *from)
{
	snapshot_index_kinds(snapshot);
	const struct astshm_family **used =
		reader_arena_array(snapshot->arena, from->family_count + 1, sizeof *used);
	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->series_count; i++) {
		size_t place = derive_family_place(from, snapshot->series[i].family);
		used[place] = snapshot->series[i].family;
	}
	size_t kept = 0;
	for (size_t i = 0; i < from->family_count; i++) {
		if (used[i])
			used[kept++] = used[i];
	}
	snapshot->families = used;
	snapshot->family_count = kept;
	return 0;
}

int family_index_init(struct family_index *index, const struct astshm_snapshot *snapshot)
{
	size_t families = snapshot->family_count, count = snapshot->series_count;
	/* The second half of series[] is each series' family, for this call. */
	index->first = calloc(families + 2, sizeof *index->first);
	index->series = calloc(2 * count + 1, sizeof *index->series);
	if (!index->first || !index->series) {
		family_index_fini(index);
		return -ENOMEM;
	}
	uint32_t *place = index->series + count, *start = index->first + 1;
	for (size_t i = 0; i < count; i++) {
		place[i] = (uint32_t)derive_family_place(snapshot, snapshot->series[i].family);
		if (place[i] + 1 < families)
			start[place[i] + 1]++;
	}
	for (size_t f = 1; f < families; f++)
		start[f] += start[f - 1];
	/* start[f] moves from the family's first place to its end, so that
	 * afterwards first[f] = start[f - 1] is the first of family f. */
	for (size_t i = 0; i < count; i++) {
		if (place[i] < families)
			index->series[start[place[i]]++] = (uint32_t)i;
	}
	return 0;
}

void family_index_fini(struct family_index *index)
{
	free(index->first);
	free(index->series);
	index->first = NULL;
	index->series = NULL;
}
