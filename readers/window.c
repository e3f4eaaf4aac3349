/* SPDX-License-Identifier: MIT */
/*
 * The last while of a segment: its values now minus the entry of its history
 * that is nearest to that long ago.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "history.h"
#include "window.h"

#define TRIES 4

struct window {
	struct astshm_reader *reader;
	const struct astshm_snapshot *newest;
	uint64_t deadline_ns;
	struct reader_view view;
	struct history_place place;
	struct history_names names;
	struct history_entry *entries;
	size_t count;
	uint64_t bad;
	struct astshm_snapshot *older;
	struct gauge_range *ranges; /* of each series of newest; or NULL */
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
	if (newest->segment.epoch != 1 || newest->uptime_ns == 0)
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
	window->view.deadline_ns = window->deadline_ns;
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

/* The place in newest of the gauge whose record has that index, plus 1. */
static uint32_t *list_gauges(const struct window *window)
{
	const struct astshm_snapshot *newest = window->newest;
	uint32_t *places = calloc((size_t)window->names.entry_count + 1, sizeof *places);
	for (size_t i = newest->first[ASTSHM_KIND_GAUGE - 1];
	     places != NULL && i < newest->first[ASTSHM_KIND_GAUGE]; i++)
		places[window->names.rows[newest->row_of[i]].index] = (uint32_t)i + 1;
	return places;
}

static void add_sample(struct gauge_range *range, double value)
{
	if (!isfinite(value))
		return;
	if (range->samples == 0)
		range->min = range->max = value;
	range->min = value < range->min ? value : range->min;
	range->max = value > range->max ? value : range->max;
	range->samples++;
}

static void add_entry(struct window *window, const uint32_t *places,
		      const struct history_entry *entry)
{
	struct history_cursor cursor = history_cursor(entry);
	struct history_value value;
	struct astshm_gauge_value gauge;
	while (history_next(&cursor, &value)) {
		if (value.kind != ASTSHM_KIND_GAUGE || value.index >= window->names.entry_count ||
		    places[value.index] == 0)
			continue;
		uint32_t place = places[value.index] - 1;
		const struct directory_row *row =
			&window->names.rows[window->newest->row_of[place]];
		if (value.generation != ASTSHM_SERIES_GENERATION(row->state_word))
			continue; /* another series had the record then */
		history_gauge(entry, &value, &gauge);
		add_sample(&window->ranges[place], gauge.current);
	}
	window->bad += cursor.bad;
}

/* The entries of the window, its first one included. */
static int sample_entries(struct window *window, const uint32_t *places, size_t from)
{
	uint64_t budget = window->view.committed;
	int code = 0;
	for (size_t i = from; i < window->count && code == 0; i++) {
		struct history_entry *entry = &window->entries[i];
		if (age_of(window, entry) < 0)
			break;
		if (entry->bytes == NULL)
			code = history_fetch(&window->view, &window->place, entry, &budget);
		if (code == 0)
			add_entry(window, places, entry);
		window->bad += code == -EBADMSG;
		if (code == -EBADMSG || code == -ESTALE)
			code = 0;
		if (code == 0 && view_late(&window->view))
			code = -ETIMEDOUT;
	}
	return code;
}

static int sample_gauges(struct window *window, size_t from)
{
	const struct astshm_snapshot *newest = window->newest;
	if (newest->first[ASTSHM_KIND_GAUGE] == newest->first[ASTSHM_KIND_GAUGE - 1])
		return 0;
	window->ranges = calloc(newest->series_count, sizeof *window->ranges);
	uint32_t *places = list_gauges(window);
	int code = -ENOMEM;
	if (window->ranges != NULL && places != NULL)
		code = sample_entries(window, places, from);
	free(places);
	return code;
}

/* --- all together ---------------------------------------------------------- */

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
	code = window_between(window->newest, window->older, window->ranges, made, error);
	if (code == -EINVAL)
		return shm_fail(error, -EBADMSG, "the history's entry nearest to then is no older "
				"than the values");
	if (code == 0)
		(*made)->segment.bad_records += window->bad;
	return code;
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
		.deadline_ns = shm_monotonic_ns() + (uint64_t)reader->deadline_ns,
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
