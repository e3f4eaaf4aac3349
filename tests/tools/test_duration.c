/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "duration.h"

static void every_form_has_its_nanoseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} forms[] = {
		{ "0", 0 },
		{ "2", 2000000000 },
		{ "0.5", 500000000 },
		{ ".5", 500000000 },
		{ "007", 7000000000 },
		{ "1.000000001", 1000000001 },
		{ "1.0000000019", 1000000001 },
		{ "60s", 60000000000 },
		{ "250ms", 250000000 },
		{ "0.25ms", 250000 },
		{ "5m", 300000000000 },
		{ "1.5m", 90000000000 },
		{ "0.000000001h", 3600 },
		{ "1h", 3600000000000 },
		{ "9223372036.854775807", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		int64_t ns = -1;

		if (!duration_parse(forms[i].text, &ns) || ns != forms[i].ns)
			fail_msg("\"%s\": got %jd, wanted %jd", forms[i].text, (intmax_t)ns,
				 (intmax_t)forms[i].ns);
	}
}

static void anything_else_is_refused_and_leaves_the_result(void **state)
{
	static const char *const texts[] = {
		"", ".", "s", "1.", "-1", "+1", " 1", "1 ", "1 s", "1,5", "1e3", "0x10", "1.5.5",
		"1d", "1ss", "1S", "inf", "nan", "9223372036.854775808", "2562048h",
		"99999999999999999999", "18446744073709551616",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ns = -1;

		if (duration_parse(texts[i], &ns) || ns != -1)
			fail_msg("\"%s\" was taken as %jd", texts[i], (intmax_t)ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_has_its_nanoseconds),
		cmocka_unit_test(anything_else_is_refused_and_leaves_the_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
