/* SPDX-License-Identifier: MIT */
/* What the readers' tests begin with: an image, a reader over it. */
#ifndef TESTS_READERS_FIXTURE_H
#define TESTS_READERS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <astshm/reader.h>

#include "image.h"

struct fixture {
	struct image image;
	struct astshm_reader *reader; /* NULL until fixture_open */
	struct astshm_snapshot *snapshot;
	char path[256]; /* of a file, unlinked in teardown; "" if there is none */
};

/* For cmocka_unit_test_setup_teardown. The image has slot 0 and nothing else. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A reader over the image. */
void fixture_open(struct fixture *fixture);
/* A pass that must succeed; frees the one before. */
const struct astshm_snapshot *fixture_snapshot(struct fixture *fixture, unsigned flags);
const struct astshm_series *fixture_find(const struct fixture *fixture, enum astshm_kind kind,
					 const char *key);
/* The value of an existing counter in the last snapshot. */
int64_t fixture_counter(const struct fixture *fixture, const char *key);
/* bad_records of the last snapshot. */
uint64_t fixture_bad(const struct fixture *fixture);

/* Writes the image to a file of this process and case, and opens that. */
void fixture_open_file(struct fixture *fixture, const char *name, bool follow);

#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
