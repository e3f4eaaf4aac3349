/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "message.h"

struct message *message_create(const char *text, size_t length)
{
	struct message *message = NULL;

	if (length <= SIZE_MAX - sizeof *message - MESSAGE_HEADROOM)
		message = malloc(sizeof *message + MESSAGE_HEADROOM + length);
	if (!message)
		return NULL;
	message->references = 1;
	message->length = length;
	if (length > 0)
		memcpy(message->bytes + MESSAGE_HEADROOM, text, length);
	return message;
}

struct message *message_of_json(const struct json_out *out)
{
	return json_out_result(out) < 0 ? NULL : message_create(out->text, out->length);
}

struct message *message_hold(struct message *message)
{
	/* Relaxed: the caller has a reference, so the message cannot go meanwhile. */
	__atomic_add_fetch(&message->references, 1, __ATOMIC_RELAXED);
	return message;
}

void message_release(struct message *message)
{
	if (!message)
		return;
	/*
	 * Release: our use of the message comes before the count falls. Acquire:
	 * whoever brings it to zero, here too, sees all others' use done.
	 */
	if (__atomic_sub_fetch(&message->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(message);
}

const char *message_text(const struct message *message)
{
	return (const char *)message->bytes + MESSAGE_HEADROOM;
}
