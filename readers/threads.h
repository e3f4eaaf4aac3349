/* SPDX-License-Identifier: MIT */
/* What each thread slot added to a series (ASTSHM_PER_THREAD). */
#ifndef READERS_THREADS_H
#define READERS_THREADS_H

#include "arena.h"
#include "blocks.h"

/* Values of a series' threads, made while its blocks are walked. */
struct threads_list {
	const struct reader_view *view;
	struct reader_arena *arena;
	struct astshm_thread_value *values;
	uint32_t count;
	uint32_t room;
	bool no_memory;
};

void threads_init(struct threads_list *list, const struct reader_view *view,
		  struct reader_arena *arena);
/* A value for a slot, with its tid and name filled in, or NULL (no memory). */
struct astshm_thread_value *threads_add(struct threads_list *list, uint32_t slot);
/* Copies a histogram's slots into the arena. */
bool threads_keep_slots(struct threads_list *list, struct astshm_histogram *histogram);
/* Hands the values over to the series, sorted by slot, and starts afresh. */
void threads_finish(struct threads_list *list, struct astshm_series *series);

/* Slots in use now. */
uint64_t threads_in_use(const struct reader_view *view, uint64_t *bad);

#endif
