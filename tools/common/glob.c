/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "glob.h"

/* Behind one character; a byte that is no lead byte counts as one. */
static const char *next_character(const char *text)
{
	text++;
	while (((unsigned char)*text & 0xc0) == 0x80)
		text++;
	return text;
}

/* One literal byte, or '?' with one character. False: they differ. */
static bool match_one(const char **glob, const char **text)
{
	if (**glob == '?') {
		++*glob;
		*text = next_character(*text);
		return true;
	}
	if (**glob == '\\' && (*glob)[1] != '\0')
		++*glob;
	if (**glob != **text)
		return false;
	++*glob;
	++*text;
	return true;
}

/* Only the last star can have to take more: what earlier ones took is the least
 * there is, and leaves the most to come. */
bool glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *taken = NULL;

	while (*text != '\0') {
		if (*glob == '*') {
			star = ++glob;
			taken = text;
		} else if (!match_one(&glob, &text)) {
			if (!star)
				return false;
			glob = star;
			taken = next_character(taken);
			text = taken;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

bool glob_is_pattern(const char *glob)
{
	for (; *glob != '\0'; glob++) {
		if (*glob == '*' || *glob == '?')
			return true;
		if (*glob == '\\' && glob[1] != '\0')
			glob++;
	}
	return false;
}
