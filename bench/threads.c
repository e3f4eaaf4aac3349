/* SPDX-License-Identifier: MIT */
/* What does a second thread cost, on the same series and on another one? */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "cores.h"
#include "fail.h"
#include "operations.h"
#include "team.h"
#include "thread_latency.h"

#define THREADS_MAX 256u
#define SAMPLE_NS 4000000u /* on one thread */

static const char *const compared[] = {
	"counter add",	    "timing record", "increment by name, 1 tag", "plain volatile increment",
	"shared lock xadd", "mutex and increment", "mutex + log-linear histogram",
	"original: increment, 1 tag",
};
#define COMPARED (sizeof compared / sizeof compared[0])

enum sharing { SAME, DIFFERENT, SHARINGS };

/* One operation, its subjects, and how often each was worked on. */
struct contest {
	const struct bench_operation *operation;
	struct bench_subject *subjects[THREADS_MAX + 1]; /* 0: the shared one */
	uint64_t totals[THREADS_MAX + 1];
	uint64_t iterations; /* of a thread and sample */
};

/* A point of a curve: so many threads on the same or on different series. */
struct point {
	struct contest *contest;
	enum sharing sharing;
	unsigned threads;
	double *cpu_ns;   /* of an operation, for each round */
	double *per_second;
};

static size_t subject_of(const struct point *point, unsigned thread)
{
	return point->sharing == SAME ? 0 : thread + 1;
}

static void work(void *context, unsigned thread)
{
	const struct point *point = context;
	struct contest *contest = point->contest;

	contest->operation->run[BENCH_BACK_TO_BACK](contest->subjects[subject_of(point, thread)],
						    contest->iterations);
}

static void run_point(struct point *point, struct bench_team *team, uint64_t *cpu_ns,
		      uint64_t *wall_ns)
{
	struct bench_job job = { point->threads, work, point };

	bench_team_run(team, &job, cpu_ns, wall_ns);
	for (unsigned i = 0; i < point->threads; i++)
		point->contest->totals[subject_of(point, i)] += point->contest->iterations;
}

static void calibrate(struct contest *contest, struct bench_team *team, uint64_t sample_ns)
{
	struct point alone = { .contest = contest, .sharing = SAME, .threads = 1 };
	uint64_t cpu_ns = 0, wall_ns;

	for (contest->iterations = 64; cpu_ns < sample_ns; contest->iterations *= 2)
		run_point(&alone, team, &cpu_ns, &wall_ns);
}

static void begin(struct contest *contest, const char *name, struct bench_scene *scene,
		  unsigned threads)
{
	char label[64];

	contest->operation = bench_operation(name);
	for (unsigned i = 0; i <= threads; i++) {
		snprintf(label, sizeof label, "%td.%u", contest->operation - bench_ours, i);
		contest->subjects[i] = bench_subject_create(scene, label, contest->operation);
	}
}

static void finish(struct contest *contest, unsigned threads)
{
	for (unsigned i = 0; i <= threads; i++) {
		/* The plain increment of several threads at once loses some: no
		 * total to expect of the shared one. */
		if (i > 0 || contest->operation != bench_operation("plain volatile increment"))
			bench_subject_check(contest->subjects[i], contest->operation,
					    contest->totals[i]);
		bench_subject_free(contest->subjects[i]);
	}
}

static void run_rounds(struct point *points, size_t count, size_t rounds,
		       struct bench_team *team)
{
	for (size_t i = 0; i < count; i++) {
		points[i].cpu_ns = bench_array(rounds, sizeof(double));
		points[i].per_second = bench_array(rounds, sizeof(double));
	}
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			struct point *point = &points[(i + round) % count];
			uint64_t cpu_ns, wall_ns;
			run_point(point, team, &cpu_ns, &wall_ns);
			double records =
				(double)point->contest->iterations * (double)point->threads;
			point->cpu_ns[round] = (double)cpu_ns / records;
			point->per_second[round] = records * 1e3 / (double)wall_ns;
		}
	}
}

static const char *sharing_name(enum sharing sharing, bool throughput)
{
	static const char *const names[SHARINGS][2] = {
		{ "same series", "same series, throughput" },
		{ "different series", "different series, throughput" },
	};
	return names[sharing][throughput];
}

static void take_rows(struct point *points, size_t count, size_t rounds,
		      struct bench_report *report)
{
	for (size_t i = 0; i < count; i++) {
		struct point *point = &points[i];
		const char *name = point->contest->operation->name;
		bench_report_add(report, name, sharing_name(point->sharing, false), "threads",
				 point->threads, "ns CPU")
			->value = bench_summarize(point->cpu_ns, rounds);
		struct bench_row *row =
			bench_report_add(report, name, sharing_name(point->sharing, true),
					 "threads", point->threads, "M/s");
		row->value = bench_summarize(point->per_second, rounds);
		row->more_is_better = true;
		free(point->cpu_ns);
		free(point->per_second);
	}
}

static void add_target(struct bench_report *report, const char *operation)
{
	char name[96];
	double one = bench_report_median(report, operation, "same series", 1);
	double two = bench_report_median(report, operation, "same series", 2);

	snprintf(name, sizeof name, "%s, same series: two threads / one", operation);
	bench_report_at_most(report, name, two / one, 1.1, "x");
}

/* 1, 2, 4, ... up to four threads a core. */
static unsigned most_threads(bool quick)
{
	unsigned most = 2, wanted = 4 * bench_core_count();

	while (!quick && most * 2 <= wanted && most * 2 <= THREADS_MAX)
		most *= 2;
	return most;
}

static size_t make_points(struct point *points, struct contest *contests, unsigned most)
{
	size_t count = 0;

	for (size_t i = 0; i < COMPARED; i++) {
		for (enum sharing sharing = SAME; sharing < SHARINGS; sharing++) {
			for (unsigned threads = 1; threads <= most; threads *= 2)
				points[count++] = (struct point){ .contest = &contests[i],
								  .sharing = sharing,
								  .threads = threads };
		}
	}
	return count;
}

void bench_threads(const struct bench_options *options, struct bench_report *report)
{
	struct contest *contests = bench_array(COMPARED, sizeof *contests);
	struct point points[COMPARED * SHARINGS * 10];
	struct bench_plan plan = bench_plan(options);
	unsigned most = most_threads(options->quick);
	struct bench_team *team = bench_team_start(most);
	struct bench_scene scene;

	bench_scene_open(&scene, "threads", NULL);
	for (size_t i = 0; i < COMPARED; i++) {
		begin(&contests[i], compared[i], &scene, most);
		calibrate(&contests[i], team, options->quick ? plan.sample_ns : SAMPLE_NS);
	}
	size_t count = make_points(points, contests, most);
	run_rounds(points, count, plan.rounds, team);
	take_rows(points, count, plan.rounds, report);
	for (size_t i = 0; i < COMPARED; i++)
		finish(&contests[i], most);
	bench_thread_latency(&scene, team, most, options, report);
	bench_team_stop(team);
	bench_scene_close(&scene);
	free(contests);
	add_target(report, "counter add");
	add_target(report, "timing record");
	add_target(report, "increment by name, 1 tag");
}
