/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "clock.h"
#include "fail.h"
#include "operations.h"
#include "record_states.h"

/* --- disabled ------------------------------------------------------ */

struct off {
	struct bench_scene disabled; /* final: no segment */
	struct bench_scene paused;   /* switched off at run time */
	struct astshm_counter null_counter, paused_counter;
	struct astshm_timing null_timing, paused_timing;
	struct astshm_tag tag;
};

#define OFF_LOOP(function, ...)                                                   \
	static void function(void *context, uint64_t iterations)                  \
	{                                                                         \
		struct off *s = context;                                          \
		for (uint64_t i = 0; i < iterations; i++) {                       \
			__VA_ARGS__;                                              \
			BENCH_STEP(i);                                            \
		}                                                                 \
	}
OFF_LOOP(null_add, astshm_counter_add(s->null_counter, 1))
OFF_LOOP(null_record, astshm_timing_record(s->null_timing, BENCH_NS(i)))
OFF_LOOP(disabled_named, astshm_increment(s->disabled.writer, "requests", 1, &s->tag, 1))
OFF_LOOP(paused_add, astshm_counter_add(s->paused_counter, 1))
OFF_LOOP(paused_record, astshm_timing_record(s->paused_timing, BENCH_NS(i)))
OFF_LOOP(paused_named, astshm_increment(s->paused.writer, "requests", 1, &s->tag, 1))

static void open_off(struct off *off)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;

	off->tag = (struct astshm_tag){ "event_type", "/live/track/mute" };
	options.flags = ASTSHM_OPEN_DISABLED;
	bench_scene_open(&off->disabled, "disabled", &options);
	off->null_counter = bench_counter(off->disabled.writer, "requests");
	off->null_timing = bench_timing(off->disabled.writer, "duration");
	bench_scene_open(&off->paused, "paused", NULL);
	off->paused_counter = bench_counter(off->paused.writer, "requests");
	off->paused_timing = bench_timing(off->paused.writer, "duration");
	/* Touched, so that switching off has entries to clear. */
	astshm_counter_add(off->paused_counter, 1);
	astshm_timing_record(off->paused_timing, 1);
	astshm_writer_set_recording(off->paused.writer, false);
}

/* Nothing came through. */
static void check_off(const struct off *off)
{
	uint64_t sum;

	bench_expect("counter of a paused writer", 1,
		     bench_scene_counter(&off->paused, "requests"));
	bench_expect("timing of a paused writer", 1,
		     bench_scene_samples(&off->paused, ASTSHM_KIND_TIMING, "duration", &sum));
}

void bench_record_disabled(struct bench_plan *plan, struct bench_report *report)
{
	struct off off = { 0 };
	struct bench_case cases[] = {
		{ .name = "counter add", .form = "null handle", .run = null_add },
		{ .name = "timing record", .form = "null handle", .run = null_record },
		{ .name = "increment by name, 1 tag", .form = "disabled", .run = disabled_named },
		{ .name = "counter add", .form = "switched off", .run = paused_add },
		{ .name = "timing record", .form = "switched off", .run = paused_record },
		{ .name = "increment by name, 1 tag", .form = "switched off",
		  .run = paused_named },
	};
	size_t count = sizeof cases / sizeof cases[0];

	open_off(&off);
	for (size_t i = 0; i < count; i++)
		cases[i].context = &off;
	bench_rounds(cases, count, plan);
	check_off(&off);
	for (size_t i = 0; i < count; i++) {
		struct bench_row *row = bench_report_add(report, cases[i].name, cases[i].form,
							 NULL, 0, "ns");
		row->instructions = cases[i].instructions;
		row->value = bench_case_summary(&cases[i], plan);
	}
	bench_scene_close(&off.disabled);
	bench_scene_close(&off.paused);
}

/* --- first touch --------------------------------------------------- */

#define COUNTERS_A_ROUND 256u
#define TIMINGS_A_ROUND 32u

/* New series for each sample; the record that is timed is their first. */
struct fresh {
	struct bench_scene scene;
	struct astshm_counter counters[COUNTERS_A_ROUND];
	struct astshm_timing timings[TIMINGS_A_ROUND];
	uint64_t made;
};

static const char *next_name(struct fresh *fresh, char name[32])
{
	snprintf(name, 32, "series.%llu", (unsigned long long)fresh->made++);
	return name;
}

static void make_counters(void *context, uint64_t count)
{
	struct fresh *fresh = context;
	char name[32];

	for (uint64_t i = 0; i < count; i++)
		fresh->counters[i] = bench_counter(fresh->scene.writer, next_name(fresh, name));
}

static void make_timings(void *context, uint64_t count)
{
	struct fresh *fresh = context;
	char name[32];

	for (uint64_t i = 0; i < count; i++)
		fresh->timings[i] = bench_timing(fresh->scene.writer, next_name(fresh, name));
}

static void touch_counters(void *context, uint64_t count)
{
	struct fresh *fresh = context;

	for (uint64_t i = 0; i < count; i++)
		astshm_counter_add(fresh->counters[i], 1);
}

static void touch_timings(void *context, uint64_t count)
{
	struct fresh *fresh = context;

	for (uint64_t i = 0; i < count; i++)
		astshm_timing_record(fresh->timings[i], BENCH_NS(i));
}

/* Every series was touched once, and once only. */
static void check_fresh(const struct fresh *fresh)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(fresh->scene.reader);

	bench_expect("series made for first touches", fresh->made,
		     astshm_snapshot_count(snapshot));
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		uint64_t records = series->kind == ASTSHM_KIND_COUNTER
					   ? (uint64_t)series->counter.value
					   : series->histogram.count;
		bench_expect("first touches of a series", 1, records);
	}
	astshm_snapshot_free(&snapshot);
}

void bench_record_first_touch(struct bench_plan *plan, struct bench_report *report)
{
	static struct fresh fresh;
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct bench_case cases[] = {
		{ .name = "counter add", .form = "first touch", .run = touch_counters,
		  .prepare = make_counters, .context = &fresh, .iterations = COUNTERS_A_ROUND },
		{ .name = "timing record", .form = "first touch", .run = touch_timings,
		  .prepare = make_timings, .context = &fresh, .iterations = TIMINGS_A_ROUND },
	};

	options.max_series = (uint32_t)(plan->rounds + 1) * (COUNTERS_A_ROUND + TIMINGS_A_ROUND);
	options.max_bytes = (64 + (uint64_t)plan->rounds) << 20;
	bench_scene_open(&fresh.scene, "first", &options);
	bench_rounds(cases, 2, plan);
	check_fresh(&fresh);
	for (size_t i = 0; i < 2; i++)
		bench_report_add(report, cases[i].name, cases[i].form, NULL, 0, "ns")->value =
			bench_case_summary(&cases[i], plan);
	bench_scene_close(&fresh.scene);
}
