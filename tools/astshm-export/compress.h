/* SPDX-License-Identifier: MIT */
#ifndef EXPORT_COMPRESS_H
#define EXPORT_COMPRESS_H

#include "buffer.h"

/*
 * Replaces what is in `buffer` by its gzip form, at the fastest level: the text
 * repeats itself so much that slower ones gain little. -ENOMEM: it stays as it was.
 */
int compress_gzip(struct buffer *buffer);

#endif
