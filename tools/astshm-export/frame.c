/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "feed_head.h"

#define SECOND_NS 1000000000u
#define TAG_PREFIX "astshm."

static void put(unsigned char *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
}

/* The head is written twice: how long the document is turns out at its end. */
static int make_length(struct buffer *form, const struct astshm_snapshot *snapshot,
		       uint64_t number)
{
	const struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { .write = buffer_write, .context = form };
	unsigned char head[FEED_HEAD_BYTES] = { 0 };
	int result = buffer_write(form, head, sizeof(head));

	if (result == 0)
		result = astshm_encode_msgpack(snapshot, &sink, &options);
	if (result < 0)
		return result;
	if (form->count - sizeof(head) > UINT32_MAX)
		return -EFBIG;
	feed_head_write((unsigned char *)form->bytes, number,
			(uint32_t)(form->count - sizeof(head)));
	return 0;
}

/*
 * Message Mode of the forward protocol, [tag, time, record]: an array of three, a
 * text (str 16), an EventTime (fixext 8 of type 0: seconds, nanoseconds), and the
 * document as it is.
 */
static int make_fluentd(struct buffer *form, const struct buffer *document, const char *name,
			uint64_t timestamp_ns)
{
	unsigned char head[4] = { 0x93, 0xda }, time[10] = { 0xd7, 0 };
	size_t length = strlen(name);

	put(head + 2, sizeof(TAG_PREFIX) - 1 + length, 2);
	put(time + 2, timestamp_ns / SECOND_NS, 4);
	put(time + 6, timestamp_ns % SECOND_NS, 4);
	if (buffer_write(form, head, sizeof(head)) < 0 ||
	    buffer_write(form, TAG_PREFIX, sizeof(TAG_PREFIX) - 1) < 0 ||
	    buffer_write(form, name, length) < 0 || buffer_write(form, time, sizeof(time)) < 0)
		return -ENOMEM;
	return buffer_write(form, document->bytes + FEED_HEAD_BYTES,
			    document->count - FEED_HEAD_BYTES);
}

int frame_make(struct frame **frame, const struct astshm_snapshot *snapshot, const char *name,
	       uint64_t number, bool fluentd)
{
	struct frame *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return -ENOMEM;
	made->users = 1;
	made->number = number;
	result = make_length(&made->forms[FRAMING_LENGTH], snapshot, number);
	if (result == 0 && fluentd)
		result = make_fluentd(&made->forms[FRAMING_FLUENTD], &made->forms[FRAMING_LENGTH],
				      name, astshm_snapshot_timestamp_ns(snapshot));
	if (result < 0)
		frame_release(&made);
	else
		*frame = made;
	return result;
}

struct frame *frame_hold(struct frame *frame)
{
	frame->users++;
	return frame;
}

void frame_release(struct frame **frame)
{
	struct frame *held = *frame;

	*frame = NULL;
	if (!held || --held->users > 0)
		return;
	for (int i = 0; i < FRAMINGS; i++)
		buffer_free(&held->forms[i]);
	free(held);
}
