/* SPDX-License-Identifier: MIT */
/*
 * Two servers start at the same moment under one name: exactly one gets it, each
 * time, and the other is told by whom it is held.
 *
 * usage: test_duel [ROUNDS]
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <astshm/writer.h>

#include "place.h"

#define LANES 10 /* duels at a time: a loser waits 100 ms for the winner to go */
#define ROUNDS_DEFAULT 100u

/* Shared by the two of one lane. */
struct duel {
	uint32_t arrived, decided;
	int codes[2];
	pid_t pids[2];
	char texts[2][256]; /* what the loser was told */
};

static struct duel *duels;
static struct place places[LANES];
static unsigned rounds = ROUNDS_DEFAULT;

static void meet(uint32_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < 2)
		sched_yield();
}

/* The winner closes its segment or, with `dies`, leaves it as if killed. */
static void compete(struct duel *duel, int side, const char *path, bool dies)
{
	struct astshm_writer *writer;
	struct astshm_error error = { 0 };
	meet(&duel->arrived);
	duel->pids[side] = getpid();
	duel->codes[side] = astshm_writer_open(&writer, path, NULL, &error);
	memcpy(duel->texts[side], error.text, sizeof duel->texts[side]);
	astshm_increment(writer, "won", 1, ASTSHM_NO_TAGS);
	meet(&duel->decided);
	if (!dies)
		astshm_writer_close(&writer);
	_exit(0);
}

static void start_all(bool die)
{
	memset(duels, 0, LANES * sizeof *duels);
	for (int i = 0; i < 2 * LANES; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			compete(&duels[i / 2], i % 2, places[i / 2].path, die);
	}
}

static void await_all(void)
{
	int status;
	for (int i = 0; i < 2 * LANES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void assert_one_winner(const struct duel *duel)
{
	char pid[32];
	int winner = duel->codes[0] == 0 ? 0 : 1, loser = 1 - winner;
	if (duel->codes[winner] != 0 || duel->codes[loser] != -EBUSY)
		fail_msg("codes %d (%s) and %d (%s)", duel->codes[0], duel->texts[0],
			 duel->codes[1], duel->texts[1]);
	snprintf(pid, sizeof pid, "pid %ld", (long)duel->pids[winner]);
	if (!strstr(duel->texts[loser], pid))
		fail_msg("the loser was told '%s', the winner is %s", duel->texts[loser], pid);
}

/* What the winner left: the one segment of that life, with its one count. */
static void assert_left(const struct place *place, const struct duel *duel)
{
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	pid_t winner = duel->pids[duel->codes[0] == 0 ? 0 : 1];
	assert_int_equal(astshm_reader_open(&reader, place->path, NULL, NULL), 0);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->pid, winner);
	assert_int_equal(astshm_snapshot_segment(snapshot)->state, ASTSHM_STATE_DEAD);
	assert_int_equal(
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "won")->counter.value, 1);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}

/* Names that are free, and names of the dead, in turn. */
static void exactly_one_of_two_wins_each_time(void **state)
{
	unsigned fought = 0;
	(void)state;
	for (bool die = true; fought < rounds; die = !die) {
		start_all(die);
		await_all();
		for (int i = 0; i < LANES; i++, fought++) {
			assert_one_winner(&duels[i]);
			if (die)
				assert_left(&places[i], &duels[i]);
			else
				assert_int_equal(access(places[i].path, F_OK), -1);
			assert_null(place_litter(&places[i], 1));
		}
	}
	printf("%u duels\n", fought);
}

static int setup(void **state)
{
	char name[16];
	(void)state;
	duels = mmap(NULL, LANES * sizeof *duels, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < LANES; i++) {
		snprintf(name, sizeof name, "duel%d", i);
		place_make(&places[i], name);
	}
	return duels == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < LANES; i++)
		place_remove(&places[i]);
	return munmap(duels, LANES * sizeof *duels);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exactly_one_of_two_wins_each_time, setup,
						teardown),
	};
	if (argc > 2 || (argc == 2 && (rounds = (unsigned)strtoul(argv[1], NULL, 10)) == 0)) {
		fprintf(stderr, "usage: test_duel [ROUNDS]\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
