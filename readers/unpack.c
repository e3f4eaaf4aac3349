/* SPDX-License-Identifier: MIT */
#include "unpack.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "text.h"

/* What a value's first bytes say: how much of it follows. */
struct head {
	size_t bytes;   /* of the head itself */
	uint64_t body;  /* bytes that belong to it */
	uint64_t items; /* values that belong to it */
	bool map;
	bool text;
};

static uint64_t big_endian(const uint8_t *at, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return value;
}

/* The one-byte forms: fixint, fixmap, fixarray, fixstr, nil, false, true. */
static bool read_short_head(uint8_t first, struct head *head)
{
	if (first <= 0x7f || first >= 0xe0)
		return true;
	if (first <= 0x9f) {
		head->map = first <= 0x8f;
		head->items = (first & 15u) << head->map;
		return true;
	}
	head->text = first <= 0xbf;
	head->body = head->text ? first & 31u : 0;
	return first <= 0xc3 && first != 0xc1;
}

/* What c4 to df are followed by: the width of a length, or a fixed body. */
static const struct {
	uint8_t width;
	uint8_t body;
	char what; /* b: bytes follow; a: values; m: pairs; 0: nothing more */
} long_forms[28] = {
	{ 1, 0, 'b' }, { 2, 0, 'b' }, { 4, 0, 'b' },                 /* bin */
	{ 1, 1, 'b' }, { 2, 1, 'b' }, { 4, 1, 'b' },                 /* ext */
	{ 0, 4, 0 }, { 0, 8, 0 },                                    /* float */
	{ 0, 1, 0 }, { 0, 2, 0 }, { 0, 4, 0 }, { 0, 8, 0 },          /* uint */
	{ 0, 1, 0 }, { 0, 2, 0 }, { 0, 4, 0 }, { 0, 8, 0 },          /* int */
	{ 0, 2, 0 }, { 0, 3, 0 }, { 0, 5, 0 }, { 0, 9, 0 }, { 0, 17, 0 }, /* fixext */
	{ 1, 0, 'b' }, { 2, 0, 'b' }, { 4, 0, 'b' },                 /* str */
	{ 2, 0, 'a' }, { 4, 0, 'a' }, { 2, 0, 'm' }, { 4, 0, 'm' },
};

static int read_head(const uint8_t *at, size_t left, struct head *head)
{
	*head = (struct head){ .bytes = 1 };
	if (!left)
		return -ENODATA;
	if (read_short_head(at[0], head))
		return 0;
	if (at[0] == 0xc1)
		return -EBADMSG; /* the one code that msgpack never uses */
	unsigned form = at[0] - 0xc4u;
	size_t width = long_forms[form].width;
	if (left - 1 < width)
		return -ENODATA;
	uint64_t number = big_endian(at + 1, width);
	head->bytes = 1 + width;
	head->body = long_forms[form].body + (long_forms[form].what == 'b' ? number : 0);
	head->map = long_forms[form].what == 'm';
	head->text = at[0] >= 0xd9 && at[0] <= 0xdb;
	if (head->map || long_forms[form].what == 'a')
		head->items = number << head->map;
	return 0;
}

/* Bytes of the first value, all that it contains included. */
static int measure(const uint8_t *at, size_t size, size_t *measured)
{
	uint64_t open[UNPACK_DEPTH_MAX + 1] = { 1 }; /* values still to come, by depth */
	unsigned depth = 0;
	size_t done = 0;
	for (;;) {
		struct head head;
		while (open[depth] == 0) {
			if (depth-- == 0) {
				*measured = done;
				return 0;
			}
		}
		open[depth]--;
		int code = read_head(at + done, size - done, &head);
		if (code < 0)
			return code;
		done += head.bytes;
		/* Each item takes at least one byte. */
		if (head.body > size - done || head.items > size - done)
			return -ENODATA;
		done += head.body;
		if (!head.items)
			continue;
		if (depth == UNPACK_DEPTH_MAX)
			return -EBADMSG;
		open[++depth] = head.items;
	}
}

int unpack_value(struct unpack_slice *rest, struct unpack_slice *value)
{
	size_t size;
	int code = measure(rest->at, rest->size, &size);
	if (code < 0)
		return code;
	*value = (struct unpack_slice){ rest->at, size };
	rest->at += size;
	rest->size -= size;
	return 0;
}

int unpack_map(struct unpack_slice map, struct unpack_slice *inside, uint32_t *pairs)
{
	struct head head;
	int code = read_head(map.at, map.size, &head);
	if (code < 0)
		return code;
	if (!head.map)
		return -EBADMSG;
	*inside = (struct unpack_slice){ map.at + head.bytes, map.size - head.bytes };
	if (head.items > inside->size)
		return -ENODATA;
	*pairs = (uint32_t)(head.items / 2);
	return 0;
}

int unpack_pair(struct unpack_slice *inside, struct unpack_slice *key, struct unpack_slice *value)
{
	struct head head;
	int code = unpack_value(inside, key);
	if (code < 0)
		return code;
	code = read_head(key->at, key->size, &head);
	if (code < 0)
		return code;
	if (!head.text)
		return -EBADMSG;
	key->at += head.bytes;
	key->size -= head.bytes;
	return unpack_value(inside, value);
}

int unpack_object(struct unpack_slice value, msgpack_unpacked *unpacked)
{
	size_t offset = 0;
	switch (msgpack_unpack_next(unpacked, (const char *)value.at, value.size, &offset)) {
	case MSGPACK_UNPACK_SUCCESS:
	case MSGPACK_UNPACK_EXTRA_BYTES:
		return 0;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

bool unpack_is_text(const msgpack_object *object, const char *text)
{
	size_t length = strlen(text);
	return object && object->type == MSGPACK_OBJECT_STR && object->via.str.size == length &&
	       (length == 0 || memcmp(object->via.str.ptr, text, length) == 0);
}

const msgpack_object *unpack_find(const msgpack_object *map, const char *key)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *pair = &map->via.map.ptr[i];
		if (unpack_is_text(&pair->key, key))
			return pair->val.type == MSGPACK_OBJECT_NIL ? NULL : &pair->val;
	}
	return NULL;
}

int unpack_u64(const msgpack_object *object, uint64_t *value)
{
	*value = 0;
	if (!object)
		return 0;
	if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return -EBADMSG;
	*value = object->via.u64;
	return 0;
}

int unpack_u32(const msgpack_object *object, uint32_t *value)
{
	uint64_t wide;
	int code = unpack_u64(object, &wide);
	*value = (uint32_t)wide;
	return code < 0 ? code : wide > UINT32_MAX ? -EBADMSG : 0;
}

int unpack_i64(const msgpack_object *object, int64_t *value)
{
	uint64_t positive;
	if (object && object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		*value = object->via.i64;
		return 0;
	}
	int code = unpack_u64(object, &positive);
	*value = (int64_t)positive;
	return code < 0 ? code : positive > INT64_MAX ? -EBADMSG : 0;
}

static int parse_digits(const char *text, size_t length, number_u128 *value)
{
	if (length == 0 || length > 39)
		return -EBADMSG;
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		number_u128 before = *value;
		if (text[i] < '0' || text[i] > '9')
			return -EBADMSG;
		*value = before * 10 + (unsigned)(text[i] - '0');
		if ((*value - (unsigned)(text[i] - '0')) / 10 != before)
			return -EBADMSG; /* past 128 bits */
	}
	return 0;
}

int unpack_u128(const msgpack_object *object, number_u128 *value)
{
	uint64_t narrow;
	if (object && object->type == MSGPACK_OBJECT_STR)
		return parse_digits(object->via.str.ptr, object->via.str.size, value);
	int code = unpack_u64(object, &narrow);
	*value = narrow;
	return code;
}

int unpack_real(const msgpack_object *object, double *value)
{
	*value = NAN;
	if (!object)
		return 0;
	switch (object->type) {
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		*value = (double)object->via.u64;
		return 0;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		*value = (double)object->via.i64;
		return 0;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		*value = object->via.f64;
		return 0;
	default:
		return -EBADMSG;
	}
}

int unpack_text(const msgpack_object *object, size_t limit, struct reader_arena *arena,
		const char **text, uint32_t *length)
{
	*text = "";
	*length = 0;
	if (!object)
		return 0;
	if (object->type != MSGPACK_OBJECT_STR || object->via.str.size > limit)
		return -EBADMSG;
	uint32_t size = object->via.str.size;
	const char *bytes = object->via.str.ptr;
	if (!size)
		return 0;
	if (memchr(bytes, 0, size) || !text_is_valid(bytes, size))
		return -EBADMSG;
	*text = reader_arena_text(arena, bytes, size);
	*length = size;
	return *text ? 0 : -ENOMEM;
}
