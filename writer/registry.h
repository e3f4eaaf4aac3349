/* SPDX-License-Identifier: MIT */
/*
 * (kind, name, tags) -> series: an RCU hash table in the host's memory, and
 * what it writes into the segment's directory.
 */
#ifndef WRITER_REGISTRY_H
#define WRITER_REGISTRY_H

#include "state.h"

/* How a series comes to be. */
struct writer_wish {
	const char *unit; /* NULL: leave the family's */
	const char *help;
	unsigned flags;   /* enum astshm_metric_flags */
	enum astshm_merge merge;
	bool by_handle;   /* count a registration */
};

/* Table, hash seed, record array; at open. -ENOMEM. */
int writer_registry_init(struct astshm_writer *writer);
/* Frees everything; waits for a grace period if there ever was a series, so
 * it is called without any lock. */
void writer_registry_fini(struct astshm_writer *writer);

/* Makes the directory's tables in a fresh segment. -ENOSPC. */
int writer_registry_format(struct astshm_writer *writer);
/* Writes everything that is known into a fresh segment (reopen). -ENOSPC. */
int writer_registry_republish(struct astshm_writer *writer);

/* Is this the series of that key? */
bool writer_registry_matches(const struct writer_series *series, const struct writer_key *key);

/* Takes a series out of the table, under the lock. It is found by nobody who
 * looks from now on, and may be freed after a grace period. */
void writer_registry_unlink(struct astshm_writer *writer, struct writer_series *series);

uint64_t writer_registry_hash(const struct astshm_writer *writer, const struct writer_key *key);

/* Inside an RCU read section. NULL: no such series. */
struct writer_series *writer_registry_find(struct astshm_writer *writer,
					   const struct writer_key *key, uint64_t hash);

/*
 * Inside an RCU read section, without the lock: finds or makes the series, or
 * the one of [k=__other__] when the name is at its limit. 0 or -errno.
 */
int writer_registry_get(struct astshm_writer *writer, const struct writer_key *key,
			const struct writer_wish *wish, struct writer_series **series,
			struct astshm_error *error);

/* Under the lock: the counter may fall from now on. */
void writer_registry_make_up_down(struct astshm_writer *writer, uint32_t index);

/* Under the lock: a retired record is ready for the next series of its kind. */
void writer_registry_free_record(struct astshm_writer *writer, uint32_t index);

#endif
