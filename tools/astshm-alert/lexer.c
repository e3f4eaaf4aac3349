/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lexer.h"
#include "text.h"

void lexer_init(struct lexer *lexer, const char *text, size_t length)
{
	*lexer = (struct lexer){ .text = text, .length = length };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool begins_word(char c)
{
	return is_letter(c) || c == '*' || c == '?';
}

/* '-' joins words: one between blanks is a minus. */
static bool continues_word(char c)
{
	return begins_word(c) || is_digit(c) || c == '.' || c == ':' || c == '-' || c == '~';
}

static char peek(const struct lexer *lexer, size_t ahead)
{
	return ahead < lexer->length - lexer->at ? lexer->text[lexer->at + ahead] : '\0';
}

static struct token take(struct lexer *lexer, enum token_kind kind, size_t length)
{
	struct token token = { kind, lexer->text + lexer->at, length, lexer->at, NULL };

	lexer->at += length;
	return token;
}

static struct token fail(const struct lexer *lexer, size_t offset, const char *why)
{
	return (struct token){ TOKEN_ERROR, lexer->text + offset, 0, offset, why };
}

static struct token take_word(struct lexer *lexer, bool is_first)
{
	struct token token;
	size_t length = 0;

	while (continues_word(peek(lexer, length)))
		length++;
	token = take(lexer, TOKEN_WORD, length);
	if (token.at[length - 1] == ':' && is_first && length > 1) {
		token.kind = TOKEN_LABEL;
		token.length--;
	}
	return token;
}

/* A unit may hold '%' alone; "1/s" is a number, a slash and a word. */
static struct token take_number(struct lexer *lexer)
{
	size_t length = peek(lexer, 0) == '-';

	while (is_digit(peek(lexer, length)) || peek(lexer, length) == '.')
		length++;
	if (peek(lexer, length) == '%')
		length++;
	while (is_letter(peek(lexer, length)) || is_digit(peek(lexer, length)))
		length++;
	return take(lexer, TOKEN_NUMBER, length);
}

/* Up to `end`, which a backslash takes the meaning of. */
static struct token take_enclosed(struct lexer *lexer, enum token_kind kind, char end,
				  const char *why)
{
	size_t length = 1;
	struct token token;

	while (peek(lexer, length) != end) {
		if (peek(lexer, length) == '\\')
			length++;
		if (lexer->at + length >= lexer->length)
			return fail(lexer, lexer->at, why);
		length++;
	}
	token = take(lexer, kind, length + 1);
	token.at++;
	token.length = length - 1;
	return token;
}

static struct token take_comparison(struct lexer *lexer)
{
	bool has_equal = peek(lexer, 1) == '=';
	char c = peek(lexer, 0);

	if ((c == '=' || c == '!') && !has_equal)
		return fail(lexer, lexer->at,
			    c == '=' ? "'=' alone compares nothing: write '=='"
				     : "'!' alone compares nothing: write '!='");
	return take(lexer, TOKEN_COMPARISON, has_equal ? 2 : 1);
}

static struct token take_sign(struct lexer *lexer)
{
	switch (peek(lexer, 0)) {
	case '(':
		return take(lexer, TOKEN_OPEN, 1);
	case ')':
		return take(lexer, TOKEN_CLOSE, 1);
	case '+':
		return take(lexer, TOKEN_PLUS, 1);
	case '-':
		return take(lexer, TOKEN_MINUS, 1);
	case '/':
		return take(lexer, TOKEN_SLASH, 1);
	case '[':
		return take_enclosed(lexer, TOKEN_TAGS, ']', "this '[' is never closed");
	case '"':
		return take_enclosed(lexer, TOKEN_QUOTED, '"', "this quote is never closed");
	case '>':
	case '<':
	case '=':
	case '!':
		return take_comparison(lexer);
	default:
		return fail(lexer, lexer->at, "this character means nothing here; names that hold "
					      "it go into quotes");
	}
}

static struct token next_token(struct lexer *lexer)
{
	bool is_first = !lexer->has_begun;
	char c;

	lexer->has_begun = true;
	while (lexer->at < lexer->length && is_blank(lexer->text[lexer->at]))
		lexer->at++;
	if (lexer->at == lexer->length || lexer->text[lexer->at] == '#') {
		lexer->length = lexer->at;
		return take(lexer, TOKEN_END, 0);
	}
	c = peek(lexer, 0);
	if (c == '\0')
		return fail(lexer, lexer->at, "a NUL byte");
	if (begins_word(c))
		return take_word(lexer, is_first);
	if (is_digit(c) || ((c == '.' || c == '-') && is_digit(peek(lexer, 1))) ||
	    (c == '-' && peek(lexer, 1) == '.' && is_digit(peek(lexer, 2))))
		return take_number(lexer);
	return take_sign(lexer);
}

/* Names of metrics are UTF-8, and so is what is printed. Comments may be anything. */
struct token lexer_next(struct lexer *lexer)
{
	struct token token = next_token(lexer);
	size_t at = 0, step;

	while (token.kind != TOKEN_ERROR && at < token.length) {
		step = text_sequence(token.at + at, token.length - at);
		if (step == 0)
			return fail(lexer, (size_t)(token.at - lexer->text) + at,
				    "this byte is not UTF-8");
		at += step;
	}
	return token;
}

bool token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && strlen(word) == token->length &&
	       memcmp(token->at, word, token->length) == 0;
}
