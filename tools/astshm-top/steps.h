/* SPDX-License-Identifier: MIT */
/* The intervals and windows that keys step through. */
#ifndef TOP_STEPS_H
#define TOP_STEPS_H

#include <stdint.h>

/* The next longer (or shorter) one; the same at the end. */
int64_t interval_step(int64_t interval_ns, int by);
/* The next longer one; after the longest the shortest. By -1 the other way. */
int64_t window_step(int64_t window_ns, int by);

#endif
