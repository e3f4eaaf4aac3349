/* SPDX-License-Identifier: MIT */
/*
 * Reading msgpack from strangers. The large maps of a document are walked in
 * place; only single small values are handed to msgpack-c, and only after
 * their structure was checked against the bytes that are there: 5 bytes can
 * ask msgpack-c for 3 GiB.
 */
#ifndef READERS_UNPACK_H
#define READERS_UNPACK_H

#include <string.h>

#include <msgpack.h>

#include "number.h"
#include "snapshot.h"

/* Containers in containers; our documents have 6. msgpack-c stops at 32. */
#define UNPACK_DEPTH_MAX 16

/* The bytes of one value. */
struct unpack_slice {
	const uint8_t *at;
	size_t size;
};

/* All functions return 0, -ENODATA (ends too early), -EBADMSG or -ENOMEM. */

/* Splits the first value off `rest`, checking all that is in it. */
int unpack_value(struct unpack_slice *rest, struct unpack_slice *value);

/*
 * Opens a map: *pairs follow in *inside, which is no longer than the map.
 * -EBADMSG: not a map.
 */
int unpack_map(struct unpack_slice map, struct unpack_slice *inside, uint32_t *pairs);

/* The next key, a string in place, and its value. */
int unpack_pair(struct unpack_slice *inside, struct unpack_slice *key, struct unpack_slice *value);

static inline bool unpack_is_key(struct unpack_slice key, const char *text)
{
	return key.size == strlen(text) && memcmp(key.at, text, key.size) == 0;
}

/* A value that unpack_value() checked, by msgpack-c; `unpacked` is initialised. */
int unpack_object(struct unpack_slice value, msgpack_unpacked *unpacked);

/* --- looking into an object ------------------------------------------ */

/* The value of `key` in a map, or NULL; nil counts as NULL. */
const msgpack_object *unpack_find(const msgpack_object *map, const char *key);

bool unpack_is_text(const msgpack_object *object, const char *text);
/* 0 if absent; -EBADMSG if it is anything else than an integer in range. */
int unpack_u64(const msgpack_object *object, uint64_t *value);
int unpack_u32(const msgpack_object *object, uint32_t *value);
int unpack_i64(const msgpack_object *object, int64_t *value);
/* An integer, or its digits as a string. */
int unpack_u128(const msgpack_object *object, number_u128 *value);
/* Any number; NaN if absent. */
int unpack_real(const msgpack_object *object, double *value);

/*
 * Copies a string of valid UTF-8 without NULs of at most `limit` bytes;
 * "" if absent.
 */
int unpack_text(const msgpack_object *object, size_t limit, struct reader_arena *arena,
		const char **text, uint32_t *length);

#endif
