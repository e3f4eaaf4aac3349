/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#define HASH_FUNCTION(key, length, value) ((value) = (unsigned)XXH3_64bits(key, length))
#include <uthash.h>

#include "../fail.h"
#include "original.h"

#define KEPT_VALUES 100u
#define KEY_BYTES 8192u /* the longest name and 16 of the longest tags */

struct entry {
	UT_hash_handle hh;
	uint64_t count;
	int64_t *values; /* timings: the last KEPT_VALUES */
	char key[];
};

struct bench_original {
	pthread_mutex_t lock;
	struct entry *entries;
};

struct bench_original *bench_original_create(void)
{
	struct bench_original *original = bench_array(1, sizeof *original);

	pthread_mutex_init(&original->lock, NULL);
	return original;
}

static void free_entry(struct bench_original *original, struct entry *entry)
{
	HASH_DEL(original->entries, entry);
	free(entry->values);
	free(entry);
}

void bench_original_free(struct bench_original *original)
{
	struct entry *entry, *next;

	HASH_ITER(hh, original->entries, entry, next)
		free_entry(original, entry);
	pthread_mutex_destroy(&original->lock);
	free(original);
}

static size_t append(char *key, size_t at, const char *text)
{
	size_t length = strlen(text);

	memcpy(key + at, text, length);
	return at + length;
}

static void sort_tags(struct astshm_tag *sorted, const struct astshm_tag *tags, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t place = i;
		for (; place > 0 && strcmp(sorted[place - 1].key, tags[i].key) > 0; place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = tags[i];
	}
}

/* `name` or `name[k=v,k2=v2]`, sorted by key, as the original's _make_key. */
static size_t build_key(char *key, const char *name, const struct astshm_tag *tags, size_t count)
{
	struct astshm_tag sorted[ASTSHM_TAGS_MAX];
	size_t at = append(key, 0, name);

	if (count == 0)
		return at;
	sort_tags(sorted, tags, count);
	for (size_t i = 0; i < count; i++) {
		key[at++] = i == 0 ? '[' : ',';
		at = append(key, at, sorted[i].key);
		key[at++] = '=';
		at = append(key, at, sorted[i].value);
	}
	key[at++] = ']';
	return at;
}

static struct entry *find(struct bench_original *original, const char *key, size_t length)
{
	struct entry *entry;

	HASH_FIND(hh, original->entries, key, length, entry);
	return entry;
}

static struct entry *find_or_add(struct bench_original *original, const char *key, size_t length)
{
	struct entry *entry = find(original, key, length);

	if (entry)
		return entry;
	entry = bench_array(1, sizeof *entry + length);
	memcpy(entry->key, key, length);
	HASH_ADD_KEYPTR(hh, original->entries, entry->key, length, entry);
	return entry;
}

void bench_original_increment(struct bench_original *original, const char *name, uint64_t amount,
			      const struct astshm_tag *tags, size_t tag_count)
{
	char key[KEY_BYTES];
	size_t length = build_key(key, name, tags, tag_count);

	pthread_mutex_lock(&original->lock);
	find_or_add(original, key, length)->count += amount;
	pthread_mutex_unlock(&original->lock);
}

void bench_original_timing(struct bench_original *original, const char *name, int64_t ns,
			   const struct astshm_tag *tags, size_t tag_count)
{
	char key[KEY_BYTES];
	size_t length = build_key(key, name, tags, tag_count);

	pthread_mutex_lock(&original->lock);
	struct entry *entry = find_or_add(original, key, length);
	if (!entry->values)
		entry->values = bench_array(KEPT_VALUES, sizeof *entry->values);
	entry->values[entry->count++ % KEPT_VALUES] = ns;
	pthread_mutex_unlock(&original->lock);
}

void bench_original_remove(struct bench_original *original, const char *name,
			   const struct astshm_tag *tags, size_t tag_count)
{
	char key[KEY_BYTES];
	size_t length = build_key(key, name, tags, tag_count);

	pthread_mutex_lock(&original->lock);
	struct entry *entry = find(original, key, length);
	if (entry)
		free_entry(original, entry);
	pthread_mutex_unlock(&original->lock);
}

uint64_t bench_original_read(struct bench_original *original, const char *name,
			     const struct astshm_tag *tags, size_t tag_count)
{
	char key[KEY_BYTES];
	size_t length = build_key(key, name, tags, tag_count);

	pthread_mutex_lock(&original->lock);
	struct entry *entry = find(original, key, length);
	uint64_t count = entry ? entry->count : 0;
	pthread_mutex_unlock(&original->lock);
	return count;
}

size_t bench_original_count(struct bench_original *original)
{
	return HASH_COUNT(original->entries);
}
