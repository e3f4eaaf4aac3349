/* SPDX-License-Identifier: MIT */
/* A bench whose result is wrong, or that cannot go on, ends with status 1. */
#ifndef BENCH_FAIL_H
#define BENCH_FAIL_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_EXIT_FAILED 1
#define BENCH_EXIT_USAGE 2
#define BENCH_EXIT_SLOWER 3

void bench_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Fails with both values if they differ. */
void bench_expect(const char *what, uint64_t wanted, uint64_t got);
/* Zeroed memory, or failure. */
void *bench_array(size_t count, size_t size);

#endif
