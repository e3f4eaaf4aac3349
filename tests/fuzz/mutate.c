/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "mutate.h"

/* Sebastiano Vigna's splitmix64. */
uint64_t fuzz_random_next(struct fuzz_random *random)
{
	uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

size_t fuzz_random_below(struct fuzz_random *random, size_t limit)
{
	return limit == 0 ? 0 : (size_t)(fuzz_random_next(random) % limit);
}

/* --- pieces ----------------------------------------------------------- */

static void overwrite(struct fuzz_input *input, size_t at, const void *piece, size_t length)
{
	if (length > input->size - at)
		length = input->size - at;
	memcpy(input->bytes + at, piece, length);
}

void fuzz_insert(struct fuzz_input *input, size_t at, const void *piece, size_t length)
{
	if (input->size > fuzz_target.size_max || length > fuzz_target.size_max - input->size)
		return;
	memmove(input->bytes + at + length, input->bytes + at, input->size - at);
	memcpy(input->bytes + at, piece, length);
	input->size += length;
}

void fuzz_remove(struct fuzz_input *input, size_t at, size_t length)
{
	memmove(input->bytes + at, input->bytes + at + length, input->size - at - length);
	input->size -= length;
}

static void put(struct fuzz_input *input, const void *piece, size_t length,
		struct fuzz_random *random)
{
	size_t at = fuzz_random_below(random, input->size + 1);

	if (fuzz_random_below(random, 2) == 0)
		overwrite(input, at, piece, length);
	else
		fuzz_insert(input, at, piece, length);
}

static size_t count_words(void)
{
	size_t count = 0;

	while (fuzz_target.word(count))
		count++;
	return count;
}

/* --- changes ---------------------------------------------------------- */

static void flip_bit(struct fuzz_input *input, struct fuzz_random *random)
{
	if (input->size > 0)
		input->bytes[fuzz_random_below(random, input->size)] ^=
			(uint8_t)(1u << fuzz_random_below(random, 8));
}

static void put_word(struct fuzz_input *input, struct fuzz_random *random)
{
	const char *word = fuzz_target.word(fuzz_random_below(random, count_words()));

	put(input, word, strlen(word), random);
}

/* Numbers at whose edges arithmetic goes wrong, of 1 to 4 bytes, big-endian. */
static void put_edge(struct fuzz_input *input, struct fuzz_random *random)
{
	static const uint32_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x7fffffff, 0x80000000,
					  0xffffffff, 0x7f800000, 0x7fc00000, 0x00000001 };
	uint32_t edge = edges[fuzz_random_below(random, sizeof edges / sizeof edges[0])];
	uint8_t bytes[4] = { (uint8_t)(edge >> 24), (uint8_t)(edge >> 16), (uint8_t)(edge >> 8),
			     (uint8_t)edge };
	size_t length = 1 + fuzz_random_below(random, 4);

	put(input, bytes + 4 - length, length, random);
}

static void put_noise(struct fuzz_input *input, struct fuzz_random *random)
{
	uint64_t noise = fuzz_random_next(random);

	put(input, &noise, 1 + fuzz_random_below(random, sizeof noise), random);
}

static void drop(struct fuzz_input *input, struct fuzz_random *random)
{
	size_t at = fuzz_random_below(random, input->size);

	fuzz_remove(input, at, fuzz_random_below(random, input->size - at + 1));
}

static void cut(struct fuzz_input *input, struct fuzz_random *random)
{
	input->size = fuzz_random_below(random, input->size + 1);
}

static void copy_piece(struct fuzz_input *input, const struct fuzz_input *from,
		       struct fuzz_random *random)
{
	uint8_t piece[512];
	size_t at = fuzz_random_below(random, from->size);
	size_t length = from->size - at;

	if (length > sizeof piece)
		length = sizeof piece;
	length = fuzz_random_below(random, length + 1);
	memcpy(piece, from->bytes + at, length);
	put(input, piece, length, random);
}

void fuzz_mutate(struct fuzz_input *input, const struct fuzz_input *other,
		 struct fuzz_random *random)
{
	size_t changes = 1 + fuzz_random_below(random, 8);

	for (size_t i = 0; i < changes; i++) {
		switch (fuzz_random_below(random, 16)) {
		case 0:
			cut(input, random);
			break;
		case 1:
			drop(input, random);
			break;
		case 2:
		case 3:
			copy_piece(input, input, random);
			break;
		case 4:
		case 5:
			copy_piece(input, other, random);
			break;
		case 6:
		case 7:
			put_edge(input, random);
			break;
		case 8:
			put_noise(input, random);
			break;
		case 9:
		case 10:
		case 11:
			put_word(input, random);
			break;
		default:
			flip_bit(input, random);
			break;
		}
	}
}
