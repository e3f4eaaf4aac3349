/* SPDX-License-Identifier: MIT */
/* What does it cost to keep the last minutes, and to look back on them? */
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "commands.h"
#include "cores.h"
#include "fail.h"
#include "segment_shape.h"

#define WINDOW_NS INT64_C(20000000)

static const unsigned thread_counts[] = { 1, 8, 64 };
#define TIMINGS_LIMIT 40.0 /* us of a tick for each timing that 64 threads record */

struct samples {
	size_t rounds;
	double *tick_us, *window_us, *history_us;
};

static double since_us(uint64_t start_ns)
{
	return (double)(bench_thread_cpu_ns() - start_ns) / 1e3;
}

/* Ticks are a period apart, or the next has nothing to keep. */
static void wait_a_period(void)
{
	struct timespec pause = { 0, 1100000 };

	nanosleep(&pause, NULL);
}

static void tick(struct bench_segment *segment, double *us)
{
	wait_a_period();
	uint64_t start = bench_thread_cpu_ns();
	if (astshm_writer_tick(segment->scene.writer, NULL) != 0)
		bench_fail("tick");
	*us = since_us(start);
}

/* The lifetime's values as they are, and a window in which nothing happened. */
static void look_back(struct bench_segment *segment, double *us)
{
	struct astshm_snapshot *snapshot;
	struct astshm_error error;
	uint64_t start = bench_thread_cpu_ns();

	if (astshm_reader_window(segment->scene.reader, WINDOW_NS, 0, &snapshot, &error) != 0)
		bench_fail("window: %s", error.text);
	*us = since_us(start);
	bench_segment_check(segment, snapshot);
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);
	for (size_t i = 0; i < astshm_snapshot_count(window); i++) {
		const struct astshm_series *series = astshm_snapshot_at(window, i);
		bench_expect("samples in a quiet window", 0,
			     series->kind == ASTSHM_KIND_COUNTER ?
				     (uint64_t)series->counter.increase :
				     series->histogram.count);
	}
	astshm_snapshot_free(&snapshot);
}

/* The bytes of the history for an entry; each of them is the snapshot it was. */
static double read_all(struct bench_segment *segment, double *us)
{
	struct astshm_history *history;
	struct astshm_snapshot *snapshot;
	struct astshm_error error;
	uint64_t start = bench_thread_cpu_ns();

	if (astshm_reader_history(segment->scene.reader, &history, &error) != 0)
		bench_fail("history: %s", error.text);
	*us = since_us(start);
	size_t count = astshm_history_count(history);
	if (astshm_history_snapshot(history, count - 1, &snapshot, &error) != 0)
		bench_fail("entry: %s", error.text);
	bench_segment_check(segment, snapshot);
	astshm_snapshot_free(&snapshot);
	double bytes = (double)astshm_history_info(history)->bytes / (double)count;
	astshm_history_free(&history);
	return bytes;
}

static double run(struct bench_segment *segment, struct samples *samples)
{
	double ignored, bytes = 0;

	for (size_t i = 0; i < 24; i++) /* the ring is full, and its memory known */
		tick(segment, &ignored);
	for (size_t round = 0; round < samples->rounds; round++) {
		tick(segment, &samples->tick_us[round]);
		look_back(segment, &samples->window_us[round]);
		bytes = read_all(segment, &samples->history_us[round]);
	}
	return bytes;
}

static void add_rows(struct bench_report *report, const struct bench_shape *shape,
		     struct samples *samples, double bytes)
{
	double timings = (double)shape->timings;

	for (size_t i = 0; i < samples->rounds; i++)
		samples->tick_us[i] /= timings;
	bench_report_add(report, "tick, for each timing", "", "threads", shape->threads, "us")
		->value = bench_summarize(samples->tick_us, samples->rounds);
	bench_report_add(report, "window", "100 timings", "threads", shape->threads, "us")
		->value = bench_summarize(samples->window_us, samples->rounds);
	bench_report_add(report, "whole history", "25 entries", "threads", shape->threads, "us")
		->value = bench_summarize(samples->history_us, samples->rounds);
	bench_report_add(report, "an entry, for each timing", "", "threads", shape->threads,
			 "bytes")
		->value = bench_exactly(bytes / timings);
}

static void measure(const struct bench_shape *shape, size_t rounds, struct bench_report *report)
{
	struct bench_segment segment;
	struct samples samples = { rounds, bench_array(rounds, sizeof(double)),
				   bench_array(rounds, sizeof(double)),
				   bench_array(rounds, sizeof(double)) };

	bench_segment_open(&segment, shape);
	double bytes = run(&segment, &samples);
	add_rows(report, shape, &samples, bytes);
	bench_segment_close(&segment);
	free(samples.tick_us);
	free(samples.window_us);
	free(samples.history_us);
}

void bench_history(const struct bench_options *options, struct bench_report *report)
{
	struct bench_plan plan = bench_plan(options);

	bench_pin(0);
	for (size_t i = 0; i < sizeof thread_counts / sizeof thread_counts[0]; i++) {
		struct bench_shape shape = { .counters = 1, .timings = 100,
					     .threads = thread_counts[i],
					     .records = options->quick ? 100 : 10000 };
		measure(&shape, plan.rounds, report);
	}
	bench_report_at_most(report, "tick, for each timing that 64 threads record",
			     bench_report_median(report, "tick, for each timing", "", 64),
			     TIMINGS_LIMIT, "us");
}
