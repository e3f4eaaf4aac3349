/* SPDX-License-Identifier: MIT */
/* A folder in shared memory that belongs to one test alone. */
#ifndef TESTS_TRUST_PLACE_H
#define TESTS_TRUST_PLACE_H

#include <limits.h>
#include <stdbool.h>

struct place {
	char folder[64];
	char path[128]; /* of the segment in it */
};

/* "/dev/shm/t<pid>-<test>/", and the path of segment "s" there. */
void place_make(struct place *place, const char *test);
/* Removes what is in it, and the folder. */
void place_remove(struct place *place);
/* Removes what is in it. */
void place_clear(const struct place *place);
/* NAME~number beside the segment; static storage. */
const char *place_numbered(const struct place *place, unsigned number);
/* The first file there that is neither the segment nor NAME~1 to NAME~keep, or
 * NULL; static storage. */
const char *place_litter(const struct place *place, unsigned keep);

#endif
