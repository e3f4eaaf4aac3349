/* SPDX-License-Identifier: MIT */
/* Removing series: counting registrations, reuse, and removal under load. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <urcu/urcu-bp.h>

#include "scene.h"

static uint64_t segment_bytes(struct astshm_writer *writer, size_t *series)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	uint64_t bytes = astshm_snapshot_segment(snapshot)->bytes;
	*series = astshm_snapshot_count(snapshot);
	astshm_snapshot_free(&snapshot);
	return bytes;
}

static void only_the_last_registration_removes(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter counter;
	const struct astshm_metric metric = { .name = "c" };
	int64_t value;

	(void)state;
	astshm_counter_register(writer, &metric, &counter, NULL);
	astshm_counter_register(writer, &metric, &counter, NULL);
	astshm_counter_add(counter, 9);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS), 0);
	assert_int_equal(scene_counter(writer, "c"), 9);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS), 1);
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_NO_TAGS, &value), -ENOENT);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS), -ENOENT);
	astshm_writer_close(&writer);
}

static void reused_storage_starts_at_zero(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_distribution distribution;

	(void)state;
	astshm_distribution_register(writer, &(struct astshm_metric){ .name = "d" },
				     &distribution, NULL);
	for (int round = 0; round < 3; round++) {
		char name[16];
		snprintf(name, sizeof name, "x.%d", round);
		astshm_decrement(writer, name, 4, ASTSHM_NO_TAGS);
		astshm_time(writer, name, 100, ASTSHM_NO_TAGS);
		astshm_set(writer, name, 3.5, ASTSHM_NO_TAGS);
		assert_int_equal(scene_counter(writer, name), -4);
		assert_int_equal(scene_timing(writer, name).count, 1);
		assert_int_equal(scene_gauge(writer, name).count, 1);
		assert_int_equal(astshm_remove_match(writer, 0, "x.*", NULL, 0), 3);
	}
	struct astshm_counter counter;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "y" }, &counter, NULL);
	assert_int_equal(scene_counter(writer, "y"), 0);
	astshm_counter_sub(counter, 1); /* no up-down flag is left over */
	assert_int_equal(scene_counter(writer, "y"), 0);
	struct astshm_gauge gauge;
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "y" }, &gauge, NULL);
	assert_true(scene_gauge(writer, "y").current == 0.0);
	astshm_writer_close(&writer);
}

static void coming_and_going_tags_need_bounded_room(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	char value[64];
	size_t series;
	uint64_t before = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 20; i++) {
			snprintf(value, sizeof value, "client-%d-%d", round, i);
			astshm_increment(writer, "bytes", 1, ASTSHM_TAGS({ "peer", value }));
			astshm_time(writer, "latency", 10, ASTSHM_TAGS({ "peer", value }));
		}
		assert_int_equal(astshm_remove_match(writer, 0, "*", NULL, 0), 40);
		if (round == 10)
			before = segment_bytes(writer, &series);
	}
	assert_int_equal(segment_bytes(writer, &series), before);
	assert_int_equal(series, 0);
	astshm_writer_close(&writer);
}

static void remove_many_and_match_pick_by_kind_name_and_tags(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	const struct astshm_tag a = { "k", "a" }, b = { "k", "b" };
	size_t series;

	(void)state;
	astshm_increment(writer, "n.one", 1, &a, 1);
	astshm_increment(writer, "n.one", 1, &b, 1);
	astshm_increment(writer, "n.two", 1, &a, 1);
	astshm_set(writer, "n.one", 1, &a, 1);
	const struct astshm_series_id ids[] = {
		{ ASTSHM_KIND_COUNTER, "n.two", &a, 1 },
		{ ASTSHM_KIND_COUNTER, "n.none", NULL, 0 },
	};
	assert_int_equal(astshm_remove_many(writer, ids, 2), 1);
	assert_int_equal(astshm_remove_match(writer, ASTSHM_KIND_COUNTER, "n.*", &a, 1), 1);
	segment_bytes(writer, &series);
	assert_int_equal(series, 2);
	assert_int_equal(astshm_remove_match(writer, 0, "n.*", &b, 1), 1);
	astshm_writer_close(&writer);
}

static void *remove_c(void *writer)
{
	astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS);
	return NULL;
}

/* Whether the name is gone yet; the removal itself waits for our section. */
static bool is_gone(struct astshm_writer *writer)
{
	int64_t value;

	for (int i = 0; i < 1000; i++) {
		int result = astshm_get_counter(writer, "c", ASTSHM_NO_TAGS, &value);
		if (result < 0)
			return result == -ENOENT;
		usleep(10000);
	}
	return false;
}

static void a_name_made_again_in_the_grace_period_is_the_only_one(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;
	pthread_t thread;

	(void)state;
	astshm_increment(writer, "c", 5, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 5);
	urcu_bp_read_lock();
	assert_int_equal(pthread_create(&thread, NULL, remove_c, writer), 0);
	assert_true(is_gone(writer));
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "c"), 1);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 1);
	assert_int_equal(astshm_snapshot_segment(snapshot)->bad_records, 0);
	astshm_snapshot_free(&snapshot);
	urcu_bp_read_unlock();
	pthread_join(thread, NULL);
	assert_int_equal(scene_counter(writer, "c"), 1);
	astshm_writer_close(&writer);
}

static void a_remover_that_is_cancelled_leaves_no_lock(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	pthread_t thread;

	(void)state;
	astshm_increment(writer, "c", 5, ASTSHM_NO_TAGS);
	astshm_increment(writer, "d", 5, ASTSHM_NO_TAGS);
	urcu_bp_read_lock();
	assert_int_equal(pthread_create(&thread, NULL, remove_c, writer), 0);
	assert_true(is_gone(writer));
	usleep(100000); /* it waits for our section */
	pthread_cancel(thread);
	urcu_bp_read_unlock();
	pthread_join(thread, NULL);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "d", ASTSHM_NO_TAGS), 1);
	astshm_writer_close(&writer);
}

/*
 * Under load: each name always carries values of a class of its own (multiples
 * of 1000 plus its number), so a reader that meets another remainder has seen
 * one series' value under another's name.
 */
#define NAMES 16
#define ROUNDS 400

struct load {
	struct astshm_writer *writer;
	int finished;
};

static void name_of(unsigned i, char *name, size_t size)
{
	snprintf(name, size, "series.%u", i);
}

static void churn_series(unsigned number, void *argument)
{
	struct load *load = argument;
	char name[32];

	if (number == 0) {
		for (int i = 0; i < ROUNDS; i++)
			astshm_remove_match(load->writer, 0, i % 3 ? "series.*" : "series.[0-7]",
					    NULL, 0);
		__atomic_store_n(&load->finished, 1, __ATOMIC_RELEASE);
		return;
	}
	while (!__atomic_load_n(&load->finished, __ATOMIC_ACQUIRE)) {
		for (unsigned i = 0; i < NAMES; i++) {
			name_of(i, name, sizeof name);
			astshm_set(load->writer, name, 1000.0 + i, ASTSHM_NO_TAGS);
			astshm_time(load->writer, name, 1 << i, ASTSHM_NO_TAGS);
			astshm_increment(load->writer, name, 1ull << (i * 3), ASTSHM_NO_TAGS);
		}
	}
}

/* Every value of a series must be one that only its name gets. */
static int check_names(const struct astshm_snapshot *snapshot)
{
	for (size_t s = 0; s < astshm_snapshot_count(snapshot); s++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, s);
		const struct astshm_histogram *histogram = &series->histogram;
		unsigned i = 0;
		(void)sscanf(series->key, "series.%u", &i);
		bool right = true;
		if (series->kind == ASTSHM_KIND_GAUGE)
			right = series->gauge.current == 1000.0 + i || series->gauge.current == 0.0;
		else if (series->kind == ASTSHM_KIND_TIMING && histogram->count)
			right = histogram->min == 1u << i && histogram->max == 1u << i;
		else if (series->kind == ASTSHM_KIND_COUNTER)
			right = series->counter.value % (INT64_C(1) << (i * 3)) == 0;
		if (!right) {
			printf("%s (kind %d) shows a foreign value\n", series->key, series->kind);
			return 1;
		}
	}
	return scene_check_snapshot(snapshot);
}

static int poll_names(void *argument)
{
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	unsigned long passes = 0;
	int wrong = 0;

	if (scene_reader_open(&reader, argument) < 0)
		return 2;
	while (!wrong && astshm_reader_state(reader) == ASTSHM_STATE_LIVE) {
		if (astshm_reader_snapshot(reader, 0, &snapshot, NULL) < 0)
			return 3;
		wrong = check_names(snapshot);
		astshm_snapshot_free(&snapshot);
		if (passes++ == 0)
			scene_report_ready();
	}
	astshm_reader_close(&reader);
	return wrong;
}

static void no_value_shows_under_another_name(void **state)
{
	char name[128];
	int readers[2];

	(void)state;
	snprintf(name, sizeof name, "%s", scene_name(__func__));
	struct load load = { .writer = scene_open(__func__, NULL) };
	for (int i = 0; i < 2; i++)
		readers[i] = scene_fork(poll_names, name);
	scene_await_ready(2);
	scene_threads(3, churn_series, &load);
	astshm_writer_close(&load.writer);
	for (int i = 0; i < 2; i++)
		assert_int_equal(scene_join(readers[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_last_registration_removes),
		cmocka_unit_test(reused_storage_starts_at_zero),
		cmocka_unit_test(coming_and_going_tags_need_bounded_room),
		cmocka_unit_test(remove_many_and_match_pick_by_kind_name_and_tags),
		cmocka_unit_test(a_name_made_again_in_the_grace_period_is_the_only_one),
		cmocka_unit_test(a_remover_that_is_cancelled_leaves_no_lock),
		cmocka_unit_test(no_value_shows_under_another_name),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
