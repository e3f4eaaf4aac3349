/* SPDX-License-Identifier: MIT */
/*
 * The frames of the last few turns, which every consumer takes from at its own
 * pace. There is one, so what waits for slow consumers does not grow with their
 * number; what has left it is lost to those who had not got so far.
 */
#ifndef EXPORT_BACKLOG_H
#define EXPORT_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define BACKLOG_TURNS 8

struct backlog {
	struct frame **frames;
	size_t count, capacity;
	uint64_t first; /* number of the oldest, or of the next one to come */
	uint64_t turn;  /* the present one */
};

#define BACKLOG_INIT { .first = 1 }

/* A new turn: what is BACKLOG_TURNS of them old goes. */
void backlog_turn(struct backlog *backlog);

/* Takes the frame over, whose number is backlog_end(). -ENOMEM: does not. */
int backlog_add(struct backlog *backlog, struct frame *frame);

/* The number of the next frame to come. */
uint64_t backlog_end(const struct backlog *backlog);

/* The frame of that number, not below `first`; NULL: it is to come. */
struct frame *backlog_at(const struct backlog *backlog, uint64_t number);

void backlog_fini(struct backlog *backlog);

#endif
