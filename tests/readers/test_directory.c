/* SPDX-License-Identifier: MIT */
/* The cached directory: what a poll notices, and what it leaves alone. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "sort.h"

static void retire(struct fixture *fixture, uint32_t index)
{
	struct astshm_segment_series *series = image_series_at(&fixture->image, index);
	series->state = (series->state & ~UINT64_C(0xff)) | ASTSHM_SERIES_RETIRED;
	fixture->image.header->retiring += 2;
	fixture->image.header->directory_changes++;
}

/* Makes a retired series live again, under another family. */
static void reuse(struct fixture *fixture, uint32_t index, uint32_t family)
{
	struct astshm_segment_series *series = image_series_at(&fixture->image, index);
	series->family = family;
	series->state = (ASTSHM_SERIES_GENERATION(series->state) + 1) << 8 | ASTSHM_SERIES_LIVE;
	fixture->image.header->directory_changes++;
}

static void appended_series_are_seen_by_the_next_pass(void **state)
{
	struct fixture *fixture = *state;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "m");
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
	for (int i = 0; i < 100; i++) { /* over several extents of the table */
		char name[16];
		snprintf(name, sizeof name, "%c%d", i % 2 ? 'a' : 'z', i);
		image_metric(&fixture->image, ASTSHM_KIND_GAUGE, name);
		assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), i + 2);
		assert_non_null(fixture_find(fixture, ASTSHM_KIND_GAUGE, name));
	}
	assert_int_equal(astshm_snapshot_family_count(fixture->snapshot), 101);
	assert_int_equal(fixture_bad(fixture), 0);
}

static void retired_series_vanish_and_their_storage_serves_others(void **state)
{
	struct fixture *fixture = *state;
	uint32_t a = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "a");
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "b");
	uint32_t other = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "other", "", "");
	image_count(&fixture->image, a, 0, 5);
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 2);
	retire(fixture, a);
	fixture_snapshot(fixture, 0);
	assert_null(fixture_find(fixture, ASTSHM_KIND_COUNTER, "a"));
	assert_int_equal(astshm_snapshot_family_count(fixture->snapshot), 1);
	reuse(fixture, a, other);
	fixture_snapshot(fixture, 0);
	assert_null(fixture_find(fixture, ASTSHM_KIND_COUNTER, "a"));
	assert_int_equal(fixture_counter(fixture, "other"), 5);
	assert_int_equal(astshm_snapshot_count(fixture->snapshot), 2);
}

static void description_changes_for_new_snapshots_only(void **state)
{
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_GAUGE, "g", "", "old");
	image_series(&fixture->image, family, NULL, 0);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	struct astshm_snapshot *before = fixture->snapshot;
	fixture->snapshot = NULL;
	uint64_t unit_ref = image_text(&fixture->image, "bytes");
	image_family_at(&fixture->image, family)->unit_ref = unit_ref;
	image_family_at(&fixture->image, family)->help_ref = image_text(&fixture->image, "new");
	fixture->image.header->directory_changes++;
	fixture_snapshot(fixture, 0);
	const struct astshm_family *now = astshm_snapshot_at(fixture->snapshot, 0)->family;
	assert_string_equal(now->unit, "bytes");
	assert_string_equal(now->help, "new");
	assert_ptr_equal(astshm_snapshot_family_at(fixture->snapshot, 0), now);
	assert_string_equal(astshm_snapshot_at(before, 0)->family->unit, "");
	assert_string_equal(astshm_snapshot_at(before, 0)->family->help, "old");
	astshm_snapshot_free(&before);
}

static void counter_that_becomes_up_down_takes_its_family_along(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "d");
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_true(astshm_snapshot_family_at(fixture->snapshot, 0)->monotonic);
	image_series_at(&fixture->image, series)->flags |= ASTSHM_SERIES_UP_DOWN;
	fixture->image.header->directory_changes++;
	fixture_snapshot(fixture, 0);
	assert_false(fixture_find(fixture, ASTSHM_KIND_COUNTER, "c")->monotonic);
	assert_false(fixture_find(fixture, ASTSHM_KIND_COUNTER, "c")->family->monotonic);
	assert_true(fixture_find(fixture, ASTSHM_KIND_COUNTER, "d")->family->monotonic);
}

static void steady_snapshots_share_one_parsed_directory(void **state)
{
	static const struct astshm_tag tag = { "k", "v" };
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "", "");
	image_series(&fixture->image, family, &tag, 1);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	struct astshm_snapshot *first = fixture->snapshot;
	fixture->snapshot = NULL;
	fixture_snapshot(fixture, 0);
	const struct astshm_series *a = astshm_snapshot_at(first, 0);
	const struct astshm_series *b = astshm_snapshot_at(fixture->snapshot, 0);
	assert_ptr_equal(a->key, b->key);
	assert_ptr_equal(a->tags, b->tags);
	assert_ptr_equal(a->family, b->family);
	astshm_snapshot_free(&first);
	assert_string_equal(b->key, "n[k=v]");
}

static void names_of_removed_series_do_not_pile_up(void **state)
{
	char value[201];
	struct fixture *fixture = *state;
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	const struct astshm_tag tag = { "key", value };
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "", "");
	uint32_t series = image_series(&fixture->image, family, &tag, 1);
	fixture_open(fixture);
	for (int i = 0; i < 5000; i++) {
		retire(fixture, series);
		fixture_snapshot(fixture, 0);
		reuse(fixture, series, family);
		fixture_snapshot(fixture, 0);
		assert_int_equal(astshm_snapshot_count(fixture->snapshot), 1);
	}
	size_t bytes = reader_arena_bytes(fixture->reader->directory.names);
	if (bytes > 400000)
		fail_msg("%zu bytes of names for one series", bytes);
}

static void series_that_was_not_live_yet_is_taken_up_when_it_is(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "later");
	image_series_at(&fixture->image, series)->state = 1 << 8 | ASTSHM_SERIES_RESERVED;
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 0);
	image_series_at(&fixture->image, series)->state = 1 << 8 | ASTSHM_SERIES_LIVE;
	fixture->image.header->directory_changes++;
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
}

static void key_that_appears_twice_is_shown_once_and_counted(void **state)
{
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "twice", "", "");
	uint32_t first = image_series(&fixture->image, family, NULL, 0);
	uint32_t second = image_series(&fixture->image, family, NULL, 0);
	image_count(&fixture->image, first, 0, 1);
	image_count(&fixture->image, second, 0, 2);
	fixture_open(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_count(fixture->snapshot), 1);
	assert_int_equal(fixture_counter(fixture, "twice"), 1);
	assert_int_equal(fixture_bad(fixture), 1);
	retire(fixture, first);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "twice"), 2);
	assert_int_equal(fixture_bad(fixture), 0);
}

static void assert_in_order(const struct astshm_snapshot *snapshot)
{
	for (size_t i = 1; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *a = astshm_snapshot_at(snapshot, i - 1);
		const struct astshm_series *b = astshm_snapshot_at(snapshot, i);
		assert_true(a->kind <= b->kind);
		assert_true(a->kind < b->kind || strcmp(a->key, b->key) < 0);
	}
	for (size_t i = 1; i < astshm_snapshot_family_count(snapshot); i++) {
		const struct astshm_family *a = astshm_snapshot_family_at(snapshot, i - 1);
		const struct astshm_family *b = astshm_snapshot_family_at(snapshot, i);
		int order = strcmp(a->name, b->name);
		assert_true(order < 0 || (order == 0 && a->kind < b->kind));
	}
}

/* What comes and goes from pass to pass has its place among what is known. */
static void every_pass_is_in_order_whatever_came_and_went(void **state)
{
	enum { NAMES = 40, STEPS = 600 };
	struct fixture *fixture = *state;
	uint32_t families[5][NAMES], live[5][NAMES] = { { 0 } };
	const struct astshm_tag tag = { "k", "v" };
	size_t count = 0, passes = 0;
	char name[16];

	for (int kind = 1; kind <= 4; kind++)
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof name, "%c%d", 'a' + i * 7 % 5, i);
			families[kind][i] = image_family(&fixture->image, (enum astshm_kind)kind,
							 name, "", "");
		}
	fixture_open(fixture);
	srand(7);
	for (int step = 0; step < STEPS; step++) {
		int kind = 1 + rand() % 4, i = rand() % NAMES;
		uint32_t *series = &live[kind][i];
		if (*series != 0) {
			retire(fixture, *series);
			*series = 0;
			count--;
		} else {
			/* Half of them with a tag, which sorts behind longer names. */
			*series = image_series(&fixture->image, families[kind][i],
					       i % 2 ? &tag : NULL, i % 2);
			count++;
		}
		if (rand() % 4 == 0)
			continue; /* several changes at once */
		passes++;
		assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), count);
		assert_in_order(fixture->snapshot);
		assert_int_equal(fixture_bad(fixture), 0);
	}
	assert_true(passes > STEPS / 2);
}

/* Committed when the series was made, but after the pass had looked how much is. */
static void record_past_the_committed_bytes_is_taken_up_once_they_are(void **state)
{
	static const struct astshm_tag tag = { "k", "v" };
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "", "");
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "m");
	uint64_t committed = fixture->image.header->committed_bytes;
	image_series(&fixture->image, family, &tag, 1);
	image_family_at(&fixture->image, family)->unit_ref = image_text(&fixture->image, "bytes");
	uint64_t grown = fixture->image.header->committed_bytes;
	fixture->image.header->committed_bytes = committed;
	fixture_open(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
	assert_int_equal(fixture_bad(fixture), 2);
	fixture->image.header->committed_bytes = grown;
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 2);
	assert_string_equal(fixture_find(fixture, ASTSHM_KIND_COUNTER, "n[k=v]")->family->unit,
			    "bytes");
	assert_int_equal(fixture_bad(fixture), 0);
}

struct mover {
	struct image *image;
	uint32_t series[2];
	uint32_t stop;
};

static void set_state(struct image *image, uint32_t series, uint64_t generation, uint32_t state)
{
	__atomic_store_n(&image_series_at(image, series)->state, generation << 8 | state,
			 __ATOMIC_RELEASE);
	__atomic_add_fetch(&image->header->directory_changes, 1, __ATOMIC_RELEASE);
}

/* Removes a series and makes it again, now in one record, now in the other; as
 * often as a reader takes for a pass, more or less. */
static void *move_key(void *context)
{
	struct mover *mover = context;
	for (uint64_t n = 1; !__atomic_load_n(&mover->stop, __ATOMIC_RELAXED); n++) {
		set_state(mover->image, mover->series[n % 2], n, ASTSHM_SERIES_RETIRED);
		set_state(mover->image, mover->series[(n + 1) % 2], n, ASTSHM_SERIES_LIVE);
		for (uint64_t i = 0; i < n % 100; i++)
			(void)clock_gettime(CLOCK_MONOTONIC, &(struct timespec){ 0 });
	}
	return NULL;
}

static void key_that_moves_to_another_record_meanwhile_is_never_bad(void **state)
{
	struct fixture *fixture = *state;
	struct mover mover = { .image = &fixture->image };
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "moves", "", "");
	pthread_t thread;
	mover.series[1] = image_series(&fixture->image, family, NULL, 0);
	for (int i = 0; i < 500; i++) { /* a while from one record to the other */
		char name[16];
		snprintf(name, sizeof name, "c%d", i);
		image_metric(&fixture->image, ASTSHM_KIND_COUNTER, name);
	}
	mover.series[0] = image_series(&fixture->image, family, NULL, 0);
	image_series_at(&fixture->image, mover.series[0])->state = ASTSHM_SERIES_RETIRED;
	fixture_open(fixture);
	assert_int_equal(pthread_create(&thread, NULL, move_key, &mover), 0);
	for (int i = 0; i < 10000; i++) {
		size_t count = astshm_snapshot_count(fixture_snapshot(fixture, 0));
		assert_true(count == 500 || count == 501);
		assert_int_equal(fixture_bad(fixture), 0);
	}
	__atomic_store_n(&mover.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

static int compare_sort_keys(const void *left, const void *right)
{
	const struct sort_key *a = left, *b = right;
	int order = strcmp(a->text, b->text);
	return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static void keys_sort_as_strcmp_sorts_them(void **state)
{
	enum { COUNT = 3000 };
	static struct sort_key keys[COUNT], expected[COUNT];
	static char texts[COUNT][48];
	(void)state;
	srand(5);
	for (uint32_t i = 0; i < COUNT; i++) {
		/* Long shared prefixes, many repeats, bytes above 127. */
		snprintf(texts[i], sizeof texts[i], "%s%.*s%c%d",
			 rand() % 2 ? "events.received.by_type[" : "e", rand() % 8, "aaaaaaaaaaaa",
			 rand() % 3 ? 'a' : '\xc3', rand() % 50);
		keys[i] = (struct sort_key){ 0, texts[i], (uint32_t)strlen(texts[i]), i };
	}
	memcpy(expected, keys, sizeof keys);
	qsort(expected, COUNT, sizeof expected[0], compare_sort_keys);
	sort_keys(keys, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(keys[i].place, expected[i].place);
	for (uint32_t i = 0; i < COUNT; i++)
		keys[i] = (struct sort_key){ 0, "all the same text", 17, COUNT - 1 - i };
	sort_keys(keys, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(keys[i].place, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(appended_series_are_seen_by_the_next_pass),
		FIXTURE_TEST(retired_series_vanish_and_their_storage_serves_others),
		FIXTURE_TEST(description_changes_for_new_snapshots_only),
		FIXTURE_TEST(counter_that_becomes_up_down_takes_its_family_along),
		FIXTURE_TEST(steady_snapshots_share_one_parsed_directory),
		FIXTURE_TEST(names_of_removed_series_do_not_pile_up),
		FIXTURE_TEST(series_that_was_not_live_yet_is_taken_up_when_it_is),
		FIXTURE_TEST(key_that_appears_twice_is_shown_once_and_counted),
		FIXTURE_TEST(every_pass_is_in_order_whatever_came_and_went),
		FIXTURE_TEST(record_past_the_committed_bytes_is_taken_up_once_they_are),
		FIXTURE_TEST(key_that_moves_to_another_record_meanwhile_is_never_bad),
		cmocka_unit_test(keys_sort_as_strcmp_sorts_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
