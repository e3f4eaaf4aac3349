/* SPDX-License-Identifier: MIT */
/* A segment filled with series that threads have touched. */
#ifndef BENCH_SEGMENT_SHAPE_H
#define BENCH_SEGMENT_SHAPE_H

#include "background.h"
#include "scene.h"

struct bench_shape {
	size_t counters, timings;
	unsigned threads;    /* all of them touch every series */
	size_t records;      /* of each timing and thread, lognormal about 1 ms */
	unsigned bystanders; /* threads more, each of which touches one counter */
};

struct bench_segment {
	struct bench_shape shape;
	struct bench_scene scene;
	struct astshm_counter *counters;
	struct astshm_timing *timings;
	int64_t *values; /* the lognormal ones, again and again */
	struct bench_background writers;
};

void bench_segment_open(struct bench_segment *segment, const struct bench_shape *shape);
void bench_segment_close(struct bench_segment *segment);
/* Fails unless this snapshot of the idle segment holds what was recorded. */
void bench_segment_check(const struct bench_segment *segment,
			 const struct astshm_snapshot *snapshot);
/* A thread a core records into all series without a pause, until stopped. */
void bench_segment_keep_writing(struct bench_segment *segment);
void bench_segment_be_quiet(struct bench_segment *segment);

#endif
