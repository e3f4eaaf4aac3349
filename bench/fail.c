/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"

void bench_fail(const char *format, ...)
{
	va_list arguments;

	fputs("astshm-bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(BENCH_EXIT_FAILED);
}

void bench_expect(const char *what, uint64_t wanted, uint64_t got)
{
	if (wanted != got)
		bench_fail("%s: read back %" PRIu64 " instead of %" PRIu64, what, got, wanted);
}

void *bench_array(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);

	if (!memory)
		bench_fail("no memory for %zu x %zu bytes", count, size);
	return memory;
}
