/* SPDX-License-Identifier: MIT */
/* What is known of the terminal before and without ncurses' screen. */
#ifndef TOP_TERMINAL_H
#define TOP_TERMINAL_H

enum terminal {
	TERMINAL_FULL,
	TERMINAL_PLAIN,   /* cannot place text: lines alone */
	TERMINAL_UNKNOWN, /* no such TERM */
};

/* What kind of terminal stdout is, by TERM. */
enum terminal terminal_ask(void);

/*
 * Leaves the terminal as terminal_ask() found it: in a signal handler, where the
 * program ends at once. Async-signal-safe.
 */
void terminal_rescue(void);

#endif
