/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

int buffer_write(void *context, const void *bytes, size_t count)
{
	struct buffer *buffer = context;

	if (count > buffer->capacity - buffer->count) {
		size_t capacity = buffer->capacity + (count > buffer->capacity ? count
									       : buffer->capacity);
		char *grown;

		capacity = capacity < 4096 ? 4096 : capacity;
		if (capacity > SIZE_MAX / 2 || !(grown = realloc(buffer->bytes, capacity)))
			return -ENOMEM;
		buffer->bytes = grown;
		buffer->capacity = capacity;
	}
	if (count > 0)
		memcpy(buffer->bytes + buffer->count, bytes, count);
	buffer->count += count;
	return 0;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ 0 };
}
