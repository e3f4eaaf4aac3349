/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct astshm_snapshot *snapshot_create(void)
{
	struct reader_arena *arena = reader_arena_create();
	if (arena == NULL)
		return NULL;
	struct astshm_snapshot *snapshot = reader_arena_alloc(arena, sizeof *snapshot);
	if (snapshot == NULL) {
		reader_arena_unref(arena);
		return NULL;
	}
	snapshot->arena = arena;
	return snapshot;
}

void astshm_snapshot_free(struct astshm_snapshot **snapshot)
{
	if (snapshot == NULL || *snapshot == NULL)
		return;
	struct astshm_snapshot *gone = *snapshot;
	*snapshot = NULL;
	astshm_snapshot_free(&gone->window);
	for (size_t i = 0; i < gone->held_count; i++)
		reader_arena_unref(gone->held[i]);
	free(gone->held);
	reader_arena_unref(gone->arena); /* holds *gone itself */
}

int snapshot_hold(struct astshm_snapshot *snapshot, struct reader_arena *arena)
{
	for (size_t i = 0; i < snapshot->held_count; i++)
		if (snapshot->held[i] == arena)
			return 0;
	size_t bytes = (snapshot->held_count + 1) * sizeof *snapshot->held;
	struct reader_arena **held = realloc(snapshot->held, bytes);
	if (held == NULL)
		return -ENOMEM;
	held[snapshot->held_count++] = reader_arena_ref(arena);
	snapshot->held = held;
	return 0;
}

/* What several of them share is held for each: that costs a pointer, to find it a search. */
int snapshot_hold_all(struct astshm_snapshot *snapshot,
		      const struct astshm_snapshot *const *others, size_t count)
{
	size_t total = 0, filled = 0;
	for (size_t i = 0; i < count; i++)
		total += 1 + others[i]->held_count;
	struct reader_arena **held = calloc(total + 1, sizeof *held);
	if (held == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		held[filled++] = reader_arena_ref(others[i]->arena);
		for (size_t k = 0; k < others[i]->held_count; k++)
			held[filled++] = reader_arena_ref(others[i]->held[k]);
	}
	snapshot->held = held;
	snapshot->held_count = filled;
	return 0;
}

/* Order of two byte strings; a prefix comes first. */
static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	if (order != 0)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

static int compare_series(const void *left, const void *right)
{
	const struct astshm_series *a = left, *b = right;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return compare_bytes(a->key, a->key_len, b->key, b->key_len);
}

static int compare_families(const void *left, const void *right)
{
	const struct astshm_family *a = *(const struct astshm_family *const *)left;
	const struct astshm_family *b = *(const struct astshm_family *const *)right;
	int order = compare_bytes(a->name, a->name_len, b->name, b->name_len);
	if (order != 0)
		return order;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

/* Sorting is skipped where it is done already: derived snapshots mostly are. */
static int sort_series(struct astshm_series *series, size_t count)
{
	bool sorted = true;
	for (size_t i = 1; i < count && sorted; i++)
		sorted = compare_series(&series[i - 1], &series[i]) < 0;
	if (sorted)
		return 0;
	qsort(series, count, sizeof *series, compare_series);
	for (size_t i = 1; i < count; i++)
		if (compare_series(&series[i - 1], &series[i]) == 0)
			return -EEXIST;
	return 0;
}

static int list_families(struct astshm_snapshot *snapshot)
{
	const struct astshm_family **list =
		reader_arena_array(snapshot->arena, snapshot->series_count, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < snapshot->series_count; i++)
		if (count == 0 || list[count - 1] != snapshot->series[i].family)
			list[count++] = snapshot->series[i].family;
	if (count > 0)
		qsort(list, count, sizeof *list, compare_families);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_families(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	snapshot->families = list;
	snapshot->family_count = kept;
	return 0;
}

int snapshot_finish(struct astshm_snapshot *snapshot)
{
	int code = sort_series(snapshot->series, snapshot->series_count);
	if (code != 0)
		return code;
	snapshot_index_kinds(snapshot);
	return list_families(snapshot);
}

void snapshot_index_kinds(struct astshm_snapshot *snapshot)
{
	size_t i = 0;
	for (unsigned kind = 1; kind <= SNAPSHOT_KINDS; kind++) {
		snapshot->first[kind - 1] = i;
		while (i < snapshot->series_count && snapshot->series[i].kind == kind)
			i++;
	}
	snapshot->first[SNAPSHOT_KINDS] = i;
}

/* What a backslash goes before, inside a tag. */
static const bool special[256] = {
	[','] = true, ['='] = true, ['['] = true, [']'] = true, ['\\'] = true,
};

/* Appends one byte where there is something to write to. */
static size_t put(char *text, size_t at, char byte)
{
	if (text != NULL)
		text[at] = byte;
	return at + 1;
}

static size_t put_escaped(char *text, size_t at, const char *word, size_t length)
{
	size_t specials = 0;
	for (size_t i = 0; i < length; i++)
		specials += special[(unsigned char)word[i]];
	if (text == NULL)
		return at + length + specials;
	if (specials == 0) {
		memcpy(text + at, word, length);
		return at + length;
	}
	for (size_t i = 0; i < length; i++) {
		if (special[(unsigned char)word[i]])
			text[at++] = '\\';
		text[at++] = word[i];
	}
	return at;
}

size_t snapshot_key(char *text, const char *name, size_t name_len,
		    const struct astshm_label *tags, uint32_t tag_count)
{
	size_t at = name_len;
	if (text != NULL && name_len > 0)
		memcpy(text, name, name_len);
	for (uint32_t i = 0; i < tag_count; i++) {
		at = put(text, at, i == 0 ? '[' : ',');
		at = put_escaped(text, at, tags[i].key, tags[i].key_len);
		at = put(text, at, '=');
		at = put_escaped(text, at, tags[i].value, tags[i].value_len);
	}
	return tag_count > 0 ? put(text, at, ']') : at;
}

const char *snapshot_kind_unit(enum astshm_kind kind)
{
	return kind == ASTSHM_KIND_TIMING ? "seconds" : "";
}

const char *snapshot_kind_name(enum astshm_kind kind)
{
	switch (kind) {
	case ASTSHM_KIND_COUNTER:
		return "counter";
	case ASTSHM_KIND_GAUGE:
		return "gauge";
	case ASTSHM_KIND_TIMING:
		return "timing";
	case ASTSHM_KIND_DISTRIBUTION:
		return "distribution";
	}
	return "unknown";
}

size_t astshm_snapshot_count(const struct astshm_snapshot *snapshot)
{
	return snapshot->series_count;
}

const struct astshm_series *astshm_snapshot_at(const struct astshm_snapshot *snapshot, size_t i)
{
	return i < snapshot->series_count ? &snapshot->series[i] : NULL;
}

static const struct astshm_series *find_linear(const struct astshm_series *series, size_t count,
					       const char *key, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (compare_bytes(series[i].key, series[i].key_len, key, length) == 0)
			return &series[i];
	return NULL;
}

const struct astshm_series *astshm_snapshot_find(const struct astshm_snapshot *snapshot,
						 enum astshm_kind kind, const char *key)
{
	if (kind < 1 || kind > SNAPSHOT_KINDS)
		return NULL;
	size_t length = strlen(key);
	size_t low = snapshot->first[kind - 1], high = snapshot->first[kind];
	if (snapshot->reordered)
		return find_linear(&snapshot->series[low], high - low, key, length);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct astshm_series *series = &snapshot->series[middle];
		int order = compare_bytes(series->key, series->key_len, key, length);
		if (order == 0)
			return series;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

size_t astshm_snapshot_family_count(const struct astshm_snapshot *snapshot)
{
	return snapshot->family_count;
}

const struct astshm_family *astshm_snapshot_family_at(const struct astshm_snapshot *snapshot,
						      size_t i)
{
	return i < snapshot->family_count ? snapshot->families[i] : NULL;
}

const struct astshm_segment_info *astshm_snapshot_segment(const struct astshm_snapshot *snapshot)
{
	return snapshot->has_segment ? &snapshot->segment : NULL;
}

const struct astshm_segment_info *astshm_snapshot_source(const struct astshm_snapshot *snapshot,
							 size_t i)
{
	return i < snapshot->source_count ? &snapshot->sources[i] : NULL;
}

uint64_t astshm_snapshot_timestamp_ns(const struct astshm_snapshot *snapshot)
{
	return snapshot->timestamp_ns;
}

uint64_t astshm_snapshot_uptime_ns(const struct astshm_snapshot *snapshot)
{
	return snapshot->uptime_ns;
}

uint64_t astshm_snapshot_interval_ns(const struct astshm_snapshot *snapshot)
{
	return snapshot->interval_ns;
}
