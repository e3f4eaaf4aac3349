/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Copies one word to *to and goes behind it. False: a quote is not closed. */
static bool take_word(const char **from, char **to)
{
	char quote = '\0';
	const char *at = *from;

	for (; *at != '\0' && (quote || !is_blank(*at)); at++) {
		if (quote && *at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else {
			if (*at == '\\' && quote != '\'' && at[1] != '\0')
				at++;
			*(*to)++ = *at;
		}
	}
	*(*to)++ = '\0';
	*from = at;
	return quote == '\0';
}

static const char *fill(const char *from, char **words, char *to)
{
	size_t count = 0;

	for (;;) {
		while (is_blank(*from))
			from++;
		if (*from == '\0')
			return count > 0 ? NULL : "is empty";
		if (count == WORDS_MAX)
			return "has more than 64 words";
		words[count++] = to;
		if (!take_word(&from, &to))
			return "has a quote that is never closed";
	}
}

char **words_split(const char *text, const char **why)
{
	/* No word is longer than what it was made of, NUL for blank. */
	char **words = calloc(1, (WORDS_MAX + 1) * sizeof(*words) + strlen(text) + 1);

	*why = words ? fill(text, words, (char *)(words + WORDS_MAX + 1)) : "finds no memory";
	if (!*why)
		return words;
	free(words);
	return NULL;
}
