/* SPDX-License-Identifier: MIT */
/* Rules against snapshots made by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "describe.h"
#include "evaluate.h"
#include "parser.h"
#include "sample.h"

#define MS 1000000
#define WINDOW_NS 10000000000 /* of every sample's window: 10 s */

static struct look look;
static struct total total;

static struct astshm_series *counter(struct astshm_snapshot *snapshot, const char *name,
				     const char *value_of_k, int64_t value)
{
	const struct astshm_tag tag = { "k", value_of_k };
	struct astshm_series *series = sample_series(snapshot, ASTSHM_KIND_COUNTER, name, &tag,
						     value_of_k ? 1 : 0);

	series->monotonic = true;
	series->counter = (struct astshm_counter_value){
		.value = 10 * value, .increase = value, .has_rate = true,
		.rate = (double)value / (WINDOW_NS / 1e9),
	};
	return series;
}

static struct astshm_series *gauge(struct astshm_snapshot *snapshot, const char *name,
				   const char *value_of_k, struct astshm_gauge_value value)
{
	const struct astshm_tag tag = { "k", value_of_k };
	struct astshm_series *series = sample_series(snapshot, ASTSHM_KIND_GAUGE, name, &tag,
						     value_of_k ? 1 : 0);

	series->gauge = value;
	return series;
}

static void histogram(struct astshm_snapshot *snapshot, enum astshm_kind kind, const char *name,
		      const char *value_of_k, int64_t first, int64_t last)
{
	const struct astshm_tag tag = { "k", value_of_k };
	struct astshm_series *series = sample_series(snapshot, kind, name, &tag,
						     value_of_k ? 1 : 0);
	int64_t values[200];
	size_t count = 0;

	for (int64_t v = first; v <= last; v++)
		values[count++] = kind == ASTSHM_KIND_TIMING ? v * MS : v;
	sample_fill(snapshot, &series->histogram, kind, values, count);
}

/* The same series in the lifetime and in the window: value is 10 x increase. */
static struct astshm_snapshot *make_snapshot(void)
{
	struct astshm_snapshot *snapshot = sample_begin();
	struct astshm_series *updown;

	counter(snapshot, "udp.packet.dropped", NULL, 3);
	counter(snapshot, "udp.packet.received", NULL, 100);
	counter(snapshot, "zero", NULL, 0);
	counter(snapshot, "errors.a", "x", 1);
	counter(snapshot, "errors.a", "y", 2);
	counter(snapshot, "errors.b", NULL, 4);
	counter(snapshot, "errors.b", "x", 4); /* the total is there already */
	counter(snapshot, "errors.b.by_type", "x", 1000);
	counter(snapshot, "cpu", NULL, 2000000000);
	sample_describe(snapshot, ASTSHM_KIND_COUNTER, "cpu", "seconds", "");
	updown = counter(snapshot, "jobs", NULL, 2);
	updown->monotonic = false;
	gauge(snapshot, "cache.hit_rate", NULL, (struct astshm_gauge_value){ .4, 4, 2, .3, .9 });
	gauge(snapshot, "nodes", "a", (struct astshm_gauge_value){ 5, 1, 5, 5, 5 });
	gauge(snapshot, "nodes", "b", (struct astshm_gauge_value){ 7, 1, 9, 9, 9 });
	gauge(snapshot, "nan", NULL, (struct astshm_gauge_value){ (double)NAN, 0, 0, 0, 0 });
	gauge(snapshot, "both", NULL, (struct astshm_gauge_value){ 1, 1, 1, 1, 1 });
	counter(snapshot, "both", NULL, 50);
	histogram(snapshot, ASTSHM_KIND_TIMING, "work", "a", 1, 50);
	histogram(snapshot, ASTSHM_KIND_TIMING, "work", "b", 51, 100);
	histogram(snapshot, ASTSHM_KIND_TIMING, "idle", NULL, 1, 0);
	histogram(snapshot, ASTSHM_KIND_DISTRIBUTION, "size", NULL, 1, 100);
	sample_describe(snapshot, ASTSHM_KIND_DISTRIBUTION, "size", "bytes", "");
	sample_end(snapshot);
	return snapshot;
}

static int setup(void **state)
{
	(void)state;
	look = (struct look){
		.is_up = true, .is_live = true, .heartbeat_age_ns = 12 * (int64_t)1000000000,
		.whole = make_snapshot(), .window_count = 1,
		.windowed = { make_snapshot() }, .window_ns = { WINDOW_NS },
	};
	look.windowed[0]->window = make_snapshot();
	look.windowed[0]->window->interval_ns = WINDOW_NS;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	look_free(&look);
	return 0;
}

static struct verdict verdict_of(const char *text, char *described)
{
	struct astshm_error error = { 0 };
	struct verdict verdict;
	struct rule *rule = NULL;

	if (parser_parse(&rule, text, strlen(text), &error) != 0)
		fail_msg("'%s': %s", text, error.text);
	evaluate(rule, &look, &total, &verdict);
	if (described)
		describe(rule, &verdict, described);
	rule_free(&rule);
	return verdict;
}

static void check_value(const char *text, double wanted, double within)
{
	struct verdict verdict = verdict_of(text, NULL);

	if (verdict.outcome > OUTCOME_TRUE || !(fabs(verdict.value - wanted) <= within))
		fail_msg("'%s': outcome %d, %.17g instead of %.17g: %s", text, verdict.outcome,
			 verdict.value, wanted, verdict.why);
}

static void fields_of_counters(void **state)
{
	(void)state;
	check_value("udp.packet.dropped > 0", 30, 0);
	check_value("udp.packet.dropped value > 0 over 10s", 30, 0);
	check_value("udp.packet.dropped > 0 over 10s", 3, 0);
	check_value("udp.packet.dropped increase > 0 over 10s", 3, 0);
	check_value("udp.packet.dropped rate > 0/s over 10s", .3, 1e-12);
	check_value("jobs > 0 over 10s", 20, 0); /* a state, not a sum */
	check_value("jobs increase > 0 over 10s", 2, 0);
	check_value("cpu > 0", 20, 1e-9); /* kept in ns */
	check_value("cpu rate > 0/s over 10s", .2, 1e-12);
}

static void fields_of_gauges(void **state)
{
	(void)state;
	check_value("cache.hit_rate < 50%", .4, 0);
	check_value("cache.hit_rate last < 1", .4, 0);
	check_value("cache.hit_rate < 1 over 10s", .5, 1e-12); /* the mean */
	check_value("cache.hit_rate avg < 1 over 10s", .5, 1e-12);
	check_value("cache.hit_rate min < 1 over 10s", .3, 0);
	check_value("cache.hit_rate max < 1 over 10s", .9, 0);
	check_value("cache.hit_rate count > 0", 4, 0);
	check_value("nodes > 0", 12, 0);
	check_value("nodes max > 0", 9, 0);
	check_value("both > 0", 1, 0); /* the gauge before the counter */
}

static void fields_of_histograms(void **state)
{
	(void)state;
	check_value("work p50 > 1ms", .050, .050 * .0054);
	check_value("work p95 > 1ms", .095, .095 * .0054);
	check_value("work max > 1ms", .100, 0);
	check_value("work min > 1ms", .001, 0);
	check_value("work mean > 1ms", .0505, 1e-12);
	check_value("work sum > 1ms", 5.05, 1e-9);
	check_value("work count > 1", 100, 0);
	check_value("work increase > 1 over 10s", 100, 0);
	check_value("work rate > 1/s over 10s", 10, 1e-12);
	check_value("work[k=a] p100 > 1ms", .050, 0);
	check_value("size p90 > 1B", 90, 90 * .0054);
	check_value("wor? max > 0", .1, 0);
}

static void untagged_series_are_totals_and_by_type_repeats_them(void **state)
{
	(void)state;
	check_value("errors.a > 0", 30, 0);		  /* x and y */
	check_value("errors.b > 0", 40, 0);		  /* not twice */
	check_value("errors.* increase > 0 over 10s", 7, 0); /* without .by_type */
	check_value("errors.*.by_type > 0", 10000, 0);
	check_value("errors.b.by_type > 0", 10000, 0);
	check_value("errors.*[k=x] > 0", 50, 0);
	check_value("errors.a[k=?] > 0", 30, 0);
	check_value("nothing.* > 0", 0, 0); /* as yet */
}

static void expressions_are_calculated(void **state)
{
	(void)state;
	check_value("udp.packet.dropped / udp.packet.received > 1%", .03, 1e-12);
	check_value("udp.packet.dropped / udp.packet.received > 1% over 10s", .03, 1e-12);
	check_value("udp.packet.received - udp.packet.dropped + zero > 0", 970, 0);
	check_value("udp.packet.dropped / (udp.packet.received + udp.packet.dropped) > 0",
		    30. / 1030, 1e-12);
	check_value("udp.packet.received / udp.packet.dropped / udp.packet.dropped > 0",
		    1000. / 900, 1e-12);
	assert_int_equal(verdict_of("zero / zero > 1%", NULL).outcome, OUTCOME_NOTHING);
	assert_int_equal(verdict_of("jobs / zero > 1%", NULL).outcome, OUTCOME_TRUE);
}

static void what_cannot_be_compared_raises_no_alert(void **state)
{
	static const struct {
		const char *text;
		enum outcome outcome;
		const char *why;
	} cases[] = {
		{ "idle p95 > 1ms", OUTCOME_NOTHING, "no sample of idle" },
		{ "idle count < 1", OUTCOME_TRUE, "" },
		{ "nan > 1", OUTCOME_NOTHING, "no sample of nan" },
		{ "nothing.* p95 > 1", OUTCOME_NOTHING, "no sample of nothing.*" },
		{ "missing > 1", OUTCOME_MISSING, "there is no metric missing" },
		{ "missing < 1", OUTCOME_MISSING, "there is no metric missing" },
		{ "zero[k=v] > 1", OUTCOME_MISSING, "no series of zero has these tags" },
		{ "missing[k=v] > 1", OUTCOME_MISSING, "there is no metric missing" },
		{ "work > 1ms", OUTCOME_UNKNOWN, "say which field" },
		{ "udp.packet.dropped p95 > 1", OUTCOME_UNKNOWN, "quantiles" },
		{ "udp.packet.dropped mean > 1", OUTCOME_UNKNOWN, "no such field" },
		{ "work p95 > 1KiB", OUTCOME_UNKNOWN, "1KiB does not fit" },
		{ "size p95 > 1ms", OUTCOME_UNKNOWN, "1ms does not fit" },
		{ "zero > 1 over 7s", OUTCOME_UNKNOWN, "no history" },
		{ "idle p95 / missing > 1", OUTCOME_MISSING, "missing" },
		{ "work / missing > 1", OUTCOME_UNKNOWN, "work: it is a timing" },
		{ "missing / work > 1", OUTCOME_UNKNOWN, "work" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict = verdict_of(cases[i].text, NULL);

		if (verdict.outcome != cases[i].outcome || !strstr(verdict.why, cases[i].why))
			fail_msg("'%s': outcome %d: '%s'", cases[i].text, verdict.outcome,
				 verdict.why);
		/* Not even a number whose unit is another than the threshold's. */
		assert_true(isnan(verdict.value) || verdict.outcome == OUTCOME_TRUE);
	}
}

static void other_conditions(void **state)
{
	(void)state;
	assert_int_equal(verdict_of("absent(missing)", NULL).outcome, OUTCOME_TRUE);
	assert_int_equal(verdict_of("absent(nodes)", NULL).outcome, OUTCOME_FALSE);
	assert_int_equal(verdict_of("absent(nodes[k=c])", NULL).outcome, OUTCOME_TRUE);
	assert_int_equal(verdict_of("absent(nodes[k=*])", NULL).outcome, OUTCOME_FALSE);
	assert_int_equal(verdict_of("stale > 10s", NULL).outcome, OUTCOME_TRUE);
	assert_int_equal(verdict_of("stale > 12s", NULL).outcome, OUTCOME_FALSE);
	assert_int_equal(verdict_of("down", NULL).outcome, OUTCOME_FALSE);
	look.heartbeat_age_ns = -1;
	assert_int_equal(verdict_of("stale > 10s", NULL).outcome, OUTCOME_UNKNOWN);
	look.is_up = false;
	strcpy(look.why, "pid 1 is dead");
	assert_int_equal(verdict_of("down", NULL).outcome, OUTCOME_TRUE);
	astshm_snapshot_free(&look.whole);
	assert_int_equal(verdict_of("absent(missing)", NULL).outcome, OUTCOME_UNKNOWN);
	assert_int_equal(verdict_of("zero > 1", NULL).outcome, OUTCOME_UNKNOWN);
}

static void quiet_is_what_until_asks_for(void **state)
{
	(void)state;
	assert_false(verdict_of("udp.packet.dropped > 20", NULL).quiet);
	assert_true(verdict_of("udp.packet.dropped > 30", NULL).quiet);
	assert_false(verdict_of("udp.packet.dropped > 40 until < 30", NULL).quiet);
	assert_true(verdict_of("udp.packet.dropped > 40 until <= 30", NULL).quiet);
	assert_true(verdict_of("idle p95 > 1ms until < 0.5ms", NULL).quiet);
	assert_true(verdict_of("absent(nodes)", NULL).quiet);
	assert_false(verdict_of("absent(missing)", NULL).quiet);
}

static void verdicts_are_described(void **state)
{
	static const struct {
		const char *text, *described;
	} cases[] = {
		{ "work max > 50ms", "work max is 100ms, > 50ms" },
		{ "work max > 50ms over 10s", "work max is 100ms over 10.0s, > 50ms" },
		{ "work max > 500ms", "work max is 100ms" },
		{ "size max > 1KiB", "size max is 100B" },
		{ "udp.packet.dropped / udp.packet.received > 1%",
		  "udp.packet.dropped / udp.packet.received is 3%, > 1%" },
		{ "udp.packet.dropped rate > 1/s over 10s",
		  "udp.packet.dropped rate is 0.3/s over 10.0s" },
		{ "absent(missing)", "there is no metric missing" },
		{ "stale > 10s", "the last heartbeat's age is 12.0s, > 10s" },
		{ "down", "the server is up" },
		{ "missing > 1", "missing: there is no metric missing" },
		{ "nodes[k=a,x=1] > 1", "nodes[k=a,x=1]: no series of nodes has these tags" },
		{ "absent(nodes[k=c])", "no series of nodes has these tags" },
		{ "absent(nodes)", "there is a metric nodes" },
		{ "work > 1ms", "work: it is a timing or distribution: say which field "
				"(p95, mean, max, ...)" },
	};
	char described[DESCRIBE_BYTES], number[DESCRIBE_NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		verdict_of(cases[i].text, described);
		assert_string_equal(described, cases[i].described);
	}
	describe_number(0.000000001, number);
	assert_string_equal(number, "0.000000001");
	describe_number(-1e300, number);
	assert_true(strlen(number) == 302 && number[0] == '-');
	describe_number(100, number);
	assert_string_equal(number, "100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fields_of_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(fields_of_gauges, setup, teardown),
		cmocka_unit_test_setup_teardown(fields_of_histograms, setup, teardown),
		cmocka_unit_test_setup_teardown(untagged_series_are_totals_and_by_type_repeats_them,
						setup, teardown),
		cmocka_unit_test_setup_teardown(expressions_are_calculated, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_compared_raises_no_alert, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_conditions, setup, teardown),
		cmocka_unit_test_setup_teardown(quiet_is_what_until_asks_for, setup, teardown),
		cmocka_unit_test_setup_teardown(verdicts_are_described, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
