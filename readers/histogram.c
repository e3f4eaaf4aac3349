/* SPDX-License-Identifier: MIT */
/* Sums and differences of histograms, slot by slot. */
#include <errno.h>
#include <string.h>

#include "derive.h"

void histogram_total_clear(struct histogram_total *total)
{
	memset(total, 0, sizeof *total);
	total->has_extremes = true;
	total->low = ASTSHM_HISTOGRAM_SLOTS;
}

static void widen(struct histogram_total *total, const struct astshm_histogram *histogram)
{
	bool first = total->count == 0;
	total->has_extremes &= histogram->has_extremes;
	if (first || histogram->min < total->min)
		total->min = histogram->min;
	if (first || histogram->max > total->max)
		total->max = histogram->max;
	if (!histogram->slot_count)
		return;
	if (histogram->first_slot < total->low)
		total->low = histogram->first_slot;
	if (histogram->first_slot + histogram->slot_count > total->high)
		total->high = histogram->first_slot + histogram->slot_count;
}

int histogram_total_add(struct histogram_total *total, const struct astshm_histogram *histogram)
{
	uint64_t count;
	if (!histogram->count)
		return 0;
	if (!histogram->has_buckets)
		return -ENODATA;
	if (__builtin_add_overflow(total->count, histogram->count, &count))
		return -EOVERFLOW;
	widen(total, histogram);
	total->count = count; /* bounds every slot's sum as well */
	total->sum += number_join(histogram->sum_hi, histogram->sum);
	total->slots[ASTSHM_HISTOGRAM_ZERO] += histogram->zero_count;
	total->slots[ASTSHM_HISTOGRAM_OVERFLOW] += histogram->overflow_count;
	for (uint32_t i = 0; i < histogram->slot_count; i++)
		total->slots[histogram->first_slot + i] += histogram->slots[i];
	return 0;
}

void histogram_total_view(const struct histogram_total *total, struct astshm_histogram *view)
{
	bool any = total->low < total->high;
	*view = (struct astshm_histogram){
		.count = total->count,
		.sum = (uint64_t)total->sum,
		.sum_hi = (uint64_t)(total->sum >> 64),
		.min = total->min,
		.max = total->max,
		.zero_count = total->slots[ASTSHM_HISTOGRAM_ZERO],
		.overflow_count = total->slots[ASTSHM_HISTOGRAM_OVERFLOW],
		.slots = any ? total->slots + total->low : NULL,
		.first_slot = any ? total->low : ASTSHM_HISTOGRAM_FIRST,
		.slot_count = any ? total->high - total->low : 0,
		.has_buckets = true,
		.has_extremes = total->has_extremes,
	};
}

int histogram_total_store(const struct histogram_total *total, struct reader_arena *arena,
			  struct astshm_histogram *stored)
{
	histogram_total_view(total, stored);
	if (!stored->slot_count)
		return 0;
	uint64_t *slots = reader_arena_array(arena, stored->slot_count, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	memcpy(slots, stored->slots, stored->slot_count * sizeof *slots);
	stored->slots = slots;
	return 0;
}

/* The count in a regular slot; 0 outside of what is kept. */
static uint64_t slot_count_of(const struct astshm_histogram *histogram, uint32_t slot)
{
	if (slot < histogram->first_slot || slot - histogram->first_slot >= histogram->slot_count)
		return 0;
	return histogram->slots[slot - histogram->first_slot];
}

/* Every sample of older is one of newer, as far as counts can tell. */
static bool is_part_of(const struct astshm_histogram *older, const struct astshm_histogram *newer)
{
	if (older->zero_count > newer->zero_count || older->overflow_count > newer->overflow_count)
		return false;
	for (uint32_t i = 0; i < older->slot_count; i++) {
		if (older->slots[i] > slot_count_of(newer, older->first_slot + i))
			return false;
	}
	return true;
}

static void trim(struct astshm_histogram *histogram)
{
	while (histogram->slot_count && !histogram->slots[histogram->slot_count - 1])
		histogram->slot_count--;
	while (histogram->slot_count && !histogram->slots[0]) {
		histogram->slots++;
		histogram->first_slot++;
		histogram->slot_count--;
	}
}

static int subtract_slots(const struct astshm_histogram *newer,
			  const struct astshm_histogram *older, struct reader_arena *arena,
			  struct astshm_histogram *difference)
{
	if (!newer->slot_count)
		return 0;
	uint64_t *slots = reader_arena_array(arena, newer->slot_count, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < newer->slot_count; i++) {
		slots[i] = newer->slots[i] - slot_count_of(older, newer->first_slot + i);
		difference->count += slots[i];
	}
	difference->slots = slots;
	difference->first_slot = newer->first_slot;
	difference->slot_count = newer->slot_count;
	trim(difference);
	return 0;
}

int histogram_subtract(const struct astshm_histogram *newer, const struct astshm_histogram *older,
		       struct reader_arena *arena, struct astshm_histogram *difference)
{
	if ((newer->count && !newer->has_buckets) || (older->count && !older->has_buckets))
		return -ENODATA;
	if (!is_part_of(older, newer))
		return -ERANGE;
	number_u128 sum = number_join(newer->sum_hi, newer->sum);
	number_u128 before = number_join(older->sum_hi, older->sum);
	*difference = (struct astshm_histogram){
		.zero_count = newer->zero_count - older->zero_count,
		.overflow_count = newer->overflow_count - older->overflow_count,
		.first_slot = ASTSHM_HISTOGRAM_FIRST,
		.has_buckets = true,
	};
	difference->count = difference->zero_count + difference->overflow_count;
	int code = subtract_slots(newer, older, arena, difference);
	if (code < 0)
		return code;
	/* A block taken as best effort may hold a sum that lags its slots. */
	sum = sum > before && difference->count ? sum - before : 0;
	difference->sum = (uint64_t)sum;
	difference->sum_hi = (uint64_t)(sum >> 64);
	return 0;
}
