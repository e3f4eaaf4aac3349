/* SPDX-License-Identifier: MIT */
/* One snapshot of several processes or machines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"

static int check_parts(const struct astshm_snapshot *const *parts, size_t count,
		       struct astshm_error *error)
{
	for (size_t i = 1; i < count; i++) {
		if ((parts[i]->interval_ns > 0) != (parts[0]->interval_ns > 0))
			return derive_fail(error, -EINVAL,
					   "intervals and totals cannot be merged");
	}
	return 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Time: the newest pass, the longest uptime and interval. */
static void merge_times(struct astshm_snapshot *merged, const struct astshm_snapshot *part)
{
	merged->timestamp_ns = larger(merged->timestamp_ns, part->timestamp_ns);
	merged->uptime_ns = larger(merged->uptime_ns, part->uptime_ns);
	merged->interval_ns = larger(merged->interval_ns, part->interval_ns);
}

static int merge_sources(struct astshm_snapshot *merged,
			 const struct astshm_snapshot *const *parts, size_t count)
{
	size_t room = 0;
	for (size_t i = 0; i < count; i++)
		room += parts[i]->has_segment ? 1 : parts[i]->source_count;
	merged->sources = reader_arena_array(merged->arena, room + 1, sizeof *merged->sources);
	if (!merged->sources)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct astshm_snapshot *part = parts[i];
		size_t added = part->has_segment ? 1 : part->source_count;
		for (size_t k = 0; k < added; k++)
			merged->sources[merged->source_count++] =
				part->has_segment ? part->segment : part->sources[k];
	}
	return 0;
}

/* --- families: one of each name and kind ----------------------------- */

/* The first text that was given stands; two different units cannot be added up. */
static int join_family(struct astshm_family *family, const struct astshm_family *other)
{
	if (!family->unit_len) {
		family->unit = other->unit;
		family->unit_len = other->unit_len;
	} else if (other->unit_len && (other->unit_len != family->unit_len ||
				       memcmp(other->unit, family->unit, family->unit_len) != 0)) {
		return -EINVAL;
	}
	if (!family->help_len) {
		family->help = other->help;
		family->help_len = other->help_len;
	}
	family->monotonic &= other->monotonic;
	return 0;
}

static int join_families(struct astshm_snapshot *merged, const struct astshm_family **all,
			 size_t count, struct astshm_error *error)
{
	struct astshm_family *made = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && derive_compare_families(&all[i], &all[i - 1]) == 0) {
			if (join_family(made, all[i]) < 0)
				return derive_fail(error, -EINVAL,
						   "one metric has two different units");
			continue;
		}
		made = reader_arena_alloc(merged->arena, sizeof *made);
		if (!made)
			return derive_fail(error, -ENOMEM, "out of memory");
		*made = *all[i];
		merged->families[kept++] = made;
	}
	merged->family_count = kept;
	return 0;
}

static int merge_families(struct astshm_snapshot *merged,
			  const struct astshm_snapshot *const *parts, size_t count,
			  struct astshm_error *error)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += parts[i]->family_count;
	const struct astshm_family **all = calloc(total + 1, sizeof *all);
	merged->families = reader_arena_array(merged->arena, total + 1, sizeof *all);
	if (!all || !merged->families) {
		free(all);
		return derive_fail(error, -ENOMEM, "out of memory");
	}
	size_t filled = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t f = 0; f < parts[i]->family_count; f++)
			all[filled++] = parts[i]->families[f];
	}
	qsort(all, total, sizeof *all, derive_compare_families);
	int code = join_families(merged, all, total, error);
	free(all);
	return code;
}

/* --- series ----------------------------------------------------------- */

static void fill_items(struct combine_item *items, const struct astshm_snapshot *merged,
		       const struct astshm_snapshot *const *parts, size_t count)
{
	uint32_t place = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t s = 0; s < parts[i]->series_count; s++, place++) {
			const struct astshm_series *series = &parts[i]->series[s];
			size_t family = derive_family_place(merged, series->family);
			items[place] = (struct combine_item){
				.series = series,
				.family = merged->families[family],
				.tags = series->tags,
				.key = series->key,
				.tag_count = series->tag_count,
				.key_len = series->key_len,
				.place = place,
				.part = (uint32_t)i,
				.timestamp_ns = parts[i]->timestamp_ns,
			};
		}
	}
}

static int merge_series(struct astshm_snapshot *merged, const struct astshm_snapshot *const *parts,
			size_t count, struct astshm_error *error)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += parts[i]->series_count;
	struct combine_item *items = calloc(total + 1, sizeof *items);
	merged->series = reader_arena_array(merged->arena, total + 1, sizeof *merged->series);
	if (!items || !merged->series) {
		free(items);
		return derive_fail(error, -ENOMEM, "out of memory");
	}
	fill_items(items, merged, parts, count);
	int code = combine_items(items, total, merged, error);
	free(items);
	snapshot_index_kinds(merged);
	return code;
}

static int merge_parts(struct astshm_snapshot *merged, const struct astshm_snapshot *const *parts,
		       size_t count, struct astshm_error *error)
{
	for (size_t i = 0; i < count; i++)
		merge_times(merged, parts[i]);
	if (snapshot_hold_all(merged, parts, count) < 0 ||
	    merge_sources(merged, parts, count) < 0)
		return derive_fail(error, -ENOMEM, "out of memory");
	int code = merge_families(merged, parts, count, error);
	return code < 0 ? code : merge_series(merged, parts, count, error);
}

int astshm_snapshot_merge(const struct astshm_snapshot *const *parts, size_t count,
			  struct astshm_snapshot **merged, struct astshm_error *error)
{
	int code = check_parts(parts, count, error);
	if (code < 0)
		return code;
	struct astshm_snapshot *made = snapshot_create();
	if (!made)
		return derive_fail(error, -ENOMEM, "out of memory");
	code = merge_parts(made, parts, count, error);
	if (code < 0)
		astshm_snapshot_free(&made);
	else
		*merged = made;
	return code;
}
