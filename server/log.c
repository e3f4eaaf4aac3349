/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "utf8.h"

#define LINE_BYTES 1024u
#define PROGRAM "ast-server: "

static enum log_level current_level = LOG_INFO;
static const char *const level_names[] = { "error", "warning", "info", "debug" };

void log_set_level(enum log_level level)
{
	current_level = level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/*
 * How many bytes of `text`, which is not empty, are to be escaped: C0, DEL, C1 as
 * UTF-8 writes it (c2 80 to c2 9f: terminals obey those too), or a byte that is no
 * UTF-8; else 0, and *shown is the length of the character.
 */
static size_t escaped_length(const unsigned char *text, size_t *shown)
{
	if (text[0] < 0x20 || text[0] == 0x7f)
		return 1;
	if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
		return 2;
	*shown = utf8_sequence(text, 4); /* which the NUL ends, too */
	return *shown == 0 ? 1 : 0;
}

void log_escape(char *out, uint64_t out_bytes, const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	uint64_t used = 0;

	while (*from && out_bytes - used > 8) {
		size_t shown = 0, escaped = escaped_length(from, &shown);
		for (; shown > 0 && escaped == 0; shown--)
			out[used++] = (char)*from++;
		for (; escaped > 0; escaped--)
			used += (uint64_t)snprintf(out + used, out_bytes - used, "\\x%02x",
						   *from++);
	}
	out[used] = '\0';
}

static void emit(const char *prefix, const char *text)
{
	char line[LINE_BYTES + sizeof PROGRAM + 16];
	char escaped[LINE_BYTES];

	log_escape(escaped, sizeof escaped, text);
	int length = snprintf(line, sizeof line, PROGRAM "%s%s\n", prefix, escaped);
	/* Nobody to tell if stderr itself fails. */
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

static void emit_level(enum log_level level, const char *format, va_list arguments,
		       uint64_t withheld)
{
	static const char *const prefixes[] = { "error: ", "warning: ", "", "debug: " };
	char text[LINE_BYTES];

	int length = vsnprintf(text, sizeof text - 48, format, arguments);
	if (length < 0)
		return;
	if (withheld > 0) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, " (%llu more not shown)",
			 (unsigned long long)withheld);
	}
	emit(prefixes[level], text);
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list arguments;

	if (level > current_level)
		return;
	va_start(arguments, format);
	emit_level(level, format, arguments, 0);
	va_end(arguments);
}

void log_notice(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit_level(LOG_INFO, format, arguments, 0);
	va_end(arguments);
}

bool log_limit_take(struct log_limit *limit, uint64_t now_ns, uint64_t *withheld)
{
	if (now_ns - limit->window_start_ns >= LOG_LIMIT_WINDOW_NS) {
		limit->window_start_ns = now_ns;
		limit->shown = 0;
	}
	if (limit->shown >= LOG_LIMIT_LINES) {
		limit->withheld++;
		return false;
	}
	limit->shown++;
	*withheld = limit->withheld;
	limit->withheld = 0;
	return true;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	uint64_t withheld;
	va_list arguments;

	if (level > current_level || !log_limit_take(limit, monotonic_ns(), &withheld))
		return;
	va_start(arguments, format);
	emit_level(level, format, arguments, withheld);
	va_end(arguments);
}

bool log_limit_end(struct log_limit *limit, uint64_t now_ns, uint64_t *withheld)
{
	if (limit->withheld == 0 || now_ns - limit->window_start_ns < LOG_LIMIT_WINDOW_NS)
		return false;
	*withheld = limit->withheld;
	limit->withheld = 0;
	return true;
}

static void tell_withheld(const struct log_limit *limit, enum log_level level,
			  const char *subject, uint64_t withheld, uint64_t now_ns)
{
	log_write(level, "%s: %llu more in %.1f s, not shown", subject,
		  (unsigned long long)withheld,
		  (double)(now_ns - limit->window_start_ns) / 1e9);
}

int log_withheld(struct log_limit *limit, enum log_level level, const char *subject)
{
	uint64_t withheld, now_ns;

	if (limit->withheld == 0)
		return -1;
	now_ns = monotonic_ns();
	if (!log_limit_end(limit, now_ns, &withheld))
		return (int)((limit->window_start_ns + LOG_LIMIT_WINDOW_NS - now_ns) / 1000000 + 1);
	tell_withheld(limit, level, subject, withheld, now_ns);
	return -1;
}

void log_withheld_at_end(struct log_limit *limit, enum log_level level, const char *subject)
{
	if (limit->withheld > 0)
		tell_withheld(limit, level, subject, limit->withheld, monotonic_ns());
	limit->withheld = 0;
}
