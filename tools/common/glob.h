/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_GLOB_H
#define TOOLS_GLOB_H

#include <stdbool.h>

/*
 * '*' is any text, '?' one character of UTF-8, a backslash takes the meaning of
 * what follows. Time is bounded by the product of both lengths, which that of
 * fnmatch(3) is not: patterns and names are strangers'.
 */
bool glob_matches(const char *glob, const char *text);

/* Has it a '*' or '?' with a meaning? */
bool glob_is_pattern(const char *glob);

#endif
