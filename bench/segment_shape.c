/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cores.h"
#include "fail.h"
#include "segment_shape.h"
#include "team.h"

#define VALUES 65536u /* a power of two */
#define SIGMA 1.2
#define MEDIAN_NS 1e6
#define TURN 4096u /* records of a step of a background writer */

/* Box and Muller's, from a generator with a fixed seed. */
static int64_t *lognormal_values(void)
{
	int64_t *values = bench_array(VALUES, sizeof *values);
	unsigned short seed[3] = { 1, 2, 3 };

	for (size_t i = 0; i < VALUES; i++) {
		double u = 1.0 - erand48(seed), v = erand48(seed);
		double normal = sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
		values[i] = (int64_t)(MEDIAN_NS * exp(SIGMA * normal));
	}
	return values;
}

static void record_share(void *context, unsigned thread)
{
	const struct bench_segment *segment = context;

	if (thread >= segment->shape.threads) {
		astshm_counter_add(segment->counters[0], 0);
		return;
	}
	for (size_t i = 0; i < segment->shape.counters; i++)
		astshm_counter_add(segment->counters[i], i + 1);
	for (size_t i = 0; i < segment->shape.timings; i++) {
		for (size_t k = 0; k < segment->shape.records; k++)
			astshm_timing_record(segment->timings[i],
					     segment->values[(k + thread * 977 + i) % VALUES]);
	}
}

static void register_series(struct bench_segment *segment)
{
	const struct bench_shape *shape = &segment->shape;
	char name[48];

	segment->counters = bench_array(shape->counters, sizeof *segment->counters);
	segment->timings = bench_array(shape->timings, sizeof *segment->timings);
	for (size_t i = 0; i < shape->counters; i++) {
		snprintf(name, sizeof name, "requests.received.%zu", i);
		segment->counters[i] = bench_counter(segment->scene.writer, name);
	}
	for (size_t i = 0; i < shape->timings; i++) {
		snprintf(name, sizeof name, "processing.duration.%zu", i);
		segment->timings[i] = bench_timing(segment->scene.writer, name);
	}
}

void bench_segment_open(struct bench_segment *segment, const struct bench_shape *shape)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	size_t series = shape->counters + shape->timings;
	unsigned threads = shape->threads + shape->bystanders;
	struct bench_job job = { threads, record_share, segment };
	uint64_t cpu_ns, wall_ns;

	*segment = (struct bench_segment){ .shape = *shape, .values = lognormal_values() };
	options.max_series = (uint32_t)(series + 16);
	options.max_bytes = ((uint64_t)64 << 20) + series * 1024 +
			    (uint64_t)shape->threads * (series * 16 + shape->timings * 25000);
	options.tick_ms = options.history_ms = 1; /* each tick keeps an entry */
	bench_scene_open(&segment->scene, "snapshot", &options);
	register_series(segment);
	struct bench_team *team = bench_team_start(threads);
	bench_team_run(team, &job, &cpu_ns, &wall_ns);
	bench_team_stop(team);
}

void bench_segment_close(struct bench_segment *segment)
{
	bench_scene_close(&segment->scene);
	free(segment->counters);
	free(segment->timings);
	free(segment->values);
}

void bench_segment_check(const struct bench_segment *segment,
			 const struct astshm_snapshot *snapshot)
{
	const struct bench_shape *shape = &segment->shape;
	uint64_t sum = 0, records = 0;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (series->kind == ASTSHM_KIND_COUNTER)
			sum += (uint64_t)series->counter.value;
		else
			records += series->histogram.count;
	}
	bench_expect("series of a snapshot", shape->counters + shape->timings,
		     astshm_snapshot_count(snapshot));
	bench_expect("sum of all counters",
		     shape->threads * ((uint64_t)shape->counters * (shape->counters + 1) / 2), sum);
	bench_expect("records of all timings",
		     (uint64_t)shape->threads * shape->timings * shape->records, records);
}

static void write_on(void *context, unsigned thread)
{
	const struct bench_segment *segment = context;

	for (size_t k = 0; k < TURN; k++) {
		if (segment->shape.counters > 0)
			astshm_counter_add(segment->counters[k % segment->shape.counters], 1);
		if (segment->shape.timings > 0)
			astshm_timing_record(segment->timings[k % segment->shape.timings],
					     segment->values[(k + thread * 977) % VALUES]);
	}
}

void bench_segment_keep_writing(struct bench_segment *segment)
{
	segment->writers.step = write_on;
	segment->writers.context = segment;
	bench_background_start(&segment->writers, bench_core_count());
}

void bench_segment_be_quiet(struct bench_segment *segment)
{
	bench_background_stop(&segment->writers);
}
