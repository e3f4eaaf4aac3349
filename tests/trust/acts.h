/* SPDX-License-Identifier: MIT */
/*
 * What writers do while they are stepped through and killed. Each act runs in a
 * process of its own and calls stepper_mark() around each of its actions.
 */
#ifndef TESTS_TRUST_ACTS_H
#define TESTS_TRUST_ACTS_H

#include <stddef.h>
#include <stdint.h>

struct act {
	const char *name;
	void (*run)(void *path); /* a const char: where the segment is */
	uint32_t marks;
};

/* The segment is there from the first mark to the last. */
extern const struct act acts_inside[];
extern const size_t acts_inside_count;

/* The segment comes or goes, with one action each. */
extern const struct act act_create, act_take_over, act_take_over_again,
	act_take_over_keeping_two, act_take_over_keeping_none, act_close, act_close_keeping,
	act_restore_name;

/* As acts_inside, but records a sample in the wrong order, the sum before its
 * bucket. What is checked must notice. */
extern const struct act act_break_the_rules;

/*
 * In a process of its own: opens the segment at `path`, which must be possible,
 * adds 1 to the counter "heir", and lives until it is killed or, with
 * acts_end, closes it.
 */
struct heir {
	int pid;
	int end; /* of a pipe */
};
void acts_inherit(struct heir *heir, const char *path);
void acts_end(struct heir *heir);

/* Leaves the segment of a dead writer at `path`: a counter "dead" of this value. */
void acts_leave_dead(const char *path, uint64_t value);

#endif
