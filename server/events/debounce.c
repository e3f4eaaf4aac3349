/* SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debounce.h"

struct debounce_entry {
	struct debounce_key key;
	struct message *message;
	int64_t due_ns;
	struct debounce_entry *next_of_head;
	struct debounce_entry *earlier;
	struct debounce_entry *later;
};

static struct debounce_entry **link_of(struct debounce *debounce, const struct debounce_key *key)
{
	uint64_t hash = XXH3_64bits(key, sizeof *key);
	struct debounce_entry **link = &debounce->heads[hash % DEBOUNCE_HEADS];

	while (*link && memcmp(&(*link)->key, key, sizeof *key) != 0)
		link = &(*link)->next_of_head;
	return link;
}

static void unlink_time(struct debounce *debounce, struct debounce_entry *entry)
{
	*(entry->earlier ? &entry->earlier->later : &debounce->first) = entry->later;
	*(entry->later ? &entry->later->earlier : &debounce->last) = entry->earlier;
}

static void link_last(struct debounce *debounce, struct debounce_entry *entry)
{
	entry->earlier = debounce->last;
	entry->later = NULL;
	*(debounce->last ? &debounce->last->later : &debounce->first) = entry;
	debounce->last = entry;
}

static struct debounce_entry *entry_of(struct debounce *debounce, const struct debounce_key *key)
{
	struct debounce_entry **link = link_of(debounce, key);

	if (*link) {
		unlink_time(debounce, *link);
		message_release((*link)->message);
		return *link;
	}
	*link = calloc(1, sizeof **link);
	if (*link)
		(*link)->key = *key;
	return *link;
}

int debounce_put(struct debounce *debounce, const struct debounce_key *key,
		 struct message *message, int64_t now_ns)
{
	struct debounce_entry *entry = entry_of(debounce, key);

	if (!entry)
		return -ENOMEM;
	entry->message = message;
	entry->due_ns = now_ns + DEBOUNCE_NS;
	link_last(debounce, entry);
	return 0;
}

int64_t debounce_next_ns(const struct debounce *debounce)
{
	return debounce->first ? debounce->first->due_ns : INT64_MAX;
}

static struct message *take_first(struct debounce *debounce)
{
	struct debounce_entry *entry = debounce->first;
	/* Not freed: unlink_time has moved `first` on, which the analyzer loses.
	 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	struct message *message = entry->message;

	*link_of(debounce, &entry->key) = entry->next_of_head;
	unlink_time(debounce, entry);
	free(entry);
	return message;
}

struct message *debounce_take(struct debounce *debounce, int64_t now_ns)
{
	return debounce_next_ns(debounce) <= now_ns ? take_first(debounce) : NULL;
}

void debounce_clear(struct debounce *debounce)
{
	while (debounce->first)
		message_release(take_first(debounce));
}
