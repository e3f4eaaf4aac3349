/* SPDX-License-Identifier: MIT */
/*
 * Recording by name again and again: a thread finds its series by where the
 * caller's strings lie. What counts is what stands there.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"

#define TIMES 3u /* a series is remembered from its second record on */

static int64_t value_of(struct astshm_writer *writer, const char *name,
			const struct astshm_tag *tags, size_t tag_count)
{
	int64_t value = -1;

	assert_int_equal(astshm_get_counter(writer, name, tags, tag_count, &value), 0);
	return value;
}

/* Records each text through one buffer, all of them in turn, and counts. */
static void one_buffer_holds_different_names(void **state)
{
	static const char *const texts[] = {
		"a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgx",
		"abcdefghijklmnop", "abcdefghijklmnopq", "abcdefghijklmnopQ", "xbcdefghijklmnopq",
		"abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnoXqrstuvwxyz012345",
	};
	enum { COUNT = sizeof texts / sizeof texts[0] };
	struct astshm_writer *writer = scene_open(__func__, NULL);
	char buffer[64];

	(void)state;
	for (unsigned i = 0; i < TIMES; i++)
		for (unsigned from = 0; from < COUNT; from++)
			for (unsigned to = 0; to < COUNT; to++) {
				strcpy(buffer, texts[from]);
				astshm_increment(writer, buffer, 1, ASTSHM_NO_TAGS);
				strcpy(buffer, texts[to]);
				astshm_increment(writer, buffer, 1, ASTSHM_NO_TAGS);
			}
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(scene_counter(writer, texts[i]), TIMES * 2 * COUNT);
	astshm_writer_close(&writer);
}

static void one_buffer_holds_different_tags(void **state)
{
	static const char *const texts[] = { "", "v", "value", "values", "valuable things" };
	enum { COUNT = sizeof texts / sizeof texts[0] };
	struct astshm_writer *writer = scene_open(__func__, NULL);
	char key[32], value[32];
	struct astshm_tag tag = { key, value };

	(void)state;
	for (unsigned i = 0; i < TIMES; i++)
		for (unsigned k = 1; k < COUNT; k++)
			for (unsigned v = 0; v < COUNT; v++) {
				strcpy(key, texts[k]);
				strcpy(value, texts[v]);
				astshm_increment(writer, "tagged", 1, &tag, 1);
				astshm_increment(writer, "tagged", 100, ASTSHM_NO_TAGS);
			}
	for (unsigned k = 1; k < COUNT; k++)
		for (unsigned v = 0; v < COUNT; v++)
			assert_int_equal(
				value_of(writer, "tagged", ASTSHM_TAGS({ texts[k], texts[v] })),
				TIMES);
	assert_int_equal(scene_counter(writer, "tagged"), TIMES * (COUNT - 1) * COUNT * 100);
	astshm_writer_close(&writer);
}

static void the_order_of_tags_makes_no_difference(void **state)
{
	static const struct astshm_tag sorted[] = { { "a", "1" }, { "b", "2" }, { "c", "3" } };
	static const struct astshm_tag mixed[] = { { "c", "3" }, { "a", "1" }, { "b", "2" } };
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	for (unsigned i = 0; i < TIMES; i++) {
		astshm_increment(writer, "x", 1, sorted, 3);
		astshm_increment(writer, "x", 1, mixed, 3);
		astshm_increment(writer, "x", 10, sorted, 2);
		astshm_increment(writer, "x", 100, sorted, 1);
	}
	assert_int_equal(value_of(writer, "x", mixed, 3), TIMES * 2);
	assert_int_equal(value_of(writer, "x", sorted, 2), TIMES * 10);
	assert_int_equal(value_of(writer, "x", sorted, 1), TIMES * 100);
	astshm_writer_close(&writer);
}

static void one_name_serves_every_kind(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_statistics bytes;

	(void)state;
	for (unsigned i = 0; i < TIMES; i++) {
		astshm_increment(writer, "x", 1, ASTSHM_NO_TAGS);
		astshm_set(writer, "x", i, ASTSHM_NO_TAGS);
		astshm_time(writer, "x", 7, ASTSHM_NO_TAGS);
		astshm_observe(writer, "x", 5, ASTSHM_NO_TAGS);
	}
	assert_int_equal(scene_counter(writer, "x"), TIMES);
	assert_int_equal(scene_gauge(writer, "x").count, TIMES);
	assert_true(scene_gauge(writer, "x").current == TIMES - 1);
	assert_int_equal(scene_timing(writer, "x").count, TIMES);
	assert_int_equal(astshm_get_distribution(writer, "x", NULL, 0, &bytes), 0);
	assert_int_equal(bytes.count, TIMES);
	astshm_writer_close(&writer);
}

static void bad_arguments_are_dropped_and_counted_each_time(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_tag nothing = { NULL, NULL }, no_value = { "k", NULL };
	struct astshm_snapshot *snapshot;

	(void)state;
	for (unsigned i = 0; i < TIMES; i++) {
		astshm_increment(writer, "x", 1, ASTSHM_TAGS({ "k", "v" }));
		astshm_increment(writer, "x", 1, NULL, 1);
		astshm_increment(writer, "x", 1, &nothing, 1);
		astshm_increment(writer, "x", 1, &no_value, 1);
		astshm_increment(writer, NULL, 1, ASTSHM_NO_TAGS);
	}
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 1);
	assert_int_equal(astshm_snapshot_segment(snapshot)->dropped, TIMES * 4);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

/* The last bytes of a page, behind which there is none. */
static char *last_bytes(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	assert_ptr_not_equal(two, MAP_FAILED);
	assert_int_equal(munmap(two + page, page), 0);
	return two + page - count;
}

/* At each distance to the end of the mapping a text that just fits, and
 * shorter ones at the same place: nothing behind the end may be looked at. */
static void nothing_is_read_behind_the_page_of_a_name(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	struct astshm_writer *writer = scene_open(__func__, NULL);
	int64_t expected[sizeof letters] = { 0 };
	char name[sizeof letters];

	(void)state;
	for (size_t room = 2; room <= sizeof letters; room++) {
		char *text = last_bytes(room);
		for (size_t length = room - 1; length > 0; length--)
			for (unsigned i = 0; i < TIMES; i++) {
				memcpy(text, letters, length);
				text[length] = '\0';
				astshm_increment(writer, text, 1, ASTSHM_NO_TAGS);
				expected[length]++;
			}
		munmap((void *)((uintptr_t)text & ~(uintptr_t)4095), 4096);
	}
	for (size_t length = 1; length < sizeof letters; length++) {
		memcpy(name, letters, length);
		name[length] = '\0';
		assert_int_equal(scene_counter(writer, name), expected[length]);
	}
	astshm_writer_close(&writer);
}

static void a_removed_series_is_not_remembered(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);

	(void)state;
	for (unsigned i = 0; i < TIMES; i++)
		astshm_increment(writer, "gone", 1, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "gone", NULL, 0), 1);
	astshm_increment(writer, "other", 1, ASTSHM_NO_TAGS); /* takes its record over */
	for (unsigned i = 0; i < TIMES; i++)
		astshm_increment(writer, "gone", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "gone"), TIMES);
	assert_int_equal(scene_counter(writer, "other"), 1);
	astshm_writer_close(&writer);
}

static void a_reset_shows_a_remembered_series_again(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;

	(void)state;
	for (unsigned i = 0; i < TIMES; i++) {
		astshm_increment(writer, "counter", 1, ASTSHM_NO_TAGS);
		astshm_time(writer, "timing", 5, ASTSHM_NO_TAGS);
	}
	astshm_reset(writer);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 0);
	astshm_snapshot_free(&snapshot);
	astshm_increment(writer, "counter", 1, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 5, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "counter"), 1);
	assert_int_equal(scene_timing(writer, "timing").count, 1);
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_buffer_holds_different_names),
		cmocka_unit_test(one_buffer_holds_different_tags),
		cmocka_unit_test(the_order_of_tags_makes_no_difference),
		cmocka_unit_test(one_name_serves_every_kind),
		cmocka_unit_test(bad_arguments_are_dropped_and_counted_each_time),
		cmocka_unit_test(nothing_is_read_behind_the_page_of_a_name),
		cmocka_unit_test(a_removed_series_is_not_remembered),
		cmocka_unit_test(a_reset_shows_a_remembered_series_again),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
