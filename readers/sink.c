/* SPDX-License-Identifier: MIT */
#include "sink.h"

static void hand_on(struct sink *sink, const void *bytes, size_t count)
{
	if (!sink->error && count)
		sink->error = sink->out->write(sink->out->context, bytes, count);
}

void sink_flush(struct sink *sink)
{
	hand_on(sink, sink->buffer, sink->used);
	sink->used = 0;
}

int sink_finish(struct sink *sink)
{
	sink_flush(sink);
	return sink->error;
}

void sink_put_long(struct sink *sink, const void *bytes, size_t count)
{
	sink_flush(sink);
	if (count > SINK_BUFFER_BYTES) {
		hand_on(sink, bytes, count);
		return;
	}
	memcpy(sink->buffer, bytes, count);
	sink->used = count;
}

void sink_fill(struct sink *sink, char c, size_t count)
{
	while (count) {
		size_t piece = count < 256 ? count : 256;
		char *p = sink_room(sink, piece);
		memset(p, c, piece);
		sink_end(sink, p + piece);
		count -= piece;
	}
}
