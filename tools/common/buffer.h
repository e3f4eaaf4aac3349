/* SPDX-License-Identifier: MIT */
/*
 * A document in memory: it is written whole or, if anything fails, not at all.
 */
#ifndef TOOLS_BUFFER_H
#define TOOLS_BUFFER_H

#include <stddef.h>

struct buffer {
	char *bytes;
	size_t count;
	size_t capacity;
};

/* Appends; context is a struct buffer (the form of astshm_sink). -ENOMEM. */
int buffer_write(void *context, const void *bytes, size_t count);
void buffer_free(struct buffer *buffer);

#endif
