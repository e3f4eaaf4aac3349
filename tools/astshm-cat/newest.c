/* SPDX-License-Identifier: MIT */
#include "newest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define NONE SIZE_MAX
#define CAPACITY_MIN 16

/* Of a chain of items that share a hash. */
struct newest_link {
	uint64_t generation;
	size_t next;
};

/*
 * Whoever makes a recording chooses the generations in it. With a factor that they do
 * not know, any two share one of m hashes with a probability of 2/m at most (Dietzfelbinger
 * and others, A Reliable Randomized Algorithm for the Closest-Pair Problem, 1997).
 */
void newest_init(struct newest *newest, bool each)
{
	uint64_t factor;

	if (getrandom(&factor, sizeof(factor), GRND_NONBLOCK) != (ssize_t)sizeof(factor))
		factor = 0x9e3779b97f4a7c15; /* 2^64 / golden ratio */
	*newest = (struct newest){ .each = each, .factor = factor | 1 };
}

void newest_fini(struct newest *newest)
{
	for (size_t i = 0; i < newest->count; i++)
		astshm_snapshot_free(&newest->items[i]);
	free(newest->items);
	free(newest->links);
	free(newest->heads);
	*newest = (struct newest){ 0 };
}

static size_t *head_of(const struct newest *newest, uint64_t generation)
{
	unsigned bits = (unsigned)__builtin_ctzl(newest->capacity);

	return &newest->heads[generation * newest->factor >> (64 - bits)];
}

static void link_item(struct newest *newest, size_t i)
{
	size_t *head = head_of(newest, newest->links[i].generation);

	newest->links[i].next = *head;
	*head = i;
}

static bool is_of_one_writer(const struct astshm_snapshot *snapshot)
{
	return astshm_snapshot_segment(snapshot) != NULL;
}

static int grow(struct newest *newest)
{
	size_t capacity = newest->capacity ? 2 * newest->capacity : CAPACITY_MIN;
	struct astshm_snapshot **items =
		reallocarray(newest->items, capacity, sizeof(*newest->items));
	struct newest_link *links;
	size_t *heads;

	if (!items)
		return -ENOMEM;
	newest->items = items;
	links = reallocarray(newest->links, capacity, sizeof(*newest->links));
	if (!links)
		return -ENOMEM;
	newest->links = links;
	heads = reallocarray(newest->heads, capacity, sizeof(*newest->heads));
	if (!heads)
		return -ENOMEM;
	newest->heads = heads;
	newest->capacity = capacity;
	for (size_t i = 0; i < capacity; i++)
		heads[i] = NONE;
	for (size_t i = 0; i < newest->count; i++) {
		if (is_of_one_writer(items[i]))
			link_item(newest, i);
	}
	return 0;
}

static int append(struct newest *newest, struct astshm_snapshot *snapshot, uint64_t generation)
{
	size_t i = newest->count;

	if (i == newest->capacity && grow(newest) < 0) {
		astshm_snapshot_free(&snapshot);
		return -ENOMEM;
	}
	newest->items[i] = snapshot;
	newest->links[i] = (struct newest_link){ generation, NONE };
	newest->count++;
	if (is_of_one_writer(snapshot))
		link_item(newest, i);
	return 0;
}

static size_t find(const struct newest *newest, uint64_t generation)
{
	size_t i = newest->capacity ? *head_of(newest, generation) : NONE;

	while (i != NONE && newest->links[i].generation != generation)
		i = newest->links[i].next;
	return i;
}

int newest_add(struct newest *newest, struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);
	uint64_t generation = segment ? segment->generation : 0;
	size_t i = NONE;

	if (!newest->each && newest->count > 0)
		i = 0;
	else if (newest->each && segment)
		i = find(newest, generation);
	if (i == NONE)
		return append(newest, snapshot, generation);
	astshm_snapshot_free(&newest->items[i]);
	newest->items[i] = snapshot;
	return 0;
}

int newest_merge(struct newest *newest, struct astshm_snapshot **snapshot,
		 struct astshm_error *error)
{
	if (newest->count > 1)
		return astshm_snapshot_merge((const struct astshm_snapshot *const *)newest->items,
					     newest->count, snapshot, error);
	*snapshot = newest->items[0];
	newest->count = 0;
	return 0;
}
