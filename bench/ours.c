/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "clock.h"
#include "fail.h"
#include "operations.h"

BENCH_LOOPS(counter_add, astshm_counter_add(s->counter[k], 1))
BENCH_LOOPS(gauge_set, astshm_gauge_set(s->gauge[k], (double)i))
BENCH_LOOPS(timing_record, astshm_timing_record(s->timing[k], BENCH_NS(i)))
BENCH_LOOPS(distribution_record, astshm_distribution_record(s->distribution[k], BENCH_NS(i)))
BENCH_LOOPS(timer, astshm_timer_stop(s->timing[k], astshm_timer_start()))
BENCH_LOOPS(increment_named, astshm_increment(s->scene->writer, s->name[k], 1, ASTSHM_NO_TAGS))
BENCH_LOOPS(increment_1_tag, astshm_increment(s->scene->writer, s->name[k], 1, s->tags, 1))
BENCH_LOOPS(increment_3_tags, astshm_increment(s->scene->writer, s->name[k], 1, s->tags, 3))
BENCH_LOOPS(time_named, astshm_time(s->scene->writer, s->name[k], BENCH_NS(i), ASTSHM_NO_TAGS))
BENCH_LOOPS(time_1_tag, astshm_time(s->scene->writer, s->name[k], BENCH_NS(i), s->tags, 1))
BENCH_LOOPS(time_3_tags, astshm_time(s->scene->writer, s->name[k], BENCH_NS(i), s->tags, 3))

/* The handles' series are named like the by-name ones, in the order of turns. */
#define REGISTER_TURNS(kind)                                                      \
	static void register_##kind##s(struct bench_subject *s)                   \
	{                                                                         \
		for (size_t k = 0; k < BENCH_TURNS; k++)                          \
			s->kind[k] = bench_##kind(s->scene->writer, s->name[k]);  \
	}
REGISTER_TURNS(counter)
REGISTER_TURNS(gauge)
REGISTER_TURNS(timing)
REGISTER_TURNS(distribution)

/* By name they are made by their first use; what is not used is not there. */
static uint64_t total_of(struct bench_subject *s, enum astshm_kind kind, size_t tag_count)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(s->scene->reader);
	uint64_t total = 0;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (series->kind != kind || series->tag_count != tag_count)
			continue;
		for (size_t k = 0; k < BENCH_TURNS; k++) {
			if (strcmp(series->family->name, s->name[k]) != 0)
				continue;
			total += kind == ASTSHM_KIND_COUNTER ? (uint64_t)series->counter.value
				 : kind == ASTSHM_KIND_GAUGE ? series->gauge.count
							     : series->histogram.count;
		}
	}
	astshm_snapshot_free(&snapshot);
	return total;
}

#define TOTAL(function, kind, tag_count)                                          \
	static uint64_t function(struct bench_subject *s)                         \
	{                                                                         \
		return total_of(s, kind, tag_count);                              \
	}
TOTAL(counters, ASTSHM_KIND_COUNTER, 0)
TOTAL(counters_1_tag, ASTSHM_KIND_COUNTER, 1)
TOTAL(counters_3_tags, ASTSHM_KIND_COUNTER, 3)
TOTAL(gauges, ASTSHM_KIND_GAUGE, 0)
TOTAL(timings, ASTSHM_KIND_TIMING, 0)
TOTAL(timings_1_tag, ASTSHM_KIND_TIMING, 1)
TOTAL(timings_3_tags, ASTSHM_KIND_TIMING, 3)
TOTAL(distributions, ASTSHM_KIND_DISTRIBUTION, 0)

const struct bench_operation bench_ours[] = {
	{ "counter add", BENCH_RUN(counter_add), counters, register_counters, NULL },
	{ "gauge set", BENCH_RUN(gauge_set), gauges, register_gauges, NULL },
	{ "timing record", BENCH_RUN(timing_record), timings, register_timings, NULL },
	{ "distribution record", BENCH_RUN(distribution_record), distributions,
	  register_distributions, NULL },
	{ "timer start+stop", BENCH_RUN(timer), timings, register_timings, NULL },
	{ "increment by name", BENCH_RUN(increment_named), counters, NULL, NULL },
	{ "increment by name, 1 tag", BENCH_RUN(increment_1_tag), counters_1_tag, NULL, NULL },
	{ "increment by name, 3 tags", BENCH_RUN(increment_3_tags), counters_3_tags, NULL, NULL },
	{ "timing by name", BENCH_RUN(time_named), timings, NULL, NULL },
	{ "timing by name, 1 tag", BENCH_RUN(time_1_tag), timings_1_tag, NULL, NULL },
	{ "timing by name, 3 tags", BENCH_RUN(time_3_tags), timings_3_tags, NULL, NULL },
};
const size_t bench_ours_count = sizeof bench_ours / sizeof bench_ours[0];
