/* SPDX-License-Identifier: MIT */
/* Nodes by a number, a fixed count of them, the least recently used going first. */
#ifndef SERVER_LRU_H
#define SERVER_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct lru_entry {
	int64_t number;
	struct node *node;
	uint32_t newer, older; /* by use, a ring through entry 0, which holds nothing */
	uint32_t next;         /* of the hash chain; 0 ends it */
};

struct lru {
	struct lru_entry *entries; /* capacity + 1 */
	uint32_t *heads;           /* a power of two */
	uint32_t head_mask;
	uint32_t capacity;
	uint32_t count;
};

/* 1 <= capacity < 2^31. -ENOMEM. */
int lru_init(struct lru *lru, uint32_t capacity);
void lru_fini(struct lru *lru);
void lru_clear(struct lru *lru);
/* NULL: not there. What is found is the most recently used now. */
struct node *lru_find(struct lru *lru, int64_t number);
/* A number that is not there. True: another had to go. */
bool lru_add(struct lru *lru, int64_t number, struct node *node);

#endif
