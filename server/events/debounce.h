/* SPDX-License-Identifier: MIT */
/*
 * Messages held back until their subject has been quiet for 100 ms: of a burst
 * only the last is sent. Owned by one thread.
 */
#ifndef SERVER_DEBOUNCE_H
#define SERVER_DEBOUNCE_H

#include <stdint.h>

#include "message.h"

#define DEBOUNCE_NS INT64_C(100000000)

struct node;

/*
 * A device and its parameter; the project, for its tempo. The node and not its
 * index: another device may have that by the time the message is due, and must
 * not take its place.
 */
struct debounce_key {
	const struct node *node; /* compared, never followed: it may be gone */
	int64_t parameter;
};

struct debounce_entry;

#define DEBOUNCE_HEADS 256u

/* Zero-initialised. */
struct debounce {
	struct debounce_entry *heads[DEBOUNCE_HEADS]; /* chains by key */
	/* By deadline, which is by the time they came: the wait is the same for all. */
	struct debounce_entry *first;
	struct debounce_entry *last;
};

/* Takes `message` over, in place of an earlier one of that key. -ENOMEM: it is the caller's. */
int debounce_put(struct debounce *debounce, const struct debounce_key *key,
		 struct message *message, int64_t now_ns);
/* When the next one is due; INT64_MAX: none is held. */
int64_t debounce_next_ns(const struct debounce *debounce);
/* The next one that is due, which becomes the caller's; or NULL. */
struct message *debounce_take(struct debounce *debounce, int64_t now_ns);
/* Drops all. */
void debounce_clear(struct debounce *debounce);

#endif
