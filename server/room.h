/* SPDX-License-Identifier: MIT */
/*
 * When to say that the metrics' segment has no room. The tick tells it each
 * second for as long as something is lost; an operator wants to read that it
 * began, that it still goes on, and that it is over.
 */
#ifndef SERVER_ROOM_H
#define SERVER_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#define ROOM_AGAIN_MS 60000 /* that it goes on is said so often */
#define ROOM_OVER_MS 10000  /* it is over once nothing was lost for so long */

/* Zero-initialised: there is room. */
struct room {
	bool lacking;
	int64_t said_ms;
	int64_t lost_ms; /* when something was lost last */
};

enum room_news { ROOM_NO_NEWS, ROOM_LACKING, ROOM_THERE_AGAIN };

/* What to say, after a tick in which something was lost for want of room, or nothing. */
enum room_news room_look(struct room *room, bool lost, int64_t now_ms);

#endif
