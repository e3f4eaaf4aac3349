/* SPDX-License-Identifier: MIT */
/* Damage to an input, the same for the same random state. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "target.h"

struct fuzz_random {
	uint64_t state;
};

uint64_t fuzz_random_next(struct fuzz_random *random);
/* In [0, limit); 0 if limit is 0. */
size_t fuzz_random_below(struct fuzz_random *random, size_t limit);

/* Puts a piece in at `at`; where there is no room for it nothing happens. */
void fuzz_insert(struct fuzz_input *input, size_t at, const void *piece, size_t length);
void fuzz_remove(struct fuzz_input *input, size_t at, size_t length);

/* One to eight changes. `other` is an input to take pieces from. */
void fuzz_mutate(struct fuzz_input *input, const struct fuzz_input *other,
		 struct fuzz_random *random);

#endif
