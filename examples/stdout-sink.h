/* SPDX-License-Identifier: MIT */
/* For the examples: a sink that writes a document to stdout. */
#ifndef STDOUT_SINK_H
#define STDOUT_SINK_H

#include <errno.h>
#include <stdio.h>

#include <astshm/reader.h>

static inline int stdout_write(void *context, const void *bytes, size_t count)
{
	(void)context;
	return fwrite(bytes, 1, count, stdout) == count ? 0 : -EIO;
}

static const struct astshm_sink stdout_sink = { stdout_write, NULL };

#endif
