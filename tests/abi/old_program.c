/* SPDX-License-Identifier: MIT */
/*
 * A program of the first release: compiled against tests/data/headers-1.0, run
 * with the libraries of today. It uses every inline function of those headers
 * (test_abi.py says if one is missing), since their code is in old programs for
 * good, and everything that it recorded must be there.
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

#include <astshm/writer.h>

#define BIG INT64_MAX

static struct astshm_writer *writer;

static int open_writer(void **state)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error;
	char name[64];

	(void)state;
	snprintf(name, sizeof name, "t%ld-old-program", (long)getpid());
	options.max_series = 100;
	if (astshm_writer_open(&writer, name, &options, &error) == 0)
		return 0;
	print_error("%s\n", error.text);
	return -1;
}

static int close_writer(void **state)
{
	(void)state;
	astshm_writer_close(&writer);
	return 0;
}

static int64_t counter_value(const char *name)
{
	int64_t value = -1;

	assert_int_equal(astshm_get_counter(writer, name, ASTSHM_NO_TAGS, &value), 0);
	return value;
}

static void handles_record(void **state)
{
	struct astshm_metric metric = { .name = "handle" };
	struct astshm_metric level = { .name = "level", .flags = ASTSHM_UP_DOWN };
	struct astshm_gauge_value gauge_value;
	struct astshm_statistics statistics;
	struct astshm_distribution distribution;
	struct astshm_counter counter, up_down;
	struct astshm_timing timing;
	struct astshm_gauge gauge;

	(void)state;
	assert_true(astshm_writer_recording(writer));
	assert_int_equal(astshm_counter_register(writer, &metric, &counter, NULL), 0);
	assert_int_equal(astshm_counter_register(writer, &level, &up_down, NULL), 0);
	assert_int_equal(astshm_gauge_register(writer, &metric, &gauge, NULL), 0);
	assert_int_equal(astshm_timing_register(writer, &metric, &timing, NULL), 0);
	assert_int_equal(astshm_distribution_register(writer, &metric, &distribution, NULL), 0);
	/* Twice: behind the gate, and through it. */
	for (int i = 0; i < 2; i++) {
		astshm_counter_add(counter, 5);
		astshm_counter_add(up_down, 3);
		astshm_counter_sub(up_down, 4);
		astshm_gauge_set(gauge, 2.0);
		astshm_gauge_add(gauge, 0.5);
		astshm_timing_record(timing, 1000);
		astshm_timing_record(timing, BIG); /* the sum carries */
		astshm_distribution_record(distribution, -1);
	}
	assert_int_equal(counter_value("handle"), 10);
	assert_int_equal(counter_value("level"), -2);
	assert_int_equal(astshm_get_gauge(writer, "handle", ASTSHM_NO_TAGS, &gauge_value), 0);
	assert_true(gauge_value.current == 2.5 && gauge_value.count == 4);
	assert_true(gauge_value.min == 2.0 && gauge_value.max == 2.5 && gauge_value.sum == 9.0);
	assert_int_equal(astshm_get_timing(writer, "handle", ASTSHM_NO_TAGS, &statistics), 0);
	assert_true(statistics.count == 4 && statistics.min == 1000.0);
	assert_true(statistics.sum == 2 * ((double)BIG + 1000.0));
	assert_int_equal(astshm_get_distribution(writer, "handle", ASTSHM_NO_TAGS, &statistics),
			 0);
	assert_true(statistics.count == 2 && statistics.sum == 0.0);
}

static void names_record(void **state)
{
	struct astshm_gauge_value gauge_value;
	struct astshm_statistics statistics;
	int64_t value = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		astshm_increment(writer, "named", 7, ASTSHM_TAGS({ "k", "v" }, { "a", "b" }));
		astshm_decrement(writer, "named.level", 2, ASTSHM_NO_TAGS);
		astshm_set(writer, "named", 4.0, ASTSHM_NO_TAGS);
		astshm_add(writer, "named", 1.0, ASTSHM_NO_TAGS);
		astshm_time(writer, "named", 50, ASTSHM_NO_TAGS);
		astshm_observe(writer, "named", 60, ASTSHM_NO_TAGS);
	}
	assert_int_equal(astshm_get_counter(writer, "named",
					    ASTSHM_TAGS({ "a", "b" }, { "k", "v" }), &value), 0);
	assert_int_equal(value, 14);
	assert_int_equal(counter_value("named.level"), -4);
	assert_int_equal(astshm_get_gauge(writer, "named", ASTSHM_NO_TAGS, &gauge_value), 0);
	assert_true(gauge_value.current == 5.0);
	assert_int_equal(astshm_get_timing(writer, "named", ASTSHM_NO_TAGS, &statistics), 0);
	assert_true(statistics.count == 2 && statistics.sum == 100.0);
	assert_int_equal(astshm_get_distribution(writer, "named", ASTSHM_NO_TAGS, &statistics), 0);
	assert_true(statistics.count == 2 && statistics.sum == 120.0);
	assert_int_equal(astshm_remove(writer, ASTSHM_KIND_TIMING, "named", ASTSHM_NO_TAGS), 1);
}

static void timers_and_scopes_record(void **state)
{
	struct astshm_statistics statistics;
	struct astshm_timing timing;
	struct astshm_metric metric = { .name = "scopes" };

	(void)state;
	assert_int_equal(astshm_timing_register(writer, &metric, &timing, NULL), 0);
	struct astshm_timer timer = astshm_timer_start();
	assert_true(astshm_timer_elapsed_ns(timer) >= 0);
	assert_true(astshm_timer_stop(timing, timer) >= 0);
	{
		ASTSHM_TIME_SCOPE(timing);
		ASTSHM_TIME_SCOPE_NAMED(writer, "scopes", ASTSHM_NO_TAGS);
	}
	/* What the two macros call at the end of a block. */
	struct astshm_scope scope = { timing, astshm_timer_start() };
	astshm_scope_end(&scope);
	struct astshm_named_scope named = { writer, "scopes", ASTSHM_NO_TAGS,
					    astshm_timer_start() };
	astshm_named_scope_end(&named);
	assert_int_equal(astshm_get_timing(writer, "scopes", ASTSHM_NO_TAGS, &statistics), 0);
	assert_int_equal(statistics.count, 5);
	assert_int_equal(astshm_clock_elapsed_ns(2, 1), 0);
	assert_true(astshm_clock_now() != 0);
}

/* The pieces that the functions above are made of, one by one. */
static void pieces_do_what_they_did(void **state)
{
	struct astshm_metric metric = { .name = "pieces" };
	static struct astshm_histogram_block histogram;
	struct astshm_gauge_block gauge = { .current_rel = offsetof(struct astshm_gauge_block,
								    reserved1) };
	struct astshm_counter counter;
	uint64_t word = 1;

	(void)state;
	assert_int_equal(astshm_counter_register(writer, &metric, &counter, NULL), 0);
	assert_null(astshm_row_entry(counter.writer, counter.index));
	assert_true(astshm_worth_a_call(counter.writer));
	astshm_counter_add(counter, 1);
	astshm_cell_add(astshm_row_entry(counter.writer, counter.index), 1);
	assert_int_equal(counter_value("pieces"), 2);
	assert_true(astshm_bits_double(astshm_double_bits(0.1)) == 0.1);
	word = astshm_double_bits(1.0);
	assert_true(astshm_gauge_fetch_add(&word, 2.0) == 3.0);
	*astshm_gauge_current(&gauge) = 9;
	assert_int_equal(gauge.reserved1[0] | gauge.reserved1[7], 9);
	astshm_gauge_sample(&gauge, 3.0);
	assert_true(gauge.begin == 1 && gauge.count == 1 && astshm_bits_double(gauge.max) == 3.0);
	astshm_gauge_store(&gauge, 1.0);
	assert_true(gauge.count == 2 && astshm_bits_double(*astshm_gauge_current(&gauge)) == 1.0);
	assert_int_equal(astshm_bucket_slot(astshm_timing_table, 1), 1);
	assert_int_equal(astshm_bucket_slot_any(astshm_timing_table, 0), ASTSHM_HISTOGRAM_ZERO);
	assert_int_equal(astshm_bucket_slot_any(astshm_distribution_table, BIG),
			 ASTSHM_HISTOGRAM_OVERFLOW);
	astshm_histogram_record(&histogram, astshm_distribution_table, 1);
	assert_true(histogram.count == 1 && histogram.sum == 1 && histogram.max_plus_one == 2);
}

/* A later program, or an older one, is told so instead of crashing. */
static void another_abi_is_refused(void **state)
{
	struct astshm_error error;
	struct astshm_writer *other;

	(void)state;
	assert_int_equal(astshm_writer_open_abi(&other, "never", NULL, ASTSHM_ABI + 1, &error),
			 -EPROTONOSUPPORT);
	assert_null(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handles_record),
		cmocka_unit_test(names_record),
		cmocka_unit_test(timers_and_scopes_record),
		cmocka_unit_test(pieces_do_what_they_did),
		cmocka_unit_test(another_abi_is_refused),
	};
	return cmocka_run_group_tests(tests, open_writer, close_writer);
}
