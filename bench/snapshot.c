/* SPDX-License-Identifier: MIT */
/* What do attaching, a snapshot and each encoder cost? */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "commands.h"
#include "cores.h"
#include "encoders.h"
#include "fail.h"
#include "segment_shape.h"

#define DESIGN "1,000 counters + 100 timings" /* of the design's figures */

/*
 * Steps of a reader, in the order in which it takes them. The first pass takes
 * the page faults, the second still fills caches and TLB (and, under some
 * hypervisors, the shadow of the page table); steady is what the next polls cost.
 */
enum step { ATTACH, FIRST, SECOND, STEADY, STEPS };
static const char *const step_names[] = { "attach", "first snapshot", "second snapshot",
					  "steady snapshot" };
#define BYSTANDERS 63u
#define POLLS 6u /* the last of them is taken as steady */

/* One shape, measured `rounds` times. */
struct course {
	struct bench_segment segment;
	size_t rounds;
	double *us[STEPS];
	double *encode_us[BENCH_ENCODERS];
	size_t encoded_bytes[BENCH_ENCODERS], encoded_numbers[BENCH_ENCODERS];
	size_t snapshot_bytes;
	uint64_t torn;
};

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static double since_us(uint64_t start_ns)
{
	return (double)(bench_thread_cpu_ns() - start_ns) / 1e3;
}

/* Takes a snapshot, timed. */
static struct astshm_snapshot *timed_snapshot(struct astshm_reader *reader, double *us)
{
	uint64_t start = bench_thread_cpu_ns();
	struct astshm_snapshot *snapshot = bench_scene_snapshot(reader);

	*us = since_us(start);
	return snapshot;
}

static void encode_all(struct course *course, const struct astshm_snapshot *snapshot,
		       size_t round)
{
	for (unsigned e = 0; e < BENCH_ENCODERS; e++) {
		struct bench_output output = { 0 };
		uint64_t start = bench_thread_cpu_ns();
		bench_encode(e, snapshot, &output);
		course->encode_us[e][round] = since_us(start);
		course->encoded_bytes[e] = output.bytes;
		if (round == 0)
			course->encoded_numbers[e] = bench_count_numbers(e, snapshot);
	}
}

static void run_round(struct course *course, size_t round, bool idle)
{
	uint64_t start = bench_thread_cpu_ns();
	struct astshm_reader *reader = bench_scene_attach(&course->segment.scene);
	struct astshm_snapshot *snapshot;

	course->us[ATTACH][round] = since_us(start);
	snapshot = timed_snapshot(reader, &course->us[FIRST][round]);
	astshm_snapshot_free(&snapshot);
	for (unsigned poll = 2; poll < POLLS; poll++) {
		snapshot = timed_snapshot(reader, &course->us[poll == 2 ? SECOND : STEADY][round]);
		astshm_snapshot_free(&snapshot);
	}
	size_t before = heap_bytes();
	snapshot = timed_snapshot(reader, &course->us[STEADY][round]);
	course->snapshot_bytes = heap_bytes() - before;
	course->torn += astshm_snapshot_segment(snapshot)->torn;
	if (idle) {
		bench_segment_check(&course->segment, snapshot);
		encode_all(course, snapshot, round);
	}
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}

static void begin(struct course *course, const struct bench_shape *shape, size_t rounds)
{
	bench_segment_open(&course->segment, shape);
	course->rounds = rounds;
	for (unsigned s = 0; s < STEPS; s++)
		course->us[s] = bench_array(rounds, sizeof(double));
	for (unsigned e = 0; e < BENCH_ENCODERS; e++)
		course->encode_us[e] = bench_array(rounds, sizeof(double));
}

static void finish(struct course *course)
{
	bench_segment_close(&course->segment);
	for (unsigned s = 0; s < STEPS; s++)
		free(course->us[s]);
	for (unsigned e = 0; e < BENCH_ENCODERS; e++)
		free(course->encode_us[e]);
}

/* What a row's x counts, which is what the shapes of one curve differ in. */
struct axis {
	const char *variant, *parameter;
	double x;
};

static void take_steps(struct course *course, const struct axis *axis,
		       struct bench_report *report)
{
	for (unsigned s = 0; s < STEPS; s++)
		bench_report_add(report, step_names[s], axis->variant, axis->parameter, axis->x,
				 "us")
			->value = bench_summarize(course->us[s], course->rounds);
}

static void add_rate(struct bench_report *report, const char *name, const struct axis *axis,
		     double rate, const char *unit)
{
	struct bench_row *row = bench_report_add(report, name, axis->variant, axis->parameter,
						 axis->x, unit);

	row->value = bench_exactly(rate);
	row->more_is_better = true;
}

static void take_encoders(struct course *course, const struct axis *axis,
			  struct bench_report *report)
{
	char name[64];

	bench_report_add(report, "snapshot's memory", axis->variant, axis->parameter, axis->x,
			 "KiB")
		->value = bench_exactly((double)course->snapshot_bytes / 1024);
	for (unsigned e = 0; e < BENCH_ENCODERS; e++) {
		struct bench_summary us = bench_summarize(course->encode_us[e], course->rounds);
		snprintf(name, sizeof name, "to %s", bench_encoder_name(e));
		bench_report_add(report, name, axis->variant, axis->parameter, axis->x, "us")
			->value = us;
		snprintf(name, sizeof name, "to %s, bytes", bench_encoder_name(e));
		add_rate(report, name, axis, (double)course->encoded_bytes[e] / us.median, "MB/s");
		if (course->encoded_numbers[e] == 0)
			continue;
		snprintf(name, sizeof name, "to %s, numbers", bench_encoder_name(e));
		add_rate(report, name, axis, (double)course->encoded_numbers[e] / us.median, "M/s");
	}
}

static void measure(const struct bench_shape *shape, const struct axis *axis, size_t rounds,
		    struct bench_report *report)
{
	struct course course = { 0 };

	begin(&course, shape, rounds);
	for (size_t round = 0; round < rounds; round++)
		run_round(&course, round, true);
	take_steps(&course, axis, report);
	take_encoders(&course, axis, report);
	finish(&course);
}

/* The same while every core records. */
static void measure_busy(const struct bench_shape *shape, const struct axis *axis, size_t rounds,
			 struct bench_report *report)
{
	struct course course = { 0 };

	begin(&course, shape, rounds);
	bench_segment_keep_writing(&course.segment);
	for (size_t round = 0; round < rounds; round++)
		run_round(&course, round, false);
	bench_segment_be_quiet(&course.segment);
	take_steps(&course, axis, report);
	bench_report_add(report, "blocks taken torn, all rounds", axis->variant, axis->parameter,
			 axis->x, "")
		->value = bench_exactly((double)course.torn);
	finish(&course);
}

/* One thread recorded all series; others are there that did not. */
static void measure_bystanders(const struct bench_shape *alone, size_t rounds,
			       struct bench_report *report)
{
	struct bench_shape shape = *alone;
	struct axis axis = { DESIGN ", touched by one thread", "threads", 0 };

	shape.threads = 1;
	shape.bystanders = BYSTANDERS;
	axis.x = 1 + BYSTANDERS;
	measure(&shape, &axis, rounds, report);
}

static void add_targets(struct bench_report *r)
{
	double hundred_thousand = bench_report_median(r, "steady snapshot", "counters", 1e5);

	bench_report_at_most(r, "attach, 1,000 series",
			     bench_report_median(r, "attach", "counters", 1000), 200, "us");
	bench_report_at_most(r, "snapshot, " DESIGN ", 8 threads",
			     bench_report_median(r, "steady snapshot", DESIGN, 8), 450, "us");
	bench_report_at_most(r, "the same to JSON", bench_report_median(r, "to JSON", DESIGN, 8),
			     1000, "us");
	bench_report_at_most(r, "the same to msgpack",
			     bench_report_median(r, "to msgpack", DESIGN, 8), 500, "us");
	bench_report_at_most(r, "steady snapshot, 10^5 counters", hundred_thousand / 1e3, 10,
			     "ms");
	bench_report_at_least(r, "JSON of 10^5 counters, bytes",
			      bench_report_median(r, "to JSON, bytes", "counters", 1e5), 200,
			      "MB/s");
	bench_report_at_least(r, "JSON of timings, numbers",
			      bench_report_median(r, "to JSON, numbers", DESIGN, 8), 1, "M/s");
}

void bench_snapshot(const struct bench_options *options, struct bench_report *report)
{
	size_t rounds = options->rounds > 0 ? options->rounds : options->quick ? 2 : 15;
	size_t most = options->quick ? 1000 : 1000000;
	unsigned threads_most = options->quick ? 2 : 64;
	size_t timings = options->quick ? 5 : 100, counters = options->quick ? 50 : 1000;

	for (size_t count = 100; count <= most; count *= 10) {
		struct bench_shape shape = { .counters = count, .threads = 1 };
		struct axis axis = { "counters", "series", (double)count };
		measure(&shape, &axis, count < 1000000 ? rounds : rounds / 3 + 1, report);
	}
	for (unsigned threads = 1; threads <= threads_most; threads *= threads < 8 ? 2 : 8) {
		struct bench_shape shape = {
			.counters = counters, .timings = timings, .threads = threads,
			.records = options->quick ? 10 : threads <= 8 ? 100000 : 1000
		};
		struct axis axis = { DESIGN, "threads", threads };
		measure(&shape, &axis, rounds, report);
		axis.variant = DESIGN ", all cores recording";
		measure_busy(&shape, &axis, rounds, report);
	}
	struct bench_shape alone = { .counters = counters, .timings = timings,
				     .records = options->quick ? 10 : 100000 };
	measure_bystanders(&alone, rounds, report);
	if (!options->quick)
		add_targets(report);
}
