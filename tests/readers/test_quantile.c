/* SPDX-License-Identifier: MIT */
/* Quantiles against exact ones, and the bounds of slots. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <astshm/buckets.h>
#include <astshm/reader.h>

/* Half a bucket on the logarithmic scale: 2^(1/128) - 1. */
#define HALF_BUCKET 0.00543
#define SAMPLES 200000

static const double q_values[] = { 0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99,
				   0.999, 1.0 };
#define Q_COUNT (sizeof q_values / sizeof q_values[0])

struct sample_set {
	int64_t values[SAMPLES];
	uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct astshm_histogram histogram;
	size_t count;
};

static uint64_t random_state;

static double uniform(void) /* in (0, 1) */
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return ((double)(random_state >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
	return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double lognormal_sample(void)
{
	return 20000.0 * exp(1.2 * normal());
}

static double uniform_sample(void)
{
	return 1000.0 + 1e6 * uniform();
}

static double exponential_sample(void)
{
	return 1.0 - 50000.0 * log(uniform());
}

static double two_humps_sample(void)
{
	return uniform() < 0.9 ? 1000.0 + 50.0 * normal() : 5e6 * exp(0.1 * normal());
}

static int compare_values(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

static void add_sample(struct sample_set *set, const uint64_t *table, int64_t value)
{
	struct astshm_histogram *histogram = &set->histogram;
	uint64_t sample = (uint64_t)value;
	set->values[set->count++] = value;
	set->slots[astshm_bucket_slot_any(table, value)]++;
	if (histogram->count == 0 || sample < histogram->min)
		histogram->min = sample;
	if (histogram->count == 0 || sample > histogram->max)
		histogram->max = sample;
	histogram->sum += sample;
	histogram->count++;
}

static void finish_samples(struct sample_set *set)
{
	struct astshm_histogram *histogram = &set->histogram;
	histogram->zero_count = set->slots[ASTSHM_HISTOGRAM_ZERO];
	histogram->overflow_count = set->slots[ASTSHM_HISTOGRAM_OVERFLOW];
	histogram->slots = set->slots + ASTSHM_HISTOGRAM_FIRST;
	histogram->first_slot = ASTSHM_HISTOGRAM_FIRST;
	histogram->slot_count = ASTSHM_HISTOGRAM_LAST;
	histogram->has_buckets = histogram->has_extremes = true;
	qsort(set->values, set->count, sizeof set->values[0], compare_values);
}

static struct sample_set *draw(double (*sample)(void), size_t count, const uint64_t *table)
{
	struct sample_set *set = calloc(1, sizeof *set);
	assert_non_null(set);
	for (size_t i = 0; i < count; i++)
		add_sample(set, table, (int64_t)sample());
	finish_samples(set);
	return set;
}

static double exact_quantile(const struct sample_set *set, double q)
{
	double rank = ceil(q * (double)set->count - 1e-9);
	size_t at = rank < 1.0 ? 0 : (size_t)rank - 1;
	return (double)set->values[at];
}

/* Exact and estimated value lie in one bucket: at most its width apart. */
static void check_quantiles(const struct sample_set *set, enum astshm_kind kind)
{
	double values[Q_COUNT];
	astshm_histogram_quantiles(&set->histogram, kind, q_values, values, Q_COUNT);
	for (size_t i = 0; i < Q_COUNT; i++) {
		double exact = exact_quantile(set, q_values[i]);
		double error = fabs(values[i] - exact) / exact;
		if (error > 2.0 * HALF_BUCKET)
			fail_msg("q %g: %.17g, exactly %.17g: off by %g", q_values[i], values[i],
				 exact, error);
		assert_true(values[i] >= (double)set->histogram.min);
		assert_true(values[i] <= (double)set->histogram.max);
		if (i > 0)
			assert_true(values[i] >= values[i - 1]);
		double alone = astshm_histogram_quantile(&set->histogram, kind, q_values[i]);
		assert_true(alone == values[i]);
	}
}

static void check_shape(double (*sample)(void), enum astshm_kind kind)
{
	static const size_t counts[] = { 1, 2, 3, 10, 1000, SAMPLES };
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		random_state = 42 + i;
		struct sample_set *set = draw(sample, counts[i],
					      kind == ASTSHM_KIND_TIMING ?
						      astshm_timing_table :
						      astshm_distribution_table);
		check_quantiles(set, kind);
		free(set);
	}
}

static void quantiles_of_lognormal_samples_lie_in_the_exact_bucket(void **state)
{
	(void)state;
	check_shape(lognormal_sample, ASTSHM_KIND_TIMING);
	check_shape(lognormal_sample, ASTSHM_KIND_DISTRIBUTION);
}

static void quantiles_of_uniform_samples_lie_in_the_exact_bucket(void **state)
{
	(void)state;
	check_shape(uniform_sample, ASTSHM_KIND_TIMING);
}

static void quantiles_of_exponential_samples_lie_in_the_exact_bucket(void **state)
{
	(void)state;
	check_shape(exponential_sample, ASTSHM_KIND_TIMING);
	check_shape(exponential_sample, ASTSHM_KIND_DISTRIBUTION);
}

static void quantiles_of_two_humps_lie_in_the_exact_bucket(void **state)
{
	(void)state;
	check_shape(two_humps_sample, ASTSHM_KIND_TIMING);
}

/* Interpolation is worth having: the middle of the bucket is off by a quarter
 * of its width on average, 0.27 %. */
static void smooth_samples_are_met_better_than_by_bucket_midpoints(void **state)
{
	(void)state;
	random_state = 7;
	struct sample_set *set = draw(lognormal_sample, SAMPLES, astshm_timing_table);
	double total = 0.0;
	int n = 0;
	for (double q = 0.05; q < 0.96; q += 0.005, n++) {
		double exact = exact_quantile(set, q);
		double value = astshm_histogram_quantile(&set->histogram, ASTSHM_KIND_TIMING, q);
		total += fabs(value - exact) / exact;
	}
	free(set);
	if (total / n > 0.0010)
		fail_msg("mean error %g", total / n);
}

static void one_sample_is_every_quantile(void **state)
{
	struct sample_set *set = calloc(1, sizeof *set);
	(void)state;
	assert_non_null(set);
	add_sample(set, astshm_timing_table, 123456789);
	finish_samples(set);
	for (size_t i = 0; i < Q_COUNT; i++)
		assert_true(astshm_histogram_quantile(&set->histogram, ASTSHM_KIND_TIMING,
						      q_values[i]) == 123456789.0);
	assert_true(astshm_histogram_mean(&set->histogram) == 123456789.0);
	free(set);
}

static void zeroes_and_overflow_have_their_place(void **state)
{
	struct sample_set *set = calloc(1, sizeof *set);
	(void)state;
	assert_non_null(set);
	for (int i = 0; i < 6; i++)
		add_sample(set, astshm_timing_table, 0);
	for (int i = 0; i < 4; i++)
		add_sample(set, astshm_timing_table, INT64_C(1) << 60);
	finish_samples(set);
	const struct astshm_histogram *histogram = &set->histogram;
	assert_true(astshm_histogram_quantile(histogram, ASTSHM_KIND_TIMING, 0.5) == 0.0);
	double high = astshm_histogram_quantile(histogram, ASTSHM_KIND_TIMING, 0.9);
	assert_true(high == astshm_histogram_bound(ASTSHM_KIND_TIMING, ASTSHM_HISTOGRAM_LAST));
	assert_true(astshm_histogram_quantile(histogram, ASTSHM_KIND_TIMING, 1.0) == 0x1p60);
	free(set);
}

static void without_samples_or_buckets_nothing_is_known(void **state)
{
	struct astshm_histogram empty = { .has_buckets = true };
	struct astshm_histogram closed = { .count = 5, .sum = 10, .has_extremes = true };
	(void)state;
	assert_true(isnan(astshm_histogram_quantile(&empty, ASTSHM_KIND_TIMING, 0.5)));
	assert_true(isnan(astshm_histogram_mean(&empty)));
	assert_true(isnan(astshm_histogram_quantile(&closed, ASTSHM_KIND_TIMING, 0.5)));
	assert_true(astshm_histogram_mean(&closed) == 2.0);
	closed.has_buckets = true;
	assert_true(isnan(astshm_histogram_quantile(&closed, ASTSHM_KIND_TIMING, NAN)));
}

/* A snapshot that came over the wire may claim what it likes. */
static void count_beyond_the_slots_ends_at_the_maximum(void **state)
{
	uint64_t slot = 2;
	struct astshm_histogram histogram = { .count = 100, .min = 5, .max = 9, .slots = &slot,
					      .first_slot = 300, .slot_count = 1,
					      .has_buckets = true, .has_extremes = true };
	(void)state;
	assert_true(astshm_histogram_quantile(&histogram, ASTSHM_KIND_DISTRIBUTION, 0.9) == 9.0);
}

static void quantiles_without_extremes_stay_in_their_bucket(void **state)
{
	(void)state;
	random_state = 3;
	struct sample_set *set = draw(lognormal_sample, 1000, astshm_timing_table);
	set->histogram.has_extremes = false;
	for (size_t i = 0; i < Q_COUNT; i++) {
		double exact = exact_quantile(set, q_values[i]);
		double value = astshm_histogram_quantile(&set->histogram, ASTSHM_KIND_TIMING,
							 q_values[i]);
		assert_true(fabs(value - exact) / exact <= 2.0 * HALF_BUCKET);
	}
	free(set);
}

static void mean_uses_both_words_of_the_sum(void **state)
{
	struct astshm_histogram histogram = { .count = 4, .sum = 8, .sum_hi = 3 };
	(void)state;
	assert_true(astshm_histogram_mean(&histogram) == 0x3p62 + 2.0);
}

/* Every value lies at or below the bound of its slot, above the one before.
 * Past 2^44 a double's last bit is too near to one for this to be decided. */
static void bounds_agree_with_the_slots_of_values(void **state)
{
	(void)state;
	const struct { enum astshm_kind kind; const uint64_t *table; } kinds[] = {
		{ ASTSHM_KIND_TIMING, astshm_timing_table },
		{ ASTSHM_KIND_DISTRIBUTION, astshm_distribution_table },
	};
	for (size_t k = 0; k < 2; k++)
		for (uint32_t slot = 1; slot <= ASTSHM_HISTOGRAM_LAST; slot++) {
			double bound = astshm_histogram_bound(kinds[k].kind, slot);
			assert_true(bound > astshm_histogram_bound(kinds[k].kind, slot - 1));
			if (bound >= 0x1p44)
				continue;
			int64_t inside = (int64_t)bound; /* floor: the largest inside */
			if ((double)inside > astshm_histogram_bound(kinds[k].kind, slot - 1))
				assert_int_equal(astshm_bucket_slot_any(kinds[k].table, inside),
						 slot);
			assert_true(astshm_bucket_slot_any(kinds[k].table, inside + 1) > slot);
		}
}

static void bounds_at_the_ends_are_exact(void **state)
{
	(void)state;
	assert_true(astshm_histogram_bound(ASTSHM_KIND_TIMING, 0) == 0.0);
	assert_true(astshm_histogram_bound(ASTSHM_KIND_TIMING, ASTSHM_TIMING_INDEX_BIAS - 1) ==
		    1e9);
	assert_true(astshm_histogram_bound(ASTSHM_KIND_DISTRIBUTION, 1) == 1.0);
	assert_true(astshm_histogram_bound(ASTSHM_KIND_DISTRIBUTION, 65) == 2.0);
	assert_true(isinf(astshm_histogram_bound(ASTSHM_KIND_TIMING, ASTSHM_HISTOGRAM_OVERFLOW)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_of_lognormal_samples_lie_in_the_exact_bucket),
		cmocka_unit_test(quantiles_of_uniform_samples_lie_in_the_exact_bucket),
		cmocka_unit_test(quantiles_of_exponential_samples_lie_in_the_exact_bucket),
		cmocka_unit_test(quantiles_of_two_humps_lie_in_the_exact_bucket),
		cmocka_unit_test(smooth_samples_are_met_better_than_by_bucket_midpoints),
		cmocka_unit_test(one_sample_is_every_quantile),
		cmocka_unit_test(zeroes_and_overflow_have_their_place),
		cmocka_unit_test(without_samples_or_buckets_nothing_is_known),
		cmocka_unit_test(count_beyond_the_slots_ends_at_the_maximum),
		cmocka_unit_test(quantiles_without_extremes_stay_in_their_bucket),
		cmocka_unit_test(mean_uses_both_words_of_the_sum),
		cmocka_unit_test(bounds_agree_with_the_slots_of_values),
		cmocka_unit_test(bounds_at_the_ends_are_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
