/* SPDX-License-Identifier: MIT */
/* From look to look, by a clock of our own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert.h"
#include "parser.h"

#define SECOND 1000000000

struct scene {
	struct rule *rule;
	struct alert alert;
	int64_t now_ns;
};

static void begin(struct scene *scene, const char *text)
{
	struct astshm_error error;

	*scene = (struct scene){ .now_ns = SECOND };
	assert_int_equal(parser_parse(&scene->rule, text, strlen(text), &error), 0);
}

static void end(struct scene *scene)
{
	rule_free(&scene->rule);
}

static bool step(struct scene *scene, enum outcome outcome, bool quiet, bool held)
{
	const struct verdict verdict = { .outcome = outcome, .quiet = quiet };

	scene->now_ns += SECOND;
	return alert_step(&scene->alert, scene->rule, &verdict, held, scene->now_ns);
}

/* A second later the value is that; what the rule says about it. */
static bool see(struct scene *scene, double value)
{
	const struct rule *rule = scene->rule;
	bool holds = threshold_holds(&rule->threshold, value);

	return step(scene, holds ? OUTCOME_TRUE : OUTCOME_FALSE,
		    rule->has_until ? threshold_holds(&rule->until, value) : !holds, false);
}

static void fires_and_ends_at_once_without_for(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 10");
	assert_false(see(&scene, 10));
	assert_true(see(&scene, 11));
	assert_int_equal(scene.alert.state, ALERT_FIRING);
	assert_false(see(&scene, 12));
	assert_true(see(&scene, 10));
	assert_int_equal(scene.alert.state, ALERT_OK);
	assert_false(see(&scene, 9));
	end(&scene);
}

static void for_waits_and_begins_anew(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 10 for 3s");
	assert_false(see(&scene, 11)); /* since here */
	assert_int_equal(scene.alert.state, ALERT_PENDING);
	assert_false(see(&scene, 11));
	assert_false(see(&scene, 11));
	assert_false(see(&scene, 9)); /* not long enough */
	assert_int_equal(scene.alert.state, ALERT_OK);
	for (int i = 0; i < 3; i++)
		assert_false(see(&scene, 11));
	assert_true(see(&scene, 11)); /* three seconds after the first */
	assert_int_equal(scene.alert.state, ALERT_FIRING);
	end(&scene);
}

static void until_keeps_what_swings_about_the_threshold(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 100 until < 80");
	assert_true(see(&scene, 101));
	for (int i = 0; i < 10; i++)
		assert_false(see(&scene, i % 2 ? 81 : 101));
	assert_false(see(&scene, 80)); /* not below */
	assert_true(see(&scene, 79));
	assert_false(see(&scene, 90)); /* between: does not fire again */
	assert_int_equal(scene.alert.state, ALERT_OK);
	end(&scene);
}

static void until_for_wants_it_quiet_that_long(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 100 until <= 100 for 2s");
	assert_true(see(&scene, 101));
	assert_false(see(&scene, 50));
	assert_false(see(&scene, 50));
	assert_false(see(&scene, 101)); /* begins anew */
	assert_false(see(&scene, 50));
	assert_false(see(&scene, 50));
	assert_true(see(&scene, 50));
	end(&scene);
}

static void nothing_is_learnt_while_the_server_is_down(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 10 for 2s");
	assert_false(see(&scene, 11));
	assert_false(step(&scene, OUTCOME_TRUE, false, true));
	assert_int_equal(scene.alert.state, ALERT_OK); /* what was about to begins anew */
	assert_false(see(&scene, 11));
	assert_false(see(&scene, 11));
	assert_true(see(&scene, 11));
	for (int i = 0; i < 5; i++)
		assert_false(step(&scene, OUTCOME_FALSE, true, true));
	assert_int_equal(scene.alert.state, ALERT_FIRING); /* what fires goes on */
	assert_true(see(&scene, 9));
	end(&scene);
}

static void an_unknown_value_holds_and_a_missing_one_ends(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "a > 10");
	assert_false(step(&scene, OUTCOME_UNKNOWN, false, false));
	assert_true(see(&scene, 11));
	assert_false(step(&scene, OUTCOME_UNKNOWN, true, false));
	assert_int_equal(scene.alert.state, ALERT_FIRING);
	assert_true(step(&scene, OUTCOME_MISSING, true, false));
	assert_true(see(&scene, 11));
	assert_true(step(&scene, OUTCOME_NOTHING, true, false));
	end(&scene);
}

static void nan_satisfies_no_comparison(void **state)
{
	static const enum comparison all[] = { COMPARE_GREATER, COMPARE_GREATER_EQUAL, COMPARE_LESS,
					       COMPARE_LESS_EQUAL, COMPARE_EQUAL,
					       COMPARE_NOT_EQUAL };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct threshold threshold = { .comparison = all[i], .value = 5 };

		assert_false(threshold_holds(&threshold, (double)NAN));
		assert_int_equal(threshold_holds(&threshold, 4), i == 2 || i == 3 || i == 5);
		assert_int_equal(threshold_holds(&threshold, 5), i == 1 || i == 3 || i == 4);
		assert_int_equal(threshold_holds(&threshold, 6), i == 0 || i == 1 || i == 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_and_ends_at_once_without_for),
		cmocka_unit_test(for_waits_and_begins_anew),
		cmocka_unit_test(until_keeps_what_swings_about_the_threshold),
		cmocka_unit_test(until_for_wants_it_quiet_that_long),
		cmocka_unit_test(nothing_is_learnt_while_the_server_is_down),
		cmocka_unit_test(an_unknown_value_holds_and_a_missing_one_ends),
		cmocka_unit_test(nan_satisfies_no_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
