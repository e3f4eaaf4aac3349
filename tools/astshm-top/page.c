/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "page.h"
#include "text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"

void page_init(struct page *page, bool utf8)
{
	*page = (struct page){ .utf8 = utf8 };
}

void page_clear(struct page *page)
{
	page->failed = false;
	page->byte_count = page->piece_count = page->line_count = 0;
}

void page_fini(struct page *page)
{
	free(page->bytes);
	free(page->pieces);
	free(page->lines);
	page_init(page, page->utf8);
}

/* --- memory --------------------------------------------------------------- */

static bool grow(struct page *page, void **items, size_t *room, size_t wanted, size_t size)
{
	size_t next = *room ? 2 * *room : 64;
	void *grown;

	if (wanted <= *room)
		return true;
	while (next < wanted)
		next *= 2;
	grown = reallocarray(*items, next, size);
	if (!grown) {
		page->failed = true;
		return false;
	}
	*items = grown;
	*room = next;
	return true;
}

void page_begin(struct page *page)
{
	if (page->failed || !grow(page, (void **)&page->lines, &page->line_room,
				  page->line_count + 1, sizeof(*page->lines)))
		return;
	page->lines[page->line_count++] =
		(struct page_line){ .first_piece = page->piece_count };
}

static struct page_line *last_line(struct page *page)
{
	return &page->lines[page->line_count - 1];
}

/* One that ends where the text goes on, or a new one. */
static struct piece *open_piece(struct page *page, enum style style)
{
	struct page_line *line = last_line(page);
	struct piece *piece;

	if (line->piece_count > 0) {
		piece = &page->pieces[page->piece_count - 1];
		if (piece->style == style)
			return piece;
	}
	if (!grow(page, (void **)&page->pieces, &page->piece_room, page->piece_count + 1,
		  sizeof(*page->pieces)))
		return NULL;
	piece = &page->pieces[page->piece_count++];
	*piece = (struct piece){ style, page->byte_count, 0, line->columns };
	line->piece_count++;
	return piece;
}

static void append(struct page *page, enum style style, const char *bytes, size_t count,
		   unsigned columns)
{
	struct piece *piece;

	if (page->failed || page->line_count == 0 || count == 0 ||
	    !grow(page, (void **)&page->bytes, &page->byte_room, page->byte_count + count, 1))
		return;
	piece = open_piece(page, style);
	if (!piece)
		return;
	memcpy(page->bytes + page->byte_count, bytes, count);
	page->byte_count += count;
	piece->count += count;
	last_line(page)->columns += columns;
}

/* --- characters ------------------------------------------------------------ */

/* Right-to-left overrides and marks make a line say something else. */
static bool turns_text(uint32_t code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static uint32_t decode(const char *at, size_t length)
{
	static const unsigned char lead_mask[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)at[0] & lead_mask[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return code;
}

struct character {
	const char *bytes; /* to show */
	size_t count;
	size_t step; /* of the text */
	unsigned columns;
};

/* The terminal and ncurses count as wcwidth() does, so it is what counts here. */
static struct character next_character(const struct page *page, const char *at, size_t left)
{
	size_t length = text_sequence(at, left);
	struct character shown = { at, length, length ? length : 1, 1 };
	uint32_t code = length ? decode(at, length) : 0;
	int width = 1;

	if (code >= 0x20 && code < 0x7f)
		return shown;
	if (page->utf8 && code >= 0xa0 && !turns_text(code))
		width = wcwidth((wchar_t)code);
	else
		width = -1;
	if (width < 0) {
		shown.bytes = page->utf8 ? REPLACEMENT : "?";
		shown.count = strlen(shown.bytes);
		width = 1;
	}
	shown.columns = (unsigned)width;
	return shown;
}

/* Bytes of the longest beginning that fills at most `width` columns. */
static size_t fitting(const struct page *page, const char *text, size_t count, unsigned width,
		      unsigned *columns)
{
	size_t at = 0;

	*columns = 0;
	while (at < count) {
		struct character next = next_character(page, text + at, count - at);

		if (*columns + next.columns > width)
			break;
		*columns += next.columns;
		at += next.step;
	}
	return at;
}

unsigned page_columns(const struct page *page, const char *text)
{
	unsigned columns;

	fitting(page, text, strlen(text), UINT32_MAX, &columns);
	return columns;
}

size_t page_cut(const struct page *page, const struct piece *piece, unsigned width)
{
	unsigned columns;

	if (piece->column >= width)
		return 0;
	return fitting(page, page->bytes + piece->start, piece->count, width - piece->column,
		       &columns);
}

static void put_count(struct page *page, enum style style, const char *text, size_t count)
{
	for (size_t at = 0; at < count;) {
		struct character next = next_character(page, text + at, count - at);

		append(page, style, next.bytes, next.count, next.columns);
		at += next.step;
	}
}

void page_put(struct page *page, enum style style, const char *text)
{
	put_count(page, style, text, strlen(text));
}

void page_print(struct page *page, enum style style, const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	page_put(page, style, text);
}

static void put_spaces(struct page *page, enum style style, unsigned count)
{
	static const char spaces[] = "                                ";

	while (count > 0) {
		unsigned some = count < sizeof(spaces) - 1 ? count : (unsigned)sizeof(spaces) - 1;

		append(page, style, spaces, some, some);
		count -= some;
	}
}

/* The end of a text that fills `columns`, in `room` of them or fewer. */
static const char *last_part(const struct page *page, const char *text, unsigned columns,
			     unsigned room, unsigned *filled)
{
	const char *end = text + strlen(text);

	while (text < end) {
		struct character next = next_character(page, text, (size_t)(end - text));

		/* What combines with the character before would sit on the ellipsis. */
		if (columns <= room && next.columns > 0)
			break;
		columns -= next.columns;
		text += next.step;
	}
	*filled = columns;
	return text;
}

/* Without what would lie in front of the last `tail` columns. */
static void put_cut(struct page *page, enum style style, const char *text, unsigned width,
		    unsigned tail)
{
	const char *mark = page->utf8 ? ELLIPSIS : "~", *end;
	unsigned columns, end_columns;
	size_t bytes;

	if (width == 0)
		return;
	bytes = fitting(page, text, strlen(text), width - 1 - tail, &columns);
	end = last_part(page, text, page_columns(page, text), tail, &end_columns);
	put_count(page, style, text, bytes);
	append(page, style, mark, strlen(mark), 1);
	page_put(page, style, end);
	put_spaces(page, style, width - 1 - columns - end_columns);
}

static void fit(struct page *page, enum style style, const char *text, unsigned width,
		unsigned tail)
{
	unsigned columns = page_columns(page, text);

	if (columns > width) {
		put_cut(page, style, text, width, tail);
		return;
	}
	page_put(page, style, text);
	put_spaces(page, style, width - columns);
}

void page_fit(struct page *page, enum style style, const char *text, unsigned width)
{
	fit(page, style, text, width, 0);
}

/* More of the end: names that begin alike are more than those that end so. */
void page_fit_ends(struct page *page, enum style style, const char *text, unsigned width)
{
	fit(page, style, text, width, width * 3 / 5);
}

void page_right(struct page *page, enum style style, const char *text, unsigned width)
{
	unsigned columns = page_columns(page, text);

	if (columns > width) {
		put_cut(page, style, text, width, 0);
		return;
	}
	put_spaces(page, style, width - columns);
	page_put(page, style, text);
}

void page_to(struct page *page, enum style style, unsigned column)
{
	if (page->line_count > 0 && last_line(page)->columns < column)
		put_spaces(page, style, column - last_line(page)->columns);
}

void page_wrap(struct page *page, enum style style, const char *text, unsigned indent,
	       unsigned width)
{
	unsigned room = width > indent + 8 ? width - indent : 8, columns;
	size_t count = strlen(text);

	while (count > 0) {
		size_t bytes = fitting(page, text, count, room, &columns), space = bytes;

		while (bytes < count && space > 0 && text[space] != ' ')
			space--;
		if (bytes < count && space > 0)
			bytes = space;
		if (bytes == 0) /* wider than the room: it stands out */
			bytes = next_character(page, text, count).step;
		page_begin(page);
		put_spaces(page, style, indent);
		put_count(page, style, text, bytes);
		text += bytes;
		count -= bytes;
		for (; count > 0 && *text == ' '; count--)
			text++;
	}
}

void page_copy(struct page *page, const struct page *from, size_t first, size_t end)
{
	end = end < from->line_count ? end : from->line_count;
	for (size_t i = first; i < end; i++) {
		const struct page_line *line = &from->lines[i];

		page_begin(page);
		for (size_t j = 0; j < line->piece_count; j++) {
			const struct piece *piece = &from->pieces[line->first_piece + j];
			unsigned next = j + 1 < line->piece_count ? piece[1].column : line->columns;

			append(page, piece->style, from->bytes + piece->start, piece->count,
			       next - piece->column);
		}
	}
}

/* --- bars ------------------------------------------------------------------- */

static double within(double fraction)
{
	return fraction > 1 ? 1 : fraction > 0 ? fraction : 0;
}

void page_bar(struct page *page, enum style style, double fraction, unsigned width)
{
	static const char *const eighths[] = {
		"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d", "\xe2\x96\x8c",
		"\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89", "\xe2\x96\x88",
	};
	unsigned steps = page->utf8 ? 8 : 1;
	unsigned filled = (unsigned)ceil(within(fraction) * width * steps);

	for (unsigned i = 0; i < filled / steps; i++)
		append(page, style, page->utf8 ? eighths[8] : "#", page->utf8 ? 3 : 1, 1);
	if (filled % steps)
		append(page, style, eighths[filled % steps], 3, 1);
}

void page_spark(struct page *page, enum style style, double fraction)
{
	static const char *const heights[] = {
		"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
		"\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88",
	};
	static const char plain[] = "_.-:=+*#";
	unsigned height;

	if (isnan(fraction)) {
		append(page, style, " ", 1, 1);
		return;
	}
	height = (unsigned)(within(fraction) * 7 + 0.5);
	if (page->utf8)
		append(page, style, heights[height], 3, 1);
	else
		append(page, style, &plain[height], 1, 1);
}
