/* SPDX-License-Identifier: MIT */
/* Several series as one: what merging and grouping have in common. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"

/* One thread's part of one item. */
struct thread_item {
	const struct astshm_thread_value *thread;
	uint32_t part;
};

struct combiner {
	struct astshm_snapshot *into;
	struct histogram_total *total;
	struct thread_item *threads; /* room for those of the largest run */
};

/* Counters wrap like the segment's cells; only hostile input gets there. */
static int64_t wrapping_sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_counter(struct astshm_counter_value *sum, const struct astshm_counter_value *part)
{
	sum->value = wrapping_sum(sum->value, part->value);
	sum->increase = wrapping_sum(sum->increase, part->increase);
	sum->rate += part->rate;
	sum->has_rate |= part->has_rate;
}

/* Statistics only; `sum` begins as zeroes. */
static void add_gauge(struct astshm_gauge_value *sum, const struct astshm_gauge_value *part)
{
	if (!part->count)
		return;
	sum->min = sum->count ? fmin(sum->min, part->min) : part->min;
	sum->max = sum->count ? fmax(sum->max, part->max) : part->max;
	sum->count += part->count;
	sum->sum += part->sum;
}

/* NaN stands for "unknown" and gives way to any number. */
static double merged_current(enum astshm_merge merge, double a, double b)
{
	switch (merge) {
	case ASTSHM_MERGE_SUM:
		return isnan(a) ? b : isnan(b) ? a : a + b;
	case ASTSHM_MERGE_MIN:
		return fmin(a, b);
	case ASTSHM_MERGE_MAX:
		return fmax(a, b);
	case ASTSHM_MERGE_LAST:
		break;
	}
	return b;
}

/* ASTSHM_MERGE_LAST: the newest snapshot's; among equals the last in order. */
static double last_current(const struct combine_item *items, size_t count)
{
	const struct combine_item *last = &items[0];
	for (size_t i = 1; i < count; i++) {
		if (items[i].timestamp_ns >= last->timestamp_ns)
			last = &items[i];
	}
	return last->series->gauge.current;
}

static void combine_gauges(const struct combine_item *items, size_t count,
			   struct astshm_series *into)
{
	enum astshm_merge merge = into->family->merge;
	double current = items[0].series->gauge.current;
	memset(&into->gauge, 0, sizeof into->gauge);
	for (size_t i = 0; i < count; i++) {
		add_gauge(&into->gauge, &items[i].series->gauge);
		if (i > 0)
			current = merged_current(merge, current, items[i].series->gauge.current);
	}
	into->gauge.current = merge == ASTSHM_MERGE_LAST ? last_current(items, count) : current;
}

static void combine_counters(const struct combine_item *items, size_t count,
			     struct astshm_series *into)
{
	memset(&into->counter, 0, sizeof into->counter);
	for (size_t i = 0; i < count; i++) {
		add_counter(&into->counter, &items[i].series->counter);
		into->monotonic &= items[i].series->monotonic;
	}
}

static int combine_histograms(struct combiner *combiner, const struct combine_item *items,
			      size_t count, struct astshm_series *into)
{
	int code = 0;
	histogram_total_clear(combiner->total);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = histogram_total_add(combiner->total, &items[i].series->histogram);
	if (code == 0)
		code = histogram_total_store(combiner->total, combiner->into->arena,
					     &into->histogram);
	return code;
}

/* --- threads --------------------------------------------------------- */

static int compare_threads(const void *left, const void *right)
{
	const struct thread_item *a = left, *b = right;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return (a->thread->slot > b->thread->slot) - (a->thread->slot < b->thread->slot);
}

static int combine_thread(struct combiner *combiner, const struct thread_item *items, size_t count,
			  enum astshm_kind kind, struct astshm_thread_value *into)
{
	int code = 0;
	*into = *items[0].thread;
	if (count == 1)
		return 0;
	if (kind == ASTSHM_KIND_COUNTER) {
		for (size_t i = 1; i < count; i++)
			into->counter = wrapping_sum(into->counter, items[i].thread->counter);
	} else if (kind == ASTSHM_KIND_GAUGE) {
		memset(&into->gauge, 0, sizeof into->gauge);
		for (size_t i = 0; i < count; i++)
			add_gauge(&into->gauge, &items[i].thread->gauge);
	} else {
		histogram_total_clear(combiner->total);
		for (size_t i = 0; code == 0 && i < count; i++)
			code = histogram_total_add(combiner->total, &items[i].thread->histogram);
		if (code == 0)
			code = histogram_total_store(combiner->total, combiner->into->arena,
						     &into->histogram);
	}
	return code;
}

static size_t gather_threads(struct combiner *combiner, const struct combine_item *items,
			     size_t count)
{
	size_t gathered = 0;
	for (size_t i = 0; i < count; i++) {
		const struct astshm_series *series = items[i].series;
		for (uint32_t t = 0; t < series->thread_count; t++)
			combiner->threads[gathered++] =
				(struct thread_item){ &series->threads[t], items[i].part };
	}
	return gathered;
}

static int combine_threads(struct combiner *combiner, const struct combine_item *items,
			   size_t count, struct astshm_series *into)
{
	size_t gathered = gather_threads(combiner, items, count);
	into->threads = NULL;
	into->thread_count = 0;
	if (!gathered)
		return 0;
	struct thread_item *threads = combiner->threads;
	struct astshm_thread_value *made =
		reader_arena_array(combiner->into->arena, gathered, sizeof *made);
	if (!made)
		return -ENOMEM;
	qsort(threads, gathered, sizeof *threads, compare_threads);
	into->threads = made;
	for (size_t i = 0, run; i < gathered; i += run) {
		run = 1;
		while (i + run < gathered && compare_threads(&threads[i], &threads[i + run]) == 0)
			run++;
		int code = combine_thread(combiner, &threads[i], run, into->kind,
					  &made[into->thread_count++]);
		if (code < 0)
			return code;
	}
	return 0;
}

/* --- runs of one key -------------------------------------------------- */

static int combine_run(struct combiner *combiner, const struct combine_item *items, size_t count)
{
	struct astshm_series *into =
		&combiner->into->series[combiner->into->series_count++];
	int code = 0;
	*into = *items[0].series;
	into->family = items[0].family;
	into->key = items[0].key;
	into->key_len = items[0].key_len;
	into->tags = items[0].tags;
	into->tag_count = items[0].tag_count;
	if (count == 1)
		return 0;
	into->created_realtime_ns = 0;
	if (into->kind == ASTSHM_KIND_COUNTER)
		combine_counters(items, count, into);
	else if (into->kind == ASTSHM_KIND_GAUGE)
		combine_gauges(items, count, into);
	else
		code = combine_histograms(combiner, items, count, into);
	return code < 0 ? code : combine_threads(combiner, items, count, into);
}

/* Kind and key: equal means one series. */
static int compare_keys(const struct combine_item *a, const struct combine_item *b)
{
	if (a->series->kind != b->series->kind)
		return a->series->kind < b->series->kind ? -1 : 1;
	size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, shorter);
	return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int compare_items(const void *left, const void *right)
{
	const struct combine_item *a = left, *b = right;
	int order = compare_keys(a, b);
	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static size_t run_length(const struct combine_item *items, size_t left)
{
	size_t run = 1;
	while (run < left && compare_keys(&items[0], &items[run]) == 0)
		run++;
	return run;
}

static size_t most_threads(const struct combine_item *items, size_t count)
{
	size_t most = 0;
	for (size_t i = 0, run; i < count; i += run) {
		size_t threads = 0;
		run = run_length(&items[i], count - i);
		for (size_t k = 0; k < run; k++)
			threads += items[i + k].series->thread_count;
		most = threads > most ? threads : most;
	}
	return most;
}

static int combine_runs(struct combiner *combiner, const struct combine_item *items, size_t count,
			struct astshm_error *error)
{
	for (size_t i = 0, run; i < count; i += run) {
		run = run_length(&items[i], count - i);
		int code = combine_run(combiner, &items[i], run);
		if (code == -ENODATA)
			return derive_fail(error, code, "a histogram comes without buckets");
		if (code == -EOVERFLOW)
			return derive_fail(error, code, "more than 2^64 samples in a histogram");
		if (code < 0)
			return derive_fail(error, code, "out of memory");
	}
	return 0;
}

int combine_items(struct combine_item *items, size_t count, struct astshm_snapshot *into,
		  struct astshm_error *error)
{
	int code = -ENOMEM;
	if (count > 0)
		qsort(items, count, sizeof *items, compare_items);
	struct combiner combiner = {
		.into = into,
		.total = malloc(sizeof *combiner.total),
		.threads = calloc(most_threads(items, count) + 1, sizeof *combiner.threads),
	};
	if (combiner.total && combiner.threads)
		code = combine_runs(&combiner, items, count, error);
	else
		derive_fail(error, code, "out of memory");
	free(combiner.total);
	free(combiner.threads);
	return code;
}
