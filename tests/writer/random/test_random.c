/* SPDX-License-Identifier: MIT */
/*
 * usage: test_random [--seed N] [--seconds N | --rounds N]
 *
 * Nothing is lost. Threads come and go and record everything there is, by
 * handle and by name; one thread resets, switches off and on, removes, forks
 * and loses the segment's name meanwhile; a thread and a process read. A model
 * is kept beside it (model.h), and whenever all of them rest, what two readers
 * see is compared with it, value by value.
 *
 * A seed decides what each thread does; how their steps interleave is up to the
 * machine. Without --seconds it ends after a number of rounds.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "watch.h"

#define ROUNDS_PER_WORLD 8u
#define DEFAULT_ROUNDS 40u
#define HANG_SECONDS 300
#define TAG_SETS 4u

#ifdef ASTSHM_TSAN
#define TICK_THREAD 0u /* TSan allows a forked child no thread of its own */
#else
#define TICK_THREAD ASTSHM_OPEN_TICK_THREAD
#endif

static struct lane lanes[LANES];
static struct tally tallies[LANES]; /* of a round that is over */
static pthread_barrier_t start_line, finish_line;
static bool over;

struct run {
	uint64_t seed, random;
	unsigned long seconds, rounds, passes;
	unsigned long worlds, rounds_done;
	time_t end;
	struct totals totals;
	struct astshm_reader *reader; /* attached as long as the segment lives */
	char name[64];
};

/* --- lanes ------------------------------------------------------------------ */

static void *veteran_main(void *argument)
{
	struct lane *lane = argument;

	for (;;) {
		pthread_barrier_wait(&start_line);
		if (over)
			return NULL;
		load_run(lane);
		pthread_barrier_wait(&finish_line);
	}
}

static void *short_main(void *argument)
{
	load_run(argument);
	return NULL;
}

/* Threads after one another; each starts with what the last one left. */
static void *lane_main(void *argument)
{
	struct lane *lane = argument;
	uint32_t threads = 1 + random_below(&lane->random, 5);

	while (threads-- > 0) {
		pthread_t thread;
		lane->bursts = random_below(&lane->random, 150);
		if (pthread_create(&thread, NULL, short_main, lane) != 0)
			break;
		pthread_join(thread, NULL);
	}
	return NULL;
}

/* --- one round --------------------------------------------------------------- */

static int compare_one(struct run *run, const char *whose, int result,
		       struct astshm_snapshot *snapshot, const struct astshm_error *error)
{
	if (result < 0) {
		printf("  %s: %s\n", whose, error->text);
		return 1;
	}
	int wrong = model_compare(snapshot, &run->totals);
	if (wrong)
		printf("  so says %s\n", whose);
	if (astshm_snapshot_segment(snapshot)->torn) {
		printf("  torn while all rest\n");
		wrong++;
	}
	astshm_snapshot_free(&snapshot);
	return wrong;
}

/* Through the writer itself, and through a reader that was there all the time. */
static int compare(struct run *run)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error;
	int result = astshm_get_all_metrics(load.writer, &snapshot, &error);
	int wrong = compare_one(run, "the writer", result, snapshot, &error);

	result = astshm_reader_snapshot(run->reader, 0, &snapshot, &error);
	return wrong + compare_one(run, "the reader", result, snapshot, &error);
}

static int run_lanes(struct run *run)
{
	pthread_t helpers[LANES];
	int wrong = 0;

	for (uint32_t i = 0; i < VETERANS; i++)
		lanes[i].bursts = random_below(&run->random, 400);
	pthread_barrier_wait(&start_line);
	for (uint32_t i = VETERANS; i < LANES; i++)
		if (pthread_create(&helpers[i], NULL, lane_main, &lanes[i]) != 0) {
			printf("  no thread: %s\n", strerror(errno));
			exit(1);
		}
	wrong += control_run(&run->random);
	pthread_barrier_wait(&finish_line);
	for (uint32_t i = VETERANS; i < LANES; i++)
		pthread_join(helpers[i], NULL);
	return wrong;
}

static void print_operations(const char *when, const struct round *round)
{
	static const char *const names[] = { "reset", "reset_counters", "off", "on", "remove" };

	printf("  operations while %s:", when);
	for (uint32_t i = 0; i < round->operation_count; i++)
		printf(" %s %s", names[round->operations[i]],
		       round->operations[i] == REMOVE ? subjects[round->removed[i]].key : "");
	printf("\n");
}

/* Operations while all rest: nothing overlaps, one value alone is right. */
static int quiet_operations(struct run *run)
{
	struct round round;

	if (random_below(&run->random, 3))
		return 0;
	control_plan(&round, &run->random, OPERATIONS_MAX);
	control_apply(&round);
	model_apply(&round);
	astshm_writer_set_recording(load.writer, true);
	int wrong = compare(run);
	if (wrong)
		print_operations("all rested", &round);
	return wrong;
}

static int one_round(struct run *run)
{
	/* Every other round all values are certain. */
	control_plan(&load.round, &run->random, run->rounds_done % 2 ? OPERATIONS_MAX : 0);
	load.most_per_burst = 1 + random_below(&run->random, 64);
	do
		load.crowded = random_below(&run->random, subject_count);
	while (subjects[load.crowded].lane != SHARED);
	int wrong = run_lanes(run);
	for (uint32_t i = 0; i < LANES; i++) {
		wrong += lanes[i].wrong;
		tallies[i] = lanes[i].tally;
		tally_clear(&lanes[i].tally);
	}
	model_settle(&load.round, tallies);
	astshm_writer_set_recording(load.writer, true);
	wrong += compare(run);
	if (wrong)
		print_operations("all recorded", &load.round);
	run->rounds_done++;
	return wrong ? wrong : quiet_operations(run);
}

/* --- one segment's life -------------------------------------------------------- */

static int open_world(struct run *run)
{
	static const uint32_t slots[] = { 2, 5, 64 };
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error;

	options.max_threads = slots[random_below(&run->random, 3)];
	options.flags = random_below(&run->random, 2) ? TICK_THREAD : 0;
	options.tick_ms = 1;
	snprintf(run->name, sizeof run->name, "t{pid}-random-%lu", run->worlds);
	if (astshm_writer_open(&load.writer, run->name, &options, &error) < 0) {
		printf("  open: %s\n", error.text);
		return 1;
	}
	snprintf(run->name, sizeof run->name, "t%ld-random-%lu", (long)getpid(), run->worlds);
	for (uint32_t i = 0; i < subject_count; i++)
		if (subjects[i].manner == BY_HANDLE &&
		    load_register(&subjects[i], &load.handles[i]) < 0)
			return 1;
	/* An up-down counter from the beginning, so that no reset touches it. */
	astshm_decrement(load.writer, "n.level", 0, ASTSHM_NO_TAGS);
	return astshm_limit_tag_sets(load.writer, ASTSHM_KIND_COUNTER, "n.strangers", TAG_SETS,
				     NULL) < 0;
}

static int attach(struct run *run)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_error error = { 0 };

	options.follow = true;
	options.deadline_ns = INT64_C(60000000000);
	int result = watch_start(run->name);
	if (result == 0)
		result = astshm_reader_open(&run->reader, run->name, &options, &error);
	if (result < 0)
		printf("  attach: %s %s\n", strerror(-result), error.text);
	return result < 0;
}

static bool time_is_up(const struct run *run)
{
	return run->seconds ? time(NULL) >= run->end : run->rounds_done >= run->rounds;
}

static int one_world(struct run *run)
{
	(void)alarm(HANG_SECONDS);
	int wrong = open_world(run);
	if (wrong || attach(run))
		return 1;
	model_begin();
	for (uint32_t i = 0; i < LANES; i++) {
		memset(&lanes[i].tally, 0, sizeof lanes[i].tally);
		lanes[i].number = i;
		lanes[i].random = run->random + 2 * i + 1;
	}
	for (uint32_t i = 0; i < ROUNDS_PER_WORLD && !wrong && !time_is_up(run); i++)
		wrong += one_round(run);
	wrong += watch_stop(&run->passes);
	astshm_reader_close(&run->reader);
	astshm_writer_close(&load.writer);
	run->worlds++;
	return wrong;
}

static int run_all(struct run *run)
{
	pthread_t veterans[VETERANS];
	int wrong = 0;

	pthread_barrier_init(&start_line, NULL, VETERANS + 1);
	pthread_barrier_init(&finish_line, NULL, VETERANS + 1);
	for (uint32_t i = 0; i < VETERANS; i++)
		if (pthread_create(&veterans[i], NULL, veteran_main, &lanes[i]) != 0)
			return 1;
	while (!wrong && !time_is_up(run))
		wrong += one_world(run);
	over = true;
	pthread_barrier_wait(&start_line);
	for (uint32_t i = 0; i < VETERANS; i++)
		pthread_join(veterans[i], NULL);
	return wrong;
}

static int parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ "rounds", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == 's')
			run->seed = strtoull(optarg, NULL, 0);
		else if (letter == 't')
			run->seconds = strtoul(optarg, NULL, 0);
		else if (letter == 'r')
			run->rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	return optind == argc ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct run run = { .seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32,
			   .rounds = DEFAULT_ROUNDS };
	int wrong = parse(&run, argc, argv);

	if (wrong) {
		fprintf(stderr, "usage: test_random [--seed N] [--seconds N | --rounds N]\n");
		return wrong;
	}
	run.random = run.seed * 2 + 1; /* never 0 */
	run.end = time(NULL) + (time_t)run.seconds;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", run.seed);
	subjects_init();
	wrong = watch_init() < 0 || load_init() < 0 ? 1 : run_all(&run);
	watch_fini();
	printf("%sok totals_are_what_was_recorded: %lu segments, %lu rounds, %" PRIu64
	       " comparisons: %" PRIu64 " values exact, %" PRIu64 " within what overlapped; "
	       "%lu passes of readers\n", wrong ? "not " : "", run.worlds, run.rounds_done,
	       run.totals.points, run.totals.exact, run.totals.bounded, run.passes);
	return wrong ? 1 : 0;
}
