/* SPDX-License-Identifier: MIT */
/*
 * Death at every step: a writer is stopped after each instruction by which
 * anything changes that others can see, and what readers see then is checked.
 * Then it is killed there in earnest, and another writer takes the name over.
 *
 * usage: test_death [--full] [ACT]
 *
 * ACT is the name of one, or a pattern. Kills at every stop of what makes, takes,
 * gives back or removes a name; of the other acts at every one with --full, else at
 * a few.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <astshm/reader.h>

#include "acts.h"
#include "place.h"
#include "stepper.h"
#include "truth.h"

#define HEAP_BYTES (64 << 20)
#define STATES_MAX 16
#define KILLS_SAMPLED 6u
#define KILLS_ALL UINT64_MAX
#define HANG_S 840 /* a reader that hangs ends the test */

static uint64_t kills_wanted = KILLS_SAMPLED;

/* A stepped writer and what is watched of it. */
struct scene {
	const struct act *act;
	struct place place;
	struct stepper stepper;
	struct astshm_reader *reader; /* attached before the first action, polls */
	struct astshm_snapshot *states[STATES_MAX]; /* between the actions */
	ino_t predecessor;            /* 0: none */
	uint64_t stops, instructions, kills;
	struct stop *way; /* what each stop was */
	uint64_t way_room;
};

/* Where a stop lies: after so many system calls and then so many stores. */
struct stop {
	uint64_t calls, stores;
};

/* --- reading ----------------------------------------------------------------- */

static struct astshm_snapshot *must_poll(struct astshm_reader *reader, const char *who)
{
	struct astshm_snapshot *snapshot;
	struct astshm_error error;
	if (astshm_reader_snapshot(reader, 0, &snapshot, &error) < 0)
		fail_msg("%s: %s", who, error.text);
	return snapshot;
}

/* Of a reader that comes now; NULL if there is no such segment. */
static struct astshm_snapshot *attach(const char *path)
{
	struct astshm_reader *reader;
	struct astshm_error error;
	int code = astshm_reader_open(&reader, path, NULL, &error);
	if (code == -ENOENT)
		return NULL;
	if (code < 0)
		fail_msg("attach: %s", error.text);
	struct astshm_snapshot *snapshot = must_poll(reader, "newcomer");
	astshm_reader_close(&reader);
	return snapshot;
}

static struct astshm_snapshot *must_attach(const char *path)
{
	struct astshm_snapshot *snapshot = attach(path);
	if (!snapshot)
		fail_msg("%s is missing", path);
	return snapshot;
}

static enum astshm_state state_of(const struct astshm_snapshot *snapshot)
{
	return astshm_snapshot_segment(snapshot)->state;
}

static void assert_true_to(const struct scene *scene, struct astshm_snapshot *snapshot,
			   const char *who)
{
	const struct astshm_snapshot *before, *after;
	uint32_t stage = scene->stepper.page->stage;
	before = scene->states[stage - 1];
	after = scene->states[stage < scene->act->marks ? stage : stage - 1];
	const char *wrong = truth_violated(snapshot, before, after);
	if (wrong)
		fail_msg("%s, action %u, stop %lu (%lu instructions): %s: %s", scene->act->name,
			 stage, (unsigned long)scene->stops, (unsigned long)
			 scene->stepper.instructions, who, wrong);
	astshm_snapshot_free(&snapshot);
}

/* --- a stepped writer ----------------------------------------------------------- */

static void begin(struct scene *scene)
{
	stepper_start(&scene->stepper, scene->act->run, scene->place.path, scene->act->marks);
	scene->stops = 0;
}

/* The states between the actions, of a run without steps. */
static void collect_states(struct scene *scene)
{
	begin(scene);
	scene->states[0] = must_attach(scene->place.path);
	for (uint32_t i = 1; i < scene->act->marks; i++) {
		if (!stepper_run_to_mark(&scene->stepper))
			fail_msg("%s: action %u ended with %#x", scene->act->name, i,
				 scene->stepper.exit_status);
		scene->states[i] = must_attach(scene->place.path);
		const char *wrong = truth_violated(scene->states[i], scene->states[i],
						   scene->states[i]);
		if (wrong)
			fail_msg("%s, after action %u: %s", scene->act->name, i, wrong);
	}
	stepper_kill(&scene->stepper);
	place_clear(&scene->place);
}

static void forget(struct scene *scene)
{
	free(scene->way);
	place_remove(&scene->place);
	for (uint32_t i = 0; i < STATES_MAX; i++)
		astshm_snapshot_free(&scene->states[i]);
}

static void begin_watched(struct scene *scene)
{
	begin(scene);
	stepper_watch(&scene->stepper, scene->place.path);
	assert_int_equal(astshm_reader_open(&scene->reader, scene->place.path, NULL, NULL), 0);
	astshm_snapshot_free(&(struct astshm_snapshot *){ must_poll(scene->reader, "reader") });
}

/* The name may lead to another file by now: then that one's bytes are watched,
 * unless it is a predecessor's, to which nobody stores. */
static void watch_name(struct scene *scene)
{
	struct stat named;
	if (stat(scene->place.path, &named) || named.st_ino == scene->predecessor)
		return;
	if (!stepper_watches(&scene->stepper, scene->place.path))
		stepper_watch(&scene->stepper, scene->place.path);
}

static void note_stop(struct scene *scene, bool is_store)
{
	uint64_t stores = is_store && scene->stops ? scene->way[scene->stops - 1].stores : 0;
	if (scene->stops == scene->way_room) {
		scene->way_room = 2 * scene->way_room + 64;
		scene->way = realloc(scene->way, scene->way_room * sizeof *scene->way);
		assert_non_null(scene->way);
	}
	scene->way[scene->stops++] =
		(struct stop){ scene->stepper.calls, is_store ? stores + 1 : 0 };
}

static bool step(struct scene *scene)
{
	enum stepper_reason reason = stepper_next(&scene->stepper);
	if (reason == STEPPER_EXITED)
		fail_msg("%s ended with %#x", scene->act->name, scene->stepper.exit_status);
	if (reason == STEPPER_ENDED)
		return false;
	note_stop(scene, reason == STEPPER_STORE);
	return true;
}

/* To a stop that an earlier run had: by leaps from call to call, then by steps. */
static void go_to(struct scene *scene, uint64_t stop)
{
	const struct stop *goal = &scene->way[stop - 1];
	stepper_run_calls(&scene->stepper, goal->calls);
	watch_name(scene);
	/* Another stop than then, should the run differ, is as good. */
	for (uint64_t stores = 0; stores < goal->stores; stores++)
		if (stepper_next(&scene->stepper) != STEPPER_STORE)
			break;
	scene->stops = stop;
}

static void end(struct scene *scene)
{
	astshm_reader_close(&scene->reader);
	stepper_kill(&scene->stepper);
	place_clear(&scene->place);
}

static const struct astshm_histogram *timing_of(struct astshm_snapshot *snapshot)
{
	const struct astshm_series *timing =
		snapshot ? astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "t") : NULL;
	return timing ? &timing->histogram : NULL;
}

/* The segment's timing was so at some time between the actions. */
static bool has_been(const struct scene *scene, const struct astshm_histogram *timing)
{
	for (uint32_t i = 0; i < scene->act->marks; i++) {
		const struct astshm_histogram *then = timing_of(scene->states[i]);
		if (timing && then && timing->count == then->count && timing->sum == then->sum)
			return true;
	}
	return false;
}

/* Whatever of the history there is, is whole: its entries are what the segment
 * was, in the order of time. */
static void assert_past_true(const struct scene *scene, struct astshm_reader *reader)
{
	struct astshm_history *history;
	struct astshm_snapshot *entry;
	uint64_t samples = 0;
	int code = astshm_reader_history(reader, &history, NULL);
	if (code == -ENODATA)
		return;
	assert_int_equal(code, 0);
	assert_int_equal(astshm_history_info(history)->bad, 0);
	for (size_t i = 0; i < astshm_history_count(history); i++) {
		assert_int_equal(astshm_history_snapshot(history, i, &entry, NULL), 0);
		const struct astshm_histogram *timing = timing_of(entry);
		if (astshm_snapshot_segment(entry)->bad_records != 0 || !has_been(scene, timing) ||
		    timing->count <= samples)
			fail_msg("%s, stop %lu: entry %zu of the history is not what was",
				 scene->act->name, (unsigned long)scene->stops, i);
		samples = timing->count;
		astshm_snapshot_free(&entry);
	}
	astshm_history_free(&history);
}

static void examine(struct scene *scene)
{
	struct astshm_snapshot *snapshot = must_attach(scene->place.path);
	assert_int_equal(state_of(snapshot), ASTSHM_STATE_LIVE);
	assert_true_to(scene, snapshot, "newcomer");
	assert_true_to(scene, must_poll(scene->reader, "reader"), "reader");
	assert_past_true(scene, scene->reader);
}

static void examine_every_stop(struct scene *scene)
{
	begin_watched(scene);
	while (step(scene))
		examine(scene);
	scene->instructions = scene->stepper.instructions;
	end(scene);
}

/* --- killed -------------------------------------------------------------------- */

/* The reader goes over to the heir, newcomers find it, the dead one is kept. */
static void assert_inherited(struct scene *scene)
{
	struct heir heir;
	acts_inherit(&heir, scene->place.path);
	for (int i = 0; i < 2; i++) {
		struct astshm_snapshot *snapshot = i ? must_poll(scene->reader, "reader")
						     : must_attach(scene->place.path);
		const struct astshm_series *series =
			astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "heir");
		assert_non_null(series);
		assert_int_equal(series->counter.value, 1);
		assert_int_equal(state_of(snapshot), ASTSHM_STATE_LIVE);
		astshm_snapshot_free(&snapshot);
	}
	acts_end(&heir);
}

static void kill_at(struct scene *scene, uint64_t stop)
{
	begin_watched(scene);
	go_to(scene, stop);
	struct stepper_page *page = scene->stepper.page, last = *page;
	stepper_kill(&scene->stepper);
	scene->stepper.page = &last; /* for assert_true_to */
	struct astshm_snapshot *snapshot = must_attach(scene->place.path);
	assert_int_equal(state_of(snapshot), ASTSHM_STATE_DEAD);
	assert_true_to(scene, snapshot, "newcomer to the dead");
	snapshot = must_poll(scene->reader, "reader");
	assert_int_equal(state_of(snapshot), ASTSHM_STATE_DEAD);
	assert_true_to(scene, snapshot, "reader of the dead");
	assert_past_true(scene, scene->reader);
	assert_inherited(scene);
	assert_true_to(scene, must_attach(place_numbered(&scene->place, 1)), "evidence");
	astshm_reader_close(&scene->reader);
	place_clear(&scene->place);
	scene->stepper = (struct stepper){ .fd = -1 };
	scene->kills++;
}

static void kill_at_some_stops(struct scene *scene, uint64_t stops)
{
	uint64_t wanted = stops < kills_wanted ? stops : kills_wanted;
	for (uint64_t i = 0; i < wanted; i++)
		/* Spread, the first and the last among them. */
		kill_at(scene, 1 + (wanted > 1 ? i * (stops - 1) / (wanted - 1) : 0));
}

static void report(const struct scene *scene, uint64_t stops)
{
	printf("%s: %lu instructions, %lu stops examined, %lu times killed\n", scene->act->name,
	       (unsigned long)scene->instructions, (unsigned long)stops,
	       (unsigned long)scene->kills);
	assert_true(scene->instructions > 0);
	assert_true(stops > 0);
	assert_true(scene->kills > 0);
}

static void every_step_inside_reads_true(void **state)
{
	const struct act *act = *state;
	struct scene scene = { .act = act, .stepper = { .fd = -1 } };
	assert_true(act->marks <= STATES_MAX);
	place_make(&scene.place, "death");
	collect_states(&scene);
	examine_every_stop(&scene);
	uint64_t stops = scene.stops;
	kill_at_some_stops(&scene, stops);
	forget(&scene);
	report(&scene, stops);
}

/* --- names that come and go ------------------------------------------------------- */

/* An act that makes, takes, gives back or removes a name. */
struct door {
	const struct act *act;
	uint64_t dead;      /* predecessors there; the last one's value is this */
	bool keeps;         /* the last of them is evidence */
	bool comes;         /* the act's segment is there after it, else before it */
	bool may_be_absent; /* the name, meanwhile */
	bool copies;        /* word by word, unseen: steps only with --full */
};

static void prepare(const struct scene *scene, const struct door *door)
{
	for (uint64_t value = 1; value <= door->dead; value++)
		acts_leave_dead(scene->place.path, value);
}

static bool is_dead_of(const struct astshm_snapshot *snapshot, uint64_t value)
{
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "dead");
	return series && (uint64_t)series->counter.value == value;
}

/* The act's own segment, as it is before a name goes or after one has come. */
static void collect_own(struct scene *scene, const struct door *door)
{
	prepare(scene, door);
	begin(scene);
	if (!door->comes)
		scene->states[0] = must_attach(scene->place.path);
	if (!stepper_run_to_mark(&scene->stepper))
		fail_msg("%s ended with %#x", scene->act->name, scene->stepper.exit_status);
	if (door->comes)
		scene->states[0] = must_attach(scene->place.path);
	stepper_kill(&scene->stepper);
	place_clear(&scene->place);
}

/* What is seen is the predecessor's or the act's own, whole. Frees it. */
static void assert_whole(const struct scene *scene, const struct door *door,
			 struct astshm_snapshot *snapshot, bool alive)
{
	enum astshm_state state = state_of(snapshot);
	if (door->dead && is_dead_of(snapshot, door->dead)) {
		assert_true(state == ASTSHM_STATE_DEAD || state == ASTSHM_STATE_REPLACED);
		astshm_snapshot_free(&snapshot);
		return;
	}
	const char *wrong = truth_violated(snapshot, scene->states[0], scene->states[0]);
	if (wrong)
		fail_msg("%s, stop %lu: %s", scene->act->name, (unsigned long)scene->stops, wrong);
	if (!alive)
		assert_true(state == ASTSHM_STATE_DEAD || state == ASTSHM_STATE_CLOSED);
	astshm_snapshot_free(&snapshot);
}

static bool is_at(const char *path, uint64_t value)
{
	struct astshm_snapshot *snapshot = attach(path);
	bool found = snapshot && is_dead_of(snapshot, value);
	astshm_snapshot_free(&snapshot);
	return found;
}

static void examine_door(struct scene *scene, const struct door *door, bool alive)
{
	struct astshm_snapshot *snapshot = attach(scene->place.path);
	if (snapshot)
		assert_whole(scene, door, snapshot, alive);
	else if (!door->may_be_absent)
		fail_msg("%s: no name at stop %lu", scene->act->name, (unsigned long)scene->stops);
	if (scene->reader)
		assert_whole(scene, door, must_poll(scene->reader, "reader"), alive);
	if (door->keeps && !is_at(scene->place.path, door->dead) &&
	    !is_at(place_numbered(&scene->place, 1), door->dead))
		fail_msg("%s: the evidence is gone", scene->act->name);
	const char *litter = place_litter(&scene->place, 2);
	if (litter)
		fail_msg("%s, stop %lu: left %s", scene->act->name, (unsigned long)scene->stops,
			 litter);
}

static void begin_door(struct scene *scene, const struct door *door)
{
	struct stat named;
	prepare(scene, door);
	begin(scene);
	scene->reader = NULL;
	scene->predecessor = 0;
	if ((door->dead || (door->copies && kills_wanted != KILLS_ALL)) &&
	    stat(scene->place.path, &named) == 0)
		scene->predecessor = named.st_ino;
	if (access(scene->place.path, F_OK))
		return;
	watch_name(scene);
	assert_int_equal(astshm_reader_open(&scene->reader, scene->place.path, NULL, NULL), 0);
}

static bool step_door(struct scene *scene)
{
	bool stepped = step(scene);
	watch_name(scene);
	return stepped;
}

static void kill_at_door(struct scene *scene, const struct door *door, uint64_t stop)
{
	struct heir heir;
	begin_door(scene, door);
	go_to(scene, stop);
	stepper_kill(&scene->stepper);
	examine_door(scene, door, false);
	struct astshm_snapshot *last = attach(scene->place.path);
	acts_inherit(&heir, scene->place.path);
	struct astshm_snapshot *found = must_attach(scene->place.path);
	assert_non_null(astshm_snapshot_find(found, ASTSHM_KIND_COUNTER, "heir"));
	astshm_snapshot_free(&found);
	if (last) {
		/* Whoever had the name last is evidence now. */
		found = must_attach(place_numbered(&scene->place, 1));
		assert_true(astshm_snapshot_segment(found)->generation ==
			    astshm_snapshot_segment(last)->generation);
		astshm_snapshot_free(&found);
	}
	astshm_snapshot_free(&last);
	acts_end(&heir);
	end(scene);
	scene->kills++;
}

static void every_step_of_a_name_reads_true(void **state)
{
	const struct door *door = *state;
	struct scene scene = { .act = door->act, .stepper = { .fd = -1 } };
	place_make(&scene.place, "door");
	collect_own(&scene, door);
	begin_door(&scene, door);
	while (step_door(&scene))
		examine_door(&scene, door, true);
	scene.instructions = scene.stepper.instructions;
	uint64_t stops = scene.stops;
	end(&scene);
	for (uint64_t stop = 1; stop <= stops; stop++)
		kill_at_door(&scene, door, stop);
	forget(&scene);
	report(&scene, stops);
}

/* --- the stepping itself ------------------------------------------------------------ */

/* If what is checked here could not fail, the rest would prove nothing. */
static void a_writer_that_breaks_the_rules_is_found_out(void **state)
{
	struct scene scene = { .act = &act_break_the_rules, .stepper = { .fd = -1 } };
	unsigned violations = 0;
	(void)state;
	place_make(&scene.place, "rules");
	collect_states(&scene);
	begin_watched(&scene);
	while (step(&scene)) {
		struct astshm_snapshot *snapshot = must_attach(scene.place.path);
		violations += truth_violated(snapshot, scene.states[0], scene.states[1]) != NULL;
		astshm_snapshot_free(&snapshot);
	}
	end(&scene);
	forget(&scene);
	assert_true(violations > 0);
}

static struct CMUnitTest case_of(const char *name, CMUnitTestFunction function, const void *state)
{
	return (struct CMUnitTest){ name, function, NULL, NULL, (void *)(uintptr_t)state };
}

static int run(void)
{
	static const struct door doors[] = {
		{ .act = &act_create, .comes = true, .may_be_absent = true },
		{ .act = &act_take_over, .dead = 1, .keeps = true, .comes = true,
		  .may_be_absent = true },
		{ .act = &act_take_over_again, .dead = 2, .keeps = true, .comes = true,
		  .may_be_absent = true },
		{ .act = &act_take_over_keeping_two, .dead = 2, .keeps = true, .comes = true,
		  .may_be_absent = true },
		{ .act = &act_take_over_keeping_none, .dead = 1, .comes = true,
		  .may_be_absent = true },
		{ .act = &act_close, .may_be_absent = true },
		{ .act = &act_close_keeping },
		{ .act = &act_restore_name, .may_be_absent = true, .copies = true },
	};
	enum { DOORS = sizeof doors / sizeof doors[0] };
	struct CMUnitTest tests[64];
	size_t count = 0;
	for (size_t i = 0; i < acts_inside_count; i++)
		tests[count++] = case_of(acts_inside[i].name, every_step_inside_reads_true,
					 &acts_inside[i]);
	for (size_t i = 0; i < DOORS; i++)
		tests[count++] = case_of(doors[i].act->name, every_step_of_a_name_reads_true,
					 &doors[i]);
	tests[count++] = case_of("a writer that breaks the rules is found out",
				 a_writer_that_breaks_the_rules_is_found_out, NULL);
	return _cmocka_run_group_tests("death", tests, count, NULL, NULL);
}

/* Writers are forks: whether malloc calls the system must not depend on what we hold by then. */
static void have_a_large_heap(void)
{
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_TOP_PAD, HEAP_BYTES);
	free(malloc(1));
}

int main(int argc, char **argv)
{
	have_a_large_heap();
	if (argc > 1 && strcmp(argv[1], "--full") == 0) {
		kills_wanted = KILLS_ALL;
		argc--;
		argv++;
	}
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		fprintf(stderr, "usage: test_death [--full] [ACT]\n");
		return 2;
	}
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	const char *missing = stepper_missing();
	if (missing) {
		printf("skipped: %s\n", missing);
		return 77;
	}
	if (kills_wanted != KILLS_ALL)
		alarm(HANG_S);
	return run();
}
