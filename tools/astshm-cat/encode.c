/* SPDX-License-Identifier: MIT */
#include <stdio.h>
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

/* Zeroes where it does not tell. */
static struct winsize terminal_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size = (struct winsize){ 0 };
	return size;
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
	encode.width = style->terminal ? terminal_size().ws_col : 0;
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

/* The rows of the terminal that a line takes, its newline included. */
static size_t line_rows(const char *line, size_t length, size_t width)
{
	size_t columns = line_columns(line, length);

	return width == 0 || columns <= width ? 1 : (columns + width - 1) / width;
}

static size_t count_lines(const char *at, const char *end)
{
	size_t lines = 0;

	for (; at < end; at++)
		lines += *at == '\n';
	return lines;
}

/* Where the lines from `at` on no longer fit into so many rows; colours begin
 * and end within a line. */
static const char *find_cut(const char *at, const char *end, size_t rows, size_t width)
{
	const char *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		size_t taken = line_rows(at, (size_t)(newline - at), width);

		if (taken > rows)
			break;
		rows -= taken;
		at = newline + 1;
	}
	return at;
}

/*
 * Of a document that is taller than the window only the end would be seen. The
 * last row stays free for the cursor, the one before says what was cut.
 */
static int cut_to_window(struct buffer *buffer, size_t start)
{
	struct winsize size = terminal_size();
	const char *end = buffer->bytes + buffer->count, *cut;
	char note[96];

	if (size.ws_row < 3 ||
	    find_cut(buffer->bytes + start, end, size.ws_row - 1u, size.ws_col) == end)
		return 0;
	cut = find_cut(buffer->bytes + start, end, size.ws_row - 2u, size.ws_col);
	snprintf(note, sizeof(note), "\xe2\x80\xa6 %zu more lines; narrow with -m or --top\n",
		 count_lines(cut, end));
	buffer->count = (size_t)(cut - buffer->bytes);
	return buffer_write(buffer, note, strlen(note));
}

int encode_document(const struct style *style, const struct options *options, bool first,
		    const struct astshm_snapshot *snapshot, struct buffer *buffer)
{
	struct astshm_encode_options encode = encode_options(style, options);
	struct astshm_sink sink = { .write = buffer_write, .context = buffer };
	const char *before = separator(style, first);
	int result = buffer_write(buffer, before, strlen(before));
	size_t start = buffer->count;

	if (result == 0)
		result = find_encoder(style->format)(snapshot, &sink, &encode);
	if (result == 0)
		result = end_line(style, buffer);
	return result == 0 && style->redraw ? cut_to_window(buffer, start) : result;
}
