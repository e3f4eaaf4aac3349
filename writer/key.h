/* SPDX-License-Identifier: MIT */
/*
 * The canonical key of a series: kind, name and sorted tags as bytes, so that
 * equality is memcmp and the hash is one pass:
 *
 *     kind(1) name_len(1) name tag_count(1) { key_len(1) value_len(1) key value }*
 *
 * What follows tag_count is byte for byte what the segment stores as tags.
 */
#ifndef WRITER_KEY_H
#define WRITER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/types.h>

#define WRITER_KEY_MAX                                                          \
	(1 + 1 + ASTSHM_NAME_MAX + 1 +                                          \
	 ASTSHM_TAGS_MAX * (2 + ASTSHM_TAG_KEY_MAX + ASTSHM_TAG_VALUE_MAX))

struct writer_key {
	uint32_t length;
	uint32_t tags_off; /* of the first tag; length if there is none */
	uint8_t bytes[WRITER_KEY_MAX];
};

static inline const char *writer_key_name(const uint8_t *key, uint32_t *length)
{
	*length = key[1];
	return (const char *)key + 2;
}

static inline uint32_t writer_key_tag_count(const uint8_t *key)
{
	return key[2 + (uint32_t)key[1]];
}

static inline uint32_t writer_key_tags_off(const uint8_t *key)
{
	return 3u + key[1];
}

/*
 * Builds a key. Checks lengths, counts and that tag keys differ, not UTF-8
 * (writer_key_check does, once per registration). -EINVAL: too long, empty,
 * NULL or a repeated tag key; *error, if given, says which.
 */
int writer_key_build(struct writer_key *key, enum astshm_kind kind, const char *name,
		     const struct astshm_tag *tags, size_t tag_count,
		     struct astshm_error *error);

/* Are all its strings valid UTF-8 without control characters? -EINVAL if not. */
int writer_key_check(const struct writer_key *key, struct astshm_error *error);

/* The key of [k=__other__]: every tag value replaced. */
void writer_key_make_other(struct writer_key *other, const struct writer_key *key);

#endif
