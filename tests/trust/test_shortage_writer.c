/* SPDX-License-Identifier: MIT */
/*
 * A writer while memory is short: each allocation of a whole life fails, once. What
 * could not be made says so by -ENOMEM, and the life goes on without it; what was
 * recorded is there, to the last one, or counted as dropped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scene.h"
#include "shortage.h"

#define RECORDS 5
#define NAMES 4

struct life {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	struct astshm_gauge gauge;
	struct astshm_distribution distribution;
	bool has_counter, has_timing, has_gauge, has_distribution;
	unsigned refused; /* registrations by handle, and that of the one that is removed */
};

/* Memory is the one thing that may be missing. */
static bool made(int result)
{
	assert_true(result >= 0 || result == -ENOMEM);
	return result >= 0;
}

static unsigned handles(const struct life *life)
{
	return life->has_counter + life->has_timing + life->has_gauge + life->has_distribution;
}

static void register_all(struct life *life)
{
	const struct astshm_tag tags[] = { { "type", "/live/track" }, { "a", "b" } };
	const struct astshm_metric metric = { .name = "handle", .unit = "items",
					      .help = "What is counted.", .tags = tags,
					      .tag_count = 2 };
	struct astshm_writer *writer = life->writer;

	life->has_counter = made(astshm_counter_register(writer, &metric, &life->counter, NULL));
	life->has_timing = made(astshm_timing_register(writer, &metric, &life->timing, NULL));
	life->has_gauge = made(astshm_gauge_register(writer, &metric, &life->gauge, NULL));
	life->has_distribution =
		made(astshm_distribution_register(writer, &metric, &life->distribution, NULL));
	life->refused = 4 - handles(life);
}

static void record_all(unsigned number, void *argument)
{
	static const char *const names[NAMES] = { "one", "two", "three", "four" };
	struct life *life = argument;

	(void)number;
	for (int i = 0; i < RECORDS; i++) {
		astshm_counter_add(life->counter, 1);
		astshm_timing_record(life->timing, i);
		astshm_gauge_set(life->gauge, i);
		astshm_distribution_record(life->distribution, i);
		for (size_t k = 0; k < NAMES; k++) {
			const struct astshm_tag tag = { "name", names[k] };

			astshm_increment(life->writer, names[k], 1, ASTSHM_NO_TAGS);
			astshm_time(life->writer, "timing", i, &tag, 1);
		}
	}
}

static void read_back(struct life *life)
{
	struct astshm_snapshot *snapshot = NULL;
	int64_t value;

	int result = astshm_get_counter(life->writer, "one", ASTSHM_NO_TAGS, &value);
	assert_true(result == 0 || result == -ENOENT || result == -ENOMEM);
	if (made(astshm_get_all_metrics(life->writer, &snapshot, NULL)))
		assert_int_equal(scene_check_snapshot(snapshot), 0);
	else
		assert_null(snapshot);
	astshm_snapshot_free(&snapshot);
}

static void remove_one(struct life *life)
{
	const struct astshm_series_id ids[] = { { ASTSHM_KIND_COUNTER, "gone", NULL, 0 } };

	astshm_increment(life->writer, "gone", 7, ASTSHM_NO_TAGS);
	int removed = astshm_remove_many(life->writer, ids, 1);
	assert_in_range(removed, 0, 1);
	life->refused += removed == 0;
}

static void tick(struct life *life)
{
	usleep(2000);
	made(astshm_writer_tick(life->writer, NULL));
}

/* False: it did not begin. */
static bool live(struct life *life, unsigned flags)
{
	struct astshm_writer_options options = scene_options();

	options.flags = flags;
	options.max_bytes = 8 << 20;
	options.max_series = 256;
	options.max_threads = 4;
	options.group = "0";
	options.history_ms = 1;
	*life = (struct life){ 0 };
	if (!made(astshm_writer_open(&life->writer, scene_name("shortage"), &options, NULL)))
		return false;
	register_all(life);
	made(astshm_describe(life->writer, ASTSHM_KIND_COUNTER, "one", "items", "Ones.", NULL));
	record_all(0, life);
	tick(life);
	scene_threads(1, record_all, life);
	remove_one(life);
	read_back(life);
	tick(life);
	return true;
}

/* --- afterwards, with memory ------------------------------------------------------- */

struct sums {
	uint64_t by_handle, by_name, samples;
};

static void add_up(const struct astshm_snapshot *snapshot, struct sums *sums)
{
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		bool handle = strcmp(series->family->name, "handle") == 0;

		if (strchr(series->family->name, '.') || strcmp(series->family->name, "gone") == 0)
			continue; /* the library's own; the one that was to be removed */
		if (series->kind == ASTSHM_KIND_COUNTER)
			*(handle ? &sums->by_handle : &sums->by_name) +=
				(uint64_t)series->counter.value;
		else if (series->kind == ASTSHM_KIND_GAUGE)
			sums->by_handle += series->gauge.count;
		else if (handle)
			sums->by_handle += series->histogram.count;
		else
			sums->samples += series->histogram.count;
	}
}

/* `own`: how many registrations of the library's own may be among what was dropped. */
static void check(const struct life *life, uint64_t own)
{
	struct astshm_snapshot *snapshot = NULL;
	struct sums sums = { 0 };
	assert_int_equal(astshm_get_all_metrics(life->writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->bad_records, 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->torn, 0);
	add_up(snapshot, &sums);
	uint64_t dropped = astshm_snapshot_segment(snapshot)->dropped - life->refused;
	/* Two threads; what is missing was dropped, and counted so. */
	uint64_t recorded = 2 * RECORDS * (handles(life) + 2 * NAMES);
	assert_in_range(sums.by_handle + sums.by_name + sums.samples + dropped, recorded,
			recorded + own);
	astshm_snapshot_free(&snapshot);
}

/* With memory again nothing is amiss. */
static void check_recovery(struct life *life)
{
	int64_t before = 0, after = 0;

	(void)astshm_get_counter(life->writer, "one", ASTSHM_NO_TAGS, &before);
	register_all(life);
	assert_int_equal(handles(life), 4);
	record_all(0, life);
	assert_int_equal(astshm_get_counter(life->writer, "one", ASTSHM_NO_TAGS, &after), 0);
	assert_int_equal(after, before + RECORDS);
	assert_int_equal(astshm_writer_tick(life->writer, NULL), 0);
}

static void sweep(unsigned flags)
{
	char path[200];
	unsigned lives = 0, unborn = 0;
	bool failed = true;
	struct life life;

	snprintf(path, sizeof path, "/dev/shm/astshm.%s", scene_name("shortage"));
	while (failed) {
		shortage_begin(++lives);
		bool born = live(&life, flags);
		failed = shortage_end();
		if (born) {
			check(&life, flags == ASTSHM_OPEN_HEALTH);
			check_recovery(&life);
		} else {
			assert_true(failed);
			assert_null(life.writer);
			unborn++;
		}
		astshm_writer_close(&life.writer);
		assert_int_equal(access(path, F_OK), -1);
	}
	printf("%u lives, of which %u did not begin\n", lives, unborn);
	assert_true(unborn > 3);
	assert_true(lives - unborn > 20);
}

static void each_allocation_of_a_life_may_fail(void **state)
{
	(void)state;
	sweep(0);
}

static void each_allocation_of_a_life_with_health_may_fail(void **state)
{
	(void)state;
	sweep(ASTSHM_OPEN_HEALTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_of_a_life_may_fail),
		cmocka_unit_test(each_allocation_of_a_life_with_health_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
