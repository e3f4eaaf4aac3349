/* SPDX-License-Identifier: MIT */
/* Cases that need what qemu-user does not give a program (tests/arm64/run). */
#ifndef TESTS_EMULATION_H
#define TESTS_EMULATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static inline void skip_under_qemu_user(const char *why)
{
	if (!getenv("UNDER_QEMU_USER"))
		return;
	print_message("skipped under qemu-user: %s\n", why);
	skip();
}

#endif
