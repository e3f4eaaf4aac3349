/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event_path.h"
#include "fail.h"
#include "instructions.h"
#include "live_set.h"
#include "osc_load.h"
#include "server.h"

/* Of each kind there are as many: an iteration takes one of each. */
#define KINDS BENCH_OSC_KINDS
#define DATAGRAMS 65536u

struct path_bench {
	struct ast_server *server;
	uint8_t (*datagrams)[BENCH_OSC_BYTES];
	size_t *sizes;
	size_t at;     /* the next datagram */
	uint64_t taken;
	uint64_t heard;
};

static void hear(void *context, struct message *message)
{
	((struct path_bench *)context)->heard++;
	message_release(message);
}

/* The numbers go round: whoever starts anew is more than a window behind, which is no gap. */
static void make_datagrams(struct path_bench *bench)
{
	bench->datagrams = malloc(DATAGRAMS * sizeof *bench->datagrams);
	bench->sizes = malloc(DATAGRAMS * sizeof *bench->sizes);
	if (!bench->datagrams || !bench->sizes)
		bench_fail("no memory for datagrams");
	for (uint32_t i = 0; i < DATAGRAMS; i++)
		bench->sizes[i] = bench_osc_event(bench->datagrams[i], (int32_t)i);
}

static void open_path(struct path_bench *bench, bool metrics)
{
	char name[64];
	struct server_options options = { .udp_off = true, .websocket_off = true,
					  .queue_capacity = 16,
					  .cache_capacity = CACHE_CAPACITY,
					  .metrics = { .off = !metrics, .name = name } };

	snprintf(name, sizeof name, "bench.%d.path", (int)getpid());
	*bench = (struct path_bench){ 0 };
	log_set_level(LOG_ERROR);
	if (ast_server_create(&bench->server, &options) != 0 ||
	    ast_server_load(bench->server, bench_live_set(), NULL) != 0)
		bench_fail("no server");
	bench->server->broadcast = hear;
	bench->server->broadcast_context = bench;
	make_datagrams(bench);
}

static void take_one(struct path_bench *bench)
{
	static const struct sequence_source source;
	struct ast_server *server = bench->server;
	size_t at = bench->at;
	struct task *task;
	void *event;

	bench->at = (at + 1) % DATAGRAMS;
	bench->taken++;

	intake_datagram(&server->intake, bench->datagrams[at], bench->sizes[at], false, &source);
	if (queue_take(&server->queue, 0, &event, &task) != QUEUE_ITEM)
		bench_fail("an event was not queued");
	ast_server_apply(server, event);
	ast_server_settle(server);
}

static void take_each(void *context, uint64_t iterations)
{
	for (uint64_t i = 0; i < iterations * KINDS; i++)
		take_one(context);
}

/* Of the same events for all: how many digits a number has is what costs most. */
static double count_instructions(struct path_bench *bench)
{
	uint64_t counted = 0;

	bench->at = 0;
	return bench_instructions(take_each, bench, &counted) / KINDS;
}

static void check(struct path_bench *bench, bool metrics)
{
	int64_t value;

	bench_expect("datagrams", bench->taken, bench->server->intake.statistics.received);
	if (!metrics)
		return;
	if (astshm_get_counter(bench->server->metrics.writer, "events.received", ASTSHM_NO_TAGS,
			       &value) != 0)
		bench_fail("no events.received");
	bench_expect("events.received", bench->taken, (uint64_t)value);
}

static void close_path(struct path_bench *bench)
{
	ast_server_destroy(&bench->server);
	free(bench->datagrams);
	free(bench->sizes);
}

static void add_row(struct bench_report *report, struct bench_case *it,
		    const struct bench_plan *plan)
{
	struct bench_row *row = bench_report_add(report, "one event, in one thread", it->name, NULL,
						 0, "ns");

	row->instructions = it->instructions;
	row->value = bench_case_summary(it, plan);
	row->value.median /= KINDS;
	row->value.deviation /= KINDS;
	row->value.first_quartile /= KINDS;
	row->value.third_quartile /= KINDS;
	row->value.least /= KINDS;
}

/* Median of the rounds' ratios: what the machine does falls on both of a round. */
static double ratio(const struct bench_case *with, const struct bench_case *without,
		    size_t rounds)
{
	double *ratios = malloc(rounds * sizeof *ratios);

	if (!ratios)
		bench_fail("no memory");
	for (size_t i = 0; i < rounds; i++)
		ratios[i] = with->samples[i] / without->samples[i];
	double median = bench_summarize(ratios, rounds).median;
	free(ratios);
	return median;
}

void bench_event_path(const struct bench_options *options, struct bench_report *report)
{
	struct bench_plan plan = bench_plan(options);
	struct path_bench benches[2];
	struct bench_case cases[2];

	for (unsigned metrics = 0; metrics < 2; metrics++) {
		open_path(&benches[metrics], metrics);
		cases[metrics] = (struct bench_case){
			.name = metrics ? "with metrics" : "without metrics",
			.run = take_each, .context = &benches[metrics],
			/* Given, so that rounds.c counts no instructions: it steps through them. */
			.iterations = options->quick ? 1 : 0 };
	}
	bench_rounds(cases, 2, &plan);
	for (unsigned metrics = 0; metrics < 2; metrics++)
		cases[metrics].instructions =
			options->quick ? NAN : count_instructions(&benches[metrics]);
	double instructions = cases[1].instructions / cases[0].instructions;
	double time = ratio(&cases[1], &cases[0], plan.rounds);
	for (unsigned metrics = 0; metrics < 2; metrics++) {
		check(&benches[metrics], metrics);
		add_row(report, &cases[metrics], &plan);
		close_path(&benches[metrics]);
	}
	bench_report_at_most(report, "recording's share of an event's time",
			     100.0 * (time - 1.0), 2.0, "%");
	if (!isnan(instructions))
		bench_report_at_most(report, "recording's share of an event's instructions",
				     100.0 * (instructions - 1.0), 2.0, "%");
}
