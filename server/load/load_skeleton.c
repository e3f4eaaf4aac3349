/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load_skeleton.h"

void load_skeleton_clear(struct load_skeleton *skeleton)
{
	skeleton->count = 0;
	skeleton->text_length = 0;
	for (size_t i = 0; i < WORDS; i++)
		skeleton->places[i].count = 0;
}

void load_skeleton_fini(struct load_skeleton *skeleton)
{
	free(skeleton->elements);
	free(skeleton->text);
	for (size_t i = 0; i < WORDS; i++)
		free(skeleton->places[i].items);
	*skeleton = (struct load_skeleton){ 0 };
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

static int add_place(struct load_places *places, uint32_t element)
{
	void *items = places->items;
	int result = make_room(&items, places->count, &places->capacity, 64,
			       sizeof *places->items);

	if (result < 0)
		return result;
	places->items = items;
	places->items[places->count++] = element;
	return 0;
}

int load_skeleton_add(struct load_skeleton *skeleton, const struct load_element *element)
{
	void *elements = skeleton->elements;

	if (skeleton->count >= LOAD_SKELETON_ELEMENTS)
		return -EFBIG;
	int result = make_room(&elements, skeleton->count, &skeleton->capacity, 1024,
			       sizeof *skeleton->elements);
	if (result < 0)
		return result;
	skeleton->elements = elements;
	if (element->word != WORD_OTHER)
		result = add_place(&skeleton->places[element->word], (uint32_t)skeleton->count);
	if (result == 0)
		skeleton->elements[skeleton->count++] = *element;
	return result;
}

static int grow_text(struct load_skeleton *skeleton, size_t bytes)
{
	size_t capacity = skeleton->text_capacity ? skeleton->text_capacity : 4096;

	while (capacity - skeleton->text_length < bytes)
		capacity *= 2;
	char *text = realloc(skeleton->text, capacity);
	if (!text)
		return -ENOMEM;
	skeleton->text = text;
	skeleton->text_capacity = capacity;
	return 0;
}

int load_skeleton_add_text(struct load_skeleton *skeleton, const char *text, uint32_t *offset)
{
	size_t bytes = strlen(text) + 1;

	if (skeleton->text_length == 0)
		skeleton->text_length = 1;
	if (bytes > LOAD_SKELETON_TEXT - skeleton->text_length)
		return -EFBIG;
	if (!skeleton->text || bytes > skeleton->text_capacity - skeleton->text_length) {
		int result = grow_text(skeleton, bytes);
		if (result < 0)
			return result;
	}
	memcpy(skeleton->text + skeleton->text_length, text, bytes);
	*offset = (uint32_t)skeleton->text_length;
	skeleton->text_length += bytes;
	return 0;
}

/* How many of them stand before or at `element`. */
static size_t places_until(const struct load_places *places, uint32_t element)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->items[middle] <= element)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t load_next(const struct load_skeleton *skeleton, uint32_t above, uint32_t last,
		   enum load_word word)
{
	if (above == NO_ELEMENT || last == NO_ELEMENT)
		return NO_ELEMENT;
	const struct load_places *places = &skeleton->places[word];
	size_t next = places_until(places, last);
	if (next == places->count || places->items[next] >= skeleton->elements[above].end)
		return NO_ELEMENT;
	return places->items[next];
}

uint32_t load_first(const struct load_skeleton *skeleton, uint32_t above, enum load_word word)
{
	return load_next(skeleton, above, above, word);
}

uint32_t load_next_child(const struct load_skeleton *skeleton, uint32_t parent, uint32_t last,
			 enum load_word word)
{
	const struct load_element *elements = skeleton->elements;

	if (parent == NO_ELEMENT)
		return NO_ELEMENT;
	uint32_t i = last == NO_ELEMENT ? parent + 1 : elements[last].end;
	for (; i < elements[parent].end; i = elements[i].end) {
		if (elements[i].depth == elements[parent].depth + 1 &&
		    (word == WORDS || elements[i].word == word))
			return i;
	}
	return NO_ELEMENT;
}

uint32_t load_child(const struct load_skeleton *skeleton, uint32_t parent, enum load_word word)
{
	return load_next_child(skeleton, parent, NO_ELEMENT, word);
}

uint32_t load_first_path(const struct load_skeleton *skeleton, uint32_t above,
			 enum load_word parent, enum load_word child)
{
	uint32_t found = NO_ELEMENT;
	uint32_t at = load_first(skeleton, above, parent);

	for (; at != NO_ELEMENT && found == NO_ELEMENT;
	     at = load_next(skeleton, above, at, parent))
		found = load_child(skeleton, at, child);
	return found;
}

static const char *text_at(const struct load_skeleton *skeleton, uint32_t offset)
{
	return offset ? skeleton->text + offset : NULL;
}

const char *load_value(const struct load_skeleton *skeleton, uint32_t element)
{
	return element == NO_ELEMENT ? NULL
				     : text_at(skeleton, skeleton->elements[element].value);
}

const char *load_label(const struct load_skeleton *skeleton, uint32_t element)
{
	return element == NO_ELEMENT ? NULL
				     : text_at(skeleton, skeleton->elements[element].label);
}
