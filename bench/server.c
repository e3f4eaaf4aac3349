/* SPDX-License-Identifier: MIT */
/* What do its metrics cost ast-server? */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "cores.h"
#include "event_path.h"
#include "fail.h"
#include "server_process.h"

#define STEADY_RATE 20000u
#define STEADY_EVENTS 20000u /* a round: one second */
#define BURST_EVENTS 20000u
#define ROUNDS 5u
/* Rates tried until the queue of 1000 events overflows: each a quarter above the last. */
#define FIRST_RATE 20000u
#define LAST_RATE 2000000u

/* What a round found, with metrics and without. */
struct samples {
	double cpu_us, burst_per_second, kept, until_loss;
};

/* Steady load that it follows: CPU time of an event. */
static double steady(struct bench_server *server, uint64_t count)
{
	uint64_t before = bench_server_cpu_ns(server);

	bench_server_load(server, count, STEADY_RATE);
	bench_server_settle(server);
	return (double)(bench_server_cpu_ns(server) - before) / (double)count / 1e3;
}

/* As fast as we can send; what it did not lose, in the CPU time it took. */
static void burst(struct bench_server *server, uint64_t count, struct samples *samples)
{
	uint64_t start = bench_wall_ns();

	bench_server_load(server, count, 0);
	double seconds = (double)(bench_wall_ns() - start) / 1e9;
	bench_server_settle(server);
	samples->burst_per_second = (double)count / seconds;
}

static void check_counts(const struct bench_server_counts *counts, uint64_t sent)
{
	bench_expect("parse errors", 0, counts->parse_errors);
	bench_expect("packets received and dropped by the kernel", sent,
		     counts->received + counts->kernel_dropped);
	bench_expect("packets processed and dropped", counts->received,
		     counts->processed + counts->queue_dropped);
}

static uint64_t counter(const struct astshm_snapshot *snapshot, const char *key)
{
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, key);

	if (!series)
		bench_fail("ast-server has no %s", key);
	return (uint64_t)series->counter.value;
}

static void add_timing(struct bench_report *report, const struct astshm_snapshot *snapshot,
		       const char *key)
{
	static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999 };
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, key);
	double values[4];

	if (!series)
		bench_fail("ast-server has no %s", key);
	astshm_histogram_quantiles(&series->histogram, ASTSHM_KIND_TIMING, quantiles, values, 4);
	for (size_t i = 0; i < 4; i++)
		bench_report_add(report, key, "", "quantile", quantiles[i], "us")->value =
			bench_exactly(values[i] / 1e3);
}

/* Read from outside after the steady load, before any burst. */
static void take_metrics(const struct bench_server *server, uint64_t sent,
			 struct bench_report *report, bool add)
{
	struct astshm_snapshot *snapshot = bench_server_snapshot(server);

	bench_expect("udp.packet.received", sent, counter(snapshot, "udp.packet.received") +
							  counter(snapshot, "udp.kernel.dropped"));
	if (add) {
		add_timing(report, snapshot, "event.processing.duration");
		add_timing(report, snapshot, "event.queue.wait");
	}
	astshm_snapshot_free(&snapshot);
}

/* Half a second at that rate, on a server of its own. */
static bool keeps_up(const struct bench_options *options, bool metrics, uint64_t rate)
{
	uint64_t events = options->quick ? 500 : rate / 2;
	struct bench_server server;

	bench_server_start(&server, options->server, metrics);
	bench_server_load(&server, events, rate);
	bench_server_settle(&server);
	struct bench_server_counts counts = bench_server_stop(&server);
	check_counts(&counts, events);
	return counts.kernel_dropped + counts.queue_dropped == 0;
}

/* The highest rate without loss. */
static double rate_until_loss(const struct bench_options *options, bool metrics)
{
	uint64_t last = options->quick ? FIRST_RATE : LAST_RATE;
	uint64_t kept = 0;

	for (uint64_t rate = FIRST_RATE; rate <= last; rate += rate / 4) {
		if (!keeps_up(options, metrics, rate))
			break;
		kept = rate;
	}
	return (double)kept;
}

static struct samples run_round(const struct bench_options *options, bool metrics, bool last,
				struct bench_report *report)
{
	uint64_t events = options->quick ? 1000 : STEADY_EVENTS;
	uint64_t bursts = options->quick ? 200 : BURST_EVENTS;
	struct bench_server server;
	struct samples samples;

	bench_server_start(&server, options->server, metrics);
	samples.cpu_us = steady(&server, events);
	if (metrics)
		take_metrics(&server, events, report, last);
	burst(&server, bursts, &samples);
	struct bench_server_counts counts = bench_server_stop(&server);
	check_counts(&counts, events + bursts);
	samples.until_loss = rate_until_loss(options, metrics);
	samples.kept = 100.0 * (double)counts.processed / (double)(events + bursts);
	return samples;
}

static const char *const names[2] = { "without metrics", "with metrics" };

/* One field of all rounds' samples. */
static struct bench_row *add_row(struct bench_report *report, const char *name, unsigned metrics,
				 const struct samples *samples, size_t rounds, size_t field_off,
				 const char *unit)
{
	double *values = bench_array(rounds, sizeof *values);
	struct bench_row *row = bench_report_add(report, name, names[metrics], NULL, 0, unit);

	for (size_t i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&samples[i] + field_off, sizeof values[i]);
	row->value = bench_summarize(values, rounds);
	row->more_is_better = true;
	free(values);
	return row;
}

static void add_rows(struct bench_report *report, struct samples *samples[2], size_t rounds)
{
	for (unsigned metrics = 0; metrics < 2; metrics++) {
		add_row(report, "CPU time of an event, 20,000 a second", metrics, samples[metrics],
			rounds, offsetof(struct samples, cpu_us), "us")
			->more_is_better = false;
		add_row(report, "events a second until loss", metrics, samples[metrics], rounds,
			offsetof(struct samples, until_loss), "1/s");
		add_row(report, "kept, bursts included", metrics, samples[metrics], rounds,
			offsetof(struct samples, kept), "%");
		add_row(report, "sent in bursts", metrics, samples[metrics], rounds,
			offsetof(struct samples, burst_per_second), "1/s");
	}
}

void bench_server(const struct bench_options *options, struct bench_report *report)
{
	size_t rounds = options->rounds > 0 ? options->rounds : options->quick ? 1 : ROUNDS;
	struct samples *samples[2];

	if (!options->server)
		bench_fail("server: give --server PATH");
	for (unsigned metrics = 0; metrics < 2; metrics++)
		samples[metrics] = bench_array(rounds, sizeof **samples);
	for (size_t round = 0; round < rounds; round++) {
		for (unsigned turn = 0; turn < 2; turn++) {
			unsigned metrics = (unsigned)((turn + round) % 2);
			samples[metrics][round] = run_round(options, metrics == 1,
							    round + 1 == rounds, report);
		}
	}
	add_rows(report, samples, rounds);
	bench_event_path(options, report);
	free(samples[0]);
	free(samples[1]);
}
