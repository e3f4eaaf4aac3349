/* SPDX-License-Identifier: MIT */
/*
 * The words of one rule.
 */
#ifndef ALERT_LEXER_H
#define ALERT_LEXER_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* a name, keyword, field or unit */
	TOKEN_QUOTED, /* a name, never a keyword */
	TOKEN_NUMBER, /* digits and what unit follows at once: 100ms, 1%, -3 */
	TOKEN_COMPARISON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_TAGS,   /* [k=v,...], without the brackets */
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_SLASH,
	TOKEN_LABEL,  /* a word and a colon, at the very beginning */
	TOKEN_ERROR,
};

struct token {
	enum token_kind kind;
	const char *at;  /* in the rule's text */
	size_t length;   /* without quotes, brackets or colon */
	size_t offset;   /* of its first byte, quotes and all */
	const char *why; /* TOKEN_ERROR: what is wrong there */
};

struct lexer {
	const char *text;
	size_t length; /* up to a comment */
	size_t at;
	bool has_begun;
};

void lexer_init(struct lexer *lexer, const char *text, size_t length);
struct token lexer_next(struct lexer *lexer);

/* The word itself, compared with a NUL-terminated one. */
bool token_is(const struct token *token, const char *word);

#endif
