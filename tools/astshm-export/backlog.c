/* SPDX-License-Identifier: MIT */
#include "backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct backlog *backlog, size_t count)
{
	for (size_t i = 0; i < count; i++)
		frame_release(&backlog->frames[i]);
	if (count < backlog->count)
		memmove(backlog->frames, backlog->frames + count,
			(backlog->count - count) * sizeof(*backlog->frames));
	backlog->count -= count;
	backlog->first += count;
}

void backlog_turn(struct backlog *backlog)
{
	size_t old = 0;

	backlog->turn++;
	while (old < backlog->count &&
	       backlog->turn - backlog->frames[old]->turn >= BACKLOG_TURNS)
		old++;
	drop(backlog, old);
}

int backlog_add(struct backlog *backlog, struct frame *frame)
{
	if (backlog->count == backlog->capacity) {
		size_t capacity = backlog->capacity ? 2 * backlog->capacity : 16;
		struct frame **grown =
			reallocarray(backlog->frames, capacity, sizeof(*backlog->frames));

		if (!grown)
			return -ENOMEM;
		backlog->frames = grown;
		backlog->capacity = capacity;
	}
	frame->turn = backlog->turn;
	backlog->frames[backlog->count++] = frame;
	return 0;
}

uint64_t backlog_end(const struct backlog *backlog)
{
	return backlog->first + backlog->count;
}

struct frame *backlog_at(const struct backlog *backlog, uint64_t number)
{
	return number < backlog_end(backlog) ? backlog->frames[number - backlog->first] : NULL;
}

void backlog_fini(struct backlog *backlog)
{
	drop(backlog, backlog->count);
	free(backlog->frames);
	*backlog = (struct backlog)BACKLOG_INIT;
}
