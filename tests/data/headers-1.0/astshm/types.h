/* SPDX-License-Identifier: MIT */
/*
 * Words that writers and readers share: kinds, tags, limits, errors.
 */
#ifndef ASTSHM_TYPES_H
#define ASTSHM_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ASTSHM_API __attribute__((visibility("default")))
#else
#error "astshm needs gcc or clang: its hot path uses their __atomic builtins"
#endif

/* Limits of names; lengths are bytes without the terminating NUL. */
#define ASTSHM_NAME_MAX 255u
#define ASTSHM_TAGS_MAX 16u
#define ASTSHM_TAG_KEY_MAX 63u
#define ASTSHM_TAG_VALUE_MAX 255u
#define ASTSHM_UNIT_MAX 63u
#define ASTSHM_HELP_MAX 1023u

/* The tag value that stands for every tag set past a name's limit. */
#define ASTSHM_OTHER "__other__"

/*
 * What a series measures. Part of its identity: (kind, name, sorted tags).
 * The numbers are stored in segments and snapshots and never change.
 */
enum astshm_kind {
	ASTSHM_KIND_COUNTER = 1,      /* a sum; monotonic unless up-down */
	ASTSHM_KIND_GAUGE = 2,        /* a state, double */
	ASTSHM_KIND_TIMING = 3,       /* a histogram of nanoseconds */
	ASTSHM_KIND_DISTRIBUTION = 4, /* a histogram of any other unit */
};

/* How gauges of several sources become one. Stored, never renumbered. */
enum astshm_merge {
	ASTSHM_MERGE_LAST = 0,
	ASTSHM_MERGE_SUM = 1,
	ASTSHM_MERGE_MIN = 2,
	ASTSHM_MERGE_MAX = 3,
};

/* One tag. Both strings are NUL-terminated UTF-8, borrowed for the call. */
struct astshm_tag {
	const char *key;
	const char *value;
};

/*
 * What went wrong, in words. Caller-owned and optional wherever it is taken:
 * NULL means "the code is enough". Written only on failure, except that a
 * successful open may leave a warning here (code 0, text not empty).
 */
struct astshm_error {
	int code;          /* the same negative errno value that was returned */
	uint64_t position; /* byte offset in the input that was at fault, or 0 */
	char text[256];    /* one line, NUL-terminated, without a newline */
};

#ifdef __cplusplus
}
#endif

#endif
