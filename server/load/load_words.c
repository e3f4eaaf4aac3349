/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "load_words.h"

static_assert(WORDS <= UINT8_MAX && 2 * WORDS <= LOAD_WORD_PLACES, "load_words.places");

static const char *const names[WORDS] = {
#define LOAD_DEVICE_NAME(symbol, name, type) [WORD_##symbol] = (name),
	LOAD_DEVICES(LOAD_DEVICE_NAME)
#define LOAD_WORD_NAME(symbol, name) [WORD_##symbol] = (name),
	LOAD_WORDS(LOAD_WORD_NAME)
};

static const char *const device_types[WORD_DEVICES_END] = {
#define LOAD_DEVICE_TYPE(symbol, name, type) [WORD_##symbol] = (type),
	LOAD_DEVICES(LOAD_DEVICE_TYPE)
};

/* The length and three letters tell the words well apart. */
static size_t place_of(const char *name, size_t length)
{
	size_t mixed = length * 31 + (unsigned char)name[0] * 7;

	mixed += (unsigned char)name[length - 1] * 61;
	mixed += (unsigned char)name[length / 2] * 131;
	return mixed % LOAD_WORD_PLACES;
}

void load_words_init(struct load_words *words)
{
	memset(words, 0, sizeof *words);
	for (size_t i = 1; i < WORDS; i++) {
		if (i == WORD_DEVICES_END)
			continue;
		size_t place = place_of(names[i], strlen(names[i]));
		while (words->places[place] != WORD_OTHER)
			place = (place + 1) % LOAD_WORD_PLACES;
		words->places[place] = (uint8_t)i;
	}
}

enum load_word load_words_find(const struct load_words *words, const char *name)
{
	size_t place = place_of(name, strlen(name)); /* XML has no empty names */

	for (; words->places[place] != WORD_OTHER; place = (place + 1) % LOAD_WORD_PLACES) {
		if (strcmp(names[words->places[place]], name) == 0)
			break;
	}
	return (enum load_word)words->places[place];
}

const char *load_word_name(enum load_word word)
{
	return names[word];
}

const char *load_word_device_type(enum load_word word)
{
	return device_types[word];
}
