/* SPDX-License-Identifier: MIT */
#include "room.h"

static enum room_news look_after_loss(struct room *room, int64_t now_ms)
{
	room->lost_ms = now_ms;
	if (room->lacking && now_ms - room->said_ms < ROOM_AGAIN_MS)
		return ROOM_NO_NEWS;
	room->lacking = true;
	room->said_ms = now_ms;
	return ROOM_LACKING;
}

enum room_news room_look(struct room *room, bool lost, int64_t now_ms)
{
	if (lost)
		return look_after_loss(room, now_ms);
	if (!room->lacking || now_ms - room->lost_ms < ROOM_OVER_MS)
		return ROOM_NO_NEWS;
	room->lacking = false;
	return ROOM_THERE_AGAIN;
}
