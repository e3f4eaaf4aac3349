/* SPDX-License-Identifier: MIT */
#include "threads.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 8u

void threads_init(struct threads_list *list, const struct reader_view *view,
		  struct reader_arena *arena)
{
	*list = (struct threads_list){ .view = view, .arena = arena };
}

/* Grown by copying inside the arena: at most as much again is left unused. */
static bool reserve(struct threads_list *list)
{
	if (list->count < list->room)
		return true;
	uint32_t room = list->room == 0 ? FIRST_ROOM : list->room * 2;
	struct astshm_thread_value *values =
		reader_arena_array(list->arena, room, sizeof *values);
	if (values == NULL) {
		list->no_memory = true;
		return false;
	}
	if (list->count > 0)
		memcpy(values, list->values, list->count * sizeof *values);
	list->values = values;
	list->room = room;
	return true;
}

/* All words relaxed: they are for people. */
static void identify(const struct reader_view *view, uint32_t slot,
		     struct astshm_thread_value *value)
{
	const struct astshm_segment_slot *record = shm_table_element(
		view->base, view->committed, &view_header(view)->slots, slot, sizeof *record);
	value->slot = slot;
	if (record == NULL)
		return;
	value->tid = load_relaxed32(&record->tid);
	value->owners = load_relaxed32(&record->owners);
	uint64_t words[2] = { load_relaxed(&record->name[0]), load_relaxed(&record->name[1]) };
	char bytes[sizeof words];
	memcpy(bytes, words, sizeof bytes);
	view_clean_text(value->name, bytes, sizeof bytes);
}

struct astshm_thread_value *threads_add(struct threads_list *list, uint32_t slot)
{
	if (!reserve(list))
		return NULL;
	struct astshm_thread_value *value = &list->values[list->count++];
	identify(list->view, slot, value);
	return value;
}

bool threads_keep_slots(struct threads_list *list, struct astshm_histogram *histogram)
{
	histogram->slots = reader_arena_copy(list->arena, histogram->slots,
					     histogram->slot_count * sizeof *histogram->slots);
	if (histogram->slots == NULL)
		list->no_memory = true;
	return histogram->slots != NULL;
}

static int compare_slots(const void *left, const void *right)
{
	const struct astshm_thread_value *a = left, *b = right;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

void threads_finish(struct threads_list *list, struct astshm_series *series)
{
	if (list->count > 1)
		qsort(list->values, list->count, sizeof *list->values, compare_slots);
	series->threads = list->values;
	series->thread_count = list->count;
	list->values = NULL;
	list->count = list->room = 0;
}

uint64_t threads_in_use(const struct reader_view *view, uint64_t *bad)
{
	const struct astshm_segment_table *table = &view_header(view)->slots;
	const struct astshm_segment_slot *record;
	uint32_t count = view_table_count(view, table, sizeof *record, bad);
	uint64_t used = 0;
	for (uint32_t i = 0; i < count; i++) {
		record = shm_table_element(view->base, view->committed, table, i, sizeof *record);
		used += record != NULL && load_relaxed32(&record->state) == ASTSHM_SLOT_USED;
	}
	return used;
}
