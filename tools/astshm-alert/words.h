/* SPDX-License-Identifier: MIT */
#ifndef ALERT_WORDS_H
#define ALERT_WORDS_H

#define WORDS_MAX 64

/*
 * A command line's words, without a shell: blanks part them; '...' and "..." hold
 * blanks; a backslash takes the meaning of what follows, but for '...'. Nothing
 * else has a meaning. NULL with *why, a constant text: a quote is not closed, there
 * is no word, or too many. One allocation, for free().
 */
char **words_split(const char *text, const char **why);

#endif
