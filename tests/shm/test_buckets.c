/* SPDX-License-Identifier: MIT */
/*
 * The tables of shm/buckets.c against exact integers. The upper bound of slot s
 * of a unit u is b(s) = u * 2^(k/64); an integer v lies at or below it exactly if
 * v^64 <= u^64 * 2^k, which GMP decides without rounding.
 */
#include <gmp.h>
#include <math.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <astshm/buckets.h>
#include <bounds.h>

struct shape {
	const uint64_t *table;
	unsigned long unit;
	int bias; /* the bound of slot s is unit * 2^((s - bias + 1) / 64) */
};

static const struct shape shapes[] = {
	{ astshm_timing_table, 1000000000, ASTSHM_TIMING_INDEX_BIAS },
	{ astshm_distribution_table, 1, ASTSHM_DISTRIBUTION_INDEX_BIAS },
};

#define SHAPES (sizeof shapes / sizeof shapes[0])

/* floor of the upper bound of `slot`: the last integer inside. */
static int64_t last_inside(const struct shape *shape, int slot)
{
	int steps = slot - shape->bias + 1;
	mpz_t power;
	mpz_init(power);
	mpz_ui_pow_ui(power, shape->unit, 64);
	if (steps >= 0)
		mpz_mul_2exp(power, power, (mp_bitcnt_t)steps);
	else
		mpz_fdiv_q_2exp(power, power, (mp_bitcnt_t)-steps); /* floor(root(floor(x))) */
	mpz_root(power, power, 64);
	int64_t value = mpz_get_si(power);
	mpz_clear(power);
	return value;
}

/* v^64 <= unit^64 * 2^steps, by multiplication alone. */
static bool is_inside(const struct shape *shape, int64_t value, int slot)
{
	int steps = slot - shape->bias + 1;
	mpz_t left, right;
	mpz_inits(left, right, NULL);
	mpz_ui_pow_ui(left, (unsigned long)value, 64);
	mpz_ui_pow_ui(right, shape->unit, 64);
	if (steps >= 0)
		mpz_mul_2exp(right, right, (mp_bitcnt_t)steps);
	else
		mpz_mul_2exp(left, left, (mp_bitcnt_t)-steps);
	bool inside = mpz_cmp(left, right) <= 0;
	mpz_clears(left, right, NULL);
	return inside;
}

/* The slot's bound holds the value and the bound below does not. */
static void assert_slot_is_exact(const struct shape *shape, int64_t value)
{
	int slot = (int)astshm_bucket_slot_any(shape->table, value);
	if (slot <= (int)ASTSHM_HISTOGRAM_LAST && !is_inside(shape, value, slot))
		fail_msg("%lld above its slot %d (unit %lu)", (long long)value, slot, shape->unit);
	if (slot == 0 || (slot > 1 && is_inside(shape, value, slot - 1)))
		fail_msg("%lld below its slot %d (unit %lu)", (long long)value, slot, shape->unit);
}

static void every_edge_and_its_neighbours_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		for (int slot = 1; slot <= (int)ASTSHM_HISTOGRAM_LAST; slot++) {
			int64_t edge = last_inside(&shapes[i], slot);
			for (int64_t value = edge - 1; value <= edge + 1; value++)
				if (value > 0)
					assert_slot_is_exact(&shapes[i], value);
		}
	}
}

/* Found by bisection on the function itself, not by the formula of the test. */
static void every_slot_ends_where_integers_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		for (int slot = 1; slot <= (int)ASTSHM_HISTOGRAM_LAST; slot++) {
			int64_t low = 0, high = (int64_t)1 << 53;
			while (high - low > 1) {
				int64_t middle = low + (high - low) / 2;
				if ((int)astshm_bucket_slot_any(shapes[i].table, middle) <= slot)
					low = middle;
				else
					high = middle;
			}
			assert_int_equal(low, last_inside(&shapes[i], slot));
		}
	}
}

static void random_values_of_every_magnitude_are_exact(void **state)
{
	(void)state;
	srandom(20261122);
	for (size_t i = 0; i < SHAPES; i++) {
		for (int n = 0; n < 20000; n++) {
			uint64_t bits = (uint64_t)random() << 31 ^ (uint64_t)random();
			int64_t value = (int64_t)((bits & (((uint64_t)1 << 53) - 1)) >>
						  random() % 53);
			if (value > 0)
				assert_slot_is_exact(&shapes[i], value);
		}
	}
}

static void first_values_have_the_slots_that_are_documented(void **state)
{
	(void)state;
	assert_int_equal(astshm_bucket_slot(astshm_timing_table, 1), 1);
	assert_int_equal(astshm_bucket_slot(astshm_distribution_table, 1), 1);
	/* One second is the upper bound of OpenTelemetry's index -1. */
	assert_int_equal(astshm_bucket_slot(astshm_timing_table, 1000000000),
			 ASTSHM_TIMING_INDEX_BIAS - 1);
	assert_int_equal(astshm_bucket_slot(astshm_timing_table, 1000000001),
			 ASTSHM_TIMING_INDEX_BIAS);
	assert_int_equal(astshm_bucket_slot(astshm_distribution_table, 2), 65);
}

/* One unsigned compare must send all of these to the cold path. */
static void values_without_a_bucket_fall_outside_the_regular_slots(void **state)
{
	(void)state;
	const int64_t none[] = { 0, -1, -2, -1000000000, -((int64_t)1 << 53), INT64_MIN,
				 INT64_MIN + 1 };
	const int64_t over[] = { (int64_t)1 << 48, (int64_t)1 << 52, (int64_t)1 << 53,
				 ((int64_t)1 << 53) + 1, (int64_t)1 << 60, INT64_MAX - 1,
				 INT64_MAX };
	for (size_t i = 0; i < SHAPES; i++) {
		for (size_t n = 0; n < sizeof none / sizeof none[0]; n++) {
			assert_true(astshm_bucket_slot(shapes[i].table, none[n]) - 1 >= 3062);
			assert_int_equal(astshm_bucket_slot_any(shapes[i].table, none[n]), 0);
		}
		for (size_t n = 0; n < sizeof over / sizeof over[0]; n++) {
			assert_true(astshm_bucket_slot(shapes[i].table, over[n]) - 1 >= 3062);
			assert_int_equal(astshm_bucket_slot_any(shapes[i].table, over[n]), 3063);
		}
	}
}

/* The double nearest to 2^(j/64): the root lies within half a unit in the last
 * place, that is (2m - 1)^64 < 2^(j + 64 * 53) < (2m + 1)^64. */
static void octave_bounds_are_rounded_correctly(void **state)
{
	(void)state;
	for (int j = 0; j < 64; j++) {
		unsigned long mantissa = (unsigned long)ldexp(shm_octave_bounds[j], 52);
		mpz_t below, above, exact;
		mpz_inits(below, above, exact, NULL);
		mpz_ui_pow_ui(below, 2 * mantissa - 1, 64);
		mpz_ui_pow_ui(above, 2 * mantissa + 1, 64);
		mpz_setbit(exact, (mp_bitcnt_t)j + 64 * 53);
		assert_true(mpz_cmp(below, exact) < 0 && mpz_cmp(exact, above) < 0);
		mpz_clears(below, above, exact, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_edge_and_its_neighbours_are_exact),
		cmocka_unit_test(every_slot_ends_where_integers_say),
		cmocka_unit_test(random_values_of_every_magnitude_are_exact),
		cmocka_unit_test(first_values_have_the_slots_that_are_documented),
		cmocka_unit_test(values_without_a_bucket_fall_outside_the_regular_slots),
		cmocka_unit_test(octave_bounds_are_rounded_correctly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
