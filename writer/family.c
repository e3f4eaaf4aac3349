/* SPDX-License-Identifier: MIT */
#include "family.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "touch.h"

/* What tfind compares: a key without a family around it. */
struct family_key {
	uint32_t kind;
	uint32_t name_len;
	const char *name;
};

/* What the tree holds; starts with its key, so that compare takes either. */
struct family_node {
	struct family_key key;
	struct writer_family *family;
};

static int compare(const void *left, const void *right)
{
	const struct family_key *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(a->name, b->name, a->name_len);
}

static int write_family(struct astshm_writer *writer, const struct writer_family *family)
{
	struct astshm_segment_table *table = &writer->header->families;
	struct astshm_segment_family *shown = writer_table_reserve(writer, table, family->index);

	if (!shown)
		return -ENOSPC;
	uint64_t name = writer_string_store(writer, family->name, family->name_len);
	if (name == WRITER_NO_ROOM)
		return -ENOSPC;
	shown->name_ref = name;
	shown->kind = family->kind;
	shown->merge = family->merge;
	writer_table_publish(table, family->index + 1);
	return 0;
}

static int make_room(struct astshm_writer *writer)
{
	if (writer->family_count < writer->family_capacity)
		return 0;
	uint32_t capacity = writer->family_capacity ? writer->family_capacity * 2 : 64;
	void *grown = reallocarray(writer->families, capacity, sizeof *writer->families);
	if (!grown)
		return -ENOMEM;
	writer->families = grown;
	writer->family_capacity = capacity;
	return 0;
}

static struct family_node *make_family(struct astshm_writer *writer, const struct family_key *key)
{
	struct family_node *node = calloc(1, sizeof *node);
	struct writer_family *family = calloc(1, sizeof *family + key->name_len + 1);

	if (!node || !family) {
		free(node);
		free(family);
		return NULL;
	}
	family->index = writer->family_count;
	family->kind = key->kind;
	family->name_len = key->name_len;
	family->tag_set_limit = writer->options.max_tag_sets;
	memcpy(family->name, key->name, key->name_len);
	node->key = (struct family_key){ key->kind, key->name_len, family->name };
	node->family = family;
	return node;
}

static void free_node(void *pointer)
{
	struct family_node *node = pointer;

	free(node->family->unit);
	free(node->family->help);
	free(node->family);
	free(node);
}

int writer_family_get(struct astshm_writer *writer, uint32_t kind, const char *name,
		      uint32_t name_len, struct writer_family **family)
{
	struct family_key key = { kind, name_len, name };
	struct family_node **found = tfind(&key, &writer->family_tree, compare);

	if (found) {
		*family = (*found)->family;
		return 0;
	}
	struct family_node *node = make_room(writer) < 0 ? NULL : make_family(writer, &key);
	if (!node)
		return -ENOMEM;
	int result = write_family(writer, node->family);
	if (result == 0 && !tsearch(node, &writer->family_tree, compare))
		result = -ENOMEM; /* its element stays, nameless to all but readers */
	if (result < 0) {
		free_node(node);
		return result;
	}
	writer->families[writer->family_count++] = node->family;
	*family = node->family;
	return 0;
}

static int check_text(const char *text, size_t max, const char *what, struct astshm_error *error)
{
	size_t length = text ? strnlen(text, max + 1) : 0;

	if (length > max || (text && !shm_utf8_valid(text, length)))
		return shm_fail(error, -EINVAL, "%s must be valid UTF-8 of at most %zu bytes",
				what, max);
	return 0;
}

int writer_family_check(const char *unit, const char *help, struct astshm_error *error)
{
	int result = check_text(unit, ASTSHM_UNIT_MAX, "unit", error);

	return result < 0 ? result : check_text(help, ASTSHM_HELP_MAX, "help", error);
}

/* Replaces a string of a family, here and (release) in the segment. */
static int set_text(struct astshm_writer *writer, char **mine, uint64_t *ref, const char *text,
		    struct astshm_error *error)
{
	if (!text || (*mine && strcmp(*mine, text) == 0))
		return 0;
	char *copy = strdup(text);
	if (!copy)
		return shm_fail(error, -ENOMEM, "out of memory");
	uint64_t stored = writer_string_store(writer, text, (uint32_t)strlen(text));
	if (stored == WRITER_NO_ROOM) {
		free(copy);
		return shm_fail(error, -ENOSPC, "the segment is full");
	}
	free(*mine);
	*mine = copy;
	/* Pairs with the acquire load in readers/directory.c. */
	__atomic_store_n(ref, stored, __ATOMIC_RELEASE);
	writer_directory_changed(writer);
	return 0;
}

int writer_family_describe(struct astshm_writer *writer, struct writer_family *family,
			   const char *unit, const char *help, struct astshm_error *error)
{
	struct astshm_segment_family *shown =
		writer_table_at(writer, &writer->header->families, family->index);
	int result = writer_family_check(unit, help, error);

	if (result == 0)
		result = set_text(writer, &family->unit, &shown->unit_ref, unit, error);
	if (result == 0)
		result = set_text(writer, &family->help, &shown->help_ref, help, error);
	return result;
}

void writer_family_set_merge(struct astshm_writer *writer, struct writer_family *family,
			     enum astshm_merge merge)
{
	struct astshm_segment_family *shown =
		writer_table_at(writer, &writer->header->families, family->index);

	if (family->merge == (uint32_t)merge)
		return;
	family->merge = (uint32_t)merge;
	/* Relaxed: directory_changed below releases it. */
	__atomic_store_n(&shown->merge, family->merge, __ATOMIC_RELAXED);
	writer_directory_changed(writer);
}

static int rewrite_texts(struct astshm_writer *writer, struct writer_family *family)
{
	char *unit = family->unit, *help = family->help;

	/* Forgotten for a moment, so that describe takes them as new. */
	family->unit = family->help = NULL;
	int result = writer_family_describe(writer, family, unit, help, NULL);
	free(unit);
	free(help);
	return result;
}

int writer_family_republish(struct astshm_writer *writer)
{
	for (uint32_t i = 0; i < writer->family_count; i++) {
		int result = write_family(writer, writer->families[i]);
		if (result == 0)
			result = rewrite_texts(writer, writer->families[i]);
		if (result < 0)
			return result;
	}
	return 0;
}

void writer_family_free_all(struct astshm_writer *writer)
{
	tdestroy(writer->family_tree, free_node);
	free(writer->families);
	writer->family_tree = NULL;
	writer->families = NULL;
	writer->family_count = writer->family_capacity = 0;
}
