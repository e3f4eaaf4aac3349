/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"

int lru_init(struct lru *lru, uint32_t capacity)
{
	uint32_t heads = 1;

	while (heads < capacity)
		heads *= 2;
	*lru = (struct lru){ .capacity = capacity, .head_mask = heads - 1 };
	lru->entries = calloc((size_t)capacity + 1, sizeof *lru->entries);
	lru->heads = calloc(heads, sizeof *lru->heads);
	if (lru->entries && lru->heads)
		return 0;
	lru_fini(lru);
	return -ENOMEM;
}

void lru_fini(struct lru *lru)
{
	free(lru->entries);
	free(lru->heads);
	*lru = (struct lru){ 0 };
}

void lru_clear(struct lru *lru)
{
	memset(lru->heads, 0, ((size_t)lru->head_mask + 1) * sizeof *lru->heads);
	lru->entries[0] = (struct lru_entry){ 0 };
	lru->count = 0;
}

/* Indexes are small and dense: their low bits spread them. */
static uint32_t *head_of(const struct lru *lru, int64_t number)
{
	return &lru->heads[(uint64_t)number & lru->head_mask];
}

static void unlink_use(struct lru *lru, uint32_t at)
{
	struct lru_entry *entry = &lru->entries[at];

	lru->entries[entry->newer].older = entry->older;
	lru->entries[entry->older].newer = entry->newer;
}

static void link_newest(struct lru *lru, uint32_t at)
{
	struct lru_entry *ring = &lru->entries[0], *entry = &lru->entries[at];

	entry->newer = 0;
	entry->older = ring->older;
	lru->entries[ring->older].newer = at;
	ring->older = at;
}

struct node *lru_find(struct lru *lru, int64_t number)
{
	uint32_t at = *head_of(lru, number);

	while (at != 0 && lru->entries[at].number != number)
		at = lru->entries[at].next;
	if (at == 0)
		return NULL;
	unlink_use(lru, at);
	link_newest(lru, at);
	return lru->entries[at].node;
}

/* The least recently used one, taken out. */
static uint32_t evict(struct lru *lru)
{
	uint32_t at = lru->entries[0].newer;
	uint32_t *link = head_of(lru, lru->entries[at].number);

	while (*link != at)
		link = &lru->entries[*link].next;
	*link = lru->entries[at].next;
	unlink_use(lru, at);
	return at;
}

bool lru_add(struct lru *lru, int64_t number, struct node *node)
{
	bool full = lru->count == lru->capacity;
	uint32_t at = full ? evict(lru) : ++lru->count;
	uint32_t *head = head_of(lru, number);

	lru->entries[at] = (struct lru_entry){ .number = number, .node = node, .next = *head };
	*head = at;
	link_newest(lru, at);
	return full;
}
