/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "steps.h"

#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static const int64_t intervals[] = { 100 * MS, 200 * MS, 500 * MS, 1 * S, 2 * S,
				     5 * S,    10 * S,	 30 * S,   60 * S };
static const int64_t windows[] = { 10 * S, 30 * S, 60 * S, 300 * S, 900 * S, 3600 * S };

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The first that is larger, or the last that is smaller; -1 or count: none. */
static int neighbour(const int64_t *steps, int count, int64_t value, int by)
{
	int i = by > 0 ? 0 : count - 1;

	while (i >= 0 && i < count && (by > 0 ? steps[i] <= value : steps[i] >= value))
		i += by > 0 ? 1 : -1;
	return i;
}

int64_t interval_step(int64_t interval_ns, int by)
{
	int i = neighbour(intervals, COUNT_OF(intervals), interval_ns, by);

	return i < 0 || i == COUNT_OF(intervals) ? interval_ns : intervals[i];
}

int64_t window_step(int64_t window_ns, int by)
{
	int i = neighbour(windows, COUNT_OF(windows), window_ns, by);

	return i < 0 ? windows[COUNT_OF(windows) - 1]
	       : i == COUNT_OF(windows) ? windows[0] : windows[i];
}
