/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"
#include "cores.h"
#include "fail.h"
#include "team.h"

struct member {
	struct bench_team *team;
	pthread_t thread;
	unsigned index;
	uint64_t start_ns, end_ns, cpu_ns;
};

struct bench_team {
	unsigned size;
	const struct bench_job *job; /* NULL: go home; between the barriers constant */
	pthread_barrier_t start, end;
	struct member members[];
};

static void work(struct member *member, const struct bench_job *job)
{
	member->start_ns = bench_wall_ns();
	uint64_t cpu_ns = bench_thread_cpu_ns();
	job->work(job->context, member->index);
	member->cpu_ns = bench_thread_cpu_ns() - cpu_ns;
	member->end_ns = bench_wall_ns();
}

static void *serve(void *argument)
{
	struct member *member = argument;
	struct bench_team *team = member->team;

	bench_pin(member->index);
	for (;;) {
		pthread_barrier_wait(&team->start);
		if (!team->job)
			return NULL;
		if (member->index < team->job->count)
			work(member, team->job);
		pthread_barrier_wait(&team->end);
	}
}

struct bench_team *bench_team_start(unsigned size)
{
	struct bench_team *team = bench_array(1, sizeof *team + size * sizeof team->members[0]);

	team->size = size;
	pthread_barrier_init(&team->start, NULL, size + 1);
	pthread_barrier_init(&team->end, NULL, size + 1);
	for (unsigned i = 0; i < size; i++) {
		team->members[i].team = team;
		team->members[i].index = i;
		if (pthread_create(&team->members[i].thread, NULL, serve, &team->members[i]) != 0)
			bench_fail("no thread");
	}
	return team;
}

void bench_team_run(struct bench_team *team, const struct bench_job *job, uint64_t *cpu_ns,
		    uint64_t *wall_ns)
{
	uint64_t start_ns = UINT64_MAX, end_ns = 0;

	team->job = job;
	pthread_barrier_wait(&team->start);
	pthread_barrier_wait(&team->end);
	*cpu_ns = 0;
	for (unsigned i = 0; i < job->count; i++) {
		const struct member *member = &team->members[i];
		*cpu_ns += member->cpu_ns;
		start_ns = member->start_ns < start_ns ? member->start_ns : start_ns;
		end_ns = member->end_ns > end_ns ? member->end_ns : end_ns;
	}
	*wall_ns = end_ns - start_ns;
}

void bench_team_stop(struct bench_team *team)
{
	team->job = NULL;
	pthread_barrier_wait(&team->start);
	for (unsigned i = 0; i < team->size; i++)
		pthread_join(team->members[i].thread, NULL);
	pthread_barrier_destroy(&team->start);
	pthread_barrier_destroy(&team->end);
	free(team);
}
