/* SPDX-License-Identifier: MIT */
/* Strings of strangers on their way out. */
#include "cmocka_all.h"

#include <stdio.h>
#include <time.h>

#include "text.h"

/* What a text_put_ function writes of `text`. */
static const char *written(void (*put)(struct sink *sink, const char *text, size_t count),
			   const char *text, size_t count)
{
	static struct sink sink;
	sink_init(&sink, NULL);
	put(&sink, text, count);
	sink_put_char(&sink, '\0');
	return sink.buffer;
}

#define WRITTEN(put, text) written(put, text, sizeof(text) - 1)

static void json_escapes_what_json_must(void **state)
{
	(void)state;
	assert_string_equal(WRITTEN(text_put_json, "plain"), "\"plain\"");
	assert_string_equal(WRITTEN(text_put_json, ""), "\"\"");
	assert_string_equal(WRITTEN(text_put_json, "a\"b\\c\n\t\r\b\f\x01\x1f"),
			    "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\"");
	assert_string_equal(WRITTEN(text_put_json, "a\0b"), "\"a\\u0000b\"");
	assert_string_equal(WRITTEN(text_put_json, "\xc3\xa4\xf0\x9f\x98\x80"),
			    "\"\xc3\xa4\xf0\x9f\x98\x80\"");
}

static void bytes_that_are_not_utf8_become_replacements(void **state)
{
	(void)state;
	assert_string_equal(WRITTEN(text_put_clean, "a\xff z"), "a\xef\xbf\xbd z");
	/* overlong, surrogate, past U+10FFFF, cut short */
	assert_string_equal(WRITTEN(text_put_clean, "\xc0\xaf"),
			    "\xef\xbf\xbd\xef\xbf\xbd");
	assert_false(text_is_valid("\xe0\x9f\xbf", 3));
	assert_false(text_is_valid("\xed\xa0\x80", 3));
	assert_false(text_is_valid("\xf4\x90\x80\x80", 4));
	assert_false(text_is_valid("\xe2\x82", 2));
	assert_true(text_is_valid("\xed\x9f\xbf\xf4\x8f\xbf\xbf", 7));
}

static void clean_length_is_what_is_written(void **state)
{
	static const char text[] = "\xff\xc3\xa4\xe2\x82 \xf0\x9f\x98\x80\xed\xa0\x80";
	(void)state;
	for (size_t i = 0; i < sizeof text; i++) {
		size_t length = strlen(written(text_put_clean, text, i));
		assert_int_equal(text_clean_length(text, i), length);
	}
}

static void labels_escape_quotes_and_help_does_not(void **state)
{
	(void)state;
	assert_string_equal(WRITTEN(text_put_label, "a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
	assert_string_equal(WRITTEN(text_put_help, "a\\b\"c\nd"), "a\\\\b\"c\\nd");
}

static void terminals_get_no_control_characters(void **state)
{
	(void)state;
	assert_string_equal(WRITTEN(text_put_terminal, "a\033[31m\x7f\xc2\x9b"),
			    "a\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd");
}

static void columns_are_those_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(text_columns("abc", 3), 3);
	assert_int_equal(text_columns("\xc3\xa4", 2), 1);
	assert_int_equal(text_columns("e\xcc\x81", 3), 1);         /* e + combining acute */
	assert_int_equal(text_columns("\xe6\xbc\xa2", 3), 2);      /* a Han character */
	assert_int_equal(text_columns("\xf0\x9f\x98\x80", 4), 2);  /* a face */
	assert_int_equal(text_columns("\xff\xff", 2), 2);
	assert_int_equal(text_prefix("\xe6\xbc\xa2\xe6\xbc\xa2", 6, 3), 3);
	assert_int_equal(text_suffix("\xe6\xbc\xa2\xe6\xbc\xa2", 6, 3), 3);
	assert_int_equal(text_prefix("abc", 3, 9), 3);
	assert_int_equal(text_suffix("abc", 3, 9), 0);
}

static void timestamps_agree_with_gmtime(void **state)
{
	static const uint64_t days[] = { 0, 58, 59, 365, 789, 11016, 11017, 19782, 47540, 67000 };
	(void)state;
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		time_t seconds = (time_t)(days[i] * 86400 + 12345 * i);
		char text[TEXT_TIMESTAMP_BYTES + 1] = { 0 }, expected[64];
		struct tm tm;
		gmtime_r(&seconds, &tm);
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000000042Z", &tm);
		text_timestamp(text, (uint64_t)seconds * 1000000000u + 42);
		assert_string_equal(text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_escapes_what_json_must),
		cmocka_unit_test(bytes_that_are_not_utf8_become_replacements),
		cmocka_unit_test(clean_length_is_what_is_written),
		cmocka_unit_test(labels_escape_quotes_and_help_does_not),
		cmocka_unit_test(terminals_get_no_control_characters),
		cmocka_unit_test(columns_are_those_of_a_terminal),
		cmocka_unit_test(timestamps_agree_with_gmtime),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
