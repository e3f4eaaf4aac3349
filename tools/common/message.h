/* SPDX-License-Identifier: MIT */
/*
 * What the tools say on stderr, and the exit statuses they share.
 */
#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>

enum exit_status {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_NO_SEGMENT = 3,
	EXIT_NO_PERMISSION = 4,
	EXIT_VERSION = 5,
	EXIT_CORRUPT = 6,
	EXIT_NOT_LIVE = 7,
	EXIT_NO_MATCH = 8,
	EXIT_NO_HISTORY = 9,
};

/* The name that starts every line of message(); a constant string. */
void message_program(const char *name);

/*
 * One line on stderr, "PROGRAM: text". Control characters are shown as \xNN:
 * names come from other people's segments and command lines.
 */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit status for a negative errno value of the reader library. */
enum exit_status message_status(int error);

/* Writes text with control characters as \xNN. */
void print_safe(FILE *stream, const char *text);

/* The columns of a terminal that print_safe() fills. */
size_t safe_columns(const char *text);

/* The columns of a line of a document, without its colours. */
size_t line_columns(const char *line, size_t length);

/* Ends stdout: EXIT_OK, also if its reader went away, else says what failed. */
enum exit_status finish_stdout(void);

#endif
