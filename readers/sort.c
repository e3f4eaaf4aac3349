/* SPDX-License-Identifier: MIT */
/*
 * Names of metrics share long prefixes, which a comparing sort looks at again and again.
 * So eight bytes of each key at a time are a number: many keys are dealt out by the first
 * byte in which these numbers differ (an MSD radix sort in place: McIlroy, Bostic and
 * McIlroy, 1993, "American flag"), which asks no question that a processor could guess
 * wrong; fewer are halved around a pivot (multikey quicksort: Bentley and Sedgewick,
 * 1997), and the few that are left inserted.
 */
#include "sort.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "segment.h"

#define SMALL 12u
#define MANY 128u /* keys that are worth counting 256 kinds of bytes */
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

static void sort_part(struct part part, uint64_t *random);

static struct part split_at_pivot(struct part part, uint64_t *random)
{
	size_t low, high;
	partition(part.keys, part.count, pivot_word(part.keys, part.count, random), &low, &high);
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
	return parts[largest];
}

#define BYTES 256u

static unsigned byte_of(const struct sort_key *key, unsigned shift)
{
	return key->word >> shift & 0xff;
}

/* Where the keys with each byte end. */
static void count_bytes(struct part part, unsigned shift, uint32_t ends[BYTES])
{
	memset(ends, 0, BYTES * sizeof *ends);
	for (size_t i = 0; i < part.count; i++)
		ends[byte_of(&part.keys[i], shift)]++;
	for (unsigned byte = 1; byte < BYTES; byte++)
		ends[byte] += ends[byte - 1];
}

/* Each key to where those with its byte lie, of which next[] are known already. */
static void deal_out(struct part part, unsigned shift, const uint32_t ends[BYTES])
{
	uint32_t next[BYTES] = { 0 };
	memcpy(next + 1, ends, (BYTES - 1) * sizeof *next);
	for (unsigned byte = 0; byte < BYTES; byte++) {
		while (next[byte] < ends[byte]) {
			unsigned belongs = byte_of(&part.keys[next[byte]], shift);
			if (belongs == byte)
				next[byte]++;
			else
				swap_keys(&part.keys[next[byte]], &part.keys[next[belongs]++]);
		}
	}
}

/* The first byte, from the left, in which not all words agree; 64: none. */
static unsigned differing_shift(struct part part)
{
	uint64_t differ = 0;
	for (size_t i = 1; i < part.count; i++)
		differ |= part.keys[i].word ^ part.keys[0].word;
	return differ == 0 ? 64 : (63u - (unsigned)__builtin_clzll(differ)) & ~7u;
}

static struct part split_by_byte(struct part part, uint64_t *random)
{
	uint32_t ends[BYTES];
	struct part largest = { .count = 0 };
	unsigned shift = differing_shift(part);
	if (shift == 64)
		return next_depth(part.keys, part.count, part.depth);
	count_bytes(part, shift, ends);
	deal_out(part, shift, ends);
	for (uint32_t byte = 0, start = 0; byte < BYTES; start = ends[byte++]) {
		struct part each = { part.keys + start, ends[byte] - start, part.depth };
		if (each.count > largest.count) { /* for the caller: recursion halves */
			struct part smaller = largest;
			largest = each;
			each = smaller;
		}
		if (each.count > 1)
			sort_part(each, random);
	}
	return largest;
}

/* Ends: each turn leaves fewer keys, or keys that agree in one byte more. */
static void sort_part(struct part part, uint64_t *random)
{
	while (part.count > SMALL)
		part = part.count < MANY ? split_at_pivot(part, random)
					 : split_by_byte(part, random);
	insertion_sort(part.keys, part.count, part.depth);
}

void sort_keys(struct sort_key *keys, size_t count)
{
	uint64_t random = shm_monotonic_ns() | 1;
	for (size_t i = 0; i < count; i++)
		keys[i].word = text_word(&keys[i], 0);
	sort_part((struct part){ keys, count, 0 }, &random);
}
