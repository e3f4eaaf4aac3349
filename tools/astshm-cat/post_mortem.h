/* SPDX-License-Identifier: MIT */
/*
 * --post-mortem: when a writer ended, as far as is known, and what came before.
 */
#ifndef CAT_POST_MORTEM_H
#define CAT_POST_MORTEM_H

#include "source.h"

/* Has told why if it is not EXIT_OK. */
enum exit_status post_mortem_print(struct source *source, const struct options *options);

#endif
