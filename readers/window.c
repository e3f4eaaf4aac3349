/* SPDX-License-Identifier: MIT */
/*
 * The last while of a segment: its values now minus the entry of its history
 * that is nearest to that long ago.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <astshm/buckets.h>

#include "history.h"
#include "snapshot.h"

#define TRIES 4

/* What gauges were at the ticks of the window, by index. */
struct range {
	double min, max;
	uint64_t samples;
	uint64_t generation;
};

struct window {
	struct astshm_reader *reader;
	const struct astshm_snapshot *newest;
	struct reader_view view;
	struct history_place place;
	struct history_names names;
	struct history_entry *entries;
	size_t count;
	uint64_t bad;
	struct astshm_snapshot *older;
	struct range *ranges;
};

static void clear_entries(struct window *window)
{
	for (size_t i = 0; i < window->count; i++)
		free(window->entries[i].bytes);
	free(window->entries);
	window->entries = NULL;
	window->count = 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* How long before the pass; -1: not before it. */
static int64_t age_of(const struct window *window, const struct history_entry *entry)
{
	uint64_t now_ns = window->newest->monotonic_ns, then_ns = entry->head.monotonic_ns;
	return now_ns > then_ns && now_ns - then_ns <= INT64_MAX ? (int64_t)(now_ns - then_ns) : -1;
}

/* The entry to begin with; the count of entries: none. */
static size_t choose(const struct window *window, uint64_t window_ns)
{
	size_t best = window->count;
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < window->count; i++) {
		int64_t age_ns = age_of(window, &window->entries[i]);
		if (age_ns < 0 || distance((uint64_t)age_ns, window_ns) > least)
			continue;
		least = distance((uint64_t)age_ns, window_ns);
		best = i;
	}
	return best;
}

/* A segment begins with nothing: the same as an entry of its first moment. */
static bool is_birth_nearer(const struct window *window, size_t chosen, uint64_t window_ns)
{
	const struct astshm_snapshot *newest = window->newest;
	if (newest->segment.epoch != 1)
		return false;
	if (newest->uptime_ns <= window_ns || chosen == window->count)
		return newest->uptime_ns <= window_ns;
	uint64_t age_ns = (uint64_t)age_of(window, &window->entries[chosen]);
	return distance(newest->uptime_ns, window_ns) < distance(age_ns, window_ns);
}

static int make_birth(struct window *window)
{
	struct astshm_snapshot *birth = snapshot_create();
	if (birth == NULL)
		return -ENOMEM;
	birth->has_segment = true;
	birth->segment = window->newest->segment;
	birth->segment.state = ASTSHM_STATE_LIVE;
	birth->timestamp_ns = window->newest->timestamp_ns - window->newest->uptime_ns;
	window->older = birth;
	return snapshot_finish(birth);
}

static int load(struct window *window)
{
	int code = reader_view(window->reader, &window->view);
	window->view.deadline_ns = shm_monotonic_ns() + (uint64_t)window->reader->deadline_ns;
	if (code == 0)
		code = history_place(&window->view, &window->place);
	if (code == -ENODATA)
		return 0; /* no entries; its whole life may still do */
	if (code == 0)
		code = history_heads(&window->view, &window->place, &window->entries,
				     &window->count, &window->bad);
	return code;
}

/* --- gauges ------------------------------------------------------------ */

static void add_sample(struct range *range, const struct history_value *value, double current)
{
	if (!isfinite(current))
		return;
	if (range->samples == 0 || range->generation != value->generation)
		*range = (struct range){ current, current, 0, value->generation };
	range->min = current < range->min ? current : range->min;
	range->max = current > range->max ? current : range->max;
	range->samples++;
}

static void add_entry(struct window *window, const struct history_entry *entry)
{
	struct history_cursor cursor = history_cursor(entry);
	struct history_value value;
	struct astshm_gauge_value gauge;
	while (history_next(&cursor, &value)) {
		if (value.kind != ASTSHM_KIND_GAUGE || value.index >= window->names.entry_count)
			continue;
		history_gauge(entry, &value, &gauge);
		add_sample(&window->ranges[value.index], &value, gauge.current);
	}
	window->bad += cursor.bad;
}

static bool has_gauges(const struct astshm_snapshot *snapshot)
{
	return snapshot->first[ASTSHM_KIND_GAUGE] != snapshot->first[ASTSHM_KIND_GAUGE - 1];
}

/* The entries of the window, its first one included. */
static int sample_gauges(struct window *window, size_t from)
{
	uint64_t budget = window->view.committed;
	int code = 0;
	if (!has_gauges(window->newest))
		return 0;
	window->ranges = calloc((size_t)window->names.entry_count + 1, sizeof *window->ranges);
	if (window->ranges == NULL)
		return -ENOMEM;
	for (size_t i = from; i < window->count && code == 0; i++) {
		struct history_entry *entry = &window->entries[i];
		if (age_of(window, entry) < 0)
			break;
		if (entry->bytes == NULL)
			code = history_fetch(&window->view, &window->place, entry, &budget);
		if (code == 0)
			add_entry(window, entry);
		window->bad += code == -EBADMSG;
		if (code == -EBADMSG || code == -ESTALE)
			code = 0;
		if (code == 0 && view_late(&window->view))
			code = -ETIMEDOUT;
	}
	return code;
}

static void take(struct astshm_gauge_value *gauge, double value)
{
	gauge->min = value < gauge->min ? value : gauge->min;
	gauge->max = value > gauge->max ? value : gauge->max;
}

/*
 * From what it was at the ticks and is now; and from its lifetime's extremes
 * where they moved, for then they were reached inside the window.
 */
static void fill_gauge(const struct window *window, const struct directory_row *row,
		       const struct astshm_series *before, struct astshm_gauge_value *gauge)
{
	struct astshm_gauge_value whole = *gauge;
	const struct range *range = &window->ranges[row->index];
	bool began = before == NULL || before->gauge.count == 0;
	bool finite = isfinite(whole.current);
	gauge->min = finite ? whole.current : (double)INFINITY;
	gauge->max = finite ? whole.current : (double)-INFINITY;
	if (range->samples > 0 &&
	    range->generation == ASTSHM_SERIES_GENERATION(row->state_word)) {
		take(gauge, range->min);
		take(gauge, range->max);
	}
	if (whole.count > 0 && (began || whole.min < before->gauge.min))
		take(gauge, whole.min);
	if (whole.count > 0 && (began || whole.max > before->gauge.max))
		take(gauge, whole.max);
	if (!began && whole.count >= before->gauge.count) {
		gauge->count = whole.count - before->gauge.count;
		gauge->sum = whole.sum - before->gauge.sum;
	}
}

/* --- histograms ---------------------------------------------------------- */

static uint64_t bound_of(enum astshm_kind kind, uint32_t slot)
{
	double bound = astshm_histogram_bound(kind, slot);
	return bound < 0x1p63 ? (uint64_t)bound : UINT64_MAX;
}

/*
 * An interval's extremes are known to the width of a bucket, and exactly where
 * the lifetime's moved inside it.
 */
static void fill_extremes(enum astshm_kind kind, const struct astshm_histogram *whole,
			  const struct astshm_histogram *before, struct astshm_histogram *part)
{
	if (part->count == 0 || part->has_extremes || !whole->has_extremes)
		return;
	uint32_t low = part->first_slot, high = low + part->slot_count;
	while (high > low && part->slots[high - 1 - part->first_slot] == 0)
		high--;
	while (low < high && part->slots[low - part->first_slot] == 0)
		low++;
	part->min = part->zero_count > 0 ? 0 : whole->min;
	part->max = whole->max;
	bool known = before != NULL && before->has_extremes;
	if (part->zero_count == 0 && low < high && !(known && whole->min < before->min))
		part->min = bound_of(kind, low - 1) + 1;
	if (part->overflow_count == 0 && !(known && whole->max > before->max))
		part->max = low < high ? bound_of(kind, high - 1) : 0;
	part->min = part->min < whole->min ? whole->min : part->min;
	part->max = part->max > whole->max ? whole->max : part->max;
	part->has_extremes = part->min <= part->max;
}

/* --- all together ---------------------------------------------------------- */

static const struct astshm_series *find_before(const struct window *window,
					       const struct astshm_series *series)
{
	const struct astshm_snapshot *older = window->older, *newest = window->newest;
	if (older->segment.epoch != newest->segment.epoch)
		return NULL;
	return astshm_snapshot_find(older, series->kind, series->key);
}

/* `made` has the series of `newest`, in the same places. */
static void fill_series(const struct window *window, struct astshm_snapshot *made)
{
	for (size_t i = 0; i < made->series_count; i++) {
		struct astshm_series *series = &made->series[i];
		const struct astshm_series *before;
		if (series->kind == ASTSHM_KIND_COUNTER)
			continue;
		before = find_before(window, series);
		if (series->kind == ASTSHM_KIND_GAUGE)
			fill_gauge(window, &window->names.rows[window->newest->row_of[i]], before,
				   &series->gauge);
		else
			fill_extremes(series->kind, &window->newest->series[i].histogram,
				      before != NULL ? &before->histogram : NULL,
				      &series->histogram);
	}
}

static int subtract(struct window *window, struct astshm_snapshot **made,
		    struct astshm_error *error)
{
	/* Both ends by the writer's clock: one that has ended did so at its last
	 * beat, not at this pass. */
	struct astshm_snapshot end = *window->newest;
	end.segment.state = ASTSHM_STATE_LIVE;
	return astshm_snapshot_subtract(&end, window->older, made, error);
}

static int choose_older(struct window *window, uint64_t window_ns, size_t *from)
{
	for (int i = 0; i < TRIES; i++) {
		int code = load(window);
		if (code != 0)
			return code;
		*from = choose(window, window_ns);
		if (is_birth_nearer(window, *from, window_ns)) {
			*from = 0;
			return make_birth(window);
		}
		if (*from == window->count)
			return -ENODATA;
		uint64_t budget = window->view.committed;
		code = history_fetch(&window->view, &window->place, &window->entries[*from],
				     &budget);
		if (code == 0)
			return history_decode(&window->names, &window->entries[*from],
					      &window->older);
		if (code != -ESTALE)
			return code;
		clear_entries(window);
	}
	return -ETIMEDOUT;
}

static int make_window(struct window *window, uint64_t window_ns, struct astshm_snapshot **made,
		       struct astshm_error *error)
{
	size_t from = 0;
	int code = choose_older(window, window_ns, &from);
	if (code == 0)
		code = sample_gauges(window, from);
	if (code != 0)
		return history_fail(code, error);
	code = subtract(window, made, error);
	if (code != 0)
		return code;
	fill_series(window, *made);
	(*made)->segment = window->newest->segment;
	(*made)->segment.bad_records += window->bad;
	return 0;
}

int astshm_reader_window(struct astshm_reader *reader, int64_t window_ns, unsigned flags,
			 struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	struct astshm_snapshot *newest, *made;
	if (window_ns <= 0)
		return shm_fail(error, -EINVAL, "a window is longer than nothing");
	int code = reader_snapshot_rows(reader, flags, &newest, error);
	if (code != 0)
		return code;
	struct window window = {
		.reader = reader,
		.newest = newest,
		.names = history_names_of(reader, &newest->segment),
	};
	code = make_window(&window, (uint64_t)window_ns, &made, error);
	clear_entries(&window);
	free(window.ranges);
	astshm_snapshot_free(&window.older);
	if (code != 0) {
		astshm_snapshot_free(&newest);
		return code;
	}
	/* Made, since history_fail returns its code.
	 * NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
	newest->window = made;
	*snapshot = newest;
	return 0;
}

const struct astshm_snapshot *astshm_snapshot_window(const struct astshm_snapshot *snapshot)
{
	return snapshot->window;
}
