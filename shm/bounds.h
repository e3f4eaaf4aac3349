/* SPDX-License-Identifier: MIT */
/*
 * Bounds of histogram buckets inside one octave, for readers.
 */
#ifndef SHM_BOUNDS_H
#define SHM_BOUNDS_H

/* 2^(j/64), each the nearest double. Written by shm/bucket_table.py. */
extern const double shm_octave_bounds[64];

#endif
