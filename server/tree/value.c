/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

struct value value_null(void)
{
	return (struct value){ .kind = VALUE_NULL };
}

struct value value_boolean(bool boolean)
{
	return (struct value){ .kind = VALUE_BOOLEAN, .boolean = boolean };
}

struct value value_integer(int64_t integer)
{
	return (struct value){ .kind = VALUE_INTEGER, .integer = integer };
}

struct value value_number(double number)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = number };
}

struct value value_text(const char *text)
{
	return (struct value){ .kind = VALUE_TEXT, .text = strdup(text) };
}

struct value value_list(void)
{
	return (struct value){ .kind = VALUE_LIST,
			       .list = calloc(1, sizeof(struct value_list)) };
}

struct value value_map(void)
{
	return (struct value){ .kind = VALUE_MAP, .map = calloc(1, sizeof(struct value_map)) };
}

bool value_is_whole(const struct value *value)
{
	switch (value->kind) {
	case VALUE_TEXT:
		return value->text != NULL;
	case VALUE_LIST:
		return value->list != NULL;
	case VALUE_MAP:
		return value->map != NULL;
	default:
		return true;
	}
}

static void list_free(struct value_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		value_fini(&list->items[i]);
	free(list->items);
	free(list);
}

void value_fini(struct value *value)
{
	if (value->kind == VALUE_TEXT) {
		free(value->text);
	} else if (value->kind == VALUE_LIST) {
		list_free(value->list);
	} else if (value->kind == VALUE_MAP && value->map) {
		value_map_fini(value->map);
		free(value->map);
	}
	*value = value_null();
}

static int copy_items(struct value_list *copy, const struct value_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct value item;
		int result = value_copy(&item, &list->items[i]);

		if (result == 0)
			result = value_list_add(copy, item);
		if (result < 0)
			return result;
	}
	return 0;
}

int value_copy(struct value *copy, const struct value *value)
{
	struct value made = *value;
	int result = 0;

	if (value->kind == VALUE_TEXT)
		made = value_text(value->text);
	else if (value->kind == VALUE_LIST)
		made = value_list();
	else if (value->kind == VALUE_MAP)
		made = value_map();
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): *copy has the text, or list, or map. */
	if (!value_is_whole(&made))
		result = -ENOMEM;
	else if (value->kind == VALUE_LIST)
		result = copy_items(made.list, value->list);
	else if (value->kind == VALUE_MAP)
		result = value_map_copy(made.map, value->map);
	if (result < 0)
		value_fini(&made);
	else
		*copy = made;
	return result;
}

/* Bits, so that -0.0 and 0.0 differ as their texts do. */
static bool numbers_equal(double a, double b)
{
	/* Meant. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static bool lists_equal(const struct value_list *a, const struct value_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!value_equal(&a->items[i], &b->items[i]))
			return false;
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOLEAN:
		return a->boolean == b->boolean;
	case VALUE_INTEGER:
		return a->integer == b->integer;
	case VALUE_NUMBER:
		return numbers_equal(a->number, b->number);
	case VALUE_TEXT:
		return strcmp(a->text, b->text) == 0;
	case VALUE_LIST:
		return lists_equal(a->list, b->list);
	case VALUE_MAP:
		return value_map_equal(a->map, b->map);
	}
	return false;
}

/* Room for one more of `size` bytes in an array that holds `count`. */
static int make_room(void **items, size_t count, size_t *capacity, size_t least, size_t size)
{
	if (count < *capacity)
		return 0;
	size_t wanted = *capacity ? *capacity * 2 : least;
	void *grown = reallocarray(*items, wanted, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*capacity = wanted;
	return 0;
}

int value_list_add(struct value_list *list, struct value item)
{
	void *items = list->items;
	int result = value_is_whole(&item) ? make_room(&items, list->count, &list->capacity, 4,
						       sizeof item) : -ENOMEM;

	if (result < 0) {
		value_fini(&item);
		return result;
	}
	list->items = items;
	list->items[list->count++] = item;
	return 0;
}

void value_list_cut(struct value_list *list, size_t count)
{
	while (list->count > count)
		value_fini(&list->items[--list->count]);
}

struct value *value_map_get(const struct value_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->fields[i].key, key) == 0)
			return &map->fields[i].value;
	}
	return NULL;
}

static int add_field(struct value_map *map, const char *key, struct value value)
{
	void *fields = map->fields;
	/* 8: a clip slot's attributes, the most frequent node. */
	int result = make_room(&fields, map->count, &map->capacity, 8, sizeof *map->fields);

	if (result < 0)
		return result;
	map->fields = fields;
	map->fields[map->count++] = (struct value_field){ key, value };
	return 0;
}

int value_map_set(struct value_map *map, const char *key, struct value value)
{
	struct value *old = value_map_get(map, key);
	int result = 0;

	if (!value_is_whole(&value))
		result = -ENOMEM;
	else if (!old)
		result = add_field(map, key, value);
	if (result < 0) {
		value_fini(&value);
	} else if (old) {
		value_fini(old);
		*old = value;
	}
	return result;
}

int value_map_copy(struct value_map *copy, const struct value_map *map)
{
	struct value_map made = { 0 };

	for (size_t i = 0; i < map->count; i++) {
		struct value value;
		int result = value_copy(&value, &map->fields[i].value);

		if (result == 0)
			result = value_map_set(&made, map->fields[i].key, value);
		if (result < 0) {
			value_map_fini(&made);
			return result;
		}
	}
	*copy = made;
	return 0;
}

void value_map_fini(struct value_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		value_fini(&map->fields[i].value);
	free(map->fields);
	*map = (struct value_map){ 0 };
}

/* Every field of `a` that is not null has its equal in `b`. */
static bool holds_all(const struct value_map *a, const struct value_map *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct value_field *field = &a->fields[i];

		if (field->value.kind == VALUE_NULL)
			continue;
		const struct value *other = value_map_get(b, field->key);
		if (!other || !value_equal(&field->value, other))
			return false;
	}
	return true;
}

static size_t count_fields(const struct value_map *map)
{
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		count += map->fields[i].value.kind != VALUE_NULL;
	return count;
}

bool value_map_equal(const struct value_map *a, const struct value_map *b)
{
	return count_fields(a) == count_fields(b) && holds_all(a, b);
}
