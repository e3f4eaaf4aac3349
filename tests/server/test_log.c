/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"

#define SECOND UINT64_C(1000000000)

static void expect_escaped(const char *raw, const char *expected)
{
	char out[64];

	log_escape(out, sizeof out, raw);
	assert_string_equal(out, expected);
}

static void control_characters_are_escaped(void **state)
{
	(void)state;
	expect_escaped("plain Größe", "plain Größe");
	expect_escaped("a\nb\033[2Jc\x7f", "a\\x0ab\\x1b[2Jc\\x7f");
	/* C1 controls as UTF-8 has them; the next character after them is text. */
	expect_escaped("\xc2\x9b" "31m", "\\xc2\\x9b31m");
	expect_escaped("\xc2\xa0", "\xc2\xa0");
}

/* Of a text that was cut, or of a name with any bytes. */
static void what_is_no_utf8_is_escaped(void **state)
{
	(void)state;
	expect_escaped("\xc2", "\\xc2");
	expect_escaped("a\xff" "b\xfe", "a\\xffb\\xfe");
	expect_escaped("\xe2\x82", "\\xe2\\x82");
	expect_escaped("\xe2\x82\xac\xf0\x9f\x8e\xb9", "\xe2\x82\xac\xf0\x9f\x8e\xb9");
	expect_escaped("\xc0\x80", "\\xc0\\x80");
}

static void long_text_is_cut_inside_the_buffer(void **state)
{
	char raw[200];
	char out[32];

	(void)state;
	memset(raw, '\n', sizeof raw - 1);
	raw[sizeof raw - 1] = '\0';
	log_escape(out, sizeof out, raw);
	assert_true(strlen(out) < sizeof out);
	assert_true(strlen(out) % 4 == 0);
}

static void levels_have_names(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_level_parse("DEBUG", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_ERROR);
}

static void budget_of_lines_is_kept_and_renewed(void **state)
{
	struct log_limit limit = { 0 };
	uint64_t withheld = 0;

	(void)state;
	for (unsigned i = 0; i < LOG_LIMIT_LINES; i++) {
		assert_true(log_limit_take(&limit, 100 * SECOND, &withheld));
		assert_int_equal(withheld, 0);
	}
	for (unsigned i = 0; i < 7; i++)
		assert_false(log_limit_take(&limit, 100 * SECOND + i, &withheld));
	assert_true(log_limit_take(&limit, 100 * SECOND + LOG_LIMIT_WINDOW_NS, &withheld));
	assert_int_equal(withheld, 7);
	assert_true(log_limit_take(&limit, 101 * SECOND + LOG_LIMIT_WINDOW_NS, &withheld));
	assert_int_equal(withheld, 0);
}

static void what_was_withheld_is_told_once_the_window_is_over(void **state)
{
	struct log_limit limit = { 0 };
	uint64_t withheld = 0;

	(void)state;
	for (unsigned i = 0; i < LOG_LIMIT_LINES + 7; i++)
		log_limit_take(&limit, 100 * SECOND, &withheld);
	assert_false(log_limit_end(&limit, 100 * SECOND + LOG_LIMIT_WINDOW_NS - 1, &withheld));
	assert_true(log_limit_end(&limit, 100 * SECOND + LOG_LIMIT_WINDOW_NS, &withheld));
	assert_int_equal(withheld, 7);
	assert_false(log_limit_end(&limit, 101 * SECOND + LOG_LIMIT_WINDOW_NS, &withheld));
	assert_true(log_limit_take(&limit, 101 * SECOND + LOG_LIMIT_WINDOW_NS, &withheld));
	assert_int_equal(withheld, 0);
}

static void nothing_is_due_where_nothing_is_withheld(void **state)
{
	struct log_limit limit = { 0 };

	(void)state;
	assert_int_equal(log_withheld(&limit, LOG_ERROR, "x"), -1);
	for (unsigned i = 0; i < LOG_LIMIT_LINES + 1; i++)
		log_limited(&limit, LOG_ERROR, "one of many");
	int due_ms = log_withheld(&limit, LOG_ERROR, "x");
	assert_in_range(due_ms, 1, LOG_LIMIT_WINDOW_NS / 1000000 + 1);
	log_withheld_at_end(&limit, LOG_ERROR, "x");
	assert_int_equal(log_withheld(&limit, LOG_ERROR, "x"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(what_is_no_utf8_is_escaped),
		cmocka_unit_test(long_text_is_cut_inside_the_buffer),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(budget_of_lines_is_kept_and_renewed),
		cmocka_unit_test(what_was_withheld_is_told_once_the_window_is_over),
		cmocka_unit_test(nothing_is_due_where_nothing_is_withheld),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
