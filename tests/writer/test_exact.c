/* SPDX-License-Identifier: MIT */
/*
 * The heavy one: threads record a million mixed operations each while three
 * processes read; every snapshot is consistent, nothing steps back, and the
 * totals are exact.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define THREADS 8u
#define READERS 3

static unsigned long operations = 1000000;

struct plant {
	struct astshm_writer *writer;
	struct astshm_counter counter, level;
	struct astshm_gauge gauge;
	struct astshm_timing timing;
	struct astshm_distribution distribution;
};

static void open_plant(struct plant *plant, const char *test)
{
	plant->writer = scene_open(test, NULL);
	astshm_counter_register(plant->writer, &(struct astshm_metric){ .name = "c" },
				&plant->counter, NULL);
	astshm_counter_register(plant->writer,
				&(struct astshm_metric){ .name = "level",
							 .flags = ASTSHM_UP_DOWN },
				&plant->level, NULL);
	astshm_gauge_register(plant->writer, &(struct astshm_metric){ .name = "g" }, &plant->gauge,
			      NULL);
	astshm_timing_register(plant->writer, &(struct astshm_metric){ .name = "t" },
			       &plant->timing, NULL);
	astshm_distribution_register(plant->writer, &(struct astshm_metric){ .name = "d" },
				     &plant->distribution, NULL);
}

/* Ten operations a round; values from a generator that is the same each time. */
static void record_mix(unsigned number, void *argument)
{
	const struct plant *plant = argument;
	const char letter[] = { (char)('a' + number), 0 };
	uint64_t random = number + 1;

	for (unsigned long i = 0; i < operations / 10; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		int64_t value = (int64_t)(random >> (34 + i % 24));
		astshm_counter_add(plant->counter, 1);
		astshm_counter_add(plant->level, 3);
		astshm_counter_sub(plant->level, 2);
		astshm_gauge_add(plant->gauge, 1.0);
		astshm_timing_record(plant->timing, value);
		astshm_timing_record(plant->timing, (int64_t)i);
		astshm_distribution_record(plant->distribution, value);
		astshm_increment(plant->writer, "named", 1, ASTSHM_TAGS({ "k", "v" }));
		astshm_time(plant->writer, "named", value, ASTSHM_NO_TAGS);
		astshm_increment(plant->writer, "own", 1,
				 ASTSHM_TAGS({ "thread", letter }));
	}
}

static int steps_back(const struct astshm_snapshot *now, const struct astshm_snapshot *before)
{
	for (size_t i = 0; i < astshm_snapshot_count(before); i++) {
		const struct astshm_series *old = astshm_snapshot_at(before, i);
		const struct astshm_series *new = astshm_snapshot_find(now, old->kind, old->key);
		if (!new || (old->kind == ASTSHM_KIND_COUNTER && old->monotonic &&
			     new->counter.value < old->counter.value) ||
		    (old->kind >= ASTSHM_KIND_TIMING &&
		     new->histogram.count < old->histogram.count)) {
			printf("%s stepped back or vanished\n", old->key);
			return 1;
		}
	}
	return 0;
}

static int poll(void *argument)
{
	struct astshm_snapshot *before = NULL, *now;
	struct astshm_reader *reader;
	unsigned long passes = 0;
	int wrong = 0;

	if (scene_reader_open(&reader, argument) < 0)
		return 2;
	while (!wrong && astshm_reader_state(reader) == ASTSHM_STATE_LIVE) {
		if (astshm_reader_snapshot(reader, 0, &now, NULL) < 0)
			return 3;
		/* Torn blocks are none of it: with more threads than cores one is
		 * often suspended inside a record, and looks like a killed one. */
		wrong = scene_check_snapshot(now) || (before && steps_back(now, before)) ||
			astshm_snapshot_segment(now)->bad_records;
		astshm_snapshot_free(&before);
		before = now;
		if (passes++ == 0)
			scene_report_ready();
	}
	astshm_snapshot_free(&before);
	astshm_reader_close(&reader);
	return wrong ? 1 : passes > 1 ? 0 : 4;
}

static void totals_are_exact_while_three_processes_read(void **state)
{
	const int64_t each = (int64_t)(operations / 10);
	char name[128];
	int readers[READERS];
	struct plant plant;
	int64_t value;

	(void)state;
	snprintf(name, sizeof name, "%s", scene_name(__func__));
	open_plant(&plant, __func__);
	for (int i = 0; i < READERS; i++)
		readers[i] = scene_fork(poll, name);
	scene_await_ready(READERS);
	scene_threads(THREADS, record_mix, &plant);

	assert_int_equal(scene_counter(plant.writer, "c"), THREADS * each);
	assert_int_equal(scene_counter(plant.writer, "level"), THREADS * each);
	assert_true(scene_gauge(plant.writer, "g").current == (double)(THREADS * each));
	assert_int_equal(scene_gauge(plant.writer, "g").count, THREADS * each);
	assert_int_equal(scene_timing(plant.writer, "t").count, 2 * THREADS * each);
	assert_int_equal(scene_timing(plant.writer, "named").count, THREADS * each);
	assert_int_equal(astshm_get_counter(plant.writer, "named", ASTSHM_TAGS({ "k", "v" }),
					    &value), 0);
	assert_int_equal(value, THREADS * each);
	for (unsigned i = 0; i < THREADS; i++) {
		const char letter[] = { (char)('a' + i), 0 };
		assert_int_equal(astshm_get_counter(plant.writer, "own",
						    ASTSHM_TAGS({ "thread", letter }), &value), 0);
		assert_int_equal(value, each);
	}
	astshm_writer_close(&plant.writer);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(scene_join(readers[i]), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_are_exact_while_three_processes_read),
	};

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
