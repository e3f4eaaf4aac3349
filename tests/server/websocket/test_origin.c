/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "origin.h"

static void assert_all(const char *const *origins, bool allowed)
{
	for (; *origins; origins++) {
		if (origin_allowed(*origins, NULL, 0) != allowed)
			fail_msg("'%s' is %s", *origins, allowed ? "refused" : "allowed");
	}
}

static void pages_of_this_machine_are_allowed(void **state)
{
	static const char *const origins[] = {
		"http://localhost", "https://localhost", "http://LOCALHOST:1", "HTTP://localhost",
		"http://127.0.0.1", "http://127.255.255.254:65535", "https://[::1]",
		"http://[::1]:8080", NULL };

	(void)state;
	assert_all(origins, true);
}

static void all_others_are_refused(void **state)
{
	static const char *const origins[] = {
		"", "null", "localhost", "http://", "http://:80", "https://example.org",
		"http://localhost.example.org", "http://notlocalhost", "http://local",
		"http://127.0.0.1.example.org", "http://127.1", "http://0x7f.0.0.1", "http://127",
		"http://126.0.0.1", "http://128.0.0.1", "http://0.0.0.0", "http://[::]",
		"http://[::2]", "http://[::1", "http://[::1]x", "http://[::1]:", "http://::1",
		"http://localhost:", "http://localhost:x", "http://localhost:80@example.org",
		"http://localhost:123456", "http://localhost/", "http://localhost http://x",
		"http://localhost@example.org", "file://", "ftp://localhost", "ws://localhost",
		"chrome-extension://localhost", NULL };

	(void)state;
	assert_all(origins, false);
}

static void named_ones_are_allowed_exactly(void **state)
{
	char first[] = "https://app.example.org", second[] = "app://live";
	char *const named[] = { first, second };

	(void)state;
	assert_true(origin_allowed("https://app.example.org", named, 2));
	assert_true(origin_allowed("app://live", named, 2));
	assert_true(origin_allowed("http://localhost", named, 2));
	assert_false(origin_allowed("https://app.example.org", named, 0));
	assert_false(origin_allowed("https://app.example.org:443", named, 2));
	assert_false(origin_allowed("http://app.example.org", named, 2));
	assert_false(origin_allowed("https://app.example.org.evil.example", named, 2));
	assert_false(origin_allowed("app://liv", named, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_this_machine_are_allowed),
		cmocka_unit_test(all_others_are_refused),
		cmocka_unit_test(named_ones_are_allowed_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
