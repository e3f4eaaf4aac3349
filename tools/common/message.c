/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

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

int print_safe(FILE *stream, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	int columns = 0;

	while (*at) {
		int length = control_length(at);

		if (length == 0) {
			putc(*at, stream);
			columns += (*at & 0xc0) != 0x80;
			at++;
		}
		for (; length > 0; length--)
			columns += fprintf(stream, "\\x%02x", *at++);
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
