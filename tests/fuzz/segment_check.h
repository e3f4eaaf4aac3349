/* SPDX-License-Identifier: MIT */
/* What must hold of a snapshot, whatever bytes it was made of. */
#ifndef FUZZ_SEGMENT_CHECK_H
#define FUZZ_SEGMENT_CHECK_H

#include <astshm/reader.h>

/* Its series, and every document of it, each read back as far as that can be done.
 * Aborts where something does not hold. */
void check_snapshot(const struct astshm_snapshot *snapshot);

/* Two passes over the same bytes. */
void check_same(const struct astshm_snapshot *one, const struct astshm_snapshot *other);

/* What is made of two passes: interval, sum, groups, another order. */
void check_derived(const struct astshm_snapshot *newer, const struct astshm_snapshot *older);

/* Documents that were checked. */
extern unsigned long long check_documents;

#endif
