/* SPDX-License-Identifier: MIT */
/*
 * A target is something of ours that takes a stranger's bytes. Its
 * LLVMFuzzerTestOneInput checks what must hold whatever the bytes are, and
 * aborts where it does not. Two programs are made of each: one by libFuzzer,
 * one by driver.c, which needs no more than a C compiler.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for the largest of any target; each has a bound of its own below it. */
#define FUZZ_INPUT_MAX 262144u

struct fuzz_input {
	uint8_t bytes[FUZZ_INPUT_MAX];
	size_t size;
};

struct fuzz_random;

struct fuzz_target {
	/* False: there is no such one. Valid input of every shape that is known. */
	bool (*seed)(size_t index, struct fuzz_input *input);
	/* NULL: there is no such one. Words that a mutation may put in. */
	const char *(*word)(size_t index);
	/* A change after which the input is as valid as before. NULL: none is known. */
	void (*reshape)(struct fuzz_input *input, struct fuzz_random *random);
	/* Wraps the input, as gzip does. NULL: nothing to wrap it in. */
	void (*pack)(struct fuzz_input *input);
	/* Tells what was seen; false: not all that should have been. */
	bool (*report)(void);
	/* Most bytes of an input. */
	size_t size_max;
	/* Offsets lead through it: whatever moves bytes spoils all of it at once, and
	 * is done to few inputs. */
	bool rigid;
};

extern const struct fuzz_target fuzz_target;

/* libFuzzer's name for it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define fuzz_expect(condition, text)                                       \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (text)); \
			abort();                                           \
		}                                                          \
	} while (0)

#endif
