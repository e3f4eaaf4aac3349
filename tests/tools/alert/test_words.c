/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "words.h"

/* The words with '|' behind each. */
static void check(const char *text, const char *wanted)
{
	const char *why = NULL;
	char **words = words_split(text, &why), joined[256] = "";

	if (!words)
		fail_msg("'%s' %s", text, why);
	for (size_t i = 0; words[i]; i++) {
		strcat(joined, words[i]);
		strcat(joined, "|");
	}
	free(words);
	assert_string_equal(joined, wanted);
}

static void words_are_split_without_a_shell(void **state)
{
	(void)state;
	check("a", "a|");
	check("  a \t b\nc ", "a|b|c|");
	check("a 'b c' \"d e\"", "a|b c|d e|");
	check("a'b c'd", "ab cd|");
	check("'' \"\"", "||");
	check("a\\ b \\\"c\\'", "a b|\"c'|");
	check("'a\\b' \"a\\\"b\"", "a\\b|a\"b|");
	check("$HOME `x` *;&|", "$HOME|`x`|*;&||");
	check("a\\", "a\\|");
}

static void what_is_no_command_is_refused(void **state)
{
	static const char *const texts[] = { "", "  \t", "'a", "a \"b", "a 'b\\'c'" };
	char many[2 * WORDS_MAX + 4];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		why = NULL;
		assert_null(words_split(texts[i], &why));
		assert_non_null(why);
	}
	for (size_t i = 0; i < WORDS_MAX + 1; i++)
		memcpy(many + 2 * i, "a ", 3);
	assert_null(words_split(many, &why));
	many[2 * WORDS_MAX] = '\0';
	char **words = words_split(many, &why);
	assert_non_null(words);
	assert_null(words[WORDS_MAX]);
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_without_a_shell),
		cmocka_unit_test(what_is_no_command_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
