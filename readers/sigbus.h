/* SPDX-License-Identifier: MIT */
/* Mappings that a program's SIGBUS handler may mend. */
#ifndef READERS_SIGBUS_H
#define READERS_SIGBUS_H

#include <stdbool.h>
#include <stdint.h>

struct sigbus_range;

/* Enters a mapping; NULL: the table is full, the mapping goes unprotected. */
struct sigbus_range *sigbus_enter(const void *base, uint64_t bytes);
void sigbus_leave(struct sigbus_range *range); /* NULL is allowed */
/* Was a page of it replaced? NULL: false. */
bool sigbus_broken(const struct sigbus_range *range);

#endif
