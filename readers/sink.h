/* SPDX-License-Identifier: MIT */
/*
 * What encoders write into: a buffer in front of the caller's sink. The first
 * error sticks; what follows is dropped, so that encoders need not check each
 * write, only sink_finish().
 */
#ifndef READERS_SINK_H
#define READERS_SINK_H

#include <string.h>

#include <astshm/reader.h>

#define SINK_BUFFER_BYTES 16384

struct sink {
	const struct astshm_sink *out;
	int error; /* 0, or what out->write returned first */
	size_t used;
	char buffer[SINK_BUFFER_BYTES];
};

static inline void sink_init(struct sink *sink, const struct astshm_sink *out)
{
	sink->out = out;
	sink->error = 0;
	sink->used = 0;
}

/* Hands on what is buffered. */
void sink_flush(struct sink *sink);
/* The same, at the end; returns 0 or the first error. */
int sink_finish(struct sink *sink);
/* Any number of bytes. */
void sink_put_long(struct sink *sink, const void *bytes, size_t count);

/* A place for `count` <= SINK_BUFFER_BYTES bytes; sink_end() tells how many were written. */
static inline char *sink_room(struct sink *sink, size_t count)
{
	if (SINK_BUFFER_BYTES - sink->used < count)
		sink_flush(sink);
	return sink->buffer + sink->used;
}

static inline void sink_end(struct sink *sink, const char *end)
{
	sink->used = (size_t)(end - sink->buffer);
}

static inline void sink_put(struct sink *sink, const void *bytes, size_t count)
{
	if (SINK_BUFFER_BYTES - sink->used < count) {
		sink_put_long(sink, bytes, count);
		return;
	}
	memcpy(sink->buffer + sink->used, bytes, count);
	sink->used += count;
}

static inline void sink_put_char(struct sink *sink, char c)
{
	char *p = sink_room(sink, 1);
	*p = c;
	sink->used++;
}

static inline void sink_put_text(struct sink *sink, const char *text)
{
	sink_put(sink, text, strlen(text));
}

/* `count` times the same byte. */
void sink_fill(struct sink *sink, char c, size_t count);

#endif
