/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "secret.h"

#define CREDENTIALS_MAX 1024

/* The next line that is not empty, without its end; false: there is none left. */
static bool next_line(const char **at, const char **line, size_t *length)
{
	do {
		*line = *at;
		*length = strcspn(*at, "\r\n");
		*at += *length;
		*at += strspn(*at, "\r\n");
	} while (*length == 0 && **at);
	return *length > 0;
}

static int load_lines(const char *path, char **lines, struct astshm_error *error)
{
	const char *at, *line;
	size_t length;
	int result = secret_load(path, true, lines, error);

	if (result < 0)
		return result;
	at = *lines;
	if (next_line(&at, &line, &length))
		return 0;
	secret_free(lines);
	snprintf(error->text, sizeof(error->text), "%.150s: holds nothing that could be asked for",
		 path);
	return -EINVAL;
}

/* Without a colon nobody could log in, and without a password everybody who knows the name. */
static bool is_user(const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);

	return colon && colon > line && colon < line + length - 1 && length <= CREDENTIALS_MAX;
}

/* Says where the slip is, but nothing of what stands there. */
static int check_users(const char *users, const char *path, struct astshm_error *error)
{
	const char *at = users, *line;
	size_t length;
	unsigned number = 1;

	while (next_line(&at, &line, &length)) {
		if (is_user(line, length))
			continue;
		for (const char *p = users; p < line; p++)
			number += *p == '\n';
		snprintf(error->text, sizeof(error->text),
			 "%.150s:%u: is no NAME:PASSWORD of at most %d bytes", path, number,
			 CREDENTIALS_MAX);
		return -EINVAL;
	}
	return 0;
}

int access_load(struct access_rules *rules, const char *token_file, const char *user_file,
		struct astshm_error *error)
{
	int result = 0;

	*rules = (struct access_rules){ 0 };
	if (token_file)
		result = load_lines(token_file, &rules->tokens, error);
	if (result == 0 && user_file)
		result = load_lines(user_file, &rules->users, error);
	if (result == 0 && user_file)
		result = check_users(rules->users, user_file, error);
	if (result < 0)
		access_free(rules);
	return result;
}

void access_free(struct access_rules *rules)
{
	secret_free(&rules->tokens);
	secret_free(&rules->users);
}

bool access_is_limited(const struct access_rules *rules)
{
	return rules->tokens || rules->users;
}

/* All lines are compared, also behind the one that fits. */
static bool is_among(const char *lines, const char *text, size_t length)
{
	const char *line;
	size_t line_length;
	bool found = false;

	while (lines && next_line(&lines, &line, &line_length))
		found |= secret_equal(line, line_length, text, length);
	return found;
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* False: not base64, or more than there is room for. */
static bool decode_base64(const char *text, size_t length, char *bytes, size_t *count)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*count = 0;
	while (length > 0 && text[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);

		if (value < 0 || *count == CREDENTIALS_MAX)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[(*count)++] = (char)(bits >> have & 0xff);
		}
	}
	return true;
}

/* A browser asks people for a name and a password alone: a token goes as the latter. */
static bool is_token_of_person(const struct access_rules *rules, const char *text, size_t length)
{
	static const char user[] = "token:";
	size_t before = sizeof(user) - 1;

	return length > before && memcmp(text, user, before) == 0 &&
	       is_among(rules->tokens, text + before, length - before);
}

bool access_granted(const struct access_rules *rules, const char *authorization)
{
	char credentials[CREDENTIALS_MAX];
	size_t count, scheme;
	const char *given;
	bool granted = false;

	if (!access_is_limited(rules))
		return true;
	if (!authorization)
		return false;
	scheme = strcspn(authorization, " ");
	given = authorization + scheme + strspn(authorization + scheme, " ");
	if (scheme == 6 && strncasecmp(authorization, "Bearer", 6) == 0)
		return is_among(rules->tokens, given, strcspn(given, " \t"));
	if (scheme == 5 && strncasecmp(authorization, "Basic", 5) == 0 &&
	    decode_base64(given, strcspn(given, " \t"), credentials, &count))
		granted = is_among(rules->users, credentials, count) ||
			  is_token_of_person(rules, credentials, count);
	explicit_bzero(credentials, sizeof(credentials));
	return granted;
}
