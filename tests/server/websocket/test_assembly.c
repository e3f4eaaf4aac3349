/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assembly.h"

static void pieces_become_one_text(void **state)
{
	struct assembly assembly = { 0 };

	(void)state;
	assert_int_equal(assembly_add(&assembly, "a", 1, 0, 100), 0);
	assert_int_equal(assembly_add(&assembly, NULL, 0, 0, 100), 0);
	assert_int_equal(assembly_add(&assembly, "bcd", 3, 0, 100), 0);
	assert_int_equal(assembly.length, 4);
	assert_memory_equal(assembly.text, "abcd", 4);
	assembly_clear(&assembly);
	assert_int_equal(assembly_add(&assembly, "x", 1, 0, 100), 0);
	assert_int_equal(assembly.length, 1);
	assert_memory_equal(assembly.text, "x", 1);
	assembly_fini(&assembly);
}

static void limit_is_exact(void **state)
{
	struct assembly assembly = { 0 };

	(void)state;
	assert_int_equal(assembly_add(&assembly, "12345", 5, 5, 10), 0);
	assert_int_equal(assembly_add(&assembly, "67890", 5, 0, 10), 0);
	assert_int_equal(assembly.length, 10);
	assert_int_equal(assembly_add(&assembly, NULL, 0, 0, 10), 0);
	assert_int_equal(assembly_add(&assembly, "x", 1, 0, 10), -EMSGSIZE);
	assert_int_equal(assembly.length, 10);
	assembly_fini(&assembly);
}

static void announced_length_counts_and_does_not_wrap(void **state)
{
	struct assembly assembly = { 0 };

	(void)state;
	assert_int_equal(assembly_add(&assembly, "x", 1, 10, 10), -EMSGSIZE);
	assert_int_equal(assembly_add(&assembly, "x", 1, SIZE_MAX, 10), -EMSGSIZE);
	assert_int_equal(assembly.length, 0);
	assert_int_equal(assembly_add(&assembly, "x", 1, 9, 10), 0);
	assert_int_equal(assembly_add(&assembly, "x", 1, SIZE_MAX - 1, 10), -EMSGSIZE);
	assembly_fini(&assembly);
}

static void memory_follows_what_came_and_is_given_back(void **state)
{
	static const char piece[4096];
	const size_t limit = 1 << 20;
	struct assembly assembly = { 0 };

	(void)state;
	/* Much announced, little sent: no memory for it yet. */
	assert_int_equal(assembly_add(&assembly, piece, 1, limit - 1, limit), 0);
	assert_true(assembly.capacity <= sizeof piece);
	assembly_clear(&assembly);
	for (size_t i = 0; i < limit / sizeof piece; i++)
		assert_int_equal(assembly_add(&assembly, piece, sizeof piece, 0, limit), 0);
	assert_int_equal(assembly.length, limit);
	assert_int_equal(assembly.capacity, limit);
	assembly_clear(&assembly);
	assert_int_equal(assembly.capacity, 0);
	assembly_fini(&assembly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_one_text),
		cmocka_unit_test(limit_is_exact),
		cmocka_unit_test(announced_length_counts_and_does_not_wrap),
		cmocka_unit_test(memory_follows_what_came_and_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
