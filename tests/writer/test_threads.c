/* SPDX-License-Identifier: MIT */
/* Threads and slots: inheritance, sharing, exits, cancellation. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"

static uint64_t segment_bytes(struct astshm_writer *writer)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	uint64_t bytes = astshm_snapshot_segment(snapshot)->bytes;
	astshm_snapshot_free(&snapshot);
	return bytes;
}

struct churn {
	struct astshm_writer *writer;
	struct astshm_counter counter;
	struct astshm_timing timing;
	struct astshm_gauge gauge;
};

static struct churn churn_handles(struct astshm_writer *writer)
{
	struct churn churn = { .writer = writer };

	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &churn.counter,
				NULL);
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &churn.timing, NULL);
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "g" }, &churn.gauge, NULL);
	return churn;
}

static void *record_once(void *argument)
{
	const struct churn *churn = argument;

	astshm_counter_add(churn->counter, 1);
	astshm_timing_record(churn->timing, 1500);
	astshm_gauge_add(churn->gauge, 1.0);
	astshm_increment(churn->writer, "named", 1, ASTSHM_TAGS({ "k", "v" }));
	return NULL;
}

static void run_short_threads(struct churn *churn, int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, record_once, churn), 0);
		pthread_join(thread, NULL);
	}
}

static void ten_thousand_short_threads_need_no_more_room(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct churn churn = churn_handles(writer);
	int64_t named;

	(void)state;
	run_short_threads(&churn, 100);
	uint64_t before = segment_bytes(writer);
	run_short_threads(&churn, 9900);
	assert_int_equal(segment_bytes(writer), before);
	assert_int_equal(scene_counter(writer, "c"), 10000);
	assert_int_equal(scene_timing(writer, "t").count, 10000);
	assert_true(scene_gauge(writer, "g").current == 10000.0);
	assert_int_equal(astshm_get_counter(writer, "named", ASTSHM_TAGS({ "k", "v" }), &named), 0);
	assert_int_equal(named, 10000);
	astshm_writer_close(&writer);
}

static void a_slot_tells_how_many_owners_it_had(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct churn churn = churn_handles(writer);
	struct astshm_snapshot *snapshot;
	struct astshm_reader *reader;

	(void)state;
	run_short_threads(&churn, 5);
	assert_int_equal(astshm_reader_open(&reader, scene_name(__func__), NULL, NULL), 0);
	assert_int_equal(astshm_reader_snapshot(reader, ASTSHM_PER_THREAD, &snapshot, NULL), 0);
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "c");
	assert_int_equal(series->thread_count, 1);
	assert_int_equal(series->threads[0].owners, 5);
	assert_int_equal(series->threads[0].counter, 5);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

#define SHARED_RECORDS 20000

static void record_shared(unsigned number, void *argument)
{
	const struct churn *churn = argument;

	for (int i = 0; i < SHARED_RECORDS; i++) {
		astshm_counter_add(churn->counter, 1);
		astshm_timing_record(churn->timing, (int64_t)number * 1000 + 1);
		astshm_gauge_add(churn->gauge, 1.0);
		astshm_increment(churn->writer, "named", 1, ASTSHM_NO_TAGS);
	}
}

static void threads_without_a_slot_share_one_exactly(void **state)
{
	struct astshm_writer_options options = scene_options();

	(void)state;
	options.max_threads = 2;
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct churn churn = churn_handles(writer);
	scene_threads(8, record_shared, &churn);
	assert_int_equal(scene_counter(writer, "c"), 8 * SHARED_RECORDS);
	assert_int_equal(scene_counter(writer, "named"), 8 * SHARED_RECORDS);
	assert_int_equal(scene_timing(writer, "t").count, 8 * SHARED_RECORDS);
	assert_true(scene_gauge(writer, "g").current == 8.0 * SHARED_RECORDS);
	assert_int_equal(scene_gauge(writer, "g").count, 8 * SHARED_RECORDS);
	astshm_writer_close(&writer);
}

static pthread_barrier_t turns;

static void *hold_a_slot(void *argument)
{
	record_once(argument);
	pthread_barrier_wait(&turns); /* the only slot is taken */
	pthread_barrier_wait(&turns); /* the other thread was refused */
	return NULL;
}

static void a_freed_slot_is_given_to_who_was_refused(void **state)
{
	struct astshm_writer_options options = scene_options();
	pthread_t thread;

	(void)state;
	options.max_threads = 1;
	struct astshm_writer *writer = scene_open(__func__, &options);
	struct churn churn = churn_handles(writer);
	pthread_barrier_init(&turns, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, hold_a_slot, &churn), 0);
	pthread_barrier_wait(&turns);
	record_once(&churn);
	assert_int_equal(astshm_thread.slot[churn.counter.writer], 0);
	pthread_barrier_wait(&turns);
	pthread_join(thread, NULL);
	record_once(&churn);
	assert_int_equal(astshm_thread.slot[churn.counter.writer], 1);
	assert_int_equal(scene_counter(writer, "c"), 3);
	assert_int_equal(scene_timing(writer, "t").count, 3);
	pthread_barrier_destroy(&turns);
	astshm_writer_close(&writer);
}

/* ThreadSanitizer's own state of a thread is gone in its last rounds. */
#ifdef ASTSHM_TSAN
#define LATE_ROUNDS 1
#else
#define LATE_ROUNDS 3
#endif

static pthread_key_t late_key;
static struct churn *late_churn;

/* Runs after the library's own destructor or before it; either must count. */
static void late_destructor(void *rounds)
{
	record_once(late_churn);
	if ((uintptr_t)rounds > 1)
		pthread_setspecific(late_key, (void *)((uintptr_t)rounds - 1));
}

static void *record_and_leave_late(void *argument)
{
	pthread_setspecific(late_key, (void *)(uintptr_t)LATE_ROUNDS);
	return record_once(argument);
}

static void a_later_key_destructor_still_records(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct churn churn = churn_handles(writer);

	(void)state;
	late_churn = &churn;
	assert_int_equal(pthread_key_create(&late_key, late_destructor), 0);
	for (int i = 0; i < 10; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, record_and_leave_late, &churn), 0);
		pthread_join(thread, NULL);
	}
	pthread_key_delete(late_key);
	assert_int_equal(scene_counter(writer, "c"), 10 + 10 * LATE_ROUNDS);
	assert_int_equal(scene_timing(writer, "t").count, 10 + 10 * LATE_ROUNDS);
	astshm_writer_close(&writer);
}

/* What a thread cancelled inside a record leaves: a slot without its commit. */
static void *leave_a_torn_block(void *argument)
{
	const struct churn *churn = argument;

	astshm_timing_record(churn->timing, 1500);
	struct astshm_histogram_block *block = (struct astshm_histogram_block *)(void *)
		astshm_row_entry(churn->timing.writer, churn->timing.index);
	astshm_cell_add(&block->slots[astshm_bucket_slot_any(astshm_timing_table, 1000000)], 1);
	return NULL;
}

static void the_heir_of_a_cancelled_thread_mends_the_count(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct churn churn = churn_handles(writer);
	struct astshm_snapshot *snapshot;
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, leave_a_torn_block, &churn);
	pthread_join(thread, NULL);
	run_short_threads(&churn, 1);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, "t");
	assert_int_equal(astshm_snapshot_segment(snapshot)->torn, 0);
	assert_int_equal(series->histogram.count, 3);
	assert_true(series->histogram.max > 900000);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void *record_by_turns(void *argument)
{
	struct churn *churns = argument;

	for (int i = 0; i < 1000; i++)
		record_once(&churns[i % 2]);
	return NULL;
}

static void one_thread_serves_two_writers(void **state)
{
	struct astshm_writer *first = scene_open("two-writers-a", NULL);
	struct astshm_writer *second = scene_open("two-writers-b", NULL);
	struct churn churns[2] = { churn_handles(first), churn_handles(second) };
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, record_by_turns, churns);
	pthread_join(thread, NULL);
	assert_int_equal(scene_counter(first, "c"), 500);
	assert_int_equal(scene_counter(second, "c"), 500);
	astshm_writer_close(&first);
	astshm_writer_close(&second);
}

static pthread_barrier_t reopened;

static void *outlive_a_writer(void *argument)
{
	struct churn *churn = argument;

	record_once(churn);
	pthread_barrier_wait(&reopened);
	pthread_barrier_wait(&reopened);
	record_once(churn); /* handles of the writer that was opened meanwhile */
	return NULL;
}

static void a_thread_outlives_a_writer_and_serves_the_next(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct churn churn = churn_handles(writer);
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&reopened, NULL, 2);
	pthread_create(&thread, NULL, outlive_a_writer, &churn);
	pthread_barrier_wait(&reopened);
	astshm_writer_close(&writer);
	writer = scene_open(__func__, NULL);
	churn = churn_handles(writer);
	astshm_counter_add(churn.counter, 1);
	pthread_barrier_wait(&reopened);
	pthread_join(thread, NULL);
	assert_int_equal(scene_counter(writer, "c"), 2);
	assert_int_equal(scene_timing(writer, "t").count, 1);
	pthread_barrier_destroy(&reopened);
	astshm_writer_close(&writer);
}

#define MORE_SERIES 300

struct grown {
	struct astshm_writer *writer;
	struct astshm_counter counters[MORE_SERIES];
};

/* The second half first: a null entry among them would fetch a new row. */
static void *outlive_a_smaller_writer(void *argument)
{
	struct grown *grown = argument;
	char name[16];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "t.%d", i);
		astshm_time(grown->writer, name, 5, ASTSHM_NO_TAGS);
	}
	pthread_barrier_wait(&reopened);
	pthread_barrier_wait(&reopened);
	for (int i = 0; i < MORE_SERIES; i++)
		astshm_counter_add(grown->counters[(i + 128) % MORE_SERIES], 1);
	return NULL;
}

static void a_thread_outlives_a_writer_with_fewer_series(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct grown grown;
	pthread_t thread;
	char name[16];

	(void)state;
	options.max_series = 64;
	grown.writer = scene_open(__func__, &options);
	pthread_barrier_init(&reopened, NULL, 2);
	pthread_create(&thread, NULL, outlive_a_smaller_writer, &grown);
	pthread_barrier_wait(&reopened);
	astshm_writer_close(&grown.writer);
	grown.writer = scene_open(__func__, NULL);
	for (int i = 0; i < MORE_SERIES; i++) {
		snprintf(name, sizeof name, "c.%d", i);
		astshm_counter_register(grown.writer, &(struct astshm_metric){ .name = name },
					&grown.counters[i], NULL);
	}
	pthread_barrier_wait(&reopened);
	pthread_join(thread, NULL);
	for (int i = 0; i < MORE_SERIES; i++) {
		snprintf(name, sizeof name, "c.%d", i);
		assert_int_equal(scene_counter(grown.writer, name), 1);
	}
	pthread_barrier_destroy(&reopened);
	astshm_writer_close(&grown.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_short_threads_need_no_more_room),
		cmocka_unit_test(a_slot_tells_how_many_owners_it_had),
		cmocka_unit_test(threads_without_a_slot_share_one_exactly),
		cmocka_unit_test(a_freed_slot_is_given_to_who_was_refused),
		cmocka_unit_test(a_later_key_destructor_still_records),
		cmocka_unit_test(the_heir_of_a_cancelled_thread_mends_the_count),
		cmocka_unit_test(one_thread_serves_two_writers),
		cmocka_unit_test(a_thread_outlives_a_writer_and_serves_the_next),
		cmocka_unit_test(a_thread_outlives_a_writer_with_fewer_series),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
