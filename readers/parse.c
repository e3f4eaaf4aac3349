/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <string.h>

#include "snapshot.h"

#define TAG_BYTES (2 + ASTSHM_TAG_KEY_MAX + ASTSHM_TAG_VALUE_MAX)

static uint64_t load_word(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return word;
}

/* Eight bytes of ASCII, none of them NUL: no byte has its high bit, neither as
 * it is nor less one. */
static bool is_plain_word(uint64_t word)
{
	return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

/* Letters, digits, marks: what nearly all names are made of, told at a glance. */
static bool is_plain(const char *text, uint32_t length)
{
	if (length >= 8) {
		for (uint32_t i = 0; i < length - 8; i += 8)
			if (!is_plain_word(load_word(text + i)))
				return false;
		return is_plain_word(load_word(text + length - 8));
	}
	for (uint32_t i = 0; i < length; i++)
		if ((unsigned char)(text[i] - 1) >= 0x7f)
			return false;
	return true;
}

/*
 * Copies the text a reference leads to; only the copy is looked at. `text` has
 * room for `most` bytes. False: too long, outside the segment, or not UTF-8.
 */
static bool load_text(const struct reader_view *view, uint64_t ref, uint32_t most, char *text,
		      uint32_t *length)
{
	uint64_t off = ASTSHM_STRING_OFF(ref);
	uint32_t bytes = ASTSHM_STRING_LEN(ref);
	if (bytes > most || !shm_in_bounds(off, bytes, view->committed))
		return false;
	memcpy(text, view->base + off, bytes);
	*length = bytes;
	return is_plain(text, bytes) || shm_utf8_valid(text, bytes);
}

static bool valid_word(const char *text, uint32_t length, uint32_t least, uint32_t most)
{
	if (length < least || length > most)
		return false;
	return is_plain(text, length) || shm_utf8_valid(text, length);
}

static bool ascending(const struct astshm_label *a, const struct astshm_label *b)
{
	uint32_t length = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, length);
	return order != 0 ? order < 0 : a->key_len < b->key_len;
}

/* Splits `bytes` into labels that point into it; false if anything is off. */
static bool split_tags(const char *bytes, uint32_t size, struct astshm_label *labels,
		       uint32_t count)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (size - at < 2)
			return false;
		uint32_t key_len = (uint8_t)bytes[at], value_len = (uint8_t)bytes[at + 1];
		at += 2;
		if (size - at < key_len + value_len)
			return false;
		labels[i] = (struct astshm_label){ bytes + at, bytes + at + key_len, key_len,
						   value_len };
		at += key_len + value_len;
		if (!valid_word(labels[i].key, key_len, 1, ASTSHM_TAG_KEY_MAX) ||
		    !valid_word(labels[i].value, value_len, 0, ASTSHM_TAG_VALUE_MAX))
			return false;
		if (i > 0 && !ascending(&labels[i - 1], &labels[i]))
			return false;
	}
	return at == size;
}

static char *store_word(char *at, const char **word, uint32_t length)
{
	memcpy(at, *word, length);
	*word = at;
	return at + length + 1; /* arenas are zeroed: the NUL is there */
}

/* Labels, their texts and the key, in one piece of the arena. */
static bool store_tagged(struct directory *directory, struct directory_row *row,
			 const struct astshm_label *labels, uint32_t count)
{
	const struct astshm_family *family = row->series.family;
	char key[SNAPSHOT_KEY_MAX];
	size_t key_len = snapshot_key(key, family->name, family->name_len, labels, count);
	size_t bytes = count * sizeof *labels + key_len + 1;
	for (uint32_t i = 0; i < count; i++)
		bytes += labels[i].key_len + 1 + labels[i].value_len + 1;
	struct astshm_label *stored = reader_arena_alloc(directory->names, bytes);
	if (stored == NULL)
		return false;
	char *at = (char *)(stored + count);
	for (uint32_t i = 0; i < count; i++) {
		stored[i] = labels[i];
		at = store_word(at, &stored[i].key, labels[i].key_len);
		at = store_word(at, &stored[i].value, labels[i].value_len);
	}
	memcpy(at, key, key_len);
	row->series.tags = stored;
	row->series.tag_count = count;
	row->series.key = at;
	row->series.key_len = (uint32_t)key_len;
	row->bytes = (uint32_t)bytes;
	return true;
}

static enum parse_result parse_tags(struct directory *directory, const struct reader_view *view,
				    struct directory_row *row)
{
	char bytes[ASTSHM_TAGS_MAX * TAG_BYTES];
	struct astshm_label labels[ASTSHM_TAGS_MAX];
	uint64_t ref = load_relaxed(&row->record->tags_ref);
	uint32_t count = load_relaxed32(&row->record->tag_count);
	uint64_t off = ASTSHM_STRING_OFF(ref);
	uint32_t size = ASTSHM_STRING_LEN(ref);
	if (count == 0) {
		row->series.key = row->series.family->name;
		row->series.key_len = row->series.family->name_len;
		return PARSE_GOOD;
	}
	if (count > ASTSHM_TAGS_MAX || size > sizeof bytes ||
	    !shm_in_bounds(off, size, view->committed))
		return PARSE_BAD;
	memcpy(bytes, view->base + off, size);
	if (!split_tags(bytes, size, labels, count))
		return PARSE_BAD;
	return store_tagged(directory, row, labels, count) ? PARSE_GOOD : PARSE_NO_MEMORY;
}

static enum parse_result fill_row(struct directory *directory, const struct reader_view *view,
				  struct directory_row *row)
{
	const struct astshm_segment_series *record = row->record;
	uint32_t kind = load_relaxed32(&record->kind);
	row->family = load_relaxed32(&record->family);
	row->cell = load_relaxed32(&record->cell);
	row->series.created_realtime_ns = load_relaxed(&record->created_realtime_ns);
	if (row->family >= directory->family_count)
		return PARSE_BAD;
	const struct astshm_family *family = directory->families[row->family].shown;
	if (family == NULL || (uint32_t)family->kind != kind)
		return PARSE_BAD;
	row->series.kind = family->kind;
	row->series.family = family;
	return parse_tags(directory, view, row);
}

enum parse_result parse_series(struct directory *directory, const struct reader_view *view,
			       uint32_t index, uint64_t state_word, struct directory_row *row)
{
	*row = (struct directory_row){ .index = index, .state_word = state_word };
	row->record = directory->entries[index].record;
	enum parse_result result = fill_row(directory, view, row);
	/* Pairs with the release of the state word at removal, which comes
	 * before anything of the record is written for the next one. */
	fence_acquire();
	if (load_relaxed(&row->record->state) == state_word)
		return result;
	directory->garbage_bytes += row->bytes;
	return result == PARSE_NO_MEMORY ? result : PARSE_NOT_LIVE;
}

/* Keeps the family as it is shown from now on; the first time its name as well, in the
 * same piece: of a family parsed again shown->name is kept already. */
static bool store_family(struct directory *directory, struct directory_family *family,
			 const struct astshm_family *shown)
{
	size_t name_bytes = family->shown == NULL ? shown->name_len + (size_t)1 : 0;
	struct astshm_family *stored =
		reader_arena_take(directory->names, sizeof *stored + name_bytes);
	if (stored == NULL)
		return false;
	*stored = *shown;
	if (name_bytes > 0) {
		char *name = (char *)(stored + 1);
		memcpy(name, shown->name, shown->name_len);
		name[shown->name_len] = '\0';
		stored->name = name;
	} else {
		directory->garbage_bytes += sizeof *stored;
	}
	family->shown = stored;
	return true;
}

/* Unit or help; "" where it is off (then `bad`). */
static bool store_note(struct directory *directory, const struct reader_view *view,
		       struct directory_family *family, uint64_t ref, uint32_t most,
		       const char **note, uint32_t *note_len)
{
	char text[ASTSHM_HELP_MAX];
	uint32_t length = 0;
	if (!load_text(view, ref, most, text, &length)) {
		family->bad = true;
		length = 0;
	}
	*note_len = length;
	*note = length == 0 ? "" : reader_arena_text(directory->names, text, length);
	return *note != NULL;
}

static bool store_notes(struct directory *directory, const struct reader_view *view,
			const struct astshm_segment_family *record,
			struct directory_family *family, struct astshm_family *shown)
{
	/* Acquire: pairs with the release in describe, after the text. */
	family->unit_ref = load_acquire(&record->unit_ref);
	family->help_ref = load_acquire(&record->help_ref);
	shown->unit = shown->help = ""; /* 0: none is given, which is most often so */
	if (family->unit_ref != 0 &&
	    !store_note(directory, view, family, family->unit_ref, ASTSHM_UNIT_MAX, &shown->unit,
			&shown->unit_len))
		return false;
	if (family->help_ref != 0 &&
	    !store_note(directory, view, family, family->help_ref, ASTSHM_HELP_MAX, &shown->help,
			&shown->help_len))
		return false;
	if (shown->kind == ASTSHM_KIND_TIMING) { /* whatever was said of it */
		shown->unit = snapshot_kind_unit(shown->kind);
		shown->unit_len = (uint32_t)strlen(shown->unit);
	}
	return true;
}

enum parse_result parse_family(struct directory *directory, const struct reader_view *view,
			       uint32_t index, const struct astshm_segment_family *record)
{
	struct directory_family *family = &directory->families[index];
	struct astshm_family shown = { 0 };
	char name[ASTSHM_NAME_MAX];
	family->bad = true;
	if (record == NULL)
		return PARSE_BAD;
	uint32_t kind = load_relaxed32(&record->kind);
	uint32_t merge = load_relaxed32(&record->merge);
	if (kind < ASTSHM_KIND_COUNTER || kind > ASTSHM_KIND_DISTRIBUTION ||
	    merge > ASTSHM_MERGE_MAX ||
	    !load_text(view, load_relaxed(&record->name_ref), ASTSHM_NAME_MAX, name,
		       &shown.name_len) ||
	    shown.name_len == 0)
		return PARSE_BAD;
	/* Constant: there are rows of this kind already. */
	if (family->shown != NULL && (uint32_t)family->shown->kind != kind)
		return PARSE_BAD;
	family->bad = false;
	shown.kind = (enum astshm_kind)kind;
	shown.merge = (enum astshm_merge)merge;
	shown.monotonic = kind == ASTSHM_KIND_COUNTER && !family->up_down;
	shown.name = name;
	if (family->shown != NULL) {
		shown.name = family->shown->name;
		shown.name_len = family->shown->name_len;
	}
	bool stored = store_notes(directory, view, record, family, &shown) &&
		      store_family(directory, family, &shown);
	return stored ? PARSE_GOOD : PARSE_NO_MEMORY;
}

bool parse_family_monotonic(struct directory *directory, uint32_t index, bool monotonic)
{
	struct directory_family *family = &directory->families[index];
	struct astshm_family shown = *family->shown;
	shown.monotonic = monotonic;
	return store_family(directory, family, &shown);
}
