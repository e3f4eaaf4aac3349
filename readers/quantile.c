/* SPDX-License-Identifier: MIT */
/*
 * Statistics of histograms. A quantile is the value of nearest rank: the bucket
 * that holds it is known exactly, its place in there is estimated with a
 * density that runs linearly (over the logarithm) as the neighbours suggest.
 */
#include <math.h>

#include <astshm/layout.h>
#include <astshm/reader.h>

#include "bounds.h"

#define NS_PER_SECOND 1e9
#define PER_OCTAVE 64
#define BUCKET_LOG (M_LN2 / PER_OCTAVE)

double astshm_histogram_bound(enum astshm_kind kind, uint32_t slot)
{
	bool timing = kind == ASTSHM_KIND_TIMING;
	if (slot == ASTSHM_HISTOGRAM_ZERO)
		return 0.0;
	if (slot >= ASTSHM_HISTOGRAM_OVERFLOW)
		return INFINITY;
	/* Bucket i ends at 2^((i + 1) / 64). */
	int end = (int)slot + 1 -
		  (timing ? ASTSHM_TIMING_INDEX_BIAS : ASTSHM_DISTRIBUTION_INDEX_BIAS);
	int octave = end >= 0 ? end / PER_OCTAVE : -((PER_OCTAVE - 1 - end) / PER_OCTAVE);
	double bound = ldexp(shm_octave_bounds[end - octave * PER_OCTAVE], octave);
	return timing ? bound * NS_PER_SECOND : bound;
}

double astshm_histogram_mean(const struct astshm_histogram *histogram)
{
	if (histogram->count == 0)
		return NAN;
	double sum = ldexp((double)histogram->sum_hi, 64) + (double)histogram->sum;
	return sum / (double)histogram->count;
}

/* A walk over the slots in the order of values. */
struct cursor {
	const struct astshm_histogram *histogram;
	enum astshm_kind kind;
	uint32_t slot;
	uint64_t count;  /* of this slot */
	uint64_t before; /* of all slots below */
};

static uint64_t slot_count(const struct astshm_histogram *histogram, uint32_t slot)
{
	if (slot == ASTSHM_HISTOGRAM_ZERO)
		return histogram->zero_count;
	if (slot >= ASTSHM_HISTOGRAM_OVERFLOW)
		return slot == ASTSHM_HISTOGRAM_OVERFLOW ? histogram->overflow_count : 0;
	if (slot < histogram->first_slot || slot - histogram->first_slot >= histogram->slot_count)
		return 0;
	return histogram->slots[slot - histogram->first_slot];
}

static struct cursor cursor_start(const struct astshm_histogram *histogram, enum astshm_kind kind)
{
	return (struct cursor){ histogram, kind, 0, histogram->zero_count, 0 };
}

/* Skips what is known to be empty. */
static uint32_t next_slot(const struct astshm_histogram *histogram, uint32_t slot)
{
	if (slot < histogram->first_slot && histogram->slot_count > 0)
		return slot == 0 ? histogram->first_slot : slot + 1;
	if (slot + 1 < histogram->first_slot + histogram->slot_count)
		return slot + 1;
	return ASTSHM_HISTOGRAM_OVERFLOW;
}

/* The same as cursor_seek, as far as the slots reach that are there. */
static void seek_in_slots(struct cursor *cursor, uint64_t rank)
{
	const struct astshm_histogram *histogram = cursor->histogram;
	if (cursor->slot < histogram->first_slot ||
	    cursor->slot - histogram->first_slot >= histogram->slot_count)
		return;
	const uint64_t *slots = histogram->slots;
	uint32_t i = cursor->slot - histogram->first_slot, last = histogram->slot_count - 1;
	uint64_t left = rank - cursor->before, count = cursor->count;
	while (i < last && left > count) {
		left -= count;
		count = slots[++i];
	}
	cursor->before = rank - left;
	cursor->count = count;
	cursor->slot = histogram->first_slot + i;
}

/* To the slot that holds the sample of `rank`, 1 the smallest. False: the
 * slots hold fewer than that. */
static bool cursor_seek(struct cursor *cursor, uint64_t rank)
{
	if (rank <= cursor->before)
		*cursor = cursor_start(cursor->histogram, cursor->kind);
	for (;;) {
		seek_in_slots(cursor, rank);
		if (rank - cursor->before <= cursor->count)
			break;
		if (cursor->slot == ASTSHM_HISTOGRAM_OVERFLOW)
			return false;
		cursor->before += cursor->count;
		cursor->slot = next_slot(cursor->histogram, cursor->slot);
		cursor->count = slot_count(cursor->histogram, cursor->slot);
	}
	return true;
}

/* The part of a bucket that can hold samples, and how dense its own and the
 * neighbouring buckets are, per bucket width on the logarithmic scale. */
struct bucket {
	double low;
	double width; /* ln(high / low) / BUCKET_LOG, 1 for a whole bucket */
	double slope; /* of the density, times the width, over the density: +-2 */
};

static struct bucket look(const struct cursor *cursor)
{
	const struct astshm_histogram *histogram = cursor->histogram;
	double low = astshm_histogram_bound(cursor->kind, cursor->slot - 1);
	double high = astshm_histogram_bound(cursor->kind, cursor->slot);
	if (cursor->slot == ASTSHM_HISTOGRAM_FIRST)
		low = high * exp(-BUCKET_LOG);
	double min = (double)histogram->min, max = (double)histogram->max;
	bool has_min = histogram->has_extremes && min > low && min < high;
	bool has_max = histogram->has_extremes && max > low && max < high;
	struct bucket bucket = { has_min ? min : low, 1.0, 0.0 };
	if (has_min || has_max)
		bucket.width = log((has_max ? max : high) / bucket.low) / BUCKET_LOG;
	if (!(bucket.width > 0.0))
		return (struct bucket){ bucket.low, 0.0, 0.0 };
	double left = (double)slot_count(histogram, cursor->slot - 1);
	double here = (double)cursor->count / bucket.width;
	double right = (double)slot_count(histogram, cursor->slot + 1);
	/* Beside an extreme there is nothing, which says nothing of a slope. */
	double rise = has_min && has_max ? 0.0 : has_min ? right - here :
		      has_max ? here - left : (right - left) / 2.0;
	bucket.slope = fmax(-2.0, fmin(2.0, rise * bucket.width / here));
	return bucket;
}

/* Where a share p of the mass lies below, density (1 - s/2) + s x on [0, 1]:
 * solves (1 - s/2) x + s x^2 / 2 = p without cancellation. */
static double place(double p, double slope)
{
	double linear = 1.0 - slope / 2.0;
	double root = sqrt(fmax(0.0, linear * linear + 2.0 * slope * p));
	double divisor = linear + root;
	return divisor > 0.0 ? fmin(1.0, 2.0 * p / divisor) : 1.0;
}

static double clamp(const struct astshm_histogram *histogram, double value)
{
	if (!histogram->has_extremes)
		return value;
	return fmax((double)histogram->min, fmin((double)histogram->max, value));
}

static double value_at(const struct cursor *cursor, uint64_t rank)
{
	if (cursor->slot == ASTSHM_HISTOGRAM_ZERO)
		return 0.0;
	if (cursor->slot == ASTSHM_HISTOGRAM_OVERFLOW)
		return astshm_histogram_bound(cursor->kind, ASTSHM_HISTOGRAM_LAST);
	struct bucket bucket = look(cursor);
	/* The k-th of n samples is expected in the middle of its n-th part. */
	double p = ((double)(rank - cursor->before) - 0.5) / (double)cursor->count;
	return bucket.low * exp(place(p, bucket.slope) * bucket.width * BUCKET_LOG);
}

/* Nearest rank, 1 to count. The product is rounded: a whole number that came
 * out a little too large must not be taken for the next. */
static uint64_t rank_of(double q, uint64_t count)
{
	double exact = q * (double)count;
	double rank = ceil(exact - exact * 0x1p-50);
	if (!(rank > 1.0))
		return 1;
	return rank >= (double)count ? count : (uint64_t)rank;
}

static double quantile(struct cursor *cursor, double q)
{
	const struct astshm_histogram *histogram = cursor->histogram;
	if (isnan(q) || histogram->count == 0 || !histogram->has_buckets)
		return NAN;
	uint64_t rank = rank_of(q, histogram->count);
	if (histogram->has_extremes && (rank == 1 || rank == histogram->count))
		return (double)(rank == 1 ? histogram->min : histogram->max);
	cursor_seek(cursor, rank);
	return clamp(histogram, value_at(cursor, rank));
}

double astshm_histogram_quantile(const struct astshm_histogram *histogram, enum astshm_kind kind,
				 double q)
{
	struct cursor cursor = cursor_start(histogram, kind);
	return quantile(&cursor, q);
}

void astshm_histogram_quantiles(const struct astshm_histogram *histogram, enum astshm_kind kind,
				const double *q, double *values, size_t n)
{
	struct cursor cursor = cursor_start(histogram, kind);
	for (size_t i = 0; i < n; i++)
		values[i] = quantile(&cursor, q[i]);
}
