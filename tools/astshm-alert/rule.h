/* SPDX-License-Identifier: MIT */
/*
 * A rule, as the parser understood it.
 */
#ifndef ALERT_RULE_H
#define ALERT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/types.h>

/* Whoever writes rules is a stranger too. */
#define RULE_BYTES_MAX 1024u    /* of one rule's text */
#define RULE_LABEL_MAX 64u
#define RULE_OPERANDS_MAX 8u
#define RULE_NODES_MAX 16u      /* 8 operands and 7 operators between them */
#define RULE_DEPTH_MAX 8u       /* of parentheses */
#define RULES_MAX 128u
#define RULES_BYTES_MAX 262144u /* of one file */
#define RULES_WINDOWS_MAX 16u   /* that differ: each is a pass over the segment */
#define RULE_DEFAULT_WINDOW_NS 60000000000 /* of rate and increase */
#define RULE_DURATION_MAX_NS 2592000000000000 /* 30 days */

enum field {
	FIELD_DEFAULT, /* a counter's value or, in a window, increase; a gauge's value or mean */
	FIELD_VALUE,
	FIELD_RATE,
	FIELD_INCREASE,
	FIELD_COUNT,
	FIELD_SUM,
	FIELD_MEAN,
	FIELD_MIN,
	FIELD_MAX,
	FIELD_QUANTILE,
};

struct tag_filter {
	const char *key;
	const char *glob; /* of the value */
};

/* Which series: a glob of the name, and tags that they must have. */
struct selector {
	const char *name;
	bool is_pattern; /* may match several names, or none as yet */
	struct tag_filter tags[ASTSHM_TAGS_MAX];
	unsigned tag_count;
};

struct operand {
	struct selector selector;
	enum field field;
	double quantile; /* 0 to 1, of FIELD_QUANTILE */
};

enum node { NODE_OPERAND, NODE_ADD, NODE_SUBTRACT, NODE_DIVIDE };

enum comparison {
	COMPARE_GREATER,
	COMPARE_GREATER_EQUAL,
	COMPARE_LESS,
	COMPARE_LESS_EQUAL,
	COMPARE_EQUAL,
	COMPARE_NOT_EQUAL,
};

enum dimension { DIMENSION_NONE, DIMENSION_TIME, DIMENSION_BYTES, DIMENSION_PERCENT };

struct threshold {
	enum comparison comparison;
	double value; /* in seconds, bytes, or a fraction; of a rate: per second */
	enum dimension dimension;
	bool is_rate;
	const char *text; /* as it was written: "100ms" */
};

enum condition { CONDITION_COMPARE, CONDITION_ABSENT, CONDITION_STALE, CONDITION_DOWN };
enum severity { SEVERITY_WARNING, SEVERITY_CRITICAL };

/* All strings are in `strings`. */
struct rule {
	const char *label;     /* as given, else the text */
	const char *text;      /* without label and comment */
	const char *expression; /* what is compared, as it was written */
	enum condition condition;
	struct operand operands[RULE_OPERANDS_MAX];
	unsigned operand_count;
	enum node nodes[RULE_NODES_MAX]; /* in postfix order; operands in turn */
	unsigned node_count;
	struct threshold threshold;
	int64_t window_ns;     /* 0: the whole lifetime */
	int64_t for_ns;
	bool has_until;
	struct threshold until;
	int64_t until_for_ns;
	enum severity severity;
	char *strings;
	size_t string_bytes;
};

/* Does the value satisfy it? NaN satisfies nothing. */
bool threshold_holds(const struct threshold *threshold, double value);

/* ">", ">=", ... */
const char *comparison_text(enum comparison comparison);
const char *severity_name(enum severity severity);

void rule_free(struct rule **rule);

#endif
