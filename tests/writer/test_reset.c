/* SPDX-License-Identifier: MIT */
/* reset and reset_counters, quiet and under load. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "scene.h"

static void reset_counters_leaves_the_other_kinds(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	astshm_increment(writer, "c", 5, ASTSHM_NO_TAGS);
	astshm_decrement(writer, "level", 3, ASTSHM_NO_TAGS);
	astshm_time(writer, "t", 100, ASTSHM_NO_TAGS);
	astshm_set(writer, "g", 4.0, ASTSHM_NO_TAGS);
	for (int round = 0; round < 5; round++) {
		astshm_reset_counters(writer);
		assert_int_equal(scene_counter(writer, "c"), 0);
		assert_int_equal(scene_counter(writer, "level"), -3);
		astshm_increment(writer, "c", 2, ASTSHM_NO_TAGS);
		assert_int_equal(scene_counter(writer, "c"), 2);
	}
	assert_int_equal(scene_timing(writer, "t").count, 1);
	assert_int_equal(scene_gauge(writer, "g").count, 1);
	astshm_writer_close(&writer);
}

static void reset_starts_afresh_but_keeps_states(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_gauge gauge;
	struct astshm_timing timing;
	struct astshm_gauge_value level;

	(void)state;
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "g" }, &gauge, NULL);
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing, NULL);
	for (int round = 0; round < 4; round++) {
		astshm_gauge_set(gauge, 4.0);
		astshm_timing_record(timing, 1000000);
		astshm_timing_record(timing, 2000000);
		assert_int_equal(scene_timing(writer, "t").count, 2);
		astshm_reset(writer);
		assert_int_equal(scene_timing(writer, "t").count, 0);
		level = scene_gauge(writer, "g");
		assert_true(level.current == 4.0 && level.count == 0);
		astshm_timing_record(timing, 50);
		struct astshm_statistics value = scene_timing(writer, "t");
		assert_true(value.count == 1 && value.min == 50 && value.max == 50);
		astshm_reset(writer);
	}
	astshm_writer_close(&writer);
}

static void reset_hides_named_series_until_touched(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;
	int64_t value;

	(void)state;
	astshm_increment(writer, "named", 5, ASTSHM_NO_TAGS);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "held" }, &counter, NULL);
	astshm_reset(writer);
	assert_int_equal(astshm_get_counter(writer, "named", ASTSHM_NO_TAGS, &value), -ENOENT);
	assert_int_equal(scene_counter(writer, "held"), 0);
	astshm_increment(writer, "named", 2, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "named"), 2);
	astshm_writer_close(&writer);
}

static uint64_t uptime_of(struct astshm_writer *writer)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	uint64_t uptime_ns = astshm_snapshot_uptime_ns(snapshot);
	astshm_snapshot_free(&snapshot);
	return uptime_ns;
}

static void reset_restarts_the_uptime(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	usleep(30000);
	uint64_t before = uptime_of(writer), after;
	int64_t end = scene_seconds() + SCENE_PATIENCE_SECONDS;
	assert_true(before >= 30000000);
	/* Off its core after the reset, it may find as long a time since. */
	do {
		astshm_reset(writer);
		after = uptime_of(writer);
	} while (after >= before && scene_seconds() < end);
	assert_true(after < before);
	astshm_writer_close(&writer);
}

#define RECORDS 200000
#define THREADS 4

struct load {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	int finished;
	uint64_t resets;
};

static void record_load(unsigned number, void *argument)
{
	struct load *load = argument;

	if (number == THREADS) {
		while (__atomic_load_n(&load->finished, __ATOMIC_ACQUIRE) < THREADS) {
			if (__atomic_fetch_add(&load->resets, 1, __ATOMIC_RELAXED) % 2)
				astshm_reset(load->writer);
			else
				astshm_reset_counters(load->writer);
			usleep(200);
		}
		return;
	}
	for (int i = 0; i < RECORDS; i++) {
		/* A busy machine may not have let the resets begin yet. */
		while (i == RECORDS / 2 && __atomic_load_n(&load->resets, __ATOMIC_RELAXED) < 4)
			sched_yield();
		astshm_counter_add(load->counter, 1);
		astshm_timing_record(load->timing, 1000 + i);
		astshm_increment(load->writer, "named", 1, ASTSHM_NO_TAGS);
	}
	__atomic_fetch_add(&load->finished, 1, __ATOMIC_RELEASE);
}

/* Polls from another process: what it sees is never more than was recorded and
 * always consistent. */
static int poll_load(void *argument)
{
	const char *name = argument;
	struct astshm_reader *reader;
	unsigned long passes = 0;
	int wrong = 0;

	if (scene_reader_open(&reader, name) < 0)
		return 2;
	while (!wrong && astshm_reader_state(reader) == ASTSHM_STATE_LIVE) {
		struct astshm_snapshot *snapshot;
		if (astshm_reader_snapshot(reader, 0, &snapshot, NULL) < 0)
			return 3;
		wrong = scene_check_snapshot(snapshot);
		for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
			const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
			if (series->kind == ASTSHM_KIND_COUNTER &&
			    (series->counter.value < 0 ||
			     series->counter.value > THREADS * RECORDS)) {
				printf("%s: %ld\n", series->key, (long)series->counter.value);
				wrong = 1;
			}
		}
		astshm_snapshot_free(&snapshot);
		if (passes++ == 0)
			scene_report_ready();
	}
	astshm_reader_close(&reader);
	return wrong;
}

static void resets_under_load_lose_nothing_afterwards(void **state)
{
	char name[128];

	(void)state;
	snprintf(name, sizeof name, "%s", scene_name(__func__));
	struct load load = { .writer = scene_open(__func__, NULL) };
	astshm_counter_register(load.writer, &(struct astshm_metric){ .name = "c" },
				&load.counter, NULL);
	astshm_timing_register(load.writer, &(struct astshm_metric){ .name = "t" }, &load.timing,
			       NULL);
	int reader = scene_fork(poll_load, name);
	scene_await_ready(1);
	scene_threads(THREADS + 1, record_load, &load);
	/* Quiet again: exact from the next reset on, on every old block. */
	astshm_reset(load.writer);
	load.finished = THREADS;
	for (unsigned i = 0; i < THREADS; i++)
		record_load(i, &load);
	assert_int_equal(scene_counter(load.writer, "c"), THREADS * RECORDS);
	assert_int_equal(scene_counter(load.writer, "named"), THREADS * RECORDS);
	assert_int_equal(scene_timing(load.writer, "t").count, THREADS * RECORDS);
	astshm_writer_close(&load.writer);
	assert_int_equal(scene_join(reader), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_counters_leaves_the_other_kinds),
		cmocka_unit_test(reset_starts_afresh_but_keeps_states),
		cmocka_unit_test(reset_hides_named_series_until_touched),
		cmocka_unit_test(reset_restarts_the_uptime),
		cmocka_unit_test(resets_under_load_lose_nothing_afterwards),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
