/* SPDX-License-Identifier: MIT */
/*
 * The segments of this machine, kept beyond the call of astshm_list().
 */
#ifndef TOOLS_LISTING_H
#define TOOLS_LISTING_H

#include <stdio.h>

#include <astshm/reader.h>

struct listing {
	struct astshm_listing *items; /* strings are owned too */
	size_t count;
	size_t capacity;
};

#define LISTING_INIT { NULL, 0, 0 }

/* Appends a copy. -ENOMEM. */
int listing_add(struct listing *listing, const struct astshm_listing *item);

/* Fills an empty listing. Negative errno, *error filled; nothing is kept then. */
int listing_load(struct listing *listing, struct astshm_error *error);
void listing_free(struct listing *listing);

/* What stands in the STATE column: the state, or why it cannot be read. */
const char *listing_state(const struct astshm_listing *item);

/* Why a segment cannot be read, in words. */
const char *listing_reason(const struct astshm_listing *item);

/*
 * Writes the table of `astshm-ls`: NAME PID STATE AGE SIZE SERIES THREADS, and
 * behind it when a writer was last heard of, if that is long ago.
 */
void listing_print(const struct listing *listing, FILE *stream);

#endif
