/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "segment.h"

/* Names in a text come from anywhere; the text stays one printable line. */
static void replace_control_bytes(char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte < 0x20 || byte == 0x7f)
			*text = '?';
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
	replace_control_bytes(error->text);
	error->code = code;
	error->position = 0;
	return code;
}
