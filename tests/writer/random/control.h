/* SPDX-License-Identifier: MIT */
/* What one thread does to the segment while the others record. */
#ifndef TESTS_RANDOM_CONTROL_H
#define TESTS_RANDOM_CONTROL_H

#include "load.h"

/* Chooses a round's operations; `most` of them at most. */
void control_plan(struct round *round, uint64_t *random, uint32_t most);
/* Makes them, with other things in between that must change no value. Returns
 * what went wrong, printed. */
int control_run(uint64_t *random);
/* Makes them with nobody else at work. */
void control_apply(const struct round *round);

#endif
