/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "encode.h"

#define CLEAR_SCREEN "\033[H\033[2J"

static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0;
}

struct style style_choose(const struct options *options)
{
	struct style style = { .format = options->format };

	style.terminal = !options->output && isatty(STDOUT_FILENO);
	if (style.format == FORMAT_DEFAULT)
		style.format = style.terminal ? FORMAT_TABLE : FORMAT_JSON;
	style.color = style.terminal && wants_color();
	style.redraw = style.terminal && options->watch && style.format == FORMAT_TABLE;
	return style;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void warn(void *context, const char *line)
{
	(void)context;
	message("%s", line);
}

static struct astshm_encode_options encode_options(const struct style *style,
						   const struct options *options)
{
	struct astshm_encode_options encode = ASTSHM_ENCODE_OPTIONS_INIT;

	encode.flags = (options->buckets ? ASTSHM_ENCODE_BUCKETS : 0u) |
		       (options->pretty ? ASTSHM_ENCODE_PRETTY : 0u) |
		       (style->color ? ASTSHM_ENCODE_COLOR : 0u);
	encode.width = style->terminal ? terminal_width() : 0;
	encode.warn = warn;
	return encode;
}

typedef int encoder(const struct astshm_snapshot *, const struct astshm_sink *,
		    const struct astshm_encode_options *);

static encoder *find_encoder(enum format format)
{
	switch (format) {
	case FORMAT_MSGPACK:
		return astshm_encode_msgpack;
	case FORMAT_PROMETHEUS:
		return astshm_encode_prometheus;
	case FORMAT_SUMMARY:
		return astshm_encode_summary;
	case FORMAT_TABLE:
		return astshm_encode_table;
	default:
		return astshm_encode_json;
	}
}

static const char *separator(const struct style *style, bool first)
{
	if (style->redraw)
		return CLEAR_SCREEN;
	if (!first && (style->format == FORMAT_TABLE || style->format == FORMAT_PROMETHEUS))
		return "\n";
	return "";
}

static int end_line(const struct style *style, struct buffer *buffer)
{
	if (style->format == FORMAT_MSGPACK || buffer->count == 0 ||
	    buffer->bytes[buffer->count - 1] == '\n')
		return 0;
	return buffer_write(buffer, "\n", 1);
}

int encode_document(const struct style *style, const struct options *options, bool first,
		    const struct astshm_snapshot *snapshot, struct buffer *buffer)
{
	struct astshm_encode_options encode = encode_options(style, options);
	struct astshm_sink sink = { .write = buffer_write, .context = buffer };
	const char *before = separator(style, first);
	int result = buffer_write(buffer, before, strlen(before));

	if (result == 0)
		result = find_encoder(style->format)(snapshot, &sink, &encode);
	return result < 0 ? result : end_line(style, buffer);
}
