/* SPDX-License-Identifier: MIT */
/*
 * Of the snapshots in a file those that count: the newest one, or the newest of each
 * writer.
 */
#ifndef CAT_NEWEST_H
#define CAT_NEWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

struct newest {
	bool each;                      /* of each writer; else one in all */
	struct astshm_snapshot **items; /* in the order in which they were first seen */
	size_t count, capacity;
	struct newest_link *links;      /* one beside each item */
	size_t *heads;                  /* as many as there is room for items */
	uint64_t factor;                /* of the hash; odd */
};

void newest_init(struct newest *newest, bool each);
void newest_fini(struct newest *newest);

/*
 * Takes the snapshot over, in place of an older one of the same writer, which its
 * generation tells; one of several sources is of no one. -ENOMEM: it is freed.
 */
int newest_add(struct newest *newest, struct astshm_snapshot *snapshot);

/* What there is, merged, as the caller's; there has to be one. As astshm_snapshot_merge. */
int newest_merge(struct newest *newest, struct astshm_snapshot **snapshot,
		 struct astshm_error *error);

#endif
