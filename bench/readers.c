/* SPDX-License-Identifier: MIT */
/* Does recording slow down while others read? */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "cores.h"
#include "fail.h"
#include "operations.h"

#define READERS_MAX 16u
#define POLL_NS 10000000u /* a hundred snapshots a second, each */
#define SERIES 1000u      /* besides those recorded */
#define PATIENCE_NS UINT64_C(60000000000)

static const char *const compared[] = { "counter add", "timing record",
					"increment by name, 1 tag" };
#define COMPARED (sizeof compared / sizeof compared[0])
static const unsigned counts[] = { 0, 1, 4, 16 };
#define COUNTS (sizeof counts / sizeof counts[0])

/* Shared with the readers' processes; relaxed: switches and a tally. */
struct board {
	uint32_t active; /* readers 0 to active - 1 poll */
	uint32_t ready;
	uint64_t snapshots;
};

static void poll_segment(const char *path, struct board *board, unsigned index)
{
	struct timespec pause = { 0, POLL_NS };
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	/* The bench may fail and go without ending us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	options.deadline_ns = (int64_t)PATIENCE_NS;
	if (astshm_reader_open(&reader, path, &options, &error) != 0)
		_exit(1);
	__atomic_fetch_add(&board->ready, 1, __ATOMIC_RELAXED);
	for (;; nanosleep(&pause, NULL)) {
		if (__atomic_load_n(&board->active, __ATOMIC_RELAXED) <= index)
			continue;
		if (astshm_reader_snapshot(reader, 0, &snapshot, &error) != 0)
			_exit(1);
		astshm_snapshot_free(&snapshot);
		__atomic_fetch_add(&board->snapshots, 1, __ATOMIC_RELAXED);
	}
}

static void start_readers(const char *path, struct board *board, pid_t pids[READERS_MAX])
{
	struct timespec pause = { 0, 1000000 };

	for (unsigned i = 0; i < READERS_MAX; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			bench_fail("fork: %s", strerror(errno));
		if (pids[i] == 0)
			poll_segment(path, board, i);
	}
	while (__atomic_load_n(&board->ready, __ATOMIC_RELAXED) < READERS_MAX)
		nanosleep(&pause, NULL);
}

/* A quick run may be over before a busy machine gave any reader its turn. In a long one
 * that is a fault: add_polls says so. */
static void await_snapshot(struct board *board)
{
	struct timespec pause = { 0, 1000000 };
	uint64_t start_ns = bench_wall_ns();

	__atomic_store_n(&board->active, READERS_MAX, __ATOMIC_RELAXED);
	while (__atomic_load_n(&board->snapshots, __ATOMIC_RELAXED) == 0) {
		if (bench_wall_ns() - start_ns > PATIENCE_NS)
			break;
		nanosleep(&pause, NULL);
	}
	__atomic_store_n(&board->active, 0, __ATOMIC_RELAXED);
}

/* Each must still be polling: none found the segment at fault. */
static void stop_readers(const pid_t pids[READERS_MAX])
{
	int status;

	for (unsigned i = 0; i < READERS_MAX; i++) {
		kill(pids[i], SIGKILL);
		if (waitpid(pids[i], &status, 0) != pids[i] || !WIFSIGNALED(status))
			bench_fail("a reader failed");
	}
}

struct trial {
	struct bench_case it[COMPARED];
	struct bench_subject *subjects[COMPARED];
};

static void make_cases(struct trial *trial, struct bench_scene *scene, unsigned readers)
{
	char label[32];

	for (size_t i = 0; i < COMPARED; i++) {
		const struct bench_operation *operation = bench_operation(compared[i]);
		snprintf(label, sizeof label, "%u.%zu", readers, i);
		trial->subjects[i] = bench_subject_create(scene, label, operation);
		trial->it[i] = (struct bench_case){ .name = operation->name,
						    .run = operation->run[BENCH_BACK_TO_BACK],
						    .context = trial->subjects[i] };
	}
}

static void take_rows(struct trial *trial, size_t c, const struct bench_plan *plan,
		      struct bench_report *report)
{
	for (size_t i = 0; i < COMPARED; i++) {
		bench_subject_check(trial->subjects[i], bench_operation(compared[i]),
				    trial->it[i].total);
		bench_subject_free(trial->subjects[i]);
		bench_report_add(report, compared[i], "while polled", "readers", counts[c],
				 "ns CPU")
			->value = bench_case_summary(&trial->it[i], plan);
	}
}

/* One round at a time, so that the numbers of readers take turns too. */
static void run_rounds(struct trial trials[COUNTS], struct board *board,
		       struct bench_plan *plan)
{
	for (size_t c = 0; c < COUNTS; c++)
		bench_rounds_begin(trials[c].it, COMPARED, plan);
	for (size_t round = 0; round < plan->rounds; round++) {
		for (size_t turn = 0; turn < COUNTS; turn++) {
			size_t c = (turn + round) % COUNTS;
			__atomic_store_n(&board->active, counts[c], __ATOMIC_RELAXED);
			bench_rounds_step(trials[c].it, COMPARED, round, plan);
		}
	}
	__atomic_store_n(&board->active, 0, __ATOMIC_RELAXED);
}

static void add_targets(struct bench_report *report)
{
	char name[96];

	for (size_t i = 0; i < COMPARED; i++) {
		double alone = bench_report_median(report, compared[i], "while polled", 0);
		double polled = bench_report_median(report, compared[i], "while polled", 16);
		snprintf(name, sizeof name, "%s: 16 readers / none", compared[i]);
		bench_report_at_most(report, name, polled / alone, 1.03, "x");
	}
}

static void add_polls(struct bench_report *report, const struct board *board)
{
	struct bench_row *row =
		bench_report_add(report, "snapshots the readers took", "", NULL, 0, "");

	if (board->snapshots == 0)
		bench_fail("no reader took a snapshot");
	row->value = bench_exactly((double)board->snapshots);
	row->more_is_better = true;
}

void bench_readers(const struct bench_options *options, struct bench_report *report)
{
	/* Long samples: each is to see several polls of each reader. */
	struct bench_plan plan = bench_plan(options);
	struct trial *trials = bench_array(COUNTS, sizeof *trials);
	struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct bench_scene scene;
	pid_t pids[READERS_MAX];
	char name[32];

	if (board == MAP_FAILED)
		bench_fail("mmap: %s", strerror(errno));
	plan.sample_ns = options->quick ? 1000000 : 30000000;
	plan.patience_ns = 0; /* what the readers slow down is what is measured */
	bench_scene_open(&scene, "readers", NULL);
	for (size_t i = 0; i < (options->quick ? 50 : SERIES); i++) {
		snprintf(name, sizeof name, "filler.%zu", i);
		bench_counter(scene.writer, name);
	}
	start_readers(astshm_writer_path(scene.writer), board, pids);
	bench_pin(0);
	for (size_t c = 0; c < COUNTS; c++)
		make_cases(&trials[c], &scene, counts[c]);
	run_rounds(trials, board, &plan);
	if (options->quick)
		await_snapshot(board);
	stop_readers(pids);
	for (size_t c = 0; c < COUNTS; c++)
		take_rows(&trials[c], c, &plan, report);
	add_polls(report, board);
	add_targets(report);
	bench_scene_close(&scene);
	munmap(board, sizeof *board);
	free(trials);
}
