/* SPDX-License-Identifier: MIT */
/*
 * A rule against one look at the server.
 */
#ifndef ALERT_EVALUATE_H
#define ALERT_EVALUATE_H

#include "look.h"
#include "measure.h"
#include "rule.h"

enum outcome {
	OUTCOME_FALSE,
	OUTCOME_TRUE,
	OUTCOME_NOTHING, /* no sample to compare: no alert */
	OUTCOME_MISSING, /* no such metric: no alert, but perhaps a slip of the pen */
	OUTCOME_UNKNOWN, /* cannot be told */
};

struct verdict {
	enum outcome outcome;
	bool quiet;         /* an alert that fires may end: the condition does not hold,
			     * nor what 'until' asks to be over */
	double value;       /* what was compared; NaN: nothing was */
	char unit[ASTSHM_UNIT_MAX + 3]; /* "seconds", "packets/s", "" */
	uint64_t window_ns; /* the real length of the window; 0: the lifetime */
	char why[ASTSHM_NAME_MAX + 100]; /* of what is not simply true or false, of what
					  * is absent and of a server that is down */
};

/* `total` is room to work in. */
void evaluate(const struct rule *rule, const struct look *look, struct total *total,
	      struct verdict *verdict);

#endif
