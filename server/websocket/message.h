/* SPDX-License-Identifier: MIT */
/*
 * A text for clients: made once, never changed, shared by every queue that it
 * stands in. Counted references; any thread may hold and release.
 */
#ifndef SERVER_MESSAGE_H
#define SERVER_MESSAGE_H

#include <stddef.h>

#include "json_out.h"

/* Room in front of the text, where libwebsockets puts the frame's header. */
#define MESSAGE_HEADROOM 16u

struct message {
	unsigned references;
	size_t length;
	unsigned char bytes[]; /* MESSAGE_HEADROOM, then the text */
};

/* A copy of the text, with one reference, the caller's. NULL: no memory. */
struct message *message_create(const char *text, size_t length);
/* What was written so far; NULL also if some of it is missing. */
struct message *message_of_json(const struct json_out *out);
/* One more reference; returns `message`. */
struct message *message_hold(struct message *message);
/* NULL is allowed. */
void message_release(struct message *message);
/* Not terminated. */
const char *message_text(const struct message *message);

#endif
