/* SPDX-License-Identifier: MIT */
/* The terminal, by ncurses. Nothing else here includes <curses.h>. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "page.h"

/* False: the terminal did not let itself be set up. */
bool screen_open(bool color);

/* Leaves the terminal as it was found; allowed at any time, any number of times. */
void screen_close(void);

void screen_size(unsigned *width, unsigned *height);
void screen_show(const struct page *page);
/* As if nothing of it were on the terminal. */
void screen_redraw(void);

/* The next key of those pressed. False: none is waiting. */
bool screen_key(uint32_t *key);

#endif
