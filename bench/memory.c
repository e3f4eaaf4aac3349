/* SPDX-License-Identifier: MIT */
/* How many bytes does what is measured take? */
#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "scene.h"
#include "server_process.h"
#include "team.h"

#define SERVER_EVENTS 20000u
#define SERVER_RATE 20000u

/* So many series of one kind, each touched by so many threads. */
struct shape {
	enum astshm_kind kind;
	unsigned series, threads;
};

struct filling {
	const struct shape *shape;
	struct bench_scene scene;
};

static const char *const kind_names[] = {
	[ASTSHM_KIND_COUNTER] = "counters",
	[ASTSHM_KIND_GAUGE] = "gauges",
	[ASTSHM_KIND_TIMING] = "timings",
	[ASTSHM_KIND_DISTRIBUTION] = "distributions",
};

static void touch(void *context, unsigned thread)
{
	const struct filling *filling = context;
	struct astshm_writer *writer = filling->scene.writer;
	char name[32];

	(void)thread;
	for (unsigned i = 0; i < filling->shape->series; i++) {
		snprintf(name, sizeof name, "series.%u", i);
		switch (filling->shape->kind) {
		case ASTSHM_KIND_COUNTER:
			astshm_increment(writer, name, 1, NULL, 0);
			break;
		case ASTSHM_KIND_GAUGE:
			astshm_set(writer, name, 1, NULL, 0);
			break;
		case ASTSHM_KIND_TIMING:
			astshm_time(writer, name, 1000, NULL, 0);
			break;
		case ASTSHM_KIND_DISTRIBUTION:
			astshm_observe(writer, name, 1000, NULL, 0);
			break;
		}
	}
}

static void add_row(struct bench_report *report, const struct shape *shape, double bytes)
{
	char variant[48];

	snprintf(variant, sizeof variant, "%u thread%s", shape->threads,
		 shape->threads == 1 ? "" : "s");
	bench_report_add(report, kind_names[shape->kind], variant, "series", shape->series, "KiB")
		->value = bench_exactly(bytes / 1024);
}

static void fill(const struct shape *shape, struct bench_report *report)
{
	struct filling filling = { .shape = shape };
	struct bench_team *team = bench_team_start(shape->threads);
	struct bench_job job = { shape->threads, touch, &filling };
	uint64_t cpu_ns, wall_ns;

	bench_scene_open(&filling.scene, "memory", NULL);
	bench_team_run(team, &job, &cpu_ns, &wall_ns);
	struct astshm_snapshot *snapshot = bench_scene_snapshot(filling.scene.reader);
	bench_expect("series", shape->series, astshm_snapshot_count(snapshot));
	add_row(report, shape, (double)bench_scene_bytes(&filling.scene));
	astshm_snapshot_free(&snapshot);
	/* The team first: a thread's exit gives its slot back. */
	bench_team_stop(team);
	bench_scene_close(&filling.scene);
}

static void empty(struct bench_report *report)
{
	struct bench_scene scene;

	bench_scene_open(&scene, "memory", NULL);
	bench_report_add(report, "empty segment", "", NULL, 0, "KiB")->value =
		bench_exactly((double)bench_scene_bytes(&scene) / 1024);
	bench_scene_close(&scene);
}

/* After every kind of event was sent to it. */
static void of_server(const struct bench_options *options, struct bench_report *report)
{
	struct bench_server server;
	uint64_t count = options->quick ? 500 : SERVER_EVENTS;

	bench_server_start(&server, options->server, true);
	bench_server_load(&server, count, SERVER_RATE);
	bench_server_settle(&server);
	struct astshm_snapshot *snapshot = bench_server_snapshot(&server);
	double bytes = (double)astshm_snapshot_segment(snapshot)->bytes;
	astshm_snapshot_free(&snapshot);
	struct bench_server_counts counts = bench_server_stop(&server);
	bench_expect("packets received and dropped by the kernel", count,
		     counts.received + counts.kernel_dropped);
	bench_report_add(report, "ast-server in use", "", NULL, 0, "KiB")->value =
		bench_exactly(bytes / 1024);
	bench_report_at_most(report, "ast-server in use, committed", bytes / 1024, 2048, "KiB");
}

void bench_memory(const struct bench_options *options, struct bench_report *report)
{
	static const struct shape shapes[] = {
		{ ASTSHM_KIND_COUNTER, 100, 1 },      { ASTSHM_KIND_COUNTER, 10000, 1 },
		{ ASTSHM_KIND_COUNTER, 1000, 8 },     { ASTSHM_KIND_COUNTER, 1000, 64 },
		{ ASTSHM_KIND_GAUGE, 100, 1 },	      { ASTSHM_KIND_GAUGE, 10000, 1 },
		{ ASTSHM_KIND_GAUGE, 1000, 8 },	      { ASTSHM_KIND_TIMING, 10, 1 },
		{ ASTSHM_KIND_TIMING, 100, 1 },	      { ASTSHM_KIND_TIMING, 100, 8 },
		{ ASTSHM_KIND_DISTRIBUTION, 100, 1 },
	};

	empty(report);
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		fill(&shapes[i], report);
	if (options->server)
		of_server(options, report);
}
