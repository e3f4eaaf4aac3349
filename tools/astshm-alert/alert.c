/* SPDX-License-Identifier: MIT */
#include "alert.h"

static void enter(struct alert *alert, enum alert_state state, int64_t now_ns)
{
	*alert = (struct alert){ .state = state, .since_ns = now_ns };
}

static bool step_idle(struct alert *alert, const struct rule *rule, bool holds, int64_t now_ns)
{
	if (!holds) {
		if (alert->state == ALERT_PENDING)
			enter(alert, ALERT_OK, now_ns);
		return false;
	}
	if (alert->state == ALERT_OK)
		enter(alert, ALERT_PENDING, now_ns);
	if (now_ns - alert->since_ns < rule->for_ns)
		return false;
	enter(alert, ALERT_FIRING, now_ns);
	return true;
}

static bool step_firing(struct alert *alert, const struct rule *rule, bool quiet, int64_t now_ns)
{
	if (!quiet) {
		alert->quiet_since_ns = 0;
		return false;
	}
	if (alert->quiet_since_ns == 0)
		alert->quiet_since_ns = now_ns;
	if (now_ns - alert->quiet_since_ns < rule->until_for_ns)
		return false;
	enter(alert, ALERT_OK, now_ns);
	return true;
}

bool alert_step(struct alert *alert, const struct rule *rule, const struct verdict *verdict,
		bool held, int64_t now_ns)
{
	held |= verdict->outcome == OUTCOME_UNKNOWN;
	if (alert->state == ALERT_FIRING)
		return step_firing(alert, rule, !held && verdict->quiet, now_ns);
	return step_idle(alert, rule, !held && verdict->outcome == OUTCOME_TRUE, now_ns);
}

const char *alert_state_name(enum alert_state state)
{
	static const char *const names[] = { "ok", "pending", "firing" };

	return names[state];
}
