/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back all at once and may be shared: a bump allocator
 * with a reference count (atomic, since snapshots are freed on any thread).
 */
#ifndef READERS_ARENA_H
#define READERS_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct reader_arena;

/* A new arena with one reference; NULL without memory. */
struct reader_arena *reader_arena_create(void);
struct reader_arena *reader_arena_ref(struct reader_arena *arena);
void reader_arena_unref(struct reader_arena *arena); /* NULL is allowed */

/* `bytes` zeroed bytes aligned to 16, or NULL. One thread at a time allocates;
 * others may hold references and read meanwhile. */
void *reader_arena_alloc(struct reader_arena *arena, size_t bytes);
/* The same, not zeroed: for what is written as a whole anyway. */
void *reader_arena_take(struct reader_arena *arena, size_t bytes);
/* A copy of `bytes` bytes, aligned to 16. */
void *reader_arena_copy(struct reader_arena *arena, const void *source, size_t bytes);
/* Takes room for `bytes` from the heap in one piece, if there is memory: a hint.
 * `fresh`: the heap may have none that was in use before (prefault.h). */
void reader_arena_reserve(struct reader_arena *arena, size_t bytes, bool fresh);
/* count * size with an overflow check. */
void *reader_arena_array(struct reader_arena *arena, size_t count, size_t size);
/* A NUL-terminated copy. */
char *reader_arena_text(struct reader_arena *arena, const char *text, size_t length);
/* Bytes taken from the heap so far. */
size_t reader_arena_bytes(const struct reader_arena *arena);
/* Bytes given out so far. */
size_t reader_arena_used(const struct reader_arena *arena);

#endif
