/* SPDX-License-Identifier: MIT */
/*
 * Content hashes. A node's covers its type, its id, its attributes that are not
 * null, by sorted key, and its children's hashes in order; every part goes in
 * with its kind and length, so that no two contents feed the same bytes. XXH3
 * of 128 bits under two seeds: equal content is what it has to tell, nothing
 * here defends against somebody who wants a collision.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <math.h>
#include <string.h>

#include "node.h"

/*
 * Most nodes fit into `bytes`, which are hashed at once: a fifth of the work
 * that XXH3's states make of many small pieces. The result is the same.
 */
struct digest {
	size_t length;
	bool overflowed; /* `halves` have what `bytes` had no room for */
	unsigned char bytes[4096];
	XXH3_state_t halves[2];
};

#define SEEDS 2u

static void begin(struct digest *digest)
{
	digest->length = 0;
	digest->overflowed = false;
}

static void feed_states(struct digest *digest, const void *bytes, size_t length)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		XXH3_state_t *state = &digest->halves[seed];

		if (!digest->overflowed) {
			memset(state, 0, sizeof *state); /* xxhash looks before it resets */
			XXH3_128bits_reset_withSeed(state, seed);
		}
		XXH3_128bits_update(state, bytes, length);
	}
	digest->overflowed = true;
}

static void feed(struct digest *digest, const void *bytes, size_t length)
{
	if (length > sizeof digest->bytes - digest->length) {
		feed_states(digest, digest->bytes, digest->length);
		digest->length = 0;
	}
	if (length > sizeof digest->bytes) {
		feed_states(digest, bytes, length);
		return;
	}
	memcpy(digest->bytes + digest->length, bytes, length);
	digest->length += length;
}

static void end(struct digest *digest, unsigned char hash[NODE_HASH_BYTES])
{
	XXH128_canonical_t canonical[SEEDS];

	if (digest->overflowed)
		feed_states(digest, digest->bytes, digest->length);
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		XXH128_hash_t half = digest->overflowed
			? XXH3_128bits_digest(&digest->halves[seed])
			: XXH3_128bits_withSeed(digest->bytes, digest->length, seed);

		XXH128_canonicalFromHash(&canonical[seed], half);
	}
	memcpy(hash, canonical, NODE_HASH_BYTES);
}

static void feed_size(struct digest *digest, size_t size)
{
	uint64_t wide = size;

	feed(digest, &wide, sizeof wide);
}

static void feed_text(struct digest *digest, const char *text)
{
	size_t length = strlen(text);

	feed_size(digest, length);
	feed(digest, text, length);
}

static void feed_number(struct digest *digest, double number)
{
	if (isnan(number))
		number = (double)NAN; /* one NaN for all, as value_equal has it */
	feed(digest, &number, sizeof number);
}

static void feed_map(struct digest *digest, const struct value_map *map);

static void feed_value(struct digest *digest, const struct value *value)
{
	unsigned char kind = (unsigned char)value->kind;

	feed(digest, &kind, sizeof kind);
	switch (value->kind) {
	case VALUE_NULL:
		break;
	case VALUE_BOOLEAN:
		feed_size(digest, value->boolean);
		break;
	case VALUE_INTEGER:
		feed(digest, &value->integer, sizeof value->integer);
		break;
	case VALUE_NUMBER:
		feed_number(digest, value->number);
		break;
	case VALUE_TEXT:
		feed_text(digest, value->text);
		break;
	case VALUE_LIST:
		feed_size(digest, value->list->count);
		for (size_t i = 0; i < value->list->count; i++)
			feed_value(digest, &value->list->items[i]);
		break;
	case VALUE_MAP:
		feed_map(digest, value->map);
		break;
	}
}

/* The field with the least key above `last` (NULL: of all) that is not null. */
static const struct value_field *next_field(const struct value_map *map, const char *last)
{
	const struct value_field *next = NULL;

	for (size_t i = 0; i < map->count; i++) {
		const struct value_field *field = &map->fields[i];

		if (field->value.kind != VALUE_NULL && (!last || strcmp(field->key, last) > 0) &&
		    (!next || strcmp(field->key, next->key) < 0))
			next = field;
	}
	return next;
}

/* Sorts by selection: maps are a dozen fields, and nothing is allocated. */
static void feed_map(struct digest *digest, const struct value_map *map)
{
	const struct value_field *field = next_field(map, NULL);
	size_t count = 0;

	for (; field; field = next_field(map, field->key)) {
		feed_text(digest, field->key);
		feed_value(digest, &field->value);
		count++;
	}
	feed_size(digest, count);
}

static void hash_one(struct node *node)
{
	struct digest digest;

	begin(&digest);
	feed_text(&digest, node_type_name(node->type));
	feed_text(&digest, node->id);
	feed_map(&digest, &node->attributes);
	feed_size(&digest, node->child_count);
	for (size_t i = 0; i < node->child_count; i++)
		feed(&digest, node->children[i]->hash, NODE_HASH_BYTES);
	end(&digest, node->hash);
	node->stale = false;
}

size_t node_rehash(struct node *node)
{
	size_t count = 1;

	if (!node->stale)
		return 0;
	for (size_t i = 0; i < node->child_count; i++)
		count += node_rehash(node->children[i]);
	hash_one(node);
	return count;
}
