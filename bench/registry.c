/* SPDX-License-Identifier: MIT */
/* What do registration and look-up cost as the series grow in number? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "background.h"
#include "clock.h"
#include "commands.h"
#include "cores.h"
#include "fail.h"
#include "rivals/original.h"
#include "scene.h"
#include "team.h"

#define TAG_SETS 50u /* of a name: below the limit of 64 */
#define LOOKUPS 100000u
#define LOOKUPS_QUICK 2000u
#define CHURNED 32u
#define AGAIN 16u
#define AGAIN_TEXT "16 of them"
#define TOGETHER "look-up and increment, all series in turn"

struct series {
	char name[40];
	char id[8];
	struct astshm_tag tag;
};

/* The same series in our registry and in the rival's map. */
struct world {
	size_t count;
	size_t lookups; /* of a sample */
	struct series *series;
	uint32_t *order; /* which series the lookups are for */
	struct bench_scene scene;
	struct bench_original *original;
	uint64_t ours_done, original_done;
};

enum contender { OURS, ORIGINAL, CONTENDERS };
static const char *const contender_names[] = { "by name, 1 tag", "mutex + hash map" };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void name_series(struct world *world)
{
	uint64_t state = 88172645463325252u;

	world->series = bench_array(world->count, sizeof *world->series);
	world->order = bench_array(world->lookups, sizeof *world->order);
	for (size_t i = 0; i < world->count; i++) {
		struct series *series = &world->series[i];
		snprintf(series->name, sizeof series->name, "requests.%zu", i / TAG_SETS);
		snprintf(series->id, sizeof series->id, "%u", (unsigned)(i % TAG_SETS));
		series->tag = (struct astshm_tag){ "id", series->id };
	}
	for (size_t i = 0; i < world->lookups; i++)
		world->order[i] = (uint32_t)(next_random(&state) % world->count);
}

static void open_world(struct world *world)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;

	options.max_series = (uint32_t)(world->count + 1000 < 1048575 ? world->count + 1000
								       : 1048575);
	options.max_bytes = ((uint64_t)64 << 20) + world->count * 1024;
	bench_scene_open(&world->scene, "registry", &options);
	world->original = bench_original_create();
	world->ours_done = world->original_done = 0;
}

static void close_world(struct world *world)
{
	bench_scene_close(&world->scene);
	bench_original_free(world->original);
}

/* Sums what was counted, series by series, on both sides. */
static void check_world(const struct world *world)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(world->scene.reader);
	uint64_t ours = 0, original = 0;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (strncmp(series->family->name, "requests.", 9) == 0)
			ours += (uint64_t)series->counter.value;
	}
	astshm_snapshot_free(&snapshot);
	for (size_t i = 0; i < world->count; i++)
		original += bench_original_read(world->original, world->series[i].name,
						&world->series[i].tag, 1);
	bench_expect("increments by name", world->ours_done, ours);
	bench_expect("increments of the hash map", world->original_done, original);
}

static void increment(struct world *world, enum contender contender, const struct series *series)
{
	if (contender == OURS)
		astshm_increment(world->scene.writer, series->name, 1, &series->tag, 1);
	else
		bench_original_increment(world->original, series->name, 1, &series->tag, 1);
}

/* Registers them all, by their first use. ns for one. */
static double register_all(struct world *world, enum contender contender)
{
	uint64_t start = bench_thread_cpu_ns();

	for (size_t i = 0; i < world->count; i++)
		increment(world, contender, &world->series[i]);
	double ns = (double)(bench_thread_cpu_ns() - start);
	*(contender == OURS ? &world->ours_done : &world->original_done) += world->count;
	return ns / (double)world->count;
}

static void look_up_from(struct world *world, enum contender contender, size_t offset)
{
	for (size_t i = 0; i < world->lookups; i++)
		increment(world, contender,
			  &world->series[world->order[(i + offset) % world->lookups]]);
}

static double look_up(struct world *world, enum contender contender)
{
	uint64_t start = bench_thread_cpu_ns();

	look_up_from(world, contender, 0);
	double ns = (double)(bench_thread_cpu_ns() - start);
	*(contender == OURS ? &world->ours_done : &world->original_done) += world->lookups;
	return ns / (double)world->lookups;
}

/* The same for a few of them, as programs do that have many series and record
 * from few places. */
static double look_up_again(struct world *world, enum contender contender)
{
	uint64_t start = bench_thread_cpu_ns();

	for (size_t i = 0; i < world->lookups; i++)
		increment(world, contender, &world->series[world->order[i % AGAIN]]);
	double ns = (double)(bench_thread_cpu_ns() - start);
	*(contender == OURS ? &world->ours_done : &world->original_done) += world->lookups;
	return ns / (double)world->lookups;
}

/* And through handles. */
static double add_again(struct world *world)
{
	struct astshm_counter handles[AGAIN];

	for (size_t i = 0; i < AGAIN; i++) {
		const struct series *series = &world->series[world->order[i]];
		struct astshm_metric metric = { .name = series->name, .tags = &series->tag,
						.tag_count = 1 };
		if (astshm_counter_register(world->scene.writer, &metric, &handles[i], NULL) < 0)
			bench_fail("register %s", series->name);
	}
	uint64_t start = bench_thread_cpu_ns();
	for (size_t i = 0; i < world->lookups; i++)
		astshm_counter_add(handles[i % AGAIN], 1);
	double ns = (double)(bench_thread_cpu_ns() - start);
	world->ours_done += world->lookups;
	return ns / (double)world->lookups;
}

/* What one size is asked for; each has a figure of either contender. */
enum question { REGISTER, LOOK_UP, LOOK_UP_AGAIN, QUESTIONS };
static const char *const question_names[] = {
	"registration",
	"look-up and increment",
	"look-up and increment, " AGAIN_TEXT " again and again",
};

static void ask(struct world *world, enum contender contender, double *answers[QUESTIONS],
		size_t round)
{
	answers[REGISTER][round] = register_all(world, contender);
	look_up(world, contender);
	answers[LOOK_UP][round] = look_up(world, contender);
	look_up_again(world, contender);
	answers[LOOK_UP_AGAIN][round] = look_up_again(world, contender);
}

static void take_answers(struct world *world, enum contender contender,
			 double *answers[QUESTIONS], size_t rounds, struct bench_report *report)
{
	for (unsigned q = 0; q < QUESTIONS; q++) {
		bench_report_add(report, question_names[q], contender_names[contender], "series",
				 (double)world->count, "ns")
			->value = bench_summarize(answers[q], rounds);
		free(answers[q]);
	}
}

/* One size: registration and look-up, each round in a new world. */
static void measure_size(struct world *world, size_t rounds, struct bench_report *report)
{
	double *answers[CONTENDERS][QUESTIONS];
	double *handles = bench_array(rounds, sizeof(double));

	for (unsigned i = 0; i < CONTENDERS * QUESTIONS; i++)
		answers[i / QUESTIONS][i % QUESTIONS] = bench_array(rounds, sizeof(double));
	name_series(world);
	for (size_t round = 0; round < rounds; round++) {
		open_world(world);
		for (unsigned turn = 0; turn < CONTENDERS; turn++) {
			enum contender c = (enum contender)((turn + round) % CONTENDERS);
			ask(world, c, answers[c], round);
		}
		add_again(world);
		handles[round] = add_again(world);
		check_world(world);
		close_world(world);
	}
	for (enum contender c = OURS; c < CONTENDERS; c++)
		take_answers(world, c, answers[c], rounds, report);
	bench_report_add(report, "counter add, " AGAIN_TEXT " in turn", "by handle", "series",
			 (double)world->count, "ns")
		->value = bench_summarize(handles, rounds);
	free(handles);
	free(world->series);
	free(world->order);
}

/* --- with company --------------------------------------------------- */

struct company {
	struct world *world;
	enum contender contender;
};

static void look_up_together(void *context, unsigned thread)
{
	const struct company *company = context;

	look_up_from(company->world, company->contender, thread * 1000);
}

/* CPU time of a look-up and throughput: the one says what it costs, the other
 * what waiting for each other leaves of it. */
struct pace {
	struct company company;
	unsigned threads;
	double *cpu_ns, *per_second;
};
#define PACES 4u

static void run_together(const struct pace *pace, struct bench_team *team, size_t round)
{
	struct world *world = pace->company.world;
	struct bench_job job = { pace->threads, look_up_together,
				 (void *)(uintptr_t)&pace->company };
	uint64_t cpu_ns, wall_ns;
	double lookups = (double)(pace->threads * world->lookups);

	bench_team_run(team, &job, &cpu_ns, &wall_ns);
	pace->cpu_ns[round] = (double)cpu_ns / lookups;
	pace->per_second[round] = lookups * 1e3 / (double)wall_ns;
	*(pace->company.contender == OURS ? &world->ours_done : &world->original_done) +=
		pace->threads * world->lookups;
}

static void take_pace(struct pace *pace, size_t rounds, struct bench_report *report)
{
	const char *name = contender_names[pace->company.contender];

	bench_report_add(report, TOGETHER, name, "threads", pace->threads, "ns CPU")->value =
		bench_summarize(pace->cpu_ns, rounds);
	struct bench_row *row = bench_report_add(report, TOGETHER ", throughput", name, "threads",
						 pace->threads, "M/s");
	row->value = bench_summarize(pace->per_second, rounds);
	row->more_is_better = true;
	free(pace->cpu_ns);
	free(pace->per_second);
}

static void measure_threads(struct world *world, struct bench_team *team, size_t rounds,
			    struct bench_report *report)
{
	struct pace paces[PACES];

	for (unsigned i = 0; i < PACES; i++) {
		paces[i] = (struct pace){ { world, (enum contender)(i % 2) }, i / 2 + 1,
					  bench_array(rounds, sizeof(double)),
					  bench_array(rounds, sizeof(double)) };
		/* A thread's first touch of every series; the next run replaces it. */
		run_together(&paces[i], team, 0);
	}
	for (size_t round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < PACES; i++)
			run_together(&paces[(i + round) % PACES], team, round);
	}
	for (unsigned i = 0; i < PACES; i++)
		take_pace(&paces[i], rounds, report);
}

/* Registers some series and removes them again. */
static void churn(void *context, unsigned thread)
{
	const struct company *company = context;
	struct world *world = company->world;
	char name[40];

	(void)thread;
	for (unsigned i = 0; i < CHURNED; i++) {
		snprintf(name, sizeof name, "churn.%u", i);
		if (company->contender == OURS)
			astshm_increment(world->scene.writer, name, 1, NULL, 0);
		else
			bench_original_increment(world->original, name, 1, NULL, 0);
	}
	if (company->contender == OURS)
		astshm_remove_match(world->scene.writer, ASTSHM_KIND_COUNTER, "churn.*", NULL, 0);
	for (unsigned i = 0; company->contender == ORIGINAL && i < CHURNED; i++) {
		snprintf(name, sizeof name, "churn.%u", i);
		bench_original_remove(world->original, name, NULL, 0);
	}
}

static void measure_churn(struct world *world, size_t rounds, struct bench_report *report)
{
	double *samples = bench_array(rounds, sizeof *samples);

	bench_pin(0);
	for (enum contender c = OURS; c < CONTENDERS; c++) {
		struct company company = { world, c };
		struct bench_background background = { .step = churn, .context = &company,
						       .first_core = 1 };
		bench_background_start(&background, 1);
		for (size_t round = 0; round < rounds; round++)
			samples[round] = look_up(world, c);
		bench_background_stop(&background);
		bench_report_add(report, "look-up while another thread registers and removes",
				 contender_names[c], NULL, 0, "ns CPU")
			->value = bench_summarize(samples, rounds);
	}
	free(samples);
}

static void measure_company(struct world *world, size_t rounds, struct bench_report *report)
{
	struct bench_team *team = bench_team_start(2);

	name_series(world);
	open_world(world);
	register_all(world, OURS);
	register_all(world, ORIGINAL);
	measure_threads(world, team, rounds, report);
	measure_churn(world, rounds, report);
	check_world(world);
	close_world(world);
	bench_team_stop(team);
	free(world->series);
	free(world->order);
}

static double together(const struct bench_report *report, enum contender contender,
		       unsigned threads)
{
	return bench_report_median(report, TOGETHER, contender_names[contender], threads);
}

static void add_targets(struct bench_report *report, size_t least, size_t most)
{
	const char *ours = contender_names[OURS];

	bench_report_at_least(
		report, "mutex + hash map / look-up by name, 16 of the most again and again",
		bench_report_median(report, question_names[LOOK_UP_AGAIN],
				    contender_names[ORIGINAL], (double)most) /
			bench_report_median(report, question_names[LOOK_UP_AGAIN], ours,
					    (double)most),
		3, "x");
	bench_report_at_least(report, "mutex + hash map / look-up by name, all in turn, one thread",
			      together(report, ORIGINAL, 1) / together(report, OURS, 1), 3, "x");
	bench_report_at_most(report, "look-up by name, CPU time: two threads / one",
			     together(report, OURS, 2) / together(report, OURS, 1), 1.1, "x");
	bench_report_at_most(report, "counter add by handle, most series / least",
			     bench_report_median(report, "counter add, " AGAIN_TEXT " in turn",
						 "by handle", (double)most) /
				     bench_report_median(report,
							 "counter add, " AGAIN_TEXT " in turn",
							 "by handle", (double)least),
			     1.1, "x");
	bench_report_at_most(report, "registration, most series / least",
			     bench_report_median(report, "registration", ours, (double)most) /
				     bench_report_median(report, "registration", ours,
							 (double)least),
			     4, "x");
}

void bench_registry(const struct bench_options *options, struct bench_report *report)
{
	struct world world = { .lookups = options->quick ? LOOKUPS_QUICK : LOOKUPS };
	size_t most = options->quick ? 1000 : 1000000;
	size_t rounds = options->rounds > 0 ? options->rounds : options->quick ? 2 : 7;

	bench_pin(0);
	for (world.count = 100; world.count <= most; world.count *= 10)
		measure_size(&world, rounds, report);
	world.count = options->quick ? 1000 : 10000;
	measure_company(&world, rounds * 2, report);
	add_targets(report, 100, most);
}
