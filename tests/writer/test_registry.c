/* SPDX-License-Identifier: MIT */
/* Registration: identity, names, limits, descriptions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scene.h"

static int register_counter(struct astshm_writer *writer, const char *name,
			    struct astshm_error *error)
{
	struct astshm_counter counter;
	int result = astshm_counter_register(writer, &(struct astshm_metric){ .name = name },
					     &counter, error);
	if (result < 0)
		assert_int_equal(counter.index, 0);
	return result;
}

static void same_identity_gives_the_same_handle(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_counter a, b;
	struct astshm_gauge gauge;

	(void)state;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "x" }, &a, NULL);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "x" }, &b, NULL);
	astshm_gauge_register(writer, &(struct astshm_metric){ .name = "x" }, &gauge, NULL);
	assert_int_equal(a.index, b.index);
	assert_int_not_equal(a.index, gauge.index);
	astshm_writer_close(&writer);
}

static void counter_becomes_safe_for_signals_with_its_values(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	const struct astshm_metric safe = { .name = "x", .flags = ASTSHM_SIGNAL_SAFE };
	struct astshm_counter plain, handler;

	(void)state;
	astshm_increment(writer, "x", 1, ASTSHM_NO_TAGS);
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "x" }, &plain, NULL);
	astshm_counter_add_signal(plain, 10); /* not yet: nothing happens */
	assert_int_equal(astshm_counter_register(writer, &safe, &handler, NULL), 0);
	assert_int_equal(handler.index, plain.index);
	astshm_counter_add_signal(handler, 100);
	astshm_counter_add(plain, 1000);
	assert_int_equal(scene_counter(writer, "x"), 1101);
	astshm_writer_close(&writer);
}

static void bad_names_are_refused_with_a_reason(void **state)
{
	static const struct { const char *name, *text; } cases[] = {
		{ "", "1 to 255" }, { NULL, "1 to 255" }, { "\xff\xfe", "UTF-8" },
		{ "line\nbreak", "printable" },
	};
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_error error;
	char longest[258];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(register_counter(writer, cases[i].name, &error), -EINVAL);
		assert_non_null(strstr(error.text, cases[i].text));
	}
	memset(longest, 'n', sizeof longest);
	longest[256] = '\0';
	assert_int_equal(register_counter(writer, longest, &error), -EINVAL);
	longest[255] = '\0';
	assert_int_equal(register_counter(writer, longest, &error), 0);
	astshm_writer_close(&writer);
}

static int register_tagged(struct astshm_writer *writer, const struct astshm_tag *tags,
			   size_t count, struct astshm_error *error)
{
	struct astshm_counter counter;

	return astshm_counter_register(
		writer,
		&(struct astshm_metric){ .name = "tagged", .tags = tags, .tag_count = count },
		&counter, error);
}

static void bad_tags_are_refused_with_a_reason(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_error error;
	struct astshm_tag many[17];
	char keys[17][4], value[257];

	(void)state;
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "k", "1" }, { "k", "2" }), &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "twice"));
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "", "1" }), &error), -EINVAL);
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "k", NULL }), &error), -EINVAL);
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "k", "\xc3" }), &error), -EINVAL);
	memset(value, 'v', sizeof value);
	value[256] = '\0';
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "k", value }), &error), -EINVAL);
	value[255] = '\0';
	assert_int_equal(register_tagged(writer, ASTSHM_TAGS({ "k", value }), &error), 0);
	for (int i = 0; i < 17; i++) {
		snprintf(keys[i], sizeof keys[i], "%02d", 16 - i);
		many[i] = (struct astshm_tag){ keys[i], value };
	}
	assert_int_equal(register_tagged(writer, many, 17, &error), -EINVAL);
	assert_int_equal(register_tagged(writer, many, 16, &error), 0);
	astshm_writer_close(&writer);
}

static void registering_past_the_limit_gives_the_null_handle(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_error error;
	struct astshm_snapshot *snapshot;
	char name[32];

	(void)state;
	options.max_series = 300;
	struct astshm_writer *writer = scene_open(__func__, &options);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "series.%d", i);
		assert_int_equal(register_counter(writer, name, &error), 0);
	}
	assert_int_equal(register_counter(writer, "one.more", &error), -ENOSPC);
	assert_non_null(strstr(error.text, "max_series"));
	astshm_increment(writer, "another", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "series.7", 1, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "series.7"), 1);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 300);
	assert_int_equal(astshm_snapshot_segment(snapshot)->dropped, 2);
	astshm_snapshot_free(&snapshot);
	/* Removing one makes room again, at once. */
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_COUNTER, "series.3", ASTSHM_NO_TAGS), 1);
	astshm_increment(writer, "another", 4, ASTSHM_NO_TAGS);
	assert_int_equal(scene_counter(writer, "another"), 4);
	astshm_writer_close(&writer);
}

static void tag_sets_past_the_limit_share_one_series(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_snapshot *snapshot;
	char value[32];
	int64_t other = 0;

	(void)state;
	options.max_tag_sets = 5;
	struct astshm_writer *writer = scene_open(__func__, &options);
	for (int i = 0; i < 100; i++) {
		snprintf(value, sizeof value, "v%d", i);
		astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", value }));
	}
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_TAGS({ "who", ASTSHM_OTHER }),
					    &other), 0);
	assert_int_equal(other, 95);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 6);
	assert_int_equal(astshm_snapshot_segment(snapshot)->other_tag_sets, 95);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void bad_tag_values_by_name_are_dropped_and_counted(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", "fine" }));
	for (int i = 0; i < 10; i++)
		astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", "\xff" }));
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 1);
	assert_int_equal(astshm_snapshot_segment(snapshot)->dropped, 10);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

/* A stranger may also send the library's own word. */
static void a_tag_value_named_other_takes_the_rest_too(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_snapshot *snapshot;
	char value[32];
	int64_t other = 0;

	(void)state;
	options.max_tag_sets = 3;
	struct astshm_writer *writer = scene_open(__func__, &options);
	astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", ASTSHM_OTHER }));
	for (int i = 0; i < 10; i++) {
		snprintf(value, sizeof value, "v%d", i);
		astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", value }));
	}
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_TAGS({ "who", ASTSHM_OTHER }),
					    &other), 0);
	assert_int_equal(other, 1 + 8);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 3);
	assert_int_equal(astshm_snapshot_segment(snapshot)->other_tag_sets, 8);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void a_family_may_have_a_limit_of_its_own(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;
	char value[32];

	(void)state;
	assert_int_equal(astshm_limit_tag_sets(writer, ASTSHM_KIND_COUNTER, "c", 2, NULL), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(value, sizeof value, "v%d", i);
		astshm_increment(writer, "c", 1, ASTSHM_TAGS({ "who", value }));
		astshm_increment(writer, "d", 1, ASTSHM_TAGS({ "who", value }));
	}
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 3 + 10);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void descriptions_reach_readers_also_later_ones(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;

	(void)state;
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "c", "requests", "First.", NULL);
	astshm_increment(writer, "c", 1, ASTSHM_NO_TAGS);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	const struct astshm_family *family = astshm_snapshot_at(snapshot, 0)->family;
	assert_string_equal(family->unit, "requests");
	assert_string_equal(family->help, "First.");
	astshm_snapshot_free(&snapshot);
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "c", NULL, "Second.", NULL);
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_string_equal(astshm_snapshot_at(snapshot, 0)->family->help, "Second.");
	assert_string_equal(astshm_snapshot_at(snapshot, 0)->family->unit, "requests");
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

static void untouched_handles_are_visible_as_zero(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	int64_t value = -1;

	(void)state;
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_NO_TAGS, &value), -ENOENT);
	assert_int_equal(register_counter(writer, "c", NULL), 0);
	assert_int_equal(astshm_get_counter(writer, "c", ASTSHM_NO_TAGS, &value), 0);
	assert_int_equal(value, 0);
	astshm_writer_close(&writer);
}

static void sixteen_thousand_series_keep_their_values(void **state)
{
	struct astshm_writer *writer = scene_open(__func__, NULL);
	struct astshm_snapshot *snapshot;
	char name[32];

	(void)state;
	for (int i = 0; i < 16384; i++) {
		snprintf(name, sizeof name, "series.%05d", i);
		astshm_increment(writer, name, (uint64_t)i + 1, ASTSHM_NO_TAGS);
	}
	assert_int_equal(astshm_get_all_metrics(writer, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_count(snapshot), 16384);
	for (int i = 0; i < 16384; i++)
		assert_int_equal(astshm_snapshot_at(snapshot, (size_t)i)->counter.value, i + 1);
	assert_int_equal(astshm_snapshot_segment(snapshot)->dropped, 0);
	astshm_snapshot_free(&snapshot);
	astshm_writer_close(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_identity_gives_the_same_handle),
		cmocka_unit_test(counter_becomes_safe_for_signals_with_its_values),
		cmocka_unit_test(bad_names_are_refused_with_a_reason),
		cmocka_unit_test(bad_tags_are_refused_with_a_reason),
		cmocka_unit_test(registering_past_the_limit_gives_the_null_handle),
		cmocka_unit_test(tag_sets_past_the_limit_share_one_series),
		cmocka_unit_test(bad_tag_values_by_name_are_dropped_and_counted),
		cmocka_unit_test(a_tag_value_named_other_takes_the_rest_too),
		cmocka_unit_test(a_family_may_have_a_limit_of_its_own),
		cmocka_unit_test(descriptions_reach_readers_also_later_ones),
		cmocka_unit_test(untouched_handles_are_visible_as_zero),
		cmocka_unit_test(sixteen_thousand_series_keep_their_values),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
