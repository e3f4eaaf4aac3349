/* SPDX-License-Identifier: MIT */
/* Passes over values that are being written. */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <astshm/buckets.h>

#include "attachment.h"

/* Between two records of a histogram: long enough for a pass to get through. */
#ifdef READER_TSAN
#define RECORD_PAUSE_NS 200000
#else
#define RECORD_PAUSE_NS 2000
#endif

/* What a recording thread is given; `stop` is stored by the test. */
struct recorder {
	struct image *image;
	uint32_t series;
	uint32_t slot;
	uint32_t stop;
	pthread_t thread;
};

static bool stopped(struct recorder *recorder)
{
	return __atomic_load_n(&recorder->stop, __ATOMIC_RELAXED) != 0;
}

static void start(struct recorder *recorder, struct fixture *fixture, uint32_t series,
		  uint32_t slot, void *(*run)(void *recorder))
{
	*recorder = (struct recorder){ &fixture->image, series, slot, 0, 0 };
	assert_int_equal(pthread_create(&recorder->thread, NULL, run, recorder), 0);
}

static void stop(struct recorder *recorder)
{
	__atomic_store_n(&recorder->stop, 1, __ATOMIC_RELAXED);
	pthread_join(recorder->thread, NULL);
}

static void add(uint64_t *word, uint64_t amount, int order)
{
	uint64_t sum = __atomic_load_n(word, __ATOMIC_RELAXED) + amount;
	if (order == __ATOMIC_RELEASE)
		__atomic_store_n(word, sum, __ATOMIC_RELEASE);
	else
		__atomic_store_n(word, sum, __ATOMIC_RELAXED);
}

/* In the order that <astshm/layout.h> asks for. */
static void record(struct astshm_histogram_block *block, uint64_t value)
{
	add(&block->slots[astshm_bucket_slot_any(astshm_timing_table, (int64_t)value)], 1,
	    __ATOMIC_RELAXED);
	if (~value > block->min_inverse)
		__atomic_store_n(&block->min_inverse, ~value, __ATOMIC_RELEASE);
	if (value >= block->max_plus_one)
		__atomic_store_n(&block->max_plus_one, value + 1, __ATOMIC_RELEASE);
	add(&block->sum, value, __ATOMIC_RELEASE);
	add(&block->count, 1, __ATOMIC_RELEASE);
}

static void pause_ns(long ns)
{
	struct timespec from, now;
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < ns);
}

/* The n-th sample is n, so that count tells sum, min and max. */
static void *record_ascending(void *context)
{
	struct recorder *recorder = context;
	struct astshm_histogram_block *block =
		image_histogram_block(recorder->image, recorder->series, recorder->slot);
	for (uint64_t n = 1; !stopped(recorder); n++) {
		record(block, n);
		pause_ns(RECORD_PAUSE_NS);
	}
	return NULL;
}

static void histogram_is_one_instant_while_it_is_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct recorder recorder;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	image_histogram_block(&fixture->image, series, 0);
	fixture_open(fixture);
	start(&recorder, fixture, series, 0, record_ascending);
	uint64_t last = 0, whole = 0;
	while (whole < 1000 || last < 500) {
		fixture_snapshot(fixture, 0);
		const struct astshm_histogram *histogram =
			&astshm_snapshot_at(fixture->snapshot, 0)->histogram;
		uint64_t n = histogram->count, total = 0;
		for (uint32_t j = 0; j < histogram->slot_count; j++)
			total += histogram->slots[j];
		assert_int_equal(total, n);
		assert_true(n >= last);
		last = n;
		/* A recorder that lost its processor in the middle of a record
		 * looks like a killed one. */
		if (astshm_snapshot_segment(fixture->snapshot)->torn > 0)
			continue;
		whole++;
		assert_int_equal(histogram->sum, n * (n + 1) / 2);
		assert_int_equal(histogram->has_extremes, n > 0);
		if (n > 0) {
			assert_int_equal(histogram->min, 1);
			assert_int_equal(histogram->max, n);
		}
	}
	stop(&recorder);
}

static void *set_ascending(void *context)
{
	struct recorder *recorder = context;
	struct astshm_gauge_block *block =
		image_gauge_block(recorder->image, recorder->series, recorder->slot);
	double one = 1.0;
	uint64_t bits;
	memcpy(&bits, &one, sizeof bits);
	__atomic_store_n(&block->min, bits, __ATOMIC_RELAXED);
	double sum = 0.0;
	for (uint64_t n = 1; !stopped(recorder); n++) {
		__atomic_store_n(&block->begin, n, __ATOMIC_RELAXED);
		double value = (double)n;
		sum += value;
		memcpy(&bits, &sum, sizeof bits);
		__atomic_store_n(&block->sum, bits, __ATOMIC_RELEASE);
		memcpy(&bits, &value, sizeof bits);
		__atomic_store_n(&block->max, bits, __ATOMIC_RELEASE);
		__atomic_store_n(&block->count, n, __ATOMIC_RELEASE);
		pause_ns(200);
	}
	return NULL;
}

static void gauge_statistics_are_one_instant_while_they_are_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct recorder recorder;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	image_gauge_block(&fixture->image, series, 0);
	fixture_open(fixture);
	start(&recorder, fixture, series, 0, set_ascending);
	uint64_t last = 0, whole = 0;
	while (whole < 3000 || last < 1000) {
		fixture_snapshot(fixture, 0);
		if (astshm_snapshot_segment(fixture->snapshot)->torn > 0)
			continue;
		const struct astshm_gauge_value *gauge =
			&astshm_snapshot_at(fixture->snapshot, 0)->gauge;
		double n = (double)gauge->count;
		last = gauge->count;
		whole++;
		assert_true(gauge->sum == n * (n + 1.0) / 2.0);
		assert_true(gauge->count == 0 || (gauge->min == 1.0 && gauge->max == n));
	}
	stop(&recorder);
}

/* Resets a counter again and again, always to 7: the baseline of the next
 * epoch first, then the epoch. */
static void *reset_always_to_seven(void *context)
{
	struct recorder *recorder = context;
	struct astshm_segment_series *series = image_series_at(recorder->image, recorder->series);
	struct astshm_segment_header *header = recorder->image->header;
	uint64_t *cell = &image_counter_block(recorder->image, recorder->series, 0)->cells[0];
	for (uint64_t epoch = 1; !stopped(recorder); epoch++) {
		uint64_t total = __atomic_load_n(cell, __ATOMIC_RELAXED);
		__atomic_store_n(&series->base[(epoch + 1) & 1], total - 7, __ATOMIC_RELAXED);
		__atomic_store_n(&header->counters_epoch, epoch + 1, __ATOMIC_RELEASE);
		pause_ns(20000);
	}
	return NULL;
}

static void counter_is_never_read_against_the_other_epochs_baseline(void **state)
{
	struct fixture *fixture = *state;
	struct recorder recorder;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_count(&fixture->image, series, 0, 1000);
	image_series_at(&fixture->image, series)->base[1] = 993;
	fixture_open(fixture);
	start(&recorder, fixture, series, 0, reset_always_to_seven);
	uint64_t epoch = 0;
	for (int i = 0; i < 5000 || epoch < 100; i++) {
		fixture_snapshot(fixture, 0);
		assert_int_equal(fixture_counter(fixture, "c"), 7);
		epoch = astshm_snapshot_segment(fixture->snapshot)->counters_epoch;
	}
	stop(&recorder);
}

static void killed_writers_block_is_taken_as_best_effort_and_counted(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	uint32_t gauge = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	image_record(&fixture->image, series, 0, 1000);
	image_record(&fixture->image, series, 0, 2000);
	image_histogram_block(&fixture->image, series, 0)->count = 1;
	image_set(&fixture->image, gauge, 0, 2.0);
	image_gauge_block(&fixture->image, gauge, 0)->begin = 2;
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->torn, 2);
	const struct astshm_histogram *histogram =
		&fixture_find(fixture, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_int_equal(histogram->count, 2); /* the sum of its slots */
	assert_int_equal(histogram->max, 2000);
	assert_int_equal(fixture_find(fixture, ASTSHM_KIND_GAUGE, "g")->gauge.count, 1);
	assert_int_equal(fixture_bad(fixture), 0);
}

static void first_record_cut_short_leaves_extremes_unknown(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	image_record(&fixture->image, series, 0, 1000);
	struct astshm_histogram_block *block = image_histogram_block(&fixture->image, series, 0);
	block->count = block->sum = block->max_plus_one = 0;
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	const struct astshm_histogram *histogram =
		&fixture_find(fixture, ASTSHM_KIND_TIMING, "t")->histogram;
	assert_int_equal(histogram->count, 1);
	assert_false(histogram->has_extremes);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->torn, 1);
}

static void retired_series_is_left_out_while_its_cells_are_zeroed(void **state)
{
	struct fixture *fixture = *state;
	uint32_t gone = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "gone");
	uint32_t kept = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "kept");
	image_count(&fixture->image, gone, 0, 10);
	image_count(&fixture->image, kept, 0, 20);
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 2);
	/* A writer that was stopped in the middle of a removal. */
	image_series_at(&fixture->image, gone)->state = 1 << 8 | ASTSHM_SERIES_RETIRED;
	fixture->image.header->retiring = 1;
	fixture_snapshot(fixture, 0);
	assert_null(fixture_find(fixture, ASTSHM_KIND_COUNTER, "gone"));
	assert_int_equal(fixture_counter(fixture, "kept"), 20);
	/* Over, but directory_changes is raised only later. */
	fixture->image.header->retiring = 2;
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
}

/* Retires the series and makes another one of it, under another name, whose
 * values are all larger than any the first one had. */
static void *retire_and_reuse(void *context)
{
	struct recorder *recorder = context;
	struct image *image = recorder->image;
	struct astshm_segment_series *series = image_series_at(image, recorder->series);
	uint64_t *cell = &image_counter_block(image, recorder->series, 0)->cells[0];
	for (uint64_t n = 1; !stopped(recorder); n++) {
		__atomic_store_n(&series->state, n << 8 | ASTSHM_SERIES_RETIRED, __ATOMIC_RELEASE);
		__atomic_store_n(&image->header->retiring, 2 * n - 1, __ATOMIC_RELEASE);
		__atomic_store_n(cell, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&image->header->retiring, 2 * n, __ATOMIC_RELEASE);
		__atomic_store_n(&image->header->directory_changes, 2 * n, __ATOMIC_RELEASE);
		__atomic_store_n(&series->family, (uint32_t)(n & 1), __ATOMIC_RELAXED);
		__atomic_store_n(&series->state, (n + 1) << 8 | ASTSHM_SERIES_LIVE,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&image->header->directory_changes, 2 * n + 1, __ATOMIC_RELEASE);
		__atomic_store_n(cell, n & 1 ? 2000 : 1000, __ATOMIC_RELEASE);
		pause_ns(10000);
	}
	return NULL;
}

static void no_series_shows_anothers_value_while_storage_is_reused(void **state)
{
	struct fixture *fixture = *state;
	struct recorder recorder;
	uint32_t thousand = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "thousand", "", "");
	image_family(&fixture->image, ASTSHM_KIND_COUNTER, "two.thousand", "", "");
	uint32_t series = image_series(&fixture->image, thousand, NULL, 0);
	image_count(&fixture->image, series, 0, 1000);
	fixture_open(fixture);
	start(&recorder, fixture, series, 0, retire_and_reuse);
	uint64_t seen[2] = { 0, 0 };
	while (seen[0] < 200 || seen[1] < 200) {
		fixture_snapshot(fixture, 0);
		const struct astshm_series *found = astshm_snapshot_at(fixture->snapshot, 0);
		if (found == NULL)
			continue;
		int64_t own = strcmp(found->key, "thousand") == 0 ? 1000 : 2000;
		seen[own == 2000]++;
		if (found->counter.value != 0 && found->counter.value != own)
			fail_msg("%s is %lld", found->key, (long long)found->counter.value);
	}
	stop(&recorder);
}

static void *bump_epoch(void *context)
{
	struct recorder *recorder = context;
	while (!stopped(recorder))
		__atomic_add_fetch(&recorder->image->header->epoch, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Either a pass gets between two of them, or the deadline ends the call. */
static void pass_that_is_always_disturbed_ends_at_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct recorder recorder;
	struct astshm_snapshot *snapshot = NULL;
	for (int i = 0; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof name, "c%d", i);
		image_count(&fixture->image,
			    image_metric(&fixture->image, ASTSHM_KIND_COUNTER, name), 0, 1);
	}
	fixture_open(fixture);
	fixture->reader->deadline_ns = 20000000;
	start(&recorder, fixture, 0, 0, bump_epoch);
	int code = astshm_reader_snapshot(fixture->reader, 0, &snapshot, NULL);
	stop(&recorder);
	if (code != 0)
		assert_int_equal(code, -ETIMEDOUT);
	assert_true((code == 0) == (snapshot != NULL));
	astshm_snapshot_free(&snapshot);
	assert_int_equal(astshm_reader_snapshot(fixture->reader, 0, &snapshot, NULL), 0);
	astshm_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(histogram_is_one_instant_while_it_is_recorded),
		FIXTURE_TEST(gauge_statistics_are_one_instant_while_they_are_recorded),
		FIXTURE_TEST(counter_is_never_read_against_the_other_epochs_baseline),
		FIXTURE_TEST(killed_writers_block_is_taken_as_best_effort_and_counted),
		FIXTURE_TEST(first_record_cut_short_leaves_extremes_unknown),
		FIXTURE_TEST(retired_series_is_left_out_while_its_cells_are_zeroed),
		FIXTURE_TEST(no_series_shows_anothers_value_while_storage_is_reused),
		FIXTURE_TEST(pass_that_is_always_disturbed_ends_at_the_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
