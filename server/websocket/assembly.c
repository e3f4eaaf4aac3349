/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"

#define FIRST_CAPACITY 4096u
/* A client that once sent something long shall not keep its memory. */
#define KEPT_CAPACITY (64u << 10)

static int reserve(struct assembly *assembly, size_t length, size_t limit)
{
	size_t capacity = assembly->capacity ? assembly->capacity : FIRST_CAPACITY;

	if (length <= assembly->capacity)
		return 0;
	while (capacity < length)
		capacity *= 2;
	if (capacity > limit && length <= limit)
		capacity = limit;
	char *text = realloc(assembly->text, capacity);
	if (!text)
		return -ENOMEM;
	assembly->text = text;
	assembly->capacity = capacity;
	return 0;
}

int assembly_add(struct assembly *assembly, const void *piece, size_t length,
		 size_t announced, size_t limit)
{
	size_t left = limit - assembly->length;

	if (length > left || announced > left - length)
		return -EMSGSIZE;
	int result = reserve(assembly, assembly->length + length, limit);
	if (result < 0)
		return result;
	if (length > 0)
		memcpy(assembly->text + assembly->length, piece, length);
	assembly->length += length;
	return 0;
}

void assembly_clear(struct assembly *assembly)
{
	assembly->length = 0;
	if (assembly->capacity > KEPT_CAPACITY)
		assembly_fini(assembly);
}

void assembly_fini(struct assembly *assembly)
{
	free(assembly->text);
	*assembly = (struct assembly){ 0 };
}
