/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "prefault.h"

#define ALIGNMENT ((size_t)16)
#define PIECE_MIN_BYTES ((size_t)4096)
#define PIECE_MAX_BYTES ((size_t)1 << 20)

/* One allocation from the heap; the first one holds the arena itself. */
struct piece {
	struct piece *next;
	size_t size; /* of data */
	size_t used;
	size_t reserved; /* keeps data aligned to 16 */
	uint8_t data[];
};

struct reader_arena {
	uint64_t references;
	struct piece *pieces; /* the one in use first */
	size_t bytes;
	size_t used;
	size_t next_bytes; /* size of the next ordinary piece */
};

_Static_assert(offsetof(struct piece, data) % 16 == 0, "pieces are aligned");

static size_t round_up(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* Not zeroed: that is done as memory is given out. */
static struct piece *piece_create(size_t size, bool fresh)
{
	struct piece *piece = malloc(sizeof *piece + size);
	if (piece == NULL)
		return NULL;
	if (fresh)
		prefault_heap(piece, sizeof *piece + size);
	*piece = (struct piece){ .size = size };
	return piece;
}

struct reader_arena *reader_arena_create(void)
{
	struct piece *piece = piece_create(PIECE_MIN_BYTES - sizeof *piece, false);
	if (piece == NULL)
		return NULL;
	struct reader_arena *arena = (struct reader_arena *)(void *)piece->data;
	piece->used = round_up(sizeof *arena);
	*arena = (struct reader_arena){ .references = 1, .pieces = piece,
					.bytes = PIECE_MIN_BYTES,
					.next_bytes = 2 * PIECE_MIN_BYTES };
	return arena;
}

struct reader_arena *reader_arena_ref(struct reader_arena *arena)
{
	/* Relaxed: whoever takes a reference holds one already. */
	__atomic_add_fetch(&arena->references, 1, __ATOMIC_RELAXED);
	return arena;
}

void reader_arena_unref(struct reader_arena *arena)
{
	if (arena == NULL)
		return;
	/* Release: this thread's reads are over. Acquire, for the last one: so
	 * are everybody else's, before the memory goes. */
	if (__atomic_sub_fetch(&arena->references, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	struct piece *piece = arena->pieces;
	while (piece != NULL) {
		struct piece *next = piece->next;
		free(piece);
		piece = next;
	}
}

/* A new piece with room for `bytes`. One made for a large request goes behind
 * the piece in use, whose rest then still serves small ones. */
static struct piece *piece_add(struct reader_arena *arena, size_t bytes)
{
	bool large = bytes > arena->next_bytes / 2;
	size_t size = large ? bytes : arena->next_bytes;
	struct piece *piece = piece_create(size, true);
	if (piece == NULL)
		return NULL;
	arena->bytes += sizeof *piece + size;
	if (large) {
		piece->next = arena->pieces->next;
		arena->pieces->next = piece;
		return piece;
	}
	if (arena->next_bytes < PIECE_MAX_BYTES)
		arena->next_bytes *= 2;
	piece->next = arena->pieces;
	arena->pieces = piece;
	return piece;
}

void *reader_arena_take(struct reader_arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = round_up(bytes);
	struct piece *piece = arena->pieces;
	if (bytes > piece->size - piece->used)
		piece = piece_add(arena, bytes);
	if (piece == NULL)
		return NULL;
	void *memory = piece->data + piece->used;
	piece->used += bytes;
	arena->used += bytes;
	return memory;
}

void *reader_arena_alloc(struct reader_arena *arena, size_t bytes)
{
	void *memory = reader_arena_take(arena, bytes);
	return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

void *reader_arena_copy(struct reader_arena *arena, const void *source, size_t bytes)
{
	void *memory = reader_arena_take(arena, bytes);
	if (memory != NULL && bytes > 0)
		memcpy(memory, source, bytes);
	return memory;
}

void reader_arena_reserve(struct reader_arena *arena, size_t bytes, bool fresh)
{
	if (bytes <= arena->pieces->size - arena->pieces->used || bytes > SIZE_MAX / 2)
		return;
	struct piece *piece = piece_create(round_up(bytes), fresh);
	if (piece == NULL)
		return;
	arena->bytes += sizeof *piece + piece->size;
	piece->next = arena->pieces;
	arena->pieces = piece;
}

void *reader_arena_array(struct reader_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return reader_arena_alloc(arena, bytes);
}

char *reader_arena_text(struct reader_arena *arena, const char *text, size_t length)
{
	if (length >= SIZE_MAX / 2)
		return NULL;
	char *copy = reader_arena_take(arena, length + 1);
	if (copy == NULL)
		return NULL;
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

size_t reader_arena_bytes(const struct reader_arena *arena)
{
	return arena->bytes;
}

size_t reader_arena_used(const struct reader_arena *arena)
{
	return arena->used;
}
