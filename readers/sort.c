/* SPDX-License-Identifier: MIT */
/*
 * Multikey quicksort (Bentley and Sedgewick, 1997) over eight bytes at a time:
 * names of metrics share long prefixes, which a comparing sort looks at again
 * and again.
 */
#include "sort.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "segment.h"

#define SMALL 12u
#define WORD 8u

static uint64_t load_word(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return be64toh(word);
}

/* Eight bytes of the text from `depth` on as a big-endian number, with zeroes
 * past its end: compares as the bytes do. */
static uint64_t text_word(const struct sort_key *key, uint32_t depth)
{
	if (depth >= key->length)
		return 0;
	uint32_t rest = key->length - depth;
	if (rest >= WORD)
		return load_word(key->text + depth);
	if (key->length >= WORD) /* the text's last eight bytes, less those before depth */
		return load_word(key->text + key->length - WORD) << 8 * (WORD - rest);
	uint64_t word = 0;
	memcpy(&word, key->text + depth, rest);
	return be64toh(word);
}

static bool before(const struct sort_key *a, const struct sort_key *b, uint32_t depth)
{
	uint64_t left = a->word, right = b->word;
	/* Texts hold no NUL: a zero last byte is the end of both. */
	while (left == right && (left & 0xff) != 0) {
		depth += WORD;
		left = text_word(a, depth);
		right = text_word(b, depth);
	}
	return left != right ? left < right : a->place < b->place;
}

static void insertion_sort(struct sort_key *keys, size_t count, uint32_t depth)
{
	for (size_t i = 1; i < count; i++) {
		struct sort_key key = keys[i];
		size_t at = i;
		while (at > 0 && before(&key, &keys[at - 1], depth)) {
			keys[at] = keys[at - 1];
			at--;
		}
		keys[at] = key;
	}
}

static void swap_keys(struct sort_key *a, struct sort_key *b)
{
	struct sort_key other = *a;
	*a = *b;
	*b = other;
}

/* Chosen by chance, so that nobody can lay out a segment's names to hit it. */
static uint64_t pivot_word(const struct sort_key *keys, size_t count, uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	size_t at = *random % count;
	uint64_t a = keys[at].word, b = keys[count / 2].word, c = keys[count - 1].word;
	if (a > b) {
		uint64_t other = a;
		a = b;
		b = other;
	}
	return c <= a ? a : c >= b ? b : c;
}

/* keys[0, low) < pivot, keys[low, high) == pivot, the rest > pivot. */
static void partition(struct sort_key *keys, size_t count, uint64_t pivot, size_t *low,
		      size_t *high)
{
	size_t less = 0, more = count;
	for (size_t i = 0; i < more;) {
		if (keys[i].word < pivot) {
			if (less != i) /* else nothing equal was seen yet */
				swap_keys(&keys[less], &keys[i]);
			less++;
			i++;
		} else if (keys[i].word > pivot) {
			swap_keys(&keys[i], &keys[--more]);
		} else {
			i++;
		}
	}
	*low = less;
	*high = more;
}

/* A range whose words are loaded: from `depth` of its texts, or its places. */
struct part {
	struct sort_key *keys;
	size_t count;
	uint32_t depth;
};

#define BY_PLACE UINT32_MAX

/* The range whose texts agree in all bytes of their words: goes on behind
 * them or, where the texts end, sorts by place. */
static struct part next_depth(struct sort_key *keys, size_t count, uint32_t depth)
{
	bool ended = depth == BY_PLACE || (keys[0].word & 0xff) == 0;
	struct part part = { keys, count, ended ? BY_PLACE : depth + WORD };
	for (size_t i = 0; i < count; i++)
		keys[i].word = ended ? keys[i].place : text_word(&keys[i], part.depth);
	return part;
}

static void sort_part(struct part part, uint64_t *random)
{
	while (part.count > SMALL) {
		size_t low, high;
		partition(part.keys, part.count, pivot_word(part.keys, part.count, random), &low,
			  &high);
		struct part parts[3] = {
			{ part.keys, low, part.depth },
			next_depth(part.keys + low, high - low, part.depth),
			{ part.keys + high, part.count - high, part.depth },
		};
		int largest = 0;
		for (int i = 1; i < 3; i++)
			if (parts[i].count > parts[largest].count)
				largest = i;
		for (int i = 0; i < 3; i++)
			if (i != largest)
				sort_part(parts[i], random);
		part = parts[largest];
	}
	insertion_sort(part.keys, part.count, part.depth);
}

void sort_keys(struct sort_key *keys, size_t count)
{
	uint64_t random = shm_monotonic_ns() | 1;
	for (size_t i = 0; i < count; i++)
		keys[i].word = text_word(&keys[i], 0);
	sort_part((struct part){ keys, count, 0 }, &random);
}
