/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

/* Terminals act on C0, DEL and C1 (U+0080 to U+009F). */
static bool is_control(const unsigned char *at)
{
	return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

/* Names in a text come from anywhere, and may be cut anywhere; the text stays
 * one printable line of UTF-8. */
static void replace_unprintable_bytes(char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		size_t length = shm_utf8_length(text, left);
		if (length == 0 || is_control((const unsigned char *)text)) {
			memset(text, '?', length > 0 ? length : 1);
			length = length > 0 ? length : 1;
		}
		text += length;
		left -= length;
	}
}

int shm_fail(struct astshm_error *error, int code, const char *format, ...)
{
	if (!error)
		return code;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof error->text, format, arguments);
	va_end(arguments);
	replace_unprintable_bytes(error->text);
	error->code = code;
	error->position = 0;
	return code;
}
