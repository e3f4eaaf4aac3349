/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <errno.h>
#include <string.h>

#include <segment.h>

/*
 * Short strings, copied in at most a few moves that may overlap: a call of
 * memcpy costs more than the copy.
 */
static inline uint8_t *append(uint8_t *to, const char *from, size_t length)
{
	uint8_t *end = to + length;

	if (length >= 16) {
		const char *last = from + length - 16;
		for (; from < last; from += 16, to += 16)
			memcpy(to, from, 16);
		memcpy(end - 16, last, 16);
	} else if (length >= 8) {
		memcpy(to, from, 8);
		memcpy(end - 8, from + length - 8, 8);
	} else if (length >= 4) {
		memcpy(to, from, 4);
		memcpy(end - 4, from + length - 4, 4);
	} else if (length > 0) {
		to[0] = (uint8_t)from[0];
		to[length / 2] = (uint8_t)from[length / 2];
		to[length - 1] = (uint8_t)from[length - 1];
	}
	return end;
}

__attribute__((cold, noinline)) static uint8_t *bad_tag(const struct astshm_tag *tag,
							struct astshm_error *error)
{
	if (!tag->key || !tag->value)
		shm_fail(error, -EINVAL, "a tag's key or value is NULL");
	else if (strnlen(tag->value, ASTSHM_TAG_VALUE_MAX + 1) > ASTSHM_TAG_VALUE_MAX)
		shm_fail(error, -EINVAL, "the value of tag '%.63s' has more than %u bytes",
			 tag->key, ASTSHM_TAG_VALUE_MAX);
	else
		shm_fail(error, -EINVAL, "tag key '%.63s' must have 1 to %u bytes", tag->key,
			 ASTSHM_TAG_KEY_MAX);
	return NULL;
}

static inline uint8_t *append_tag(uint8_t *at, const struct astshm_tag *tag,
				  struct astshm_error *error)
{
	if (!tag->key || !tag->value)
		return bad_tag(tag, error);
	size_t key_len = strnlen(tag->key, ASTSHM_TAG_KEY_MAX + 1);
	size_t value_len = strnlen(tag->value, ASTSHM_TAG_VALUE_MAX + 1);
	if (key_len - 1 >= ASTSHM_TAG_KEY_MAX || value_len > ASTSHM_TAG_VALUE_MAX)
		return bad_tag(tag, error);
	at[0] = (uint8_t)key_len;
	at[1] = (uint8_t)value_len;
	at = append(at + 2, tag->key, key_len);
	return append(at, tag->value, value_len);
}

/* Order of tags by key. Equal keys are an error: which value would count? */
static int sort_tags(const struct astshm_tag *tags, size_t count,
		     const struct astshm_tag **sorted, struct astshm_error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (!tags[i].key)
			return shm_fail(error, -EINVAL, "tag %zu: its key is NULL", i);
		size_t place = i;
		for (; place > 0; place--) {
			int order = strcmp(sorted[place - 1]->key, tags[i].key);
			if (order == 0)
				return shm_fail(error, -EINVAL, "tag key '%.63s' stands twice",
						tags[i].key);
			if (order < 0)
				break;
			sorted[place] = sorted[place - 1];
		}
		sorted[place] = &tags[i];
	}
	return 0;
}

/* More than one tag: sorted first. NULL after an error. */
__attribute__((noinline)) static uint8_t *append_sorted(uint8_t *at, const struct astshm_tag *tags,
							size_t count, struct astshm_error *error)
{
	const struct astshm_tag *sorted[ASTSHM_TAGS_MAX];

	if (sort_tags(tags, count, sorted, error) < 0)
		return NULL;
	for (size_t i = 0; at && i < count; i++)
		/* All set, since shm_fail returns its code.
		 * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
		at = append_tag(at, sorted[i], error);
	return at;
}

__attribute__((cold, noinline)) static int bad_key(const char *name, size_t tag_count,
						   struct astshm_error *error)
{
	size_t name_len = name ? strnlen(name, ASTSHM_NAME_MAX + 1) : 0;

	if (name_len == 0 || name_len > ASTSHM_NAME_MAX)
		return shm_fail(error, -EINVAL, "a metric's name must have 1 to %u bytes",
				ASTSHM_NAME_MAX);
	return shm_fail(error, -EINVAL, "'%s': %zu tags, at most %u are allowed", name, tag_count,
			ASTSHM_TAGS_MAX);
}

int writer_key_build(struct writer_key *key, enum astshm_kind kind, const char *name,
		     const struct astshm_tag *tags, size_t tag_count, struct astshm_error *error)
{
	size_t name_len = name ? strnlen(name, ASTSHM_NAME_MAX + 1) : 0;

	if (name_len - 1 >= ASTSHM_NAME_MAX || tag_count > ASTSHM_TAGS_MAX || (tag_count && !tags))
		return bad_key(name, tag_count, error);
	key->bytes[0] = (uint8_t)kind;
	key->bytes[1] = (uint8_t)name_len;
	uint8_t *at = append(key->bytes + 2, name, name_len);
	*at++ = (uint8_t)tag_count;
	key->tags_off = (uint32_t)(at - key->bytes);
	if (tag_count == 1)
		at = append_tag(at, tags, error);
	else if (tag_count > 1)
		at = append_sorted(at, tags, tag_count, error);
	if (!at)
		return -EINVAL;
	key->length = (uint32_t)(at - key->bytes);
	return 0;
}

/* Control characters would break every line-based output of a reader. */
static bool printable(const uint8_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return shm_utf8_valid((const char *)text, length);
}

int writer_key_check(const struct writer_key *key, struct astshm_error *error)
{
	uint32_t name_len;
	const char *name = writer_key_name(key->bytes, &name_len);

	if (!printable((const uint8_t *)name, name_len))
		return shm_fail(error, -EINVAL,
				"a metric's name is not printable UTF-8");
	uint32_t at = key->tags_off;
	for (uint32_t i = 0; i < writer_key_tag_count(key->bytes); i++) {
		uint32_t length = (uint32_t)key->bytes[at] + key->bytes[at + 1];
		uint32_t key_len = key->bytes[at];
		if (!printable(key->bytes + at + 2, key_len) ||
		    !shm_utf8_valid((const char *)key->bytes + at + 2 + key_len,
				    length - key_len))
			return shm_fail(error, -EINVAL, "'%.*s': tag %u is not printable UTF-8",
					(int)name_len, name, i);
		at += 2 + length;
	}
	return 0;
}

void writer_key_make_other(struct writer_key *other, const struct writer_key *key)
{
	static const size_t other_len = sizeof ASTSHM_OTHER - 1;
	uint32_t from = key->tags_off;
	uint8_t *at = other->bytes + key->tags_off;

	memcpy(other->bytes, key->bytes, key->tags_off);
	other->tags_off = key->tags_off;
	for (uint32_t i = 0; i < writer_key_tag_count(key->bytes); i++) {
		uint32_t key_len = key->bytes[from];
		uint32_t value_len = key->bytes[from + 1];
		*at++ = (uint8_t)key_len;
		*at++ = (uint8_t)other_len;
		memcpy(at, key->bytes + from + 2, key_len);
		memcpy(at + key_len, ASTSHM_OTHER, other_len);
		at += key_len + other_len;
		from += 2 + key_len + value_len;
	}
	other->length = (uint32_t)(at - other->bytes);
}
