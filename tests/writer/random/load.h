/* SPDX-License-Identifier: MIT */
/* Threads that record, and keep a tally of it. */
#ifndef TESTS_RANDOM_LOAD_H
#define TESTS_RANDOM_LOAD_H

#include "model.h"

/* xorshift64*: small, and the same everywhere. */
static inline uint32_t random_below(uint64_t *random, uint32_t limit)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (uint32_t)((*random * 2685821657736338717u >> 32) * limit >> 32);
}

union handle {
	struct astshm_counter counter;
	struct astshm_gauge gauge;
	struct astshm_timing timing;
	struct astshm_distribution distribution;
};

/* A lane: threads that follow each other, one at a time. */
struct lane {
	uint32_t number;
	uint64_t random;
	uint32_t bursts; /* left for the present thread */
	struct tally tally;
	union handle handles[SUBJECTS_MAX]; /* of what it registered itself */
	int wrong; /* calls with an impossible result, printed */
};

struct load {
	struct astshm_writer *writer;
	struct round round;
	union handle handles[SUBJECTS_MAX]; /* of what all record by handle */
	uint32_t most_per_burst;
	uint32_t crowded; /* a shared subject, where all meet in this round */
};

extern struct load load;

/* Once: what a thread's end calls, and SIGUSR1 for the counter of signals. */
int load_init(void);
/* Registers a subject into *handle. 0 or a negative errno value. */
int load_register(const struct subject *subject, union handle *handle);
/* One record into a subject that exists by handle, or by name. */
void load_record(const struct subject *subject, union handle handle, uint32_t place,
		 uint32_t stranger);
/* Records for the present thread of a lane until its bursts are used up. */
void load_run(struct lane *lane);

#endif
