/* SPDX-License-Identifier: MIT */
/*
 * The interval between two snapshots. What was lost in between (a restart, a
 * reset, a series removed and made again) is noticed, and the interval of
 * what it concerns begins there: newer's values are then the increase.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"

/* What happened to the writer between the two passes. */
struct interval {
	const struct astshm_snapshot *older;
	struct reader_arena *arena;
	bool restarted;       /* all values began anew */
	bool reset;           /* but for up-down counters */
	bool counters_reset;  /* monotonic counters began anew */
	double seconds;
};

/* Do both uptimes count from the same moment? */
static bool same_life(const struct astshm_snapshot *a, const struct astshm_snapshot *b)
{
	return a->has_segment && b->has_segment &&
	       a->segment.generation == b->segment.generation &&
	       a->segment.epoch == b->segment.epoch;
}

/* A dead or closed writer's uptime ends at its last beat, not at the pass. */
static bool both_live(const struct astshm_snapshot *a, const struct astshm_snapshot *b)
{
	return a->segment.state == ASTSHM_STATE_LIVE && b->segment.state == ASTSHM_STATE_LIVE;
}

/*
 * Of a merged snapshot only parts may have begun anew. Nothing tells which
 * samples were theirs, so nothing is taken as lost here, and series that went
 * down are caught one by one.
 */
static void find_resets(struct interval *interval, const struct astshm_snapshot *newer)
{
	const struct astshm_snapshot *older = interval->older;
	if (!newer->has_segment || !older->has_segment)
		return;
	interval->restarted = newer->segment.generation != older->segment.generation;
	interval->reset = interval->restarted || newer->segment.epoch != older->segment.epoch;
	interval->counters_reset = interval->reset || newer->segment.counters_epoch !=
							      older->segment.counters_epoch;
}

/*
 * The time between the passes. Uptimes are measured by the monotonic clock; the
 * wall clock may be set in between.
 */
static uint64_t elapsed_ns(const struct astshm_snapshot *newer,
			   const struct astshm_snapshot *older)
{
	uint64_t lived_ns = 0;
	if (same_life(newer, older) && newer->uptime_ns > older->uptime_ns)
		lived_ns = newer->uptime_ns - older->uptime_ns;
	if (newer->timestamp_ns <= older->timestamp_ns || (lived_ns && both_live(newer, older)))
		return lived_ns;
	return newer->timestamp_ns - older->timestamp_ns;
}

/* Values that began at the reset were counted since then, not since `older`. */
static uint64_t interval_ns(const struct interval *interval, const struct astshm_snapshot *newer)
{
	uint64_t elapsed = elapsed_ns(newer, interval->older);
	if (interval->reset && newer->uptime_ns && newer->uptime_ns < elapsed)
		return newer->uptime_ns;
	return elapsed;
}

/* --- one series ------------------------------------------------------- */

static bool made_again(const struct astshm_series *newer, const struct astshm_series *older)
{
	return newer->created_realtime_ns && older->created_realtime_ns &&
	       newer->created_realtime_ns != older->created_realtime_ns;
}

/* The series whose values newer's contain, or NULL: it began in between. */
static const struct astshm_series *find_before(const struct interval *interval,
					       const struct astshm_series *series, size_t hint)
{
	const struct astshm_snapshot *older = interval->older;
	const struct astshm_series *before = astshm_snapshot_at(older, hint);
	if (interval->restarted)
		return NULL;
	if (interval->reset && (series->kind != ASTSHM_KIND_COUNTER || series->monotonic))
		return NULL;
	if (interval->counters_reset && series->kind == ASTSHM_KIND_COUNTER && series->monotonic)
		return NULL;
	/* Steady snapshots hold the same series at the same places. */
	if (!before || before->kind != series->kind || before->key_len != series->key_len ||
	    memcmp(before->key, series->key, series->key_len) != 0)
		before = astshm_snapshot_find(older, series->kind, series->key);
	return before && !made_again(series, before) ? before : NULL;
}

/* Wraps as the cells do; monotonic counters that went down began anew. */
static int64_t counter_increase(int64_t newer, int64_t older, bool monotonic)
{
	if (monotonic && newer < older)
		return newer;
	return (int64_t)((uint64_t)newer - (uint64_t)older);
}

static void subtract_counter(const struct interval *interval, struct astshm_series *series,
			     const struct astshm_series *before)
{
	struct astshm_counter_value *counter = &series->counter;
	int64_t older = before ? before->counter.value : 0;
	counter->increase = counter_increase(counter->value, older, series->monotonic);
	counter->rate = (double)counter->increase / interval->seconds;
	counter->has_rate = true;
}

/* -ERANGE of histogram_subtract: some count went down, so it began anew. */
static int subtract_histogram(const struct interval *interval, struct astshm_histogram *histogram,
			      const struct astshm_histogram *before)
{
	struct astshm_histogram difference;
	if (!before->count)
		return 0;
	int code = histogram_subtract(histogram, before, interval->arena, &difference);
	if (code == 0)
		*histogram = difference;
	return code == -ERANGE ? 0 : code;
}

/* --- threads: by slot, which is inherited with its counts ---------------- */

static const struct astshm_thread_value *find_slot(const struct astshm_series *series,
						   uint32_t slot, uint32_t hint)
{
	if (series && hint < series->thread_count && series->threads[hint].slot == slot)
		return &series->threads[hint];
	for (uint32_t i = 0; series && i < series->thread_count; i++) {
		if (series->threads[i].slot == slot)
			return &series->threads[i];
	}
	return NULL;
}

static int subtract_thread(const struct interval *interval, const struct astshm_series *series,
			   struct astshm_thread_value *thread,
			   const struct astshm_thread_value *before)
{
	if (!before || series->kind == ASTSHM_KIND_GAUGE)
		return 0;
	if (series->kind == ASTSHM_KIND_COUNTER) {
		thread->counter =
			counter_increase(thread->counter, before->counter, series->monotonic);
		return 0;
	}
	return subtract_histogram(interval, &thread->histogram, &before->histogram);
}

static bool has_values(const struct astshm_series *series)
{
	if (series->kind == ASTSHM_KIND_COUNTER)
		return series->counter.value != 0;
	return series->kind == ASTSHM_KIND_GAUGE ? series->gauge.count > 0
						 : series->histogram.count > 0;
}

static int subtract_threads(const struct interval *interval, struct astshm_series *series,
			    const struct astshm_series *before)
{
	if (before && !before->thread_count && has_values(before))
		series->thread_count = 0; /* older was taken without threads */
	if (!series->thread_count)
		return 0;
	struct astshm_thread_value *threads =
		reader_arena_array(interval->arena, series->thread_count, sizeof *threads);
	if (!threads)
		return -ENOMEM;
	memcpy(threads, series->threads, series->thread_count * sizeof *threads);
	series->threads = threads;
	for (uint32_t i = 0; i < series->thread_count; i++) {
		int code = subtract_thread(interval, series, &threads[i],
					   find_slot(before, threads[i].slot, i));
		if (code < 0)
			return code;
	}
	return 0;
}

static int subtract_series(const struct interval *interval, struct astshm_series *series,
			   size_t hint)
{
	const struct astshm_series *before = find_before(interval, series, hint);
	int code = 0;
	if (series->kind == ASTSHM_KIND_COUNTER)
		subtract_counter(interval, series, before);
	else if (series->kind != ASTSHM_KIND_GAUGE && before)
		code = subtract_histogram(interval, &series->histogram, &before->histogram);
	return code < 0 ? code : subtract_threads(interval, series, before);
}

static int subtract_all(struct interval *interval, struct astshm_snapshot *made,
			const struct astshm_snapshot *newer)
{
	for (size_t i = 0; i < newer->series_count; i++) {
		struct astshm_series *series = &made->series[made->series_count++];
		*series = newer->series[i];
		int code = subtract_series(interval, series, i);
		if (code < 0)
			return code;
	}
	return 0;
}

int astshm_snapshot_subtract(const struct astshm_snapshot *newer,
			     const struct astshm_snapshot *older,
			     struct astshm_snapshot **interval, struct astshm_error *error)
{
	struct interval between = { .older = older };
	find_resets(&between, newer);
	uint64_t length_ns = interval_ns(&between, newer);
	if (newer->interval_ns || older->interval_ns)
		return derive_fail(error, -EINVAL, "an interval cannot be subtracted from");
	if (!length_ns)
		return derive_fail(error, -EINVAL, "the older snapshot is not older");
	struct astshm_snapshot *made = derive_create(newer, newer->series_count);
	if (!made)
		return derive_fail(error, -ENOMEM, "out of memory");
	made->interval_ns = length_ns;
	reader_arena_reserve(made->arena, reader_arena_used(newer->arena), true);
	between.arena = made->arena;
	between.seconds = (double)length_ns / 1e9;
	int code = subtract_all(&between, made, newer);
	if (code == 0)
		code = derive_families(made, newer);
	if (code < 0) {
		astshm_snapshot_free(&made);
		return derive_fail(error, code, code == -ENODATA ?
				   "a histogram comes without buckets" : "out of memory");
	}
	*interval = made;
	return 0;
}
