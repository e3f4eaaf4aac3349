/* SPDX-License-Identifier: MIT */
/* Damage to an image of a segment that knows what lies where. */
#ifndef FUZZ_SEGMENT_DAMAGE_H
#define FUZZ_SEGMENT_DAMAGE_H

#include "mutate.h"
#include "segment_records.h"

/*
 * One change, the same for the same random state and bytes. Where image->room is
 * image->size it is made in place, as it may be to a segment that is being read.
 */
void segment_damage(struct segment_image *image, struct fuzz_random *random);

#endif
