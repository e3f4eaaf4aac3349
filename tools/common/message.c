/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "text.h"

static const char *program = "astshm";

void message_program(const char *name)
{
	program = name;
}

/* 0x7f and everything below a space; bytes of UTF-8 pass, except the C1
 * controls (0xc2 0x80..0x9f), which terminals obey as well. */
static int control_length(const unsigned char *at)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return 1;
	if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
		return 2;
	return 0;
}

void print_safe(FILE *stream, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		int length = control_length(at);

		if (length == 0)
			putc(*at++, stream);
		for (; length > 0; length--)
			fprintf(stream, "\\x%02x", *at++);
	}
}

size_t safe_columns(const char *text)
{
	const char *end = text + strlen(text);
	size_t columns = 0;

	while (text < end) {
		const char *plain = text;
		int length = 0;

		while (text < end && !(length = control_length((const unsigned char *)text)))
			text++;
		columns += text_columns(plain, (size_t)(text - plain));
		if (text == end)
			break;
		columns += (size_t)length * 4; /* \xNN */
		text += length;
	}
	return columns;
}

size_t line_columns(const char *line, size_t length)
{
	const char *end = line + length;
	size_t columns = 0;

	while (line < end) {
		const char *escape = memchr(line, '\033', (size_t)(end - line));
		const char *plain_end = escape ? escape : end;
		const char *escape_end;

		columns += text_columns(line, (size_t)(plain_end - line));
		if (!escape)
			break;
		escape_end = memchr(escape, 'm', (size_t)(end - escape));
		if (!escape_end)
			break;
		line = escape_end + 1;
	}
	return columns;
}

void message(const char *format, ...)
{
	char line[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	fprintf(stderr, "%s: ", program);
	print_safe(stderr, line);
	putc('\n', stderr);
}

enum exit_status message_status(int error)
{
	switch (error) {
	case 0:
		return EXIT_OK;
	case -ENOENT:
		return EXIT_NO_SEGMENT;
	case -EACCES:
	case -EPERM:
		return EXIT_NO_PERMISSION;
	case -EPROTONOSUPPORT:
		return EXIT_VERSION;
	case -EBADMSG:
		return EXIT_CORRUPT;
	default:
		return EXIT_OTHER;
	}
}

/* stdio forgets why an earlier write failed. */
static bool is_hung_up(int fd)
{
	struct pollfd polled = { .fd = fd };

	return poll(&polled, 1, 0) > 0 && (polled.revents & POLLERR);
}

enum exit_status finish_stdout(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	if (errno == EPIPE || is_hung_up(STDOUT_FILENO))
		return EXIT_OK;
	message("cannot write to stdout: %s", strerror(errno ? errno : EIO));
	return EXIT_OTHER;
}
