/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "json_out.h"

static void expect_text(const struct json_out *out, const char *text)
{
	assert_int_equal(json_out_result(out), 0);
	if (out->length != strlen(text) || memcmp(out->text, text, out->length) != 0)
		fail_msg("%.*s instead of %s", (int)out->length, out->text, text);
}

static void expect_number(double number, const char *text)
{
	char made[JSON_NUMBER_MAX];

	json_out_format(made, number);
	assert_string_equal(made, text);
}

static void numbers_are_laid_out_as_python_does(void **state)
{
	(void)state;
	expect_number(0.0, "0.0");
	expect_number(-0.0, "-0.0");
	expect_number(120.0, "120.0");
	expect_number(0.1, "0.1");
	expect_number(-2.5, "-2.5");
	expect_number(0.85f, "0.8500000238418579");
	expect_number(0.0003162277571, "0.0003162277571");
	expect_number(0.0001, "0.0001");
	expect_number(0.00001, "1e-05");
	expect_number(1.5e-7, "1.5e-07");
	expect_number(1e15, "1000000000000000.0");
	expect_number(123456789012345680.0, "1.2345678901234568e+17");
	expect_number(1e16, "1e+16");
	expect_number(9007199254740993.0, "9007199254740992.0");
	expect_number(1e22, "1e+22");
	expect_number(1.0 / 3.0, "0.3333333333333333");
	expect_number(DBL_MAX, "1.7976931348623157e+308");
	expect_number(-DBL_MIN, "-2.2250738585072014e-308");
	expect_number(5e-324, "5e-324");
}

static void numbers_read_back_as_they_were(void **state)
{
	uint64_t bits = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		double number, back;
		char text[JSON_NUMBER_MAX];

		bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(&number, &bits, sizeof number);
		if (!isfinite(number))
			continue;
		json_out_format(text, number);
		back = strtod(text, NULL);
		/* Bits: of -0 too. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
		if (memcmp(&number, &back, sizeof number) != 0)
			fail_msg("%.17g became %s", number, text);
	}
}

/* What people typed: as many digits as they did, and not one more. */
static void numbers_of_six_decimals_stay_as_short(void **state)
{
	char text[JSON_NUMBER_MAX], wanted[64];
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		uint64_t millionths = random % 1000000000000000u >> random % 40;
		if (millionths < 100)
			continue; /* exponents begin below 1e-4 */
		snprintf(wanted, sizeof wanted, "%" PRIu64 ".%06" PRIu64, millionths / 1000000,
			 millionths % 1000000);
		double number = strtod(wanted, NULL);
		for (size_t end = strlen(wanted); wanted[end - 1] == '0' && wanted[end - 2] != '.';)
			wanted[--end] = '\0';
		json_out_format(text, i % 2 ? number : -number);
		assert_string_equal(text + (i % 2 ? 0 : 1), wanted);
	}
}

static void what_json_has_no_number_for_is_null(void **state)
{
	struct json_out out;

	(void)state;
	json_out_init(&out, 0);
	json_out_begin_array(&out);
	json_out_number(&out, (double)NAN);
	json_out_number(&out, (double)INFINITY);
	json_out_number(&out, -(double)INFINITY);
	json_out_end_array(&out);
	expect_text(&out, "[null,null,null]");
	json_out_fini(&out);
}

static void write_sample(struct json_out *out)
{
	json_out_begin_object(out);
	json_out_key(out, "a");
	json_out_begin_array(out);
	json_out_integer(out, INT64_MIN);
	json_out_boolean(out, true);
	json_out_end_array(out);
	json_out_key(out, "b");
	json_out_begin_object(out);
	json_out_end_object(out);
	json_out_key(out, "c");
	json_out_null(out);
	json_out_end_object(out);
}

static void indentation_is_that_of_python(void **state)
{
	struct json_out out;

	(void)state;
	json_out_init(&out, 2);
	write_sample(&out);
	expect_text(&out, "{\n  \"a\": [\n    -9223372036854775808,\n    true\n  ],\n"
			  "  \"b\": {},\n  \"c\": null\n}");
	json_out_fini(&out);
	json_out_init(&out, 0);
	write_sample(&out);
	expect_text(&out, "{\"a\":[-9223372036854775808,true],\"b\":{},\"c\":null}");
	json_out_fini(&out);
}

static void expect_quoted(const char *text, const char *quoted)
{
	struct json_out out;

	json_out_init(&out, 0);
	json_out_text(&out, text);
	expect_text(&out, quoted);
	json_out_fini(&out);
}

static void texts_are_escaped_and_always_utf8(void **state)
{
	(void)state;
	expect_quoted("", "\"\"");
	expect_quoted("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	expect_quoted("\b\t\n\v\f\r\x01\x1f\x7f", "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\x7f\"");
	expect_quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5",
		      "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5\"");
	/* Overlong, surrogate, beyond U+10FFFF, a lone continuation, cut short. */
	expect_quoted("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_quoted("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_quoted("\xf4\x90\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"");
	expect_quoted("\x80y", "\"\xef\xbf\xbdy\"");
	expect_quoted("z\xe2\x82", "\"z\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void values_are_written_whole(void **state)
{
	struct value_map map = { 0 };
	struct value list = value_list();
	struct json_out out;

	(void)state;
	assert_int_equal(value_list_add(list.list, value_number(1.0)), 0);
	assert_int_equal(value_list_add(list.list, value_map()), 0);
	assert_int_equal(value_map_set(&map, "list", list), 0);
	assert_int_equal(value_map_set(&map, "text", value_text("t")), 0);
	assert_int_equal(value_map_set(&map, "none", value_null()), 0);
	assert_int_equal(value_map_set(&map, "text", value_integer(3)), 0);
	json_out_init(&out, 0);
	json_out_map(&out, &map);
	expect_text(&out, "{\"list\":[1.0,{}],\"text\":3,\"none\":null}");
	json_t *read = json_loadb(out.text, out.length, 0, NULL);
	assert_non_null(read);
	json_decref(read);
	json_out_fini(&out);
	value_map_fini(&map);
}

static void maps_are_equal_whatever_their_order(void **state)
{
	struct value_map a = { 0 }, b = { 0 }, copy;

	(void)state;
	assert_int_equal(value_map_set(&a, "x", value_integer(1)), 0);
	assert_int_equal(value_map_set(&a, "y", value_text("one")), 0);
	assert_int_equal(value_map_set(&b, "y", value_text("one")), 0);
	assert_int_equal(value_map_set(&b, "n", value_null()), 0);
	assert_false(value_map_equal(&a, &b));
	assert_int_equal(value_map_set(&b, "x", value_integer(1)), 0);
	assert_true(value_map_equal(&a, &b));
	assert_int_equal(value_map_copy(&copy, &a), 0);
	assert_true(value_map_equal(&copy, &b));
	assert_int_equal(value_map_set(&b, "x", value_number(1.0)), 0);
	assert_false(value_map_equal(&a, &b));
	value_map_fini(&a);
	value_map_fini(&b);
	value_map_fini(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_laid_out_as_python_does),
		cmocka_unit_test(numbers_read_back_as_they_were),
		cmocka_unit_test(numbers_of_six_decimals_stay_as_short),
		cmocka_unit_test(what_json_has_no_number_for_is_null),
		cmocka_unit_test(indentation_is_that_of_python),
		cmocka_unit_test(texts_are_escaped_and_always_utf8),
		cmocka_unit_test(values_are_written_whole),
		cmocka_unit_test(maps_are_equal_whatever_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
