/* SPDX-License-Identifier: MIT */
/*
 * --exec: a command for each change. Bounded in time, never two at once of one
 * rule; changes that come meanwhile are told when it has ended, the last alone.
 */
#ifndef ALERT_RUNNER_H
#define ALERT_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "alert.h"
#include "rule.h"

struct job {
	pid_t pid;               /* of the command and of its process group; 0: none runs */
	int64_t deadline_ns;     /* when it is asked, then made, to end */
	int signals;             /* how often it was */
	enum alert_state told;   /* what the last command was told */
	char **queued;           /* the environment of the next, or NULL */
	enum alert_state queued_state;
	const char *label;
};

struct runner {
	char **words;       /* NULL: there is no --exec */
	int64_t timeout_ns; /* a run's most */
	struct job jobs[RULES_MAX];
	size_t running;
};

/* Takes over the environment. `place` is the rule's. */
void runner_notify(struct runner *runner, size_t place, const struct rule *rule,
		   enum alert_state state, char **environment);

/* Collects what ended, ends what takes too long, starts what waited. */
void runner_poll(struct runner *runner);

/* Lets what runs come to its end, or to its bound; what waits is dropped. */
void runner_finish(struct runner *runner);

#endif
