/* SPDX-License-Identifier: MIT */
/* Families: what the series of one (kind, name) have in common. */
#ifndef WRITER_FAMILY_H
#define WRITER_FAMILY_H

#include "state.h"

/* Under the lock: finds or makes the family. -ENOSPC, -ENOMEM. */
int writer_family_get(struct astshm_writer *writer, uint32_t kind, const char *name,
		      uint32_t name_len, struct writer_family **family);

/* Could these be a family's unit and help? -EINVAL. NULL: nothing to check. */
int writer_family_check(const char *unit, const char *help, struct astshm_error *error);

/* Under the lock: new unit and help where not NULL. -EINVAL, -ENOSPC, -ENOMEM. */
int writer_family_describe(struct astshm_writer *writer, struct writer_family *family,
			   const char *unit, const char *help, struct astshm_error *error);

/* Under the lock: how gauges of several processes become one. */
void writer_family_set_merge(struct astshm_writer *writer, struct writer_family *family,
			     enum astshm_merge merge);

/* Writes all families into a fresh segment. -ENOSPC. */
int writer_family_republish(struct astshm_writer *writer);

void writer_family_free_all(struct astshm_writer *writer);

#endif
