/* SPDX-License-Identifier: MIT */
/*
 * Writers that start at the same moment: one name, exactly one winner.
 */
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20
#define LANES 10 /* duels at a time: a loser waits 100 ms for the winner to go */
#define RIVALS 2

/* Shared by the rivals of one duel. */
struct duel {
	uint32_t arrived;
	uint32_t decided;
	uint64_t winner;
	int codes[RIVALS];
};

static struct fixture fixtures[LANES];
static struct duel *duels;

static void wait_for(const uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < value)
		sched_yield();
}

/* Holds the name, if it won it, until all rivals know what they got. */
static void compete(struct fixture *fixture, struct duel *duel, int rival)
{
	struct shm_segment segment;
	int code = fixture_create(fixture, &segment);
	__atomic_fetch_add(&duel->arrived, 1, __ATOMIC_ACQ_REL);
	wait_for(&duel->arrived, RIVALS);
	if (code == 0)
		code = shm_publish(&segment, &fixture->how, &fixture->error);
	if (code == 0)
		duel->winner = segment.generation;
	duel->codes[rival] = code;
	__atomic_fetch_add(&duel->decided, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&duel->decided, __ATOMIC_ACQUIRE) < RIVALS)
		usleep(1000);
	_exit(0);
}

static void run_duels(void)
{
	memset(duels, 0, LANES * sizeof *duels);
	for (int i = 0; i < LANES * RIVALS; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			compete(&fixtures[i / RIVALS], &duels[i / RIVALS], i % RIVALS);
	}
	for (int i = 0; i < LANES * RIVALS; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void assert_one_winner(const struct fixture *fixture, const struct duel *duel)
{
	int won = 0;
	for (int rival = 0; rival < RIVALS; rival++) {
		won += duel->codes[rival] == 0;
		if (duel->codes[rival] != 0)
			assert_int_equal(duel->codes[rival], -EBUSY);
	}
	assert_int_equal(won, 1);
	assert_true(fixture_generation_at(fixture->path) == duel->winner);
}

static void one_of_two_wins_a_free_name(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		run_duels();
		for (int i = 0; i < LANES; i++) {
			assert_one_winner(&fixtures[i], &duels[i]);
			assert_int_equal(unlink(fixtures[i].path), 0);
		}
	}
}

/* Each round's winner dies and is the next one's predecessor. */
static void one_of_two_wins_a_dead_writers_name(void **state)
{
	(void)state;
	uint64_t dead[LANES];
	for (int i = 0; i < LANES; i++)
		dead[i] = fixture_leave_dead(&fixtures[i]);
	for (int round = 0; round < ROUNDS; round++) {
		run_duels();
		for (int i = 0; i < LANES; i++) {
			assert_one_winner(&fixtures[i], &duels[i]);
			assert_true(fixture_generation_at(fixture_numbered(&fixtures[i], 1)) ==
				    dead[i]);
			dead[i] = duels[i].winner;
		}
	}
}

static int setup(void **state)
{
	char name[16];
	(void)state;
	duels = mmap(NULL, LANES * sizeof *duels, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < LANES; i++) {
		snprintf(name, sizeof name, "race.%d", i);
		fixture_init(&fixtures[i], name);
	}
	return duels == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < LANES; i++)
		fixture_fini(&fixtures[i]);
	return munmap(duels, LANES * sizeof *duels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_of_two_wins_a_free_name, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_two_wins_a_dead_writers_name, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
