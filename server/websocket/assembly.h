/* SPDX-License-Identifier: MIT */
/* A client's message put together from the pieces it arrives in. One thread. */
#ifndef SERVER_ASSEMBLY_H
#define SERVER_ASSEMBLY_H

#include <stddef.h>

struct assembly {
	char *text; /* not terminated */
	size_t length;
	size_t capacity;
};

/*
 * Appends a piece, of which `announced` further bytes are still to come. -EMSGSIZE:
 * with them the message would be longer than `limit`; -ENOMEM.
 */
int assembly_add(struct assembly *assembly, const void *piece, size_t length,
		 size_t announced, size_t limit);
/* Ready for the next message; large memory is given back. */
void assembly_clear(struct assembly *assembly);
void assembly_fini(struct assembly *assembly);

#endif
