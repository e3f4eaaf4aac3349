/* SPDX-License-Identifier: MIT */
/* <term.h> defines names such as `lines`, so it is included here alone. */
#include <curses.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* What terminal_rescue() needs, which may call nothing of ncurses. */
static struct termios found;
static char leaving[128];

static void keep_sequence(const char *name)
{
	const char *sequence = tigetstr(name);

	if (sequence && sequence != (const char *)-1 &&
	    strlen(leaving) + strlen(sequence) < sizeof(leaving))
		strcat(leaving, sequence);
}

static void prepare_rescue(void)
{
	tcgetattr(STDIN_FILENO, &found);
	leaving[0] = '\0';
	keep_sequence("sgr0");
	keep_sequence("cnorm");
	keep_sequence("rmkx");
	keep_sequence("rmcup");
}

enum terminal terminal_ask(void)
{
	enum terminal answer;
	int error = 0;

	if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return TERMINAL_UNKNOWN;
	/* What ncurses needs at the least; "dumb" has neither. */
	answer = tigetstr("cup") && tigetstr("clear") ? TERMINAL_FULL : TERMINAL_PLAIN;
	prepare_rescue();
	del_curterm(cur_term); /* newterm() makes one of its own */
	return answer;
}

void terminal_rescue(void)
{
	ssize_t written = write(STDOUT_FILENO, leaving, strlen(leaving));

	(void)written;
	tcsetattr(STDIN_FILENO, TCSANOW, &found);
}
