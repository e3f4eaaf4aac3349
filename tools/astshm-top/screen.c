/* SPDX-License-Identifier: MIT */
#include <curses.h>
#include <stdio.h>

#include "app.h"
#include "screen.h"
#include "signals.h"
#include "terminal.h"

#define ESCAPE_MS 25 /* that a terminal may take to send the rest of a key's code */

static SCREEN *screen;
static attr_t attributes[STYLE_COUNT];

/* --- styles ------------------------------------------------------------------------------ */

static void set_plain_attributes(void)
{
	attributes[STYLE_DIM] = A_DIM;
	attributes[STYLE_BOLD] = attributes[STYLE_TITLE] = A_BOLD;
	attributes[STYLE_WARN] = attributes[STYLE_BAD] = A_BOLD;
	attributes[STYLE_REVERSE] = attributes[STYLE_SELECTED] = A_REVERSE;
}

static void set_colors(void)
{
	static const struct {
		enum style style;
		short color;
	} colors[] = {
		{ STYLE_TITLE, COLOR_CYAN }, { STYLE_BAR, COLOR_CYAN },
		{ STYLE_GOOD, COLOR_GREEN }, { STYLE_WARN, COLOR_YELLOW },
		{ STYLE_BAD, COLOR_RED },
	};

	if (start_color() != OK)
		return;
	use_default_colors();
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		short pair = (short)(i + 1);

		init_pair(pair, colors[i].color, -1);
		attributes[colors[i].style] |= (attr_t)COLOR_PAIR(pair);
	}
}

/* --- open and close ------------------------------------------------------------------------ */

bool screen_open(bool color)
{
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	signals_before_abrupt_end(terminal_rescue);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	set_plain_attributes();
	if (color && has_colors())
		set_colors();
	return true;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	signals_before_abrupt_end(NULL);
	delscreen(screen);
	screen = NULL;
}

/* --- showing -------------------------------------------------------------------------------- */

void screen_size(unsigned *width, unsigned *height)
{
	*width = (unsigned)getmaxx(stdscr);
	*height = (unsigned)getmaxy(stdscr);
}

static void show_line(const struct page *page, const struct page_line *line, int row, int width)
{
	for (size_t i = 0; i < line->piece_count; i++) {
		const struct piece *piece = &page->pieces[line->first_piece + i];
		/* ncurses would go on in the next row. */
		size_t count = page_cut(page, piece, (unsigned)width);

		if (count == 0)
			break;
		attrset((int)attributes[piece->style]);
		mvaddnstr(row, (int)piece->column, page->bytes + piece->start, (int)count);
	}
	attrset(A_NORMAL);
}

void screen_show(const struct page *page)
{
	int width = getmaxx(stdscr), height = getmaxy(stdscr);

	erase();
	for (int row = 0; row < height && (size_t)row < page->line_count; row++)
		show_line(page, &page->lines[row], row, width);
	refresh();
}

void screen_redraw(void)
{
	clearok(stdscr, TRUE);
}

/* --- keys ------------------------------------------------------------------------------------- */

static uint32_t key_code(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return KEY_CODE_UP;
	case KEY_DOWN:
		return KEY_CODE_DOWN;
	case KEY_LEFT:
		return KEY_CODE_LEFT;
	case KEY_RIGHT:
		return KEY_CODE_RIGHT;
	case KEY_PPAGE:
		return KEY_CODE_PAGE_UP;
	case KEY_NPAGE:
		return KEY_CODE_PAGE_DOWN;
	case KEY_HOME:
		return KEY_CODE_HOME;
	case KEY_END:
		return KEY_CODE_END;
	case KEY_ENTER:
		return KEY_CODE_ENTER;
	case KEY_BACKSPACE:
	case KEY_DC:
		return KEY_CODE_BACKSPACE;
	default: /* KEY_RESIZE among them: whatever comes, the page is made anew */
		return KEY_CODE_NONE;
	}
}

static uint32_t character_code(wint_t character)
{
	switch (character) {
	case '\r':
	case '\n':
		return KEY_CODE_ENTER;
	case 0x1b:
		return KEY_CODE_ESCAPE;
	case '\b':
	case 0x7f:
		return KEY_CODE_BACKSPACE;
	default:
		return (uint32_t)character;
	}
}

bool screen_key(uint32_t *key)
{
	wint_t read;
	int result = get_wch(&read);

	if (result == ERR)
		return false;
	*key = result == KEY_CODE_YES ? key_code(read) : character_code(read);
	return true;
}
