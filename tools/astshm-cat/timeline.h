/* SPDX-License-Identifier: MIT */
/*
 * A line for each interval: how much was done, how long it took, what went wrong.
 */
#ifndef CAT_TIMELINE_H
#define CAT_TIMELINE_H

#include <stdint.h>

#include <astshm/reader.h>

#define TIMELINE_TEXT 48
#define TIMELINE_LEGEND 1024
#define TIMELINE_ROW 512

/* What the columns tell of; names of a snapshot that outlives it, or NULL. */
struct timeline {
	const char *counter;
	const char *timing;
};

/*
 * events.processed and event.processing.duration, as in the summary; where they do
 * not exist the counter that counted most and the timing with the most samples.
 */
void timeline_choose(struct timeline *timeline, const struct astshm_snapshot *whole);

void timeline_legend(const struct timeline *timeline, char text[TIMELINE_LEGEND]);
void timeline_head(char text[TIMELINE_LEGEND]);
void timeline_row(const struct timeline *timeline, const struct astshm_snapshot *interval,
		  char row[TIMELINE_ROW]);

/* 2026-11-22T10:30:00Z; the same with nanoseconds; 4.25s, 3m04s. */
void timeline_time(char text[TIMELINE_TEXT], uint64_t realtime_ns);
void timeline_exact_time(char text[TIMELINE_TEXT], uint64_t realtime_ns);
void timeline_length(char text[TIMELINE_TEXT], uint64_t ns);

#endif
