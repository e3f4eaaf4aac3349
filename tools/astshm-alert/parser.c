/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "glob.h"
#include "lexer.h"
#include "parser.h"
#include "units.h"

/* What keep() adds to a piece: a NUL, and a '*' where a tag has no value. */
#define STRINGS_EXTRA_BYTES (8 + RULE_OPERANDS_MAX * (1 + 3 * ASTSHM_TAGS_MAX))

struct parser {
	struct lexer lexer;
	struct token token; /* looked at, not taken yet */
	struct rule *rule;
	unsigned depth;
	size_t expression_end;
	bool has_over, has_for, has_severity;
	struct token comparison, number, unit; /* of the last threshold */
	struct astshm_error *error;
};

/* --- errors and memory --------------------------------------------------- */

__attribute__((format(printf, 3, 4)))
static bool fail_at(struct parser *parser, const struct token *token, const char *format, ...)
{
	va_list list;

	parser->error->code = -EINVAL;
	parser->error->position = token->offset;
	va_start(list, format);
	vsnprintf(parser->error->text, sizeof(parser->error->text), format, list);
	va_end(list);
	return false;
}

/* What the lexer found wrong is nearer to the cause than what was expected. */
static bool fail_expected(struct parser *parser, const char *wanted)
{
	const struct token *token = &parser->token;

	if (token->kind == TOKEN_ERROR)
		return fail_at(parser, token, "%s", token->why);
	if (token->kind == TOKEN_END)
		return fail_at(parser, token, "%s is missing", wanted);
	return fail_at(parser, token, "%s is expected here", wanted);
}

static void advance(struct parser *parser)
{
	parser->token = lexer_next(&parser->lexer);
}

/* create() made room. */
static char *keep(struct parser *parser, const char *text, size_t length)
{
	struct rule *rule = parser->rule;
	char *kept = rule->strings + rule->string_bytes;

	memcpy(kept, text, length);
	kept[length] = '\0';
	rule->string_bytes += length + 1;
	return kept;
}

static const char *keep_slice(struct parser *parser, size_t start, size_t end)
{
	const char *text = parser->lexer.text;

	while (end > start && (text[end - 1] == ' ' || text[end - 1] == '\t' ||
			       text[end - 1] == '\r'))
		end--;
	return keep(parser, text + start, end - start);
}

/* --- names ---------------------------------------------------------------- */

static bool is_clause(const struct token *token)
{
	return token_is(token, "over") || token_is(token, "for") || token_is(token, "until") ||
	       token_is(token, "warning") || token_is(token, "critical");
}

static bool add_tag(struct parser *parser, struct selector *selector, const char *text,
		    size_t length)
{
	struct token at = { .offset = (size_t)(text - parser->lexer.text) };
	struct tag_filter *tag = &selector->tags[selector->tag_count];
	const char *equals = memchr(text, '=', length);
	size_t key_length = equals ? (size_t)(equals - text) : length;

	if (selector->tag_count == ASTSHM_TAGS_MAX)
		return fail_at(parser, &at, "more than %u tags", ASTSHM_TAGS_MAX);
	if (key_length == 0)
		return fail_at(parser, &at, "a tag's key is missing: write [key=value]");
	if (key_length > ASTSHM_TAG_KEY_MAX)
		return fail_at(parser, &at, "a tag's key has at most %u bytes",
			       ASTSHM_TAG_KEY_MAX);
	tag->key = keep(parser, text, key_length);
	tag->glob = equals ? keep(parser, equals + 1, length - key_length - 1)
			   : keep(parser, "*", 1);
	selector->tag_count++;
	return true;
}

static size_t tag_length(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at] != ',')
		at += text[at] == '\\' && at + 1 < length ? 2 : 1;
	return at;
}

static bool parse_tags(struct parser *parser, struct selector *selector)
{
	const char *at = parser->token.at, *end = at + parser->token.length;

	for (;;) {
		size_t length = tag_length(at, (size_t)(end - at));

		if (!add_tag(parser, selector, at, length))
			return false;
		at += length;
		if (at == end)
			break;
		at++;
	}
	advance(parser);
	return true;
}

static bool parse_selector(struct parser *parser, struct selector *selector)
{
	const struct token *token = &parser->token;

	if ((token->kind != TOKEN_WORD && token->kind != TOKEN_QUOTED) || is_clause(token))
		return fail_expected(parser, "a metric's name");
	if (token->length == 0)
		return fail_at(parser, token, "an empty name");
	if (token->length > ASTSHM_NAME_MAX)
		return fail_at(parser, token, "a name has at most %u bytes", ASTSHM_NAME_MAX);
	selector->name = keep(parser, token->at, token->length);
	selector->is_pattern = glob_is_pattern(selector->name);
	advance(parser);
	return parser->token.kind != TOKEN_TAGS || parse_tags(parser, selector);
}

/* --- fields --------------------------------------------------------------- */

/* "p95", "p99.9": whole digits and a fraction, below 100. */
static bool parse_quantile(const struct token *token, double *quantile)
{
	char text[16], *end;

	if (token->length < 2 || token->length > sizeof(text) || token->at[0] != 'p' ||
	    token->at[1] < '0' || token->at[1] > '9')
		return false;
	memcpy(text, token->at + 1, token->length - 1);
	text[token->length - 1] = '\0';
	if (strspn(text, "0123456789.") != token->length - 1)
		return false;
	*quantile = strtod(text, &end) / 100;
	return *end == '\0' && *quantile <= 1;
}

static bool find_field(const struct token *token, struct operand *operand)
{
	static const struct {
		const char *name;
		enum field field;
	} fields[] = {
		{ "value", FIELD_VALUE }, { "last", FIELD_VALUE },  { "rate", FIELD_RATE },
		{ "increase", FIELD_INCREASE }, { "count", FIELD_COUNT }, { "sum", FIELD_SUM },
		{ "mean", FIELD_MEAN },	  { "avg", FIELD_MEAN },    { "min", FIELD_MIN },
		{ "max", FIELD_MAX },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (token_is(token, fields[i].name)) {
			operand->field = fields[i].field;
			return true;
		}
	}
	if (token->kind != TOKEN_WORD || !parse_quantile(token, &operand->quantile))
		return false;
	operand->field = FIELD_QUANTILE;
	return true;
}

/* --- expressions ---------------------------------------------------------- */

/* Always room: operands are counted, and operators are one less than they. */
static void add_node(struct parser *parser, enum node node)
{
	parser->rule->nodes[parser->rule->node_count++] = node;
}

static bool parse_operand(struct parser *parser)
{
	struct rule *rule = parser->rule;
	struct operand *operand = &rule->operands[rule->operand_count];

	if (rule->operand_count == RULE_OPERANDS_MAX)
		return fail_at(parser, &parser->token, "more than %u metrics in a rule",
			       RULE_OPERANDS_MAX);
	if (!parse_selector(parser, &operand->selector))
		return false;
	rule->operand_count++;
	if (find_field(&parser->token, operand)) {
		advance(parser);
	} else if (parser->token.kind == TOKEN_WORD && !is_clause(&parser->token)) {
		return fail_at(parser, &parser->token, "'%.*s' is no field: value, rate, increase, "
			       "count, sum, mean, min, max or p0 to p100",
			       (int)parser->token.length, parser->token.at);
	}
	add_node(parser, NODE_OPERAND);
	return true;
}

static bool parse_sum(struct parser *parser);

static bool parse_factor(struct parser *parser)
{
	if (parser->token.kind != TOKEN_OPEN)
		return parse_operand(parser);
	if (parser->depth == RULE_DEPTH_MAX)
		return fail_at(parser, &parser->token, "more than %u parentheses in each other",
			       RULE_DEPTH_MAX);
	parser->depth++;
	advance(parser);
	if (!parse_sum(parser))
		return false;
	if (parser->token.kind != TOKEN_CLOSE)
		return fail_expected(parser, "')'");
	parser->depth--;
	advance(parser);
	return true;
}

static bool parse_quotient(struct parser *parser)
{
	if (!parse_factor(parser))
		return false;
	while (parser->token.kind == TOKEN_SLASH) {
		advance(parser);
		if (!parse_factor(parser))
			return false;
		add_node(parser, NODE_DIVIDE);
	}
	return true;
}

static bool parse_sum(struct parser *parser)
{
	if (!parse_quotient(parser))
		return false;
	while (parser->token.kind == TOKEN_PLUS || parser->token.kind == TOKEN_MINUS) {
		enum node node = parser->token.kind == TOKEN_PLUS ? NODE_ADD : NODE_SUBTRACT;

		advance(parser);
		if (!parse_quotient(parser))
			return false;
		add_node(parser, node);
	}
	return true;
}

/* --- thresholds ----------------------------------------------------------- */

static bool parse_comparison(struct parser *parser, struct threshold *threshold)
{
	const struct token *token = &parser->token;
	bool has_equal = token->length == 2;

	if (token->kind != TOKEN_COMPARISON)
		return fail_expected(parser, "a comparison (> >= < <= == !=)");
	switch (token->at[0]) {
	case '>':
		threshold->comparison = has_equal ? COMPARE_GREATER_EQUAL : COMPARE_GREATER;
		break;
	case '<':
		threshold->comparison = has_equal ? COMPARE_LESS_EQUAL : COMPARE_LESS;
		break;
	default:
		threshold->comparison = token->at[0] == '=' ? COMPARE_EQUAL : COMPARE_NOT_EQUAL;
	}
	advance(parser);
	return true;
}

static size_t digits_of(const struct token *token)
{
	size_t length = token->at[0] == '-';

	while (length < token->length &&
	       ((token->at[length] >= '0' && token->at[length] <= '9') ||
		token->at[length] == '.'))
		length++;
	return length;
}

/* The number alone; where its unit begins is in *unit. */
static bool parse_number(struct parser *parser, double *value, struct token *unit)
{
	const struct token *token = &parser->token;
	size_t length;
	char text[64], *end;

	if (token->kind != TOKEN_NUMBER)
		return fail_expected(parser, "a number");
	length = digits_of(token);
	if (length >= sizeof(text))
		return fail_at(parser, token, "a number has at most %zu digits",
			       sizeof(text) - 1);
	memcpy(text, token->at, length);
	text[length] = '\0';
	*value = strtod(text, &end);
	if (*end != '\0')
		return fail_at(parser, token, "no number: it has several points");
	*unit = *token;
	unit->at += length;
	unit->offset += length;
	unit->length -= length;
	advance(parser);
	return true;
}

/* "100 ms" is as good as "100ms". */
static bool take_loose_unit(struct parser *parser, struct token *unit)
{
	enum dimension dimension;
	double value = 0;

	if (unit->length > 0 || parser->token.kind != TOKEN_WORD ||
	    !unit_apply(parser->token.at, parser->token.length, &dimension, &value))
		return true;
	*unit = parser->token;
	advance(parser);
	return true;
}

static bool apply_unit(struct parser *parser, struct threshold *threshold,
		       const struct token *unit)
{
	if (unit->length == 0)
		return true;
	if (!unit_apply(unit->at, unit->length, &threshold->dimension, &threshold->value))
		return fail_at(parser, unit,
			       "'%.*s' is no unit: ns us ms s m h, B KiB MiB GiB, %%, "
			       "or /s /min /h behind them", (int)unit->length, unit->at);
	return true;
}

static bool parse_rate(struct parser *parser, struct threshold *threshold)
{
	double period;

	if (parser->token.kind != TOKEN_SLASH)
		return true;
	advance(parser);
	period = parser->token.kind == TOKEN_WORD
			 ? unit_period(parser->token.at, parser->token.length) : 0;
	if (period == 0)
		return fail_expected(parser, "s, min or h");
	threshold->value /= period;
	threshold->is_rate = true;
	advance(parser);
	return true;
}

/* Do all metrics of the expression ask for this field? */
static bool all_have(const struct rule *rule, enum field field)
{
	for (unsigned i = 0; i < rule->operand_count; i++) {
		if (rule->operands[i].field != field)
			return false;
	}
	return true;
}

static bool is_quotient(const struct rule *rule)
{
	return rule->nodes[rule->node_count - 1] == NODE_DIVIDE;
}

static bool check_age(struct parser *parser, const struct threshold *threshold)
{
	if (threshold->is_rate || (threshold->dimension != DIMENSION_NONE &&
				   threshold->dimension != DIMENSION_TIME))
		return fail_at(parser, &parser->unit, "an age is compared with a time");
	return true;
}

/* What a unit means to an expression of which only the names are known yet. */
static bool check_unit(struct parser *parser, const struct threshold *threshold)
{
	const struct rule *rule = parser->rule;

	if (threshold->is_rate && (!all_have(rule, FIELD_RATE) || is_quotient(rule)))
		return fail_at(parser, &parser->unit,
			       "what is compared is no rate: write NAME rate");
	if (threshold->dimension == DIMENSION_PERCENT && !is_quotient(rule) &&
	    (all_have(rule, FIELD_QUANTILE) || all_have(rule, FIELD_RATE) ||
	     all_have(rule, FIELD_INCREASE) || all_have(rule, FIELD_COUNT)))
		return fail_at(parser, &parser->unit,
			       "%% needs a quotient, or a gauge that is a fraction");
	if (threshold->dimension != DIMENSION_NONE && threshold->dimension != DIMENSION_PERCENT &&
	    is_quotient(rule))
		return fail_at(parser, &parser->unit, "a quotient has no unit but %%");
	return true;
}

static bool parse_threshold(struct parser *parser, struct threshold *threshold)
{
	const struct rule *rule = parser->rule;

	parser->comparison = parser->token;
	if (!parse_comparison(parser, threshold))
		return false;
	parser->number = parser->token;
	if (!parse_number(parser, &threshold->value, &parser->unit) ||
	    !take_loose_unit(parser, &parser->unit) ||
	    !apply_unit(parser, threshold, &parser->unit) || !parse_rate(parser, threshold))
		return false;
	threshold->text = keep_slice(parser, parser->number.offset, parser->token.offset);
	return rule->condition == CONDITION_STALE ? check_age(parser, threshold)
						  : check_unit(parser, threshold);
}

/* --- clauses -------------------------------------------------------------- */

static bool parse_duration(struct parser *parser, int64_t *ns)
{
	const struct token token = parser->token;
	char text[64];

	if (token.kind != TOKEN_NUMBER)
		return fail_expected(parser, "a time such as 30s or 5m");
	snprintf(text, sizeof(text), "%.*s", (int)token.length, token.at);
	if (token.length >= sizeof(text) || !duration_parse(text, ns))
		return fail_at(parser, &token, "no time such as 30s, 0.5, 5m or 1h");
	if (*ns == 0)
		return fail_at(parser, &token, "a time of 0 says nothing: leave it out");
	if (*ns > RULE_DURATION_MAX_NS)
		return fail_at(parser, &token, "longer than 30 days");
	advance(parser);
	return true;
}

static bool refuse_second(struct parser *parser, bool *seen)
{
	if (*seen)
		return fail_at(parser, &parser->token, "'%.*s' stands here a second time",
			       (int)parser->token.length, parser->token.at);
	*seen = true;
	return true;
}

static bool parse_over(struct parser *parser)
{
	struct token at = parser->token;

	if (!refuse_second(parser, &parser->has_over))
		return false;
	if (parser->rule->condition != CONDITION_COMPARE)
		return fail_at(parser, &at, "only what is compared has a window");
	advance(parser);
	return parse_duration(parser, &parser->rule->window_ns);
}

static bool is_upward(enum comparison comparison)
{
	return comparison == COMPARE_GREATER || comparison == COMPARE_GREATER_EQUAL;
}

static bool is_strict(enum comparison comparison)
{
	return comparison == COMPARE_GREATER || comparison == COMPARE_LESS;
}

/* A value that satisfies both would switch the alert on and off at each look. */
static bool check_until(struct parser *parser)
{
	const struct threshold *on = &parser->rule->threshold, *off = &parser->rule->until;
	bool upward = is_upward(on->comparison);

	if (is_upward(off->comparison) == upward || off->comparison == COMPARE_EQUAL ||
	    off->comparison == COMPARE_NOT_EQUAL)
		return fail_at(parser, &parser->comparison,
			       "'until' compares the other way round: %s or %s",
			       upward ? "<" : ">", upward ? "<=" : ">=");
	if (upward ? off->value > on->value : off->value < on->value)
		return fail_at(parser, &parser->number, "'until' lies beyond the threshold");
	if (off->value == on->value && !is_strict(on->comparison) && !is_strict(off->comparison))
		return fail_at(parser, &parser->number,
			       "at %s both the condition and 'until' would hold", off->text);
	if (off->dimension != on->dimension)
		return fail_at(parser, &parser->number, "its unit is of another kind than %s",
			       on->text);
	return true;
}

static bool parse_until(struct parser *parser)
{
	struct rule *rule = parser->rule;
	struct token at = parser->token;

	if (!refuse_second(parser, &rule->has_until))
		return false;
	if (rule->condition == CONDITION_ABSENT || rule->condition == CONDITION_DOWN)
		return fail_at(parser, &at, "there is no value to compare with");
	if (rule->threshold.comparison == COMPARE_EQUAL ||
	    rule->threshold.comparison == COMPARE_NOT_EQUAL)
		return fail_at(parser, &at, "'until' belongs to > >= < <=");
	advance(parser);
	if (!parse_threshold(parser, &rule->until) || !check_until(parser))
		return false;
	if (!token_is(&parser->token, "for"))
		return true;
	advance(parser);
	return parse_duration(parser, &rule->until_for_ns);
}

static bool parse_clause(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (token_is(&parser->token, "over"))
		return parse_over(parser);
	if (token_is(&parser->token, "until"))
		return parse_until(parser);
	if (token_is(&parser->token, "for")) {
		if (!refuse_second(parser, &parser->has_for))
			return false;
		advance(parser);
		return parse_duration(parser, &rule->for_ns);
	}
	if (token_is(&parser->token, "warning") || token_is(&parser->token, "critical")) {
		if (!refuse_second(parser, &parser->has_severity))
			return false;
		rule->severity = token_is(&parser->token, "critical") ? SEVERITY_CRITICAL
								       : SEVERITY_WARNING;
		advance(parser);
		return true;
	}
	return fail_expected(parser, "over, for, until, warning, critical or the end");
}

/* --- the whole ------------------------------------------------------------ */

static bool parse_absent(struct parser *parser)
{
	struct rule *rule = parser->rule;

	rule->condition = CONDITION_ABSENT;
	if (parser->token.kind != TOKEN_OPEN)
		return fail_expected(parser, "'('");
	advance(parser);
	if (!parse_selector(parser, &rule->operands[0].selector))
		return false;
	rule->operand_count = 1;
	if (parser->token.kind != TOKEN_CLOSE)
		return fail_expected(parser, "')'");
	advance(parser);
	parser->expression_end = parser->token.offset;
	return true;
}

static bool parse_compared(struct parser *parser)
{
	parser->expression_end = parser->token.offset;
	return parse_threshold(parser, &parser->rule->threshold);
}

static bool parse_condition(struct parser *parser)
{
	struct rule *rule = parser->rule;
	struct token first = parser->token;

	if (token_is(&first, "absent") || token_is(&first, "stale") || token_is(&first, "down"))
		advance(parser);
	if (token_is(&first, "absent"))
		return parse_absent(parser);
	if (token_is(&first, "down")) {
		rule->condition = CONDITION_DOWN;
		parser->expression_end = parser->token.offset;
		return true;
	}
	rule->condition = token_is(&first, "stale") ? CONDITION_STALE : CONDITION_COMPARE;
	if (rule->condition == CONDITION_COMPARE && !parse_sum(parser))
		return false;
	return parse_compared(parser);
}

static bool needs_window(const struct rule *rule)
{
	for (unsigned i = 0; i < rule->operand_count; i++) {
		if (rule->operands[i].field == FIELD_RATE ||
		    rule->operands[i].field == FIELD_INCREASE)
			return true;
	}
	return false;
}

static bool parse_rule(struct parser *parser)
{
	struct rule *rule = parser->rule;
	size_t start;

	if (parser->token.kind == TOKEN_LABEL) {
		if (parser->token.length > RULE_LABEL_MAX)
			return fail_at(parser, &parser->token, "a label has at most %u bytes",
				       RULE_LABEL_MAX);
		rule->label = keep(parser, parser->token.at, parser->token.length);
		advance(parser);
	}
	start = parser->token.offset;
	if (!parse_condition(parser))
		return false;
	rule->expression = keep_slice(parser, start, parser->expression_end);
	while (parser->token.kind != TOKEN_END) {
		if (!parse_clause(parser))
			return false;
	}
	rule->text = keep_slice(parser, start, parser->token.offset);
	rule->label = rule->label ? rule->label : rule->text;
	if (rule->window_ns == 0 && needs_window(rule))
		rule->window_ns = RULE_DEFAULT_WINDOW_NS;
	return true;
}

static int create(struct rule **rule, size_t length)
{
	*rule = calloc(1, sizeof(**rule));
	if (!*rule)
		return -ENOMEM;
	/* Label, names, tags and thresholds are pieces of the text; that itself and
	 * the expression; and a few bytes for each name and tag. */
	(*rule)->strings = malloc(3 * length + STRINGS_EXTRA_BYTES);
	if (!(*rule)->strings) {
		rule_free(rule);
		return -ENOMEM;
	}
	return 0;
}

int parser_parse(struct rule **rule, const char *text, size_t length,
		 struct astshm_error *error)
{
	struct parser parser = { .error = error };
	struct rule *made = NULL;

	if (length > RULE_BYTES_MAX) {
		*error = (struct astshm_error){ .code = -EINVAL, .position = RULE_BYTES_MAX };
		snprintf(error->text, sizeof(error->text), "a rule has at most %u bytes",
			 RULE_BYTES_MAX);
		return -EINVAL;
	}
	lexer_init(&parser.lexer, text, length);
	advance(&parser);
	if (parser.token.kind == TOKEN_END)
		return 0;
	if (create(&made, length) < 0) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return -ENOMEM;
	}
	parser.rule = made;
	if (!parse_rule(&parser)) {
		rule_free(&made);
		return -EINVAL;
	}
	*rule = made;
	return 0;
}
