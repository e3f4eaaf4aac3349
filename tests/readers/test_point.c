/* SPDX-License-Identifier: MIT */
/* Point reads: one series, resolved once. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static struct astshm_point resolve(struct fixture *fixture, enum astshm_kind kind,
				   const char *name)
{
	struct astshm_point point;
	int code = astshm_reader_resolve(fixture->reader, kind, name, NULL, 0, &point);
	if (code != 0)
		fail_msg("resolve %s: %d", name, code);
	return point;
}

static void counter_is_read_where_it_lies(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	uint32_t slot = image_slot(&fixture->image, 1, "t");
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_COUNTER, "c");
	int64_t value = -1;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), 0);
	assert_int_equal(value, 0);
	image_count(&fixture->image, series, 0, 3);
	image_count(&fixture->image, series, slot, 4);
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), 0);
	assert_int_equal(value, 7);
	image_series_at(&fixture->image, series)->base[0] = 5;
	fixture->image.header->counters_epoch = 2;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), 0);
	assert_int_equal(value, 2);
}

static void gauge_is_read_where_it_lies(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_GAUGE, "g");
	image_set(&fixture->image, series, 0, 1.5);
	image_set(&fixture->image, series, 0, 2.5);
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_GAUGE, "g");
	struct astshm_gauge_value value;
	assert_int_equal(astshm_reader_gauge(fixture->reader, &point, &value), 0);
	assert_true(value.current == 2.5 && value.sum == 4.0 && value.min == 1.5);
	assert_int_equal(value.count, 2);
}

static void histogram_is_read_into_the_callers_slots(void **state)
{
	static uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_DISTRIBUTION, "d");
	uint32_t slot = image_slot(&fixture->image, 1, "t");
	image_record(&fixture->image, series, 0, 100);
	image_record(&fixture->image, series, slot, 100);
	image_record(&fixture->image, series, slot, 400);
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_DISTRIBUTION, "d");
	struct astshm_histogram value;
	assert_int_equal(astshm_reader_histogram(fixture->reader, &point, &value, slots), 0);
	assert_int_equal(value.count, 3);
	assert_int_equal(value.sum, 600);
	assert_int_equal(value.min, 100);
	assert_int_equal(value.max, 400);
	assert_ptr_equal(value.slots, slots);
	assert_int_equal(value.slots[0], 2);
	assert_int_equal(value.slots[value.slot_count - 1], 1);
	assert_int_equal(value.slot_count, 2 * 64 + 1); /* two octaves apart */
}

static void tags_may_come_in_any_order(void **state)
{
	static const struct astshm_tag sorted[] = { { "a", "1,=" }, { "b", "2" } };
	static const struct astshm_tag shuffled[] = { { "b", "2" }, { "a", "1,=" } };
	struct fixture *fixture = *state;
	uint32_t family = image_family(&fixture->image, ASTSHM_KIND_COUNTER, "n", "", "");
	image_series(&fixture->image, family, NULL, 0);
	uint32_t series = image_series(&fixture->image, family, sorted, 2);
	struct astshm_point point;
	fixture_open(fixture);
	assert_int_equal(astshm_reader_resolve(fixture->reader, ASTSHM_KIND_COUNTER, "n", shuffled,
					       2, &point), 0);
	assert_int_equal(point.index, series);
}

static void unknown_metrics_are_enoent(void **state)
{
	static const struct astshm_tag tag = { "k", "v" };
	struct fixture *fixture = *state;
	struct astshm_point point;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open(fixture);
	struct astshm_reader *reader = fixture->reader;
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "d", NULL, 0, &point),
			 -ENOENT);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_GAUGE, "c", NULL, 0, &point),
			 -ENOENT);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "c", &tag, 1, &point),
			 -ENOENT);
}

static void bad_names_are_einval(void **state)
{
	static const struct astshm_tag empty = { "", "v" }, null = { "k", NULL };
	char name[ASTSHM_NAME_MAX + 2];
	struct fixture *fixture = *state;
	struct astshm_point point;
	struct astshm_tag many[ASTSHM_TAGS_MAX + 1];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < ASTSHM_TAGS_MAX + 1; i++)
		many[i] = (struct astshm_tag){ "k", "v" };
	fixture_open(fixture);
	struct astshm_reader *reader = fixture->reader;
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, name, NULL, 0, &point),
			 -EINVAL);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "", NULL, 0, &point),
			 -EINVAL);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "c", &empty, 1,
					       &point), -EINVAL);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "c", &null, 1, &point),
			 -EINVAL);
	assert_int_equal(astshm_reader_resolve(reader, ASTSHM_KIND_COUNTER, "c", many,
					       ASTSHM_TAGS_MAX + 1, &point), -EINVAL);
}

static void point_of_a_removed_series_is_stale(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	int64_t value = 77;
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_COUNTER, "c");
	image_series_at(&fixture->image, series)->state = 1 << 8 | ASTSHM_SERIES_RETIRED;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), -ESTALE);
	image_series_at(&fixture->image, series)->state = 2 << 8 | ASTSHM_SERIES_LIVE;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), -ESTALE);
	assert_int_equal(value, 77);
}

static void point_of_another_kind_is_einval(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_gauge_value value;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_COUNTER, "c");
	assert_int_equal(astshm_reader_gauge(fixture->reader, &point, &value), -EINVAL);
}

static void series_hidden_by_a_reset_is_enoent_until_touched(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	struct astshm_point other;
	int64_t value;
	image_series_at(&fixture->image, series)->flags = 0;
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_COUNTER, "c");
	fixture->image.header->epoch = 2;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), -ENOENT);
	assert_int_equal(astshm_reader_resolve(fixture->reader, ASTSHM_KIND_COUNTER, "c", NULL, 0,
					       &other), -ENOENT);
	image_series_at(&fixture->image, series)->shown_epoch = 2;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), 0);
}

static void broken_list_makes_a_point_read_fail(void **state)
{
	struct fixture *fixture = *state;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	int64_t value = 5;
	image_count(&fixture->image, series, 0, 1);
	fixture_open(fixture);
	struct astshm_point point = resolve(fixture, ASTSHM_KIND_COUNTER, "c");
	image_counter_block(&fixture->image, series, 0)->head.next_off = 12345;
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), -EBADMSG);
	assert_int_equal(value, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(counter_is_read_where_it_lies),
		FIXTURE_TEST(gauge_is_read_where_it_lies),
		FIXTURE_TEST(histogram_is_read_into_the_callers_slots),
		FIXTURE_TEST(tags_may_come_in_any_order),
		FIXTURE_TEST(unknown_metrics_are_enoent),
		FIXTURE_TEST(bad_names_are_einval),
		FIXTURE_TEST(point_of_a_removed_series_is_stale),
		FIXTURE_TEST(point_of_another_kind_is_einval),
		FIXTURE_TEST(series_hidden_by_a_reset_is_enoent_until_touched),
		FIXTURE_TEST(broken_list_makes_a_point_read_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
