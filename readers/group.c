/* SPDX-License-Identifier: MIT */
/* The series of each family, added up over some of their tags. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"

static bool is_kept(const struct astshm_label *tag, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(keys[i]) == tag->key_len &&
		    memcmp(keys[i], tag->key, tag->key_len) == 0)
			return true;
	}
	return false;
}

/* The item's tags and key in the result: as they are, or fewer. */
static int name_item(struct combine_item *item, struct reader_arena *arena,
		     const char *const *keys, size_t count)
{
	const struct astshm_series *series = item->series;
	struct astshm_label *tags = reader_arena_array(arena, series->tag_count, sizeof *tags);
	if (!tags)
		return -ENOMEM;
	for (uint32_t i = 0; i < series->tag_count; i++) {
		if (is_kept(&series->tags[i], keys, count))
			tags[item->tag_count++] = series->tags[i];
	}
	item->tags = tags;
	item->key = series->key;
	item->key_len = series->key_len;
	if (item->tag_count == series->tag_count)
		return 0;
	const struct astshm_family *family = series->family;
	size_t length = snapshot_key(NULL, family->name, family->name_len, tags, item->tag_count);
	char *key = reader_arena_alloc(arena, length + 1);
	if (!key)
		return -ENOMEM;
	snapshot_key(key, family->name, family->name_len, tags, item->tag_count);
	item->key = key;
	item->key_len = (uint32_t)length;
	return 0;
}

static int group_series(struct astshm_snapshot *grouped, const struct astshm_snapshot *snapshot,
			struct combine_item *items, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < snapshot->series_count; i++) {
		items[i].series = &snapshot->series[i];
		items[i].family = snapshot->series[i].family;
		items[i].place = (uint32_t)i;
		items[i].timestamp_ns = snapshot->timestamp_ns;
		if (name_item(&items[i], grouped->arena, keys, count) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int group(const struct astshm_snapshot *snapshot, const char *const *keys, size_t count,
		 struct astshm_snapshot **grouped, struct astshm_error *error)
{
	struct astshm_snapshot *made = derive_create(snapshot, snapshot->series_count);
	struct combine_item *items = calloc(snapshot->series_count + 1, sizeof *items);
	int code = -ENOMEM;
	if (made && items)
		code = group_series(made, snapshot, items, keys, count);
	if (code < 0) {
		derive_fail(error, code, "out of memory");
	} else {
		made->reordered = false; /* combining sorts by key */
		code = combine_items(items, snapshot->series_count, made, error);
	}
	if (code == 0 && derive_families(made, snapshot) < 0)
		code = derive_fail(error, -ENOMEM, "out of memory");
	free(items);
	if (code < 0)
		astshm_snapshot_free(&made);
	else
		*grouped = made;
	return code;
}

/* A window has the same series, so it falls into the same groups. */
int astshm_snapshot_group(const struct astshm_snapshot *snapshot, const char *const *keys,
			  size_t count, struct astshm_snapshot **grouped,
			  struct astshm_error *error)
{
	struct astshm_snapshot *made = NULL;
	int code = group(snapshot, keys, count, &made, error);
	if (code == 0 && snapshot->window)
		code = group(snapshot->window, keys, count, &made->window, error);
	if (code == 0)
		*grouped = made;
	else
		astshm_snapshot_free(&made);
	return code;
}
