/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "describe.h"
#include "event.h"
#include "message.h"
#include "runner.h"
#include "signals.h"
#include "watch.h"

#define RUNNER_STEP_NS 50000000 /* how often commands that run are looked after */

struct watcher {
	const struct options *options;
	struct server server;
	struct alert alerts[RULES_MAX];
	enum outcome noted[RULES_MAX]; /* what stderr was told of */
	struct runner runner;
	struct total total;
	bool reader_gone;
};

/* That a rule has nothing to look at is no alert, but worth a word. */
static void note(struct watcher *watcher, size_t place, const struct rule *rule,
		 const struct verdict *verdict)
{
	bool amiss = verdict->outcome == OUTCOME_MISSING || verdict->outcome == OUTCOME_UNKNOWN;

	if (amiss && verdict->outcome != watcher->noted[place])
		message("%s: %s", rule->label, verdict->why);
	watcher->noted[place] = verdict->outcome;
}

static void tell(struct watcher *watcher, size_t place, const struct event *event)
{
	if (!event_print(event))
		watcher->reader_gone = true;
	if (watcher->runner.words)
		runner_notify(&watcher->runner, place, event->rule, event->state,
			      event_environment(event));
}

/* Of a server that is down only that can be learnt, and how old its heartbeat is. */
static bool is_held(const struct rule *rule, const struct look *look)
{
	return !look->is_live && rule->condition != CONDITION_DOWN &&
	       rule->condition != CONDITION_STALE;
}

static void look_at_rule(struct watcher *watcher, size_t place, const struct look *look)
{
	const struct rule *rule = watcher->options->rules.items[place];
	struct alert *alert = &watcher->alerts[place];
	struct verdict verdict;
	struct event event = {
		.rule = rule, .verdict = &verdict, .look = look,
		.segment = watcher->server.argument, .previous = alert->state,
		.previous_ns = look->monotonic_ns - alert->since_ns,
	};

	evaluate(rule, look, &watcher->total, &verdict);
	if (look->is_live)
		note(watcher, place, rule, &verdict);
	if (!alert_step(alert, rule, &verdict, is_held(rule, look), look->monotonic_ns))
		return;
	event.state = alert->state;
	tell(watcher, place, &event);
}

/* Only at the beginning is a segment that cannot be read a mistake of whoever
 * started us. */
static bool look_once(struct watcher *watcher, bool is_first)
{
	const struct rules *rules = &watcher->options->rules;
	struct look look;

	look_take(&watcher->server, rules, &look);
	if (is_first && look.error && look.error != -ENOENT) {
		message("%s: %s", watcher->server.argument, look.why);
		return false;
	}
	for (size_t i = 0; i < rules->count && !watcher->reader_gone; i++) {
		if (is_first)
			watcher->alerts[i].since_ns = look.monotonic_ns;
		look_at_rule(watcher, i, &look);
	}
	look_free(&look);
	return true;
}

/* A slow look loses turns, it does not drift. */
static int64_t next_turn(int64_t turn_ns, int64_t interval_ns)
{
	int64_t late_ns = monotonic_ns() - turn_ns;

	return turn_ns + (late_ns < interval_ns ? interval_ns
						: (late_ns / interval_ns + 1) * interval_ns);
}

static enum slept sleep_and_run(struct watcher *watcher, int64_t turn_ns)
{
	for (;;) {
		int64_t step_ns = monotonic_ns() + RUNNER_STEP_NS;
		enum slept slept;

		runner_poll(&watcher->runner);
		if (watcher->runner.running == 0 || step_ns >= turn_ns)
			return sleep_until(turn_ns, STDOUT_FILENO);
		slept = sleep_until(step_ns, STDOUT_FILENO);
		if (slept != SLEPT)
			return slept;
	}
}

static int run(struct watcher *watcher)
{
	int64_t turn_ns = monotonic_ns();

	if (!look_once(watcher, true))
		return PLUGIN_UNKNOWN;
	while (!watcher->reader_gone) {
		turn_ns = next_turn(turn_ns, watcher->options->interval_ns);
		if (sleep_and_run(watcher, turn_ns) != SLEPT)
			break;
		look_once(watcher, false);
	}
	return finish_stdout() == EXIT_OK ? PLUGIN_OK : PLUGIN_UNKNOWN;
}

int watch(const struct options *options, const char *segment)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	int status;

	if (!watcher) {
		message("out of memory");
		return PLUGIN_UNKNOWN;
	}
	watcher->options = options;
	watcher->server.argument = segment;
	watcher->runner.words = options->command;
	watcher->runner.timeout_ns = options->timeout_ns;
	status = run(watcher);
	runner_finish(&watcher->runner);
	server_close(&watcher->server);
	free(watcher);
	return status;
}
