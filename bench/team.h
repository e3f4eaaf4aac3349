/* SPDX-License-Identifier: MIT */
/* Threads that start the same work together, each pinned to a core. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include <stdint.h>

struct bench_team;

/* What the first `count` threads of a team do; called on each of them. */
struct bench_job {
	unsigned count;
	void (*work)(void *context, unsigned thread);
	void *context;
};

struct bench_team *bench_team_start(unsigned size);
/* Returns when all have done it; *cpu_ns: the CPU time of all, *wall_ns: from
 * the first one's start to the last one's end. */
void bench_team_run(struct bench_team *team, const struct bench_job *job, uint64_t *cpu_ns,
		    uint64_t *wall_ns);
void bench_team_stop(struct bench_team *team);

#endif
