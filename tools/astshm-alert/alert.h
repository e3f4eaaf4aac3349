/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a rule from look to look: 'for' before it fires, 'until' before
 * it is over. Knows no clock but the times it is given.
 */
#ifndef ALERT_ALERT_H
#define ALERT_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "evaluate.h"
#include "rule.h"

enum alert_state { ALERT_OK, ALERT_PENDING, ALERT_FIRING };

struct alert {
	enum alert_state state;
	int64_t since_ns;      /* when the state began */
	int64_t quiet_since_ns; /* of a firing one that may end; 0: it may not */
};

/*
 * Takes the next verdict, of a look at `now_ns` > 0 (monotonic). True: it began to
 * fire, or ended. `held`: nothing can be learnt from this look (the server is
 * down): what fires goes on firing, what was about to begins anew.
 */
bool alert_step(struct alert *alert, const struct rule *rule, const struct verdict *verdict,
		bool held, int64_t now_ns);

/* "ok", "pending", "firing" */
const char *alert_state_name(enum alert_state state);

#endif
