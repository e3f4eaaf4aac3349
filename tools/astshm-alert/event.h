/* SPDX-License-Identifier: MIT */
/*
 * A change: a line of JSON, and the environment of --exec.
 */
#ifndef ALERT_EVENT_H
#define ALERT_EVENT_H

#include "alert.h"

struct event {
	const struct rule *rule;
	const struct verdict *verdict;
	const struct look *look;
	const char *segment;
	enum alert_state state, previous;
	int64_t previous_ns; /* how long that lasted */
};

/* One line on stdout, "astshm.alert/1" (doc/alerts.md). False: it cannot be written. */
bool event_print(const struct event *event);

/*
 * This process's environment and ASTSHM_ALERT_* besides; NULL: no memory. One
 * allocation for the pointers, one for all strings that are new, which is the
 * first of them.
 */
char **event_environment(const struct event *event);
void event_environment_free(char ***environment);

#endif
