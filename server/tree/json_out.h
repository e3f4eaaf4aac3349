/* SPDX-License-Identifier: MIT */
/*
 * JSON text, written front to back into memory that grows. Begin and end in
 * pairs, a key before each value of an object; a misuse makes wrong text, and
 * lack of memory is told once, at the end.
 */
#ifndef SERVER_JSON_OUT_H
#define SERVER_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

struct json_out {
	char *text; /* not terminated */
	size_t length;
	size_t capacity;
	unsigned indent; /* blanks per level; 0: all in one line */
	unsigned depth;
	bool filled;    /* the innermost object or array has something in it */
	bool after_key;
	bool failed;
};

/* Longest text of a number, with its NUL. */
#define JSON_NUMBER_MAX 32u

void json_out_init(struct json_out *out, unsigned indent);
void json_out_fini(struct json_out *out);
/* Empty again; the memory stays for what comes next. */
void json_out_clear(struct json_out *out);
/* 0, or -ENOMEM if anything written so far is missing. */
int json_out_result(const struct json_out *out);

void json_out_begin_object(struct json_out *out);
void json_out_end_object(struct json_out *out);
void json_out_begin_array(struct json_out *out);
void json_out_end_array(struct json_out *out);
/* A literal: printable ASCII without quotes and backslashes. */
void json_out_key(struct json_out *out, const char *key);

void json_out_null(struct json_out *out);
void json_out_boolean(struct json_out *out, bool boolean);
void json_out_integer(struct json_out *out, int64_t integer);
/* null for NaN and infinities, which JSON has no text for. */
void json_out_number(struct json_out *out, double number);
/* What is not UTF-8 in `text` (a file's name may be anything) becomes U+FFFD. */
void json_out_text(struct json_out *out, const char *text);
void json_out_value(struct json_out *out, const struct value *value);
void json_out_map(struct json_out *out, const struct value_map *map);
/* A value that is JSON already, put down as it is, and more of it. */
void json_out_raw(struct json_out *out, const char *text, size_t length);
void json_out_append(struct json_out *out, const char *text, size_t length);

/*
 * The shortest digits that read back as the same double, laid out as Python's
 * repr() does: 120.0, 1e-05, 1e+16. `number` is finite.
 */
void json_out_format(char text[JSON_NUMBER_MAX], double number);

#endif
