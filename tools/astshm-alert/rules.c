/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "parser.h"
#include "rules.h"
#include "text.h"

/* --- what is wrong, and where --------------------------------------------- */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* In characters, from 1. */
static size_t column_of(const char *text, size_t offset)
{
	size_t column = 1;

	for (size_t i = 0; i < offset; i++)
		column += !is_continuation(text[i]);
	return column;
}

/* Control characters, those of two bytes too: a terminal obeys both. */
static bool is_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];

	return length == 1 ? first < 0x20 || first == 0x7f
			   : first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* One column for each character, so that the caret stands where it should. */
static void echo_line(const char *text, size_t length, size_t column)
{
	fputs("    ", stderr);
	for (size_t at = 0, count; at < length; at += count ? count : 1) {
		count = text_sequence(text + at, length - at);
		if (count == 0)
			putc('?', stderr);
		else if (is_control(text + at, count))
			putc(' ', stderr);
		else
			(void)fwrite(text + at, 1, count, stderr);
	}
	fprintf(stderr, "\n    %*s^\n", (int)(column - 1), "");
}

static int fail(const char *source, unsigned line, const char *text, size_t length,
		const struct astshm_error *error)
{
	size_t offset = error->position < length ? (size_t)error->position : length;
	size_t column = column_of(text, offset);

	if (line > 0)
		message("%s:%u:%zu: %s", source, line, column, error->text);
	else
		message("%s: column %zu: %s", source, column, error->text);
	echo_line(text, length < RULE_BYTES_MAX ? length : RULE_BYTES_MAX, column);
	return error->code;
}

static int refuse(struct astshm_error *error, const char *text)
{
	*error = (struct astshm_error){ .code = -EINVAL };
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EINVAL;
}

/* --- adding --------------------------------------------------------------- */

static bool find_window(const struct rules *rules, int64_t window_ns, size_t *place)
{
	for (*place = 0; *place < rules->window_count; ++*place) {
		if (rules->windows[*place] == window_ns)
			return true;
	}
	return false;
}

static int add_window(struct rules *rules, int64_t window_ns, struct astshm_error *error)
{
	size_t place;

	if (window_ns == 0 || find_window(rules, window_ns, &place))
		return 0;
	if (rules->window_count == RULES_WINDOWS_MAX)
		return refuse(error, "more windows of different length than 16 ('over')");
	rules->windows[rules->window_count++] = window_ns;
	return 0;
}

static int add_parsed(struct rules *rules, struct rule *rule, struct astshm_error *error)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->items[i]->label, rule->label) == 0)
			return refuse(error, "a rule of this label is there already");
	}
	if (rules->count == RULES_MAX)
		return refuse(error, "more rules than 128");
	if (add_window(rules, rule->window_ns, error) < 0)
		return -EINVAL;
	rules->items[rules->count++] = rule;
	return 0;
}

int rules_add(struct rules *rules, const char *text, size_t length, const char *source,
	      unsigned line, bool required)
{
	struct astshm_error error = { .code = -ENOMEM };
	struct rule *rule = NULL;
	int result = parser_parse(&rule, text, length, &error);

	if (result == 0 && !rule && required)
		result = refuse(&error, "there is no rule in it");
	if (result == 0 && rule)
		result = add_parsed(rules, rule, &error);
	if (result < 0) {
		rule_free(&rule);
		return fail(source, line, text, length, &error);
	}
	return 0;
}

static int add_lines(struct rules *rules, const char *text, size_t length, const char *source)
{
	const char *at = text, *end = text + length;
	int result = 0;

	for (unsigned line = 1; at < end && result == 0; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t count = (size_t)((newline ? newline : end) - at);

		result = rules_add(rules, at, count, source, line, false);
		at += count + 1;
	}
	return result;
}

/* --- files ---------------------------------------------------------------- */

static int fail_file(const char *path, int code)
{
	message("%s: %s", path, code == -EFBIG ? "longer than 256 KiB" : strerror(-code));
	return code;
}

static int add_stream(struct rules *rules, FILE *file, const char *path)
{
	char *text = malloc(RULES_BYTES_MAX + 1);
	size_t length;
	int result = 0;

	if (!text)
		return fail_file(path, -ENOMEM);
	errno = 0;
	length = fread(text, 1, RULES_BYTES_MAX + 1, file);
	if (ferror(file))
		result = fail_file(path, errno ? -errno : -EIO);
	else if (length > RULES_BYTES_MAX)
		result = fail_file(path, -EFBIG);
	else
		result = add_lines(rules, text, length, path);
	free(text);
	return result;
}

static int add_path(struct rules *rules, const char *path, bool told)
{
	FILE *file = fopen(path, "re");
	int result;

	if (!file)
		return told ? fail_file(path, -errno) : -errno;
	result = add_stream(rules, file, path);
	fclose(file);
	return result;
}

/* Where the program lies, the installed rules lie beside it, wherever the tree
 * was moved to. */
static int installed_path(char path[PATH_MAX], const char *name)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	if (length <= 0)
		return -ENOENT;
	program[length] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	length = snprintf(path, PATH_MAX, "%s/%s/%s.rules", program, ASTSHM_RULES_FOLDER, name);
	return length < PATH_MAX ? 0 : -ENOENT;
}

int rules_add_default(struct rules *rules, const char *segment)
{
	char path[PATH_MAX];

	if (strchr(segment, '/') || installed_path(path, segment) < 0)
		return -ENOENT;
	return add_path(rules, path, false);
}

int rules_add_file(struct rules *rules, const char *path)
{
	int result;

	if (strcmp(path, "-") == 0)
		return add_stream(rules, stdin, "stdin");
	if (!strchr(path, '/') && access(path, F_OK) < 0) {
		result = rules_add_default(rules, path);
		if (result != -ENOENT)
			return result;
	}
	return add_path(rules, path, true);
}

int rules_add_server(struct rules *rules)
{
	static const char text[] = "server: down critical";

	for (size_t i = 0; i < rules->count; i++) {
		if (rules->items[i]->condition == CONDITION_DOWN)
			return 0;
	}
	return rules_add(rules, text, sizeof(text) - 1, "the built-in rule", 0, true);
}

size_t rules_window(const struct rules *rules, const struct rule *rule)
{
	size_t place;

	find_window(rules, rule->window_ns, &place);
	return place;
}

void rules_free(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rule_free(&rules->items[i]);
	rules->count = 0;
}
