/* SPDX-License-Identifier: MIT */
/*
 * Values of attributes: what JSON can hold. A map keeps its fields in the order
 * they first came. One owner each; functions that take a value take it over,
 * also when they fail.
 */
#ifndef SERVER_VALUE_H
#define SERVER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_NULL,
	VALUE_BOOLEAN,
	VALUE_INTEGER,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_LIST,
	VALUE_MAP,
};

struct value_list;
struct value_map;

struct value {
	enum value_kind kind;
	union {
		bool boolean;
		int64_t integer;
		double number;
		char *text;              /* UTF-8 */
		struct value_list *list;
		struct value_map *map;
	};
};

struct value_list {
	struct value *items;
	size_t count;
	size_t capacity;
};

struct value_field {
	const char *key;
	struct value value;
};

struct value_map {
	struct value_field *fields;
	size_t count;
	size_t capacity;
};

struct value value_null(void);
struct value value_boolean(bool boolean);
struct value value_integer(int64_t integer);
struct value value_number(double number);
/*
 * These three allocate. Without memory they give a value that value_list_add
 * and value_map_set refuse with -ENOMEM, so that callers check once.
 */
struct value value_text(const char *text);
struct value value_list(void);
struct value value_map(void);
bool value_is_whole(const struct value *value);

int value_copy(struct value *copy, const struct value *value);
/* Frees what the value owns; it becomes null. */
void value_fini(struct value *value);
/*
 * Same kind and same content; NaN equals NaN. Maps are equal whatever the order
 * of their fields, and a field that is null equals one that is absent.
 */
bool value_equal(const struct value *a, const struct value *b);

/* -ENOMEM; the list is then as it was. */
int value_list_add(struct value_list *list, struct value item);
/* Frees what stands beyond the first `count`. */
void value_list_cut(struct value_list *list, size_t count);

/* NULL: no such field. Setting another field ends the pointer's life. */
struct value *value_map_get(const struct value_map *map, const char *key);
/* `key` must outlive the map: a literal. -ENOMEM; the map is then as it was. */
int value_map_set(struct value_map *map, const char *key, struct value value);
int value_map_copy(struct value_map *copy, const struct value_map *map);
void value_map_fini(struct value_map *map);
bool value_map_equal(const struct value_map *a, const struct value_map *b);

#endif
