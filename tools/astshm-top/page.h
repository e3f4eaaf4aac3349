/* SPDX-License-Identifier: MIT */
/*
 * Lines of styled text, before anybody knows what kind of terminal will show
 * them: built left to right, line by line. Text of strangers is made harmless
 * here and nowhere else: what is in a page may go to a terminal as it is.
 */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_TITLE,    /* of a section */
	STYLE_BAR,      /* of a histogram or trend */
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_REVERSE,  /* heads and the status line */
	STYLE_SELECTED,
	STYLE_COUNT,
};

struct piece {
	enum style style;
	size_t start, count; /* in bytes */
	unsigned column;
};

struct page_line {
	size_t first_piece, piece_count;
	unsigned columns;
};

struct page {
	bool utf8;   /* else ASCII alone */
	bool failed; /* out of memory: what came later is missing */
	char *bytes;
	size_t byte_count, byte_room;
	struct piece *pieces;
	size_t piece_count, piece_room;
	struct page_line *lines;
	size_t line_count, line_room;
};

void page_init(struct page *page, bool utf8);
/* Without lines again; keeps its memory. */
void page_clear(struct page *page);
void page_fini(struct page *page);

/* Ends the line before and begins one. */
void page_begin(struct page *page);

/*
 * Behind what the line has. Control characters, characters that change the
 * direction of text, and what is no UTF-8 or not printable here become U+FFFD, in
 * ASCII a question mark for each.
 */
void page_put(struct page *page, enum style style, const char *text);
void page_print(struct page *page, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In exactly `width` columns: cut with an ellipsis, or filled up with spaces. */
void page_fit(struct page *page, enum style style, const char *text, unsigned width);
/* Cut in the middle: what ends a series' key is the value of a tag, which tells it. */
void page_fit_ends(struct page *page, enum style style, const char *text, unsigned width);
/* As page_fit(), at the right end of the columns. */
void page_right(struct page *page, enum style style, const char *text, unsigned width);

/* Spaces up to that column. */
void page_to(struct page *page, enum style style, unsigned column);

/* `text` in lines of at most `width` columns, all of them behind `indent` spaces. */
void page_wrap(struct page *page, enum style style, const char *text, unsigned indent,
	       unsigned width);

/* Appends lines [first, end) of another page. */
void page_copy(struct page *page, const struct page *from, size_t first, size_t end);

/* The columns that page_put() would fill. */
unsigned page_columns(const struct page *page, const char *text);

/* Bytes of a piece that lie in front of column `width`. */
size_t page_cut(const struct page *page, const struct piece *piece, unsigned width);

/* A bar of `fraction` (0 to 1) of `width` columns, without filling up. */
void page_bar(struct page *page, enum style style, double fraction, unsigned width);
/* One column: how high `fraction` is; NaN: a space. */
void page_spark(struct page *page, enum style style, double fraction);

#endif
