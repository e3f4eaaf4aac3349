/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text. The locales that a machine has are a matter of chance, so
 * number.c is compiled here with a printf and strtod of our own, which can be
 * given any decimal point, one of several bytes included.
 */
#include "cmocka_all.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *local_point = ".";

static void replace_text(char *text, size_t size, const char *old, const char *new)
{
	char *at = strstr(text, old);
	if (!at)
		return;
	char rest[64];
	snprintf(rest, sizeof rest, "%s", at + strlen(old));
	snprintf(at, size - (size_t)(at - text), "%s%s", new, rest);
}

__attribute__((format(printf, 3, 0))) static int local_snprintf(char *text, size_t size,
								 const char *format, int precision,
								 double value)
{
	int length = snprintf(text, size, format, precision, value);
	replace_text(text, size, ".", local_point);
	return length;
}

static double local_strtod(const char *text, char **end)
{
	char copy[64];
	snprintf(copy, sizeof copy, "%s", text);
	replace_text(copy, sizeof copy, local_point, ".");
	return strtod(copy, end);
}

#define snprintf local_snprintf
#define strtod local_strtod
#include "number.c" /* NOLINT(bugprone-suspicious-include): with wrappers of the C library */
#undef snprintf
#undef strtod

static const char *text_of_double(double value)
{
	static char text[NUMBER_BYTES];
	*number_put_double(text, value) = '\0';
	return text;
}

static const char *text_of_fixed(number_u128 value, unsigned decimals)
{
	static char text[NUMBER_BYTES];
	*number_put_fixed(text, value, decimals) = '\0';
	return text;
}

static void integers_have_all_their_digits(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 12345, UINT32_MAX, UINT64_MAX };
	char text[NUMBER_BYTES], expected[NUMBER_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		*number_put_u64(text, values[i]) = '\0';
		snprintf(expected, sizeof expected, "%llu", (unsigned long long)values[i]);
		assert_string_equal(text, expected);
	}
	*number_put_i64(text, INT64_MIN) = '\0';
	assert_string_equal(text, "-9223372036854775808");
	*number_put_u128(text, number_join(UINT64_MAX, UINT64_MAX)) = '\0';
	assert_string_equal(text, "340282366920938463463374607431768211455");
	*number_put_u128(text, number_join(1, 0)) = '\0';
	assert_string_equal(text, "18446744073709551616");
}

static void nanoseconds_are_printed_exactly_as_seconds(void **state)
{
	(void)state;
	assert_string_equal(text_of_fixed(0, 9), "0.0");
	assert_string_equal(text_of_fixed(1, 9), "0.000000001");
	assert_string_equal(text_of_fixed(1500000000, 9), "1.5");
	assert_string_equal(text_of_fixed(2000000000, 9), "2.0");
	assert_string_equal(text_of_fixed(UINT64_MAX, 9), "18446744073.709551615");
	assert_string_equal(text_of_fixed(number_join(1, 0), 9), "18446744073.709551616");
	assert_string_equal(text_of_fixed(1234567, 12), "0.000001234567");
	assert_string_equal(text_of_fixed(42, 0), "42");
}

static void doubles_are_short_where_they_can_be(void **state)
{
	(void)state;
	assert_string_equal(text_of_double(0.0), "0.0");
	assert_string_equal(text_of_double(-0.0), "-0.0");
	assert_string_equal(text_of_double(0.1), "0.1");
	assert_string_equal(text_of_double(-2.5), "-2.5");
	assert_string_equal(text_of_double(3), "3.0");
	assert_string_equal(text_of_double(1e-7), "0.0000001");
	assert_string_equal(text_of_double(1.0 / 3), "0.3333333333333333");
	assert_string_equal(text_of_double(0.1 + 0.2), "0.30000000000000004");
	assert_string_equal(text_of_double(1e300), "1e+300");
	assert_string_equal(text_of_double(123456789012345680.0), "1.2345678901234568e+17");
	assert_string_equal(text_of_double(DBL_MAX), "1.7976931348623157e+308");
	assert_string_equal(text_of_double(5e-324), "4.94065645841247e-324");
}

/* Any bits, so all exponents; and decimals of few digits, the other path. */
static void every_double_reads_back_as_itself(void **state)
{
	uint64_t random = 88172645463325252ull;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		double value;
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		memcpy(&value, &random, sizeof value);
		if (i % 2)
			value = (double)(random % 100000000) / 1e5;
		if (isfinite(value) && strtod(text_of_double(value), NULL) != value)
			fail_msg("%a became %s", value, text_of_double(value));
	}
}

static void decimal_point_is_a_dot_in_every_locale(void **state)
{
	static const char *const points[] = { ",", "\xd9\xab" }; /* U+066B */
	(void)state;
	for (int i = 0; i < 2; i++) {
		local_point = points[i];
		assert_string_equal(text_of_double(1.0 / 3), "0.3333333333333333");
		assert_string_equal(text_of_double(0.1 + 0.2), "0.30000000000000004");
		assert_string_equal(text_of_double(1.5e300), "1.5e+300");
		assert_string_equal(text_of_double(0.25), "0.25");
	}
	local_point = ".";
}

static void seconds_and_nanoseconds_go_both_ways(void **state)
{
	static const uint64_t values[] = { 0, 1, 999999999, 3600500000000, 4194304123456789,
					   9007199254740993, 123456789012345678 };
	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		double seconds = number_scale(values[i], 9);
		uint64_t back = number_ns(seconds);
		if (values[i] < 4194304000000000)
			assert_int_equal(back, values[i]);
		assert_true(number_scale(back, 9) == seconds);
	}
	assert_int_equal(number_ns(NAN), 0);
	assert_int_equal(number_ns(-1), 0);
	assert_int_equal(number_ns(1e300), 18446744073000000000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_have_all_their_digits),
		cmocka_unit_test(nanoseconds_are_printed_exactly_as_seconds),
		cmocka_unit_test(doubles_are_short_where_they_can_be),
		cmocka_unit_test(every_double_reads_back_as_itself),
		cmocka_unit_test(decimal_point_is_a_dot_in_every_locale),
		cmocka_unit_test(seconds_and_nanoseconds_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
