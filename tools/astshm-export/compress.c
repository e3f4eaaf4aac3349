/* SPDX-License-Identifier: MIT */
#include "compress.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* 16: a gzip header, not zlib's */

static int deflate_all(z_stream *stream, struct buffer *buffer, struct buffer *packed)
{
	uLong bound = deflateBound(stream, (uLong)buffer->count);

	packed->bytes = bound <= UINT_MAX ? malloc(bound) : NULL;
	if (!packed->bytes)
		return -ENOMEM;
	packed->capacity = bound;
	stream->next_in = (Bytef *)buffer->bytes;
	stream->avail_in = (uInt)buffer->count;
	stream->next_out = (Bytef *)packed->bytes;
	stream->avail_out = (uInt)bound;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM;
	packed->count = stream->total_out;
	return 0;
}

int compress_gzip(struct buffer *buffer)
{
	z_stream stream = { 0 };
	struct buffer packed = { 0 };
	int result;

	if (buffer->count > UINT_MAX ||
	    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	result = deflate_all(&stream, buffer, &packed);
	deflateEnd(&stream);
	buffer_free(result == 0 ? buffer : &packed);
	if (result == 0)
		*buffer = packed;
	return result;
}
