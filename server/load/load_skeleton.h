/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a part of the document: the elements that matter, in document
 * order, each with the end of what is below it. Elements in between that do not
 * matter are gone; the depth tells a child from a later descendant.
 */
#ifndef SERVER_LOAD_SKELETON_H
#define SERVER_LOAD_SKELETON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load_words.h"

/* What an element is by its place in the document. */
enum load_role {
	ROLE_NONE,
	ROLE_TRACK, /* child of Tracks */
	ROLE_SCENE, /* Scene in Scenes */
};

struct load_element {
	uint32_t end;      /* index behind its last descendant */
	uint32_t value;    /* offset of the text of attribute Value; 0: none */
	uint32_t label;    /* of attribute Type of a FileRef, Id of others; 0: none */
	uint16_t depth;
	uint8_t word;      /* enum load_word */
	uint8_t role;      /* enum load_role */
};

/* The elements of one word, in document order. */
struct load_places {
	uint32_t *items;
	size_t count;
	size_t capacity;
};

struct load_skeleton {
	struct load_element *elements;
	size_t count;
	size_t capacity;
	char *text; /* NUL-ended strings; offset 0 is taken by none */
	size_t text_length;
	size_t text_capacity;
	struct load_places places[WORDS]; /* not of WORD_OTHER */
};

/* 200 MB and 256 MB: of a gigabyte of XML that is made to be kept whole. */
#define LOAD_SKELETON_ELEMENTS 10000000u
#define LOAD_SKELETON_TEXT (1u << 28)

/* For the next part; memory is kept. */
void load_skeleton_clear(struct load_skeleton *skeleton);
void load_skeleton_fini(struct load_skeleton *skeleton);
/* -EFBIG, -ENOMEM. */
int load_skeleton_add(struct load_skeleton *skeleton, const struct load_element *element);
int load_skeleton_add_text(struct load_skeleton *skeleton, const char *text, uint32_t *offset);

/* Elements are indexes from here on. NO_ELEMENT: none, or below none. */
#define NO_ELEMENT UINT32_MAX

/*
 * The first `word` below `above` at any depth. By halving: of elements nested
 * in each other, as hostile files have them, each is asked for what is below.
 */
uint32_t load_first(const struct load_skeleton *skeleton, uint32_t above, enum load_word word);
/* The first after `last`, which is below `above` (or `above` itself). */
uint32_t load_next(const struct load_skeleton *skeleton, uint32_t above, uint32_t last,
		   enum load_word word);
uint32_t load_child(const struct load_skeleton *skeleton, uint32_t parent, enum load_word word);
/* The next child after `last`, a child of that parent; NO_ELEMENT: the first. Any word: WORDS. */
uint32_t load_next_child(const struct load_skeleton *skeleton, uint32_t parent, uint32_t last,
			 enum load_word word);
/* The first `child` of a `parent` anywhere below `above`, parents in document order. */
uint32_t load_first_path(const struct load_skeleton *skeleton, uint32_t above,
			 enum load_word parent, enum load_word child);
/* The text of attribute Value, or NULL. */
const char *load_value(const struct load_skeleton *skeleton, uint32_t element);
const char *load_label(const struct load_skeleton *skeleton, uint32_t element);

#endif
