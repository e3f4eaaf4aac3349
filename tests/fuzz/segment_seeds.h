/* SPDX-License-Identifier: MIT */
/* Segments of every kind, made by the writer itself. */
#ifndef FUZZ_SEGMENT_SEEDS_H
#define FUZZ_SEGMENT_SEEDS_H

#include "target.h"

/* The image of one, without what differs from run to run: process and thread
 * ids, times, the generation. False: there is no such one. */
bool segment_seed(size_t index, struct fuzz_input *input);

#endif
