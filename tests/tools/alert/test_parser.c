/* SPDX-License-Identifier: MIT */
/* Rules as text: what they mean, and where what is wrong with them is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "glob.h"
#include "parser.h"
#include "rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND 1000000000

static struct rule *parse(const char *text)
{
	struct astshm_error error = { 0 };
	struct rule *rule = NULL;

	if (parser_parse(&rule, text, strlen(text), &error) != 0)
		fail_msg("'%s': byte %ju: %s", text, (uintmax_t)error.position, error.text);
	assert_non_null(rule);
	return rule;
}

/* Memory of its own size: a byte too far is one outside. */
static int parse_exactly(const char *text, size_t length, struct astshm_error *error)
{
	char *copy = malloc(length + (length == 0));
	struct rule *rule = NULL;
	int result;

	assert_non_null(copy);
	memcpy(copy, text, length);
	result = parser_parse(&rule, copy, length, error);
	free(copy);
	rule_free(&rule);
	return result;
}

static void every_error_is_at_its_byte(void **state)
{
	static const struct {
		const char *text;
		uint64_t at;
		const char *says;
	} cases[] = {
		{ "a", 1, "a comparison (> >= < <= == !=) is missing" },
		{ "a >", 3, "a number is missing" },
		{ "a > x", 4, "a number is expected here" },
		{ "a\xff > 1", 1, "not UTF-8" },
		{ "\xc3\xa4\xc3: a > 1", 2, "not UTF-8" },
		{ "\"b\xed\xa0\x80\" > 1", 2, "not UTF-8" },
		{ "a[k=\xc2\xff] > 1", 4, "not UTF-8" },
		{ "absent(\xff)", 7, "not UTF-8" },
		{ "a > 1\xff", 5, "not UTF-8" },
		{ "a > 1..2", 4, "several points" },
		{ "a > 3parsec", 5, "'parsec' is no unit" },
		{ "a > 3 parsec", 6, "over, for, until" },
		{ "a b > 3", 2, "'b' is no field" },
		{ "a p101 > 3", 2, "'p101' is no field" },
		{ "a p9.9.9 > 3", 2, "'p9.9.9' is no field" },
		{ "a = 3", 2, "write '=='" },
		{ "a ! 3", 2, "write '!='" },
		{ "a > 3 = 4", 6, "write '=='" },
		{ "a rate > 1/", 11, "s, min or h is missing" },
		{ "a rate > 1/ms", 11, "s, min or h" },
		{ "a > 1/s", 5, "what is compared is no rate" },
		{ "a / b rate > 1/s", 14, "what is compared is no rate" },
		{ "a / b > 1ms", 9, "a quotient has no unit but %" },
		{ "a p95 > 3%", 9, "% needs a quotient" },
		{ "a rate > 3%", 10, "% needs a quotient" },
		{ "a[b", 1, "never closed" },
		{ "a[b=\\]", 1, "never closed" },
		{ "a[] > 1", 2, "a tag's key is missing" },
		{ "a[b=c,=d] > 1", 6, "a tag's key is missing" },
		{ "\"a > 1", 0, "this quote is never closed" },
		{ "\"\" > 1", 0, "an empty name" },
		{ "(a > 1", 3, "')' is expected here" },
		{ "(a + b", 6, "')' is missing" },
		{ "a + > 1", 4, "a metric's name is expected here" },
		{ "a > 1 for", 9, "a time such as 30s or 5m is missing" },
		{ "a > 1 for 5x", 10, "no time such as" },
		{ "a > 1 for 0", 10, "a time of 0" },
		{ "a > 1 for 31000h", 10, "longer than 30 days" },
		{ "a > 1 over -5s", 11, "no time such as" },
		{ "a > 1 for 1s for 2s", 13, "'for' stands here a second time" },
		{ "a > 1 warning critical", 14, "'critical' stands here a second time" },
		{ "a > 1 sometimes", 6, "over, for, until" },
		{ "a > 1 until > 2", 12, "compares the other way round: < or <=" },
		{ "a < 1 until < 0", 12, "compares the other way round: > or >=" },
		{ "a > 1 until == 1", 12, "compares the other way round" },
		{ "a > 1 until < 2", 14, "'until' lies beyond the threshold" },
		{ "a < 1 until > 0.5", 14, "'until' lies beyond the threshold" },
		{ "a >= 1 until <= 1", 16, "both the condition and 'until' would hold" },
		{ "a > 1s until < 0.5", 15, "its unit is of another kind" },
		{ "a == 1 until < 1", 7, "'until' belongs to > >= < <=" },
		{ "absent a", 7, "'(' is expected here" },
		{ "absent(a", 8, "')' is missing" },
		{ "absent(a) over 5s", 10, "only what is compared has a window" },
		{ "absent(a) until < 5", 10, "there is no value to compare with" },
		{ "down > 3", 5, "over, for, until" },
		{ "stale", 5, "a comparison" },
		{ "stale > 5%", 9, "an age is compared with a time" },
		{ "stale > 5/s", 9, "an age is compared with a time" },
		{ "l:", 2, "a metric's name is missing" },
		{ "l: m: n > 3", 6, "'n' is no field" }, /* "m:" is a name there */
		{ "over > 3", 0, "a metric's name is expected here" },
		{ "a > 1 ; b", 6, "this character means nothing here" },
		{ "2xx > 1", 0, "a metric's name is expected here" },
		{ "a+b+c+d+e+f+g+h+i > 1", 16, "more than 8 metrics" },
		{ "((((((((((a))))))))) > 1", 8, "more than 8 parentheses" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct astshm_error error = { 0 };
		const char *text = cases[i].text;

		if (parse_exactly(text, strlen(text), &error) != -EINVAL ||
		    error.position != cases[i].at || !strstr(error.text, cases[i].says))
			fail_msg("'%s': byte %ju: '%s', wanted byte %ju: '%s'", text,
				 (uintmax_t)error.position, error.text, (uintmax_t)cases[i].at,
				 cases[i].says);
	}
}

static void blanks_and_comments_are_no_rule(void **state)
{
	static const char *const texts[] = { "", "   ", "\t\r", "# a > 3", "  # x" };
	struct astshm_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct rule *rule = NULL;

		assert_int_equal(parser_parse(&rule, texts[i], strlen(texts[i]), &error), 0);
		assert_null(rule);
	}
}

static void a_rule_has_all_its_parts(void **state)
{
	struct rule *rule = parse("slow: event.processing.duration p99.9 >= 100ms over 30s for 10s "
				  "until < 80 ms for 5s critical # why");

	(void)state;
	assert_string_equal(rule->label, "slow");
	assert_string_equal(rule->text, "event.processing.duration p99.9 >= 100ms over 30s for "
					"10s until < 80 ms for 5s critical");
	assert_string_equal(rule->expression, "event.processing.duration p99.9");
	assert_string_equal(rule->operands[0].selector.name, "event.processing.duration");
	assert_int_equal(rule->operands[0].field, FIELD_QUANTILE);
	assert_true(rule->operands[0].quantile > 0.9989 && rule->operands[0].quantile < 0.9991);
	assert_int_equal(rule->threshold.comparison, COMPARE_GREATER_EQUAL);
	assert_true(rule->threshold.value == 0.1);
	assert_string_equal(rule->threshold.text, "100ms");
	assert_int_equal(rule->window_ns, 30 * (int64_t)SECOND);
	assert_int_equal(rule->for_ns, 10 * (int64_t)SECOND);
	assert_true(rule->has_until && rule->until.value == 0.08);
	assert_string_equal(rule->until.text, "80 ms");
	assert_int_equal(rule->until_for_ns, 5 * (int64_t)SECOND);
	assert_int_equal(rule->severity, SEVERITY_CRITICAL);
	rule_free(&rule);
	assert_null(rule);
}

static void thresholds_have_units(void **state)
{
	static const struct {
		const char *text;
		double value;
		enum dimension dimension;
		bool is_rate;
	} cases[] = {
		{ "a > 3", 3, DIMENSION_NONE, false },
		{ "a > -3", -3, DIMENSION_NONE, false },
		{ "a > .5", .5, DIMENSION_NONE, false },
		{ "a > 250us", 250e-6, DIMENSION_TIME, false },
		{ "a > 250\xc2\xb5s", 250e-6, DIMENSION_TIME, false },
		{ "a > 7ns", 7e-9, DIMENSION_TIME, false },
		{ "a > 2m", 120, DIMENSION_TIME, false },
		{ "a > 1h", 3600, DIMENSION_TIME, false },
		{ "a > 64KiB", 65536, DIMENSION_BYTES, false },
		{ "a > 1.5 MiB", 1572864, DIMENSION_BYTES, false },
		{ "a > 1MB", 1e6, DIMENSION_BYTES, false },
		{ "a / b > 1%", 0.01, DIMENSION_PERCENT, false },
		{ "a < 50%", 0.5, DIMENSION_PERCENT, false },
		{ "a rate > 1/s", 1, DIMENSION_NONE, true },
		{ "a rate > 90 / min", 1.5, DIMENSION_NONE, true },
		{ "a rate > 7200/h", 2, DIMENSION_NONE, true },
		{ "a rate > 2KiB/s", 2048, DIMENSION_BYTES, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule *rule = parse(cases[i].text);

		if (rule->threshold.value != cases[i].value ||
		    rule->threshold.dimension != cases[i].dimension ||
		    rule->threshold.is_rate != cases[i].is_rate)
			fail_msg("'%s': %.17g, dimension %d, rate %d", cases[i].text,
				 rule->threshold.value, rule->threshold.dimension,
				 rule->threshold.is_rate);
		rule_free(&rule);
	}
}

/* a b c - / is (a / (b - c)), and so on. */
static void expressions_bind_as_arithmetic_does(void **state)
{
	static const struct {
		const char *text, *nodes;
	} cases[] = {
		{ "a > 1", "." },
		{ "a / b > 1", "../" },
		{ "a + b - c > 1", "..+.-" },
		{ "a + b / c > 1", ".../+" },
		{ "(a + b) / c > 1", "..+./" },
		{ "a / (b - c) > 1", "...-/" },
		{ "a / b / c > 1", ".././" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule *rule = parse(cases[i].text);
		char nodes[RULE_NODES_MAX + 1] = "";

		for (unsigned n = 0; n < rule->node_count; n++)
			nodes[n] = ".+-/"[rule->nodes[n]];
		assert_string_equal(nodes, cases[i].nodes);
		rule_free(&rule);
	}
}

static void tags_and_quotes_take_any_text(void **state)
{
	struct rule *rule = parse("events[event_type=/live/*, b=c\\,d\\],e] rate > 1/s");

	(void)state;
	assert_int_equal(rule->operands[0].selector.tag_count, 3);
	assert_string_equal(rule->operands[0].selector.tags[0].key, "event_type");
	assert_string_equal(rule->operands[0].selector.tags[0].glob, "/live/*");
	assert_string_equal(rule->operands[0].selector.tags[1].key, " b");
	assert_string_equal(rule->operands[0].selector.tags[1].glob, "c\\,d\\]");
	assert_string_equal(rule->operands[0].selector.tags[2].glob, "*");
	rule_free(&rule);
	rule = parse("\"over the 2 \\\"top\\\"\" > 1");
	assert_string_equal(rule->operands[0].selector.name, "over the 2 \\\"top\\\"");
	assert_false(rule->operands[0].selector.is_pattern);
	rule_free(&rule);
	rule = parse("\"stale\" > 1");
	assert_int_equal(rule->condition, CONDITION_COMPARE);
	rule_free(&rule);
}

static void defaults_are_what_the_manual_says(void **state)
{
	struct rule *rule = parse("udp.packet.dropped rate > 1/s");

	(void)state;
	assert_int_equal(rule->window_ns, RULE_DEFAULT_WINDOW_NS);
	assert_int_equal(rule->severity, SEVERITY_WARNING);
	assert_int_equal(rule->for_ns, 0);
	assert_string_equal(rule->label, "udp.packet.dropped rate > 1/s");
	rule_free(&rule);
	rule = parse("udp.packet.dropped > 100");
	assert_int_equal(rule->window_ns, 0);
	assert_int_equal(rule->operands[0].field, FIELD_DEFAULT);
	rule_free(&rule);
}

/* The largest there is of everything fits into what create() allocates. */
static void the_longest_rule_has_room(void **state)
{
	char text[RULE_BYTES_MAX + 2];
	struct astshm_error error = { 0 };
	size_t length = 0;

	(void)state;
	for (int operand = 0; operand < 8; operand++) {
		length += (size_t)sprintf(text + length, operand ? "/a[" : "a[");
		for (int tag = 0; tag < 16; tag++)
			length += (size_t)sprintf(text + length, tag ? ",a" : "a");
		length += (size_t)sprintf(text + length, "]");
	}
	length += (size_t)sprintf(text + length, ">1");
	assert_int_equal(parse_exactly(text, length, &error), 0);
	memset(text + length, ' ', sizeof(text) - length);
	assert_int_equal(parse_exactly(text, RULE_BYTES_MAX, &error), 0);
	assert_int_equal(parse_exactly(text, RULE_BYTES_MAX + 1, &error), -EINVAL);
}

/* Every beginning of a rule, and every rule with one byte changed, is a rule or an
 * error inside of it. */
static void no_text_is_too_strange(void **state)
{
	static const char good[] = "l: (a.* rate - \"b c\"[k=v\\],x] rate) >= -1.5 KiB/min "
				   "over 5m for 1s until < -2KiB/min for 3s critical # c";
	static const char bytes[] = "\0\t\n #()[]\\\"'/<=>!+-.,:%*?09azZ_\x7f\x80\xc2\xff";
	struct astshm_error error;
	char text[sizeof(good)];
	int sound = 0;

	(void)state;
	assert_int_equal(parse_exactly(good, sizeof(good) - 1, &error), 0);
	for (size_t i = 0; i < sizeof(good); i++) {
		memcpy(text, good, sizeof(good));
		for (size_t b = 0; b < sizeof(bytes); b++) {
			text[i] = bytes[b];
			error.position = 0;
			if (parse_exactly(text, sizeof(good) - 1, &error) == 0)
				sound++;
			assert_true(error.position <= sizeof(good) - 1);
		}
		error.position = 0;
		parse_exactly(good, i, &error);
		assert_true(error.position <= i);
	}
	assert_true(sound > 100); /* names and comments may hold much */
}

static void globs_match_in_bounded_time(void **state)
{
	static const struct {
		const char *glob, *text;
		bool matches;
	} cases[] = {
		{ "errors.*", "errors.a", true },     { "errors.*", "errors.", true },
		{ "errors.*", "errors", false },      { "*", "", true },
		{ "a*b*c", "aXbXbXc", true },	      { "a*b*c", "aXcXb", false },
		{ "?", "\xc3\xa4", true },	      { "??", "\xc3\xa4", false },
		{ "a\\*", "a*", true },		      { "a\\*", "ab", false },
		{ "*a", "aaab", false },	      { "*ab", "aaab", true },
		{ "", "", true },		      { "", "a", false },
		{ "a", "ab", false },		      { "ab", "a", false },
	};
	char glob[256], text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (glob_matches(cases[i].glob, cases[i].text) != cases[i].matches)
			fail_msg("'%s' with '%s'", cases[i].glob, cases[i].text);
	}
	/* fnmatch(3) would be at this beyond anybody's patience. */
	for (size_t i = 0; i < sizeof(glob) - 1; i++)
		glob[i] = i % 2 ? 'a' : '*';
	glob[sizeof(glob) - 1] = '\0';
	glob[sizeof(glob) - 2] = 'b';
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(glob_matches(glob, text));
}

static int add(struct rules *rules, const char *text)
{
	return rules_add(rules, text, strlen(text), "test", 1, true);
}

static void sets_of_rules_are_bounded(void **state)
{
	struct rules rules = { .count = 0 };
	char text[64];

	(void)state;
	for (unsigned i = 1; i <= RULES_WINDOWS_MAX; i++) {
		sprintf(text, "a > 1 over %us", i);
		assert_int_equal(add(&rules, text), 0);
	}
	assert_int_equal(add(&rules, "a > 2 over 3s"), 0);
	assert_int_equal(add(&rules, "a > 1 over 99s"), -EINVAL);
	assert_int_equal(add(&rules, "a > 2 over 3s"), -EINVAL); /* the same once more */
	assert_int_equal(add(&rules, "x: a > 4"), 0);
	assert_int_equal(add(&rules, "x: a > 5"), -EINVAL);
	while (rules.count < RULES_MAX) {
		sprintf(text, "a > %zu", 100 + rules.count);
		assert_int_equal(add(&rules, text), 0);
	}
	assert_int_equal(add(&rules, "b > 1"), -EINVAL);
	rules_free(&rules);
}

static void the_server_s_own_rule_gives_way(void **state)
{
	struct rules rules = { .count = 0 };

	(void)state;
	assert_int_equal(rules_add_server(&rules), 0);
	assert_int_equal(rules.count, 1);
	assert_int_equal(rules.items[0]->severity, SEVERITY_CRITICAL);
	rules_free(&rules);
	assert_int_equal(add(&rules, "down for 30s"), 0);
	assert_int_equal(rules_add_server(&rules), 0);
	assert_int_equal(rules.count, 1);
	rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_at_its_byte),
		cmocka_unit_test(blanks_and_comments_are_no_rule),
		cmocka_unit_test(a_rule_has_all_its_parts),
		cmocka_unit_test(thresholds_have_units),
		cmocka_unit_test(expressions_bind_as_arithmetic_does),
		cmocka_unit_test(tags_and_quotes_take_any_text),
		cmocka_unit_test(defaults_are_what_the_manual_says),
		cmocka_unit_test(the_longest_rule_has_room),
		cmocka_unit_test(no_text_is_too_strange),
		cmocka_unit_test(globs_match_in_bounded_time),
		cmocka_unit_test(sets_of_rules_are_bounded),
		cmocka_unit_test(the_server_s_own_rule_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
