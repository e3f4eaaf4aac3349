/* SPDX-License-Identifier: MIT */
/*
 * Files of rules for astshm-alert, and what it makes of a line besides: words of a
 * command, a pattern.
 */
#include <errno.h>
#include <string.h>

#include "describe.h"
#include "evaluate.h"
#include "glob.h"
#include "parser.h"
#include "target.h"
#include "words.h"

static uint64_t sound, wrong, empty, described;

/* --- what must hold --------------------------------------------------- */

/* A calculator of postfix can rely on it: operands first, one value in the end. */
static void check_nodes(const struct rule *rule)
{
	unsigned depth = 0, operands = 0;

	for (unsigned i = 0; i < rule->node_count; i++) {
		if (rule->nodes[i] == NODE_OPERAND) {
			operands++;
			depth++;
		} else {
			fuzz_expect(depth >= 2, "an operator has two values");
			depth--;
		}
	}
	if (rule->condition == CONDITION_COMPARE)
		fuzz_expect(depth == 1 && operands == rule->operand_count, "one value is left");
}

static void check_selector(const struct selector *selector)
{
	fuzz_expect(strlen(selector->name) <= ASTSHM_NAME_MAX, "a name has its limit");
	fuzz_expect(selector->is_pattern == glob_is_pattern(selector->name), "a pattern");
	glob_matches(selector->name, selector->name);
	for (unsigned i = 0; i < selector->tag_count; i++)
		glob_matches(selector->tags[i].glob, selector->name);
}

/* One value cannot make it fire and end. */
static void check_until(const struct rule *rule)
{
	const double values[] = { rule->threshold.value, rule->until.value };

	for (size_t i = 0; rule->has_until && i < 2; i++)
		fuzz_expect(!threshold_holds(&rule->threshold, values[i]) ||
			    !threshold_holds(&rule->until, values[i]), "one of both holds");
}

static bool same(const struct rule *a, const struct rule *b)
{
	return a->condition == b->condition && a->node_count == b->node_count &&
	       a->operand_count == b->operand_count && a->window_ns == b->window_ns &&
	       a->for_ns == b->for_ns && a->until_for_ns == b->until_for_ns &&
	       a->severity == b->severity && a->threshold.value == b->threshold.value &&
	       a->until.value == b->until.value && strcmp(a->text, b->text) == 0 &&
	       memcmp(a->nodes, b->nodes, sizeof(a->nodes)) == 0;
}

static void check_described(const struct rule *rule)
{
	static struct total total;
	const struct look look = { .heartbeat_age_ns = -1, .why = "fuzz" };
	char text[DESCRIBE_BYTES];
	struct verdict verdict;

	evaluate(rule, &look, &total, &verdict);
	verdict.value = rule->threshold.value;
	for (int outcome = OUTCOME_FALSE; outcome <= OUTCOME_UNKNOWN; outcome++) {
		verdict.outcome = (enum outcome)outcome;
		describe(rule, &verdict, text);
		fuzz_expect(strlen(text) > 0, "it can be told");
		described++;
	}
}

/* Its text alone is the same rule, unless its first word is a label then. */
static void check_rule(const struct rule *rule)
{
	struct astshm_error error = { 0 };
	struct rule *again = NULL;

	check_nodes(rule);
	check_until(rule);
	check_described(rule);
	for (unsigned i = 0; i < rule->operand_count; i++)
		check_selector(&rule->operands[i].selector);
	if (parser_parse(&again, rule->text, strlen(rule->text), &error) == 0 && again &&
	    again->label == again->text)
		fuzz_expect(same(rule, again), "the text of a rule is that rule");
	rule_free(&again);
}

/* --- an input --------------------------------------------------------- */

static void take_line(const char *line, size_t length)
{
	/* Memory of its own size: a byte too far is one outside. */
	char *copy = malloc(length + (length == 0));
	struct astshm_error error = { 0 };
	struct rule *rule = NULL;

	fuzz_expect(copy, "memory");
	memcpy(copy, line, length);
	int result = parser_parse(&rule, copy, length, &error);
	free(copy); /* a rule keeps nothing of it */
	fuzz_expect(result == 0 || result == -EINVAL, "a rule or an error");
	fuzz_expect(result == 0 || (error.text[0] && error.position <= length && !rule),
		    "an error says what is wrong where");
	sound += rule != NULL;
	wrong += result != 0;
	empty += result == 0 && !rule;
	if (rule)
		check_rule(rule);
	rule_free(&rule);
}

static void take_words(const uint8_t *bytes, size_t size)
{
	char text[256];
	size_t length = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	const char *why;

	memcpy(text, bytes, length);
	text[length] = '\0';
	char **words = words_split(text, &why);
	fuzz_expect((words != NULL) == (why == NULL), "words or a reason");
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *at = (const char *)bytes, *end = at + size;

	take_words(bytes, size);
	for (;;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		take_line(at, (size_t)((newline ? newline : end) - at));
		if (!newline)
			return 0;
		at = newline + 1;
	}
}

/* --- seeds ------------------------------------------------------------ */

static const char *const seeds[] = {
	"slow: event.processing.duration p95 > 100ms over 30s for 10s until < 80ms\n"
	"udp.packet.dropped rate > 1/s critical\nerrors.* increase > 10 over 5m\n# a comment\n",
	"loss: (a.b - a.c) / (a.d + a.b - a.c) > 1% over 1m for 10s until < 0.5% for 5s warning\n"
	"absent(events.received)\nstale > 10s\ndown for 30s",
	"events[event_type=/live/*,b=c\\,d] rate >= 90/min over 10m # why\n"
	"\"2xx [all]\" != -3\nsize p99.9 <= 1.5 MiB\ncache.hit_rate < 50%",
	"((((a + b) / c) - d)) == 0\na mean < .5\nb max > 5 until <= 5 for 1h\n",
};

static bool seed(size_t index, struct fuzz_input *input)
{
	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return false;
	input->size = strlen(seeds[index]);
	memcpy(input->bytes, seeds[index], input->size);
	return true;
}

static const char *word(size_t index)
{
	static const char *const words[] = {
		" over ", " for ", " until < ", " warning", "critical", "absent(", "stale", "down",
		" rate", " p95", " >= ", " != ", "100ms", "1%", "/s", "[k=v]", "\"", "\\", "a: ",
		" + ", " - ", " / ", "(", ")", "*", "?", "\xc2\xb5s", "99999999999999999999", "\n",
	};

	return index < sizeof(words) / sizeof(words[0]) ? words[index] : NULL;
}

static bool report(void)
{
	printf("sound %llu, wrong %llu, empty %llu, described %llu\n", (unsigned long long)sound,
	       (unsigned long long)wrong, (unsigned long long)empty,
	       (unsigned long long)described);
	return sound > 0 && wrong > 0 && empty > 0 && described > 0;
}

const struct fuzz_target fuzz_target = { .seed = seed, .word = word, .report = report };
