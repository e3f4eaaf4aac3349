/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "convert.h"

static struct osc_value text(const char *string)
{
	return (struct osc_value){ .tag = 's', .s = string };
}

static struct osc_value real(float number)
{
	return (struct osc_value){ .tag = 'f', .f = number };
}

static void expect_integer(struct osc_value value, int64_t expected)
{
	int64_t integer = 0;

	assert_true(convert_integer(&value, &integer));
	assert_int_equal(integer, expected);
}

static void expect_no_integer(struct osc_value value)
{
	int64_t integer = 0;

	assert_false(convert_integer(&value, &integer));
}

static void integer_is_taken_as_it_is(void **state)
{
	(void)state;
	expect_integer((struct osc_value){ .tag = 'i', .i = -7 }, -7);
	expect_integer((struct osc_value){ .tag = 'i', .i = INT32_MIN }, INT32_MIN);
	expect_integer((struct osc_value){ .tag = 'T' }, 1);
	expect_integer((struct osc_value){ .tag = 'F' }, 0);
}

static void float_is_truncated_toward_zero(void **state)
{
	(void)state;
	expect_integer(real(2.99f), 2);
	expect_integer(real(-2.99f), -2);
	expect_integer(real(-0.5f), 0);
}

static void float_beyond_the_range_becomes_its_end(void **state)
{
	(void)state;
	expect_integer(real(1e30f), INT64_MAX);
	expect_integer(real(9223372036854775808.0f), INT64_MAX);
	expect_integer(real(-9223372036854775808.0f), INT64_MIN);
	expect_integer(real(-1e30f), INT64_MIN);
}

static void float_that_is_no_number_is_no_integer(void **state)
{
	(void)state;
	expect_no_integer(real(NAN));
	expect_no_integer(real(INFINITY));
	expect_no_integer(real(-INFINITY));
}

static void decimal_string_is_an_integer(void **state)
{
	(void)state;
	expect_integer(text("1"), 1);
	expect_integer(text("-12"), -12);
	expect_integer(text("+3"), 3);
	expect_integer(text(" 42\n"), 42);
	expect_integer(text("007"), 7);
	expect_integer(text("99999999999999999999"), INT64_MAX);
	expect_integer(text("-99999999999999999999"), INT64_MIN);
}

static void other_strings_are_no_integers(void **state)
{
	static const char *const strings[] = { "", " ", "abc", "1.0", "1e3", "0x10", "1 2", "-",
					       "+", "--1", "1a", "NaN" };

	(void)state;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		expect_no_integer(text(strings[i]));
}

static void expect_number(struct osc_value value, double expected)
{
	double number = 0;

	assert_true(convert_number(&value, &number));
	assert_true(number == expected);
}

static void numbers_and_numeric_strings_are_numbers(void **state)
{
	double number = 0;
	struct osc_value nan_text = text("nan");

	(void)state;
	expect_number((struct osc_value){ .tag = 'i', .i = 3 }, 3.0);
	expect_number((struct osc_value){ .tag = 'T' }, 1.0);
	expect_number((struct osc_value){ .tag = 'F' }, 0.0);
	expect_number(real(0.85f), 0.85000002384185791015625);
	expect_number(text("120.5"), 120.5);
	expect_number(text(" -1e3\t"), -1000.0);
	expect_number(text(".5"), 0.5);
	expect_number(text("inf"), INFINITY);
	expect_number(text("-Infinity"), -INFINITY);
	assert_true(convert_number(&nan_text, &number));
	assert_true(isnan(number));
}

static void other_strings_are_no_numbers(void **state)
{
	static const char *const strings[] = { "", "  ", "abc", "1,5", "0x1p3", "0X10", "nan(1)",
					       "1.5.2", "1 2", "e5" };
	double number = 0;

	(void)state;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
		struct osc_value value = text(strings[i]);
		assert_false(convert_number(&value, &number));
	}
}

static void everything_has_a_truth(void **state)
{
	static const struct {
		struct osc_value value;
		bool truth;
	} cases[] = {
		{ { .tag = 'T' }, true },
		{ { .tag = 'F' }, false },
		{ { .tag = 'i', .i = 0 }, false },
		{ { .tag = 'i', .i = -1 }, true },
		{ { .tag = 'f', .f = 0.0f }, false },
		{ { .tag = 'f', .f = -0.0f }, false },
		{ { .tag = 'f', .f = 0.1f }, true },
		{ { .tag = 'f', .f = NAN }, true },
		{ { .tag = 's', .s = "" }, false },
		{ { .tag = 's', .s = "0" }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(convert_truth(&cases[i].value), cases[i].truth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integer_is_taken_as_it_is),
		cmocka_unit_test(float_is_truncated_toward_zero),
		cmocka_unit_test(float_beyond_the_range_becomes_its_end),
		cmocka_unit_test(float_that_is_no_number_is_no_integer),
		cmocka_unit_test(decimal_string_is_an_integer),
		cmocka_unit_test(other_strings_are_no_integers),
		cmocka_unit_test(numbers_and_numeric_strings_are_numbers),
		cmocka_unit_test(other_strings_are_no_numbers),
		cmocka_unit_test(everything_has_a_truth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
