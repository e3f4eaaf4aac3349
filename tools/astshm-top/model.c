/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

void model_init(struct model *model, struct astshm_reader *reader, char *name,
		int64_t window_ns, int64_t interval_ns)
{
	*model = (struct model){
		.reader = reader, .name = name, .window_ns = window_ns,
		.interval_ns = interval_ns,
	};
}

static void free_views(struct model *model)
{
	free(model->rows);
	model->rows = NULL;
	model->row_count = 0;
	astshm_snapshot_free(&model->interval);
	astshm_snapshot_free(&model->own_window);
}

void model_fini(struct model *model)
{
	free_views(model);
	astshm_snapshot_free(&model->life);
	baselines_clear(&model->baselines);
	trends_free(&model->trends);
	astshm_reader_close(&model->reader);
	free(model->name);
	model->name = NULL;
}

const struct astshm_snapshot *model_view(const struct model *model, enum view view)
{
	const struct astshm_snapshot *window;

	switch (view) {
	case VIEW_NOW:
		return model->interval;
	case VIEW_WINDOW:
		window = model->life ? astshm_snapshot_window(model->life) : NULL;
		return window ? window : model->own_window;
	default:
		return model->life;
	}
}

const struct astshm_segment_info *model_segment(const struct model *model)
{
	return model->life ? astshm_snapshot_segment(model->life) : NULL;
}

void model_set_window(struct model *model, int64_t window_ns)
{
	model->window_ns = window_ns;
	baselines_clear(&model->baselines);
}

const struct model_row *model_find(const struct model *model, enum astshm_kind kind,
				   const char *key)
{
	for (size_t i = 0; i < model->row_count; i++) {
		const struct astshm_series *series = model->rows[i].views[VIEW_LIFE];

		if (series->kind == kind && strcmp(series->key, key) == 0)
			return &model->rows[i];
	}
	return NULL;
}

/* --- the past: history entries of the segment --------------------------------- */

/* Further apart are the older entries, kept for longer; a tick may be late. */
static bool is_next(const struct astshm_snapshot *older, const struct astshm_snapshot *newer,
		    const struct astshm_history_info *info)
{
	uint64_t most_ns = info->coarse_period_ns / 2;

	most_ns = most_ns > 2 * info->period_ns ? most_ns : 2 * info->period_ns;
	return astshm_snapshot_timestamp_ns(newer) - astshm_snapshot_timestamp_ns(older) <=
	       most_ns;
}

struct entries {
	struct astshm_snapshot *items[TREND_POINTS + 1]; /* youngest first */
	size_t count;
};

/* The youngest entries that follow each other, back to one that the trends know. */
static int load_entries(const struct model *model, const struct astshm_history *history,
			struct entries *entries)
{
	const struct astshm_history_info *info = astshm_history_info(history);

	for (size_t i = astshm_history_count(history);
	     i > 0 && entries->count <= TREND_POINTS; i--) {
		struct astshm_snapshot *entry = NULL;
		int result = astshm_history_snapshot(history, i - 1, &entry, NULL);

		if (result < 0)
			return result;
		if (entries->count > 0 &&
		    !is_next(entry, entries->items[entries->count - 1], info)) {
			astshm_snapshot_free(&entry);
			break;
		}
		entries->items[entries->count++] = entry;
		if (astshm_snapshot_timestamp_ns(entry) <= model->history_until_ns)
			break;
	}
	return 0;
}

static int append_difference(struct trends *trends, const struct astshm_snapshot *newer,
			     const struct astshm_snapshot *older)
{
	struct astshm_snapshot *interval = NULL;
	int result = astshm_snapshot_subtract(newer, older, &interval, NULL);

	if (result == 0)
		result = trends_append(trends, interval);
	astshm_snapshot_free(&interval);
	return result;
}

/* So that rates are there at the first look: the youngest entry that is old enough. */
static struct astshm_snapshot *take_seed(const struct model *model, struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct astshm_snapshot *entry = entries->items[i];
		uint64_t entry_ns = astshm_snapshot_timestamp_ns(entry);

		if (model->history_looked_ns < entry_ns ||
		    model->history_looked_ns - entry_ns < (uint64_t)model->interval_ns)
			continue;
		entries->items[i] = NULL;
		return entry;
	}
	return NULL;
}

static int append_entries(struct model *model, const struct entries *entries)
{
	int result = 0;

	for (size_t i = entries->count; result == 0 && i-- > 1;)
		result = append_difference(&model->trends, entries->items[i - 1],
					   entries->items[i]);
	if (result == 0 && entries->count > 0)
		model->history_until_ns = astshm_snapshot_timestamp_ns(entries->items[0]);
	return result;
}

static void forget_trends(struct model *model)
{
	trends_free(&model->trends);
	model->history_until_ns = 0;
}

/* *seed, if wanted, becomes an entry to compare the first snapshot with. */
static int follow_history(struct model *model, struct astshm_snapshot **seed)
{
	struct astshm_history *history = NULL;
	struct entries entries = { .count = 0 };
	int result = astshm_reader_history(model->reader, &history, NULL);

	if (model->has_history != (result == 0))
		forget_trends(model);
	model->has_history = result == 0;
	if (result < 0)
		return result == -ENODATA ? 0 : result;
	result = load_entries(model, history, &entries);
	if (result == 0)
		result = append_entries(model, &entries);
	if (result == 0 && seed)
		*seed = take_seed(model, &entries);
	for (size_t i = 0; i < entries.count; i++)
		astshm_snapshot_free(&entries.items[i]);
	astshm_history_free(&history);
	return result;
}

/* It is copied whole, so not looked at more often than there can be a new entry. */
static bool is_history_due(const struct model *model, uint64_t now_ns)
{
	return !model->has_history || now_ns < model->history_looked_ns ||
	       now_ns - model->history_looked_ns >= model->trends.interval_ns / 2;
}

static int look_at_history(struct model *model, uint64_t now_ns, struct astshm_snapshot **seed)
{
	if (!is_history_due(model, now_ns))
		return 0;
	model->history_looked_ns = now_ns;
	return follow_history(model, seed);
}

/* --- rows --------------------------------------------------------------------- */

/* Series of snapshots lie in the same order, so one walk finds them all. */
static const struct astshm_series *advance(const struct astshm_snapshot *snapshot, size_t *at,
					   const struct astshm_series *wanted)
{
	const struct astshm_series *series;

	while (snapshot && (series = astshm_snapshot_at(snapshot, *at)) != NULL) {
		int order = series_order(series->kind, series->key, series->key_len, wanted);

		if (order > 0)
			return NULL;
		++*at;
		if (order == 0)
			return series;
	}
	return NULL;
}

static const struct trend *advance_trend(const struct trends *trends, size_t *at,
					 const struct astshm_series *wanted)
{
	for (; *at < trends->count; ++*at) {
		const struct trend *trend = &trends->items[*at];
		int order = series_order(trend->kind, trend->key, trend->key_len, wanted);

		if (order >= 0)
			return order == 0 ? trend : NULL;
	}
	return NULL;
}

static int make_rows(struct model *model)
{
	size_t count = astshm_snapshot_count(model->life), at[VIEW_COUNT] = { 0 };
	size_t trend_at = 0;

	model->rows = calloc(count ? count : 1, sizeof(*model->rows));
	if (!model->rows)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct model_row *row = &model->rows[i];
		const struct astshm_series *series =
			astshm_snapshot_at(model->life, i);

		row->views[VIEW_LIFE] = series;
		for (int v = 0; v < VIEW_LIFE; v++)
			row->views[v] = advance(model_view(model, v), &at[v], series);
		row->trend = advance_trend(&model->trends, &trend_at, series);
	}
	model->row_count = count;
	return 0;
}

/* --- refreshing --------------------------------------------------------------- */

static int take(struct model *model, struct astshm_snapshot **snapshot,
		struct astshm_error *error)
{
	unsigned flags = model->per_thread ? ASTSHM_PER_THREAD : 0;
	int result = astshm_reader_window(model->reader, model->window_ns, flags, snapshot,
					  error);

	if (result == -ENODATA)
		result = astshm_reader_snapshot(model->reader, flags, snapshot, error);
	return result;
}

/* Another writer under the same name: what was kept of the old one is no past of it. */
static void note_writer(struct model *model, const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);
	const struct astshm_segment_info *old = model_segment(model);

	if (!segment || segment->generation == model->generation)
		return;
	if (old) {
		model->previous_pid = old->pid;
		model->replaced_ns = astshm_snapshot_timestamp_ns(snapshot);
	}
	model->generation = segment->generation;
	baselines_clear(&model->baselines);
	forget_trends(model);
	model->has_history = false;
}

static void make_own_window(struct model *model, struct astshm_snapshot *before)
{
	const struct astshm_snapshot *base;
	bool same_writer = before && astshm_snapshot_segment(before) &&
			   astshm_snapshot_segment(before)->generation == model->generation;

	if (!same_writer || astshm_snapshot_window(model->life)) {
		astshm_snapshot_free(&before);
		return;
	}
	baselines_add(&model->baselines, before, model->window_ns);
	base = baselines_find(&model->baselines, astshm_snapshot_timestamp_ns(model->life),
			      model->window_ns);
	if (base)
		astshm_snapshot_subtract(model->life, base, &model->own_window, NULL);
}

/* Takes over `snapshot`. */
static int accept(struct model *model, struct astshm_snapshot *snapshot)
{
	uint64_t now_ns = astshm_snapshot_timestamp_ns(snapshot);
	struct astshm_snapshot *before = model->life, *seed = NULL;
	int result;

	note_writer(model, snapshot);
	free_views(model);
	model->life = snapshot;
	result = look_at_history(model, now_ns, before ? NULL : &seed);
	if (result == 0 && (before || seed))
		result = astshm_snapshot_subtract(snapshot, before ? before : seed,
						  &model->interval, NULL);
	astshm_snapshot_free(&seed);
	if (result == 0 && !model->has_history && model->interval)
		result = trends_append(&model->trends, model->interval);
	make_own_window(model, before);
	return result < 0 ? result : make_rows(model);
}

static int fail(struct model *model, int result, const struct astshm_error *error)
{
	snprintf(model->trouble, sizeof(model->trouble), "%s",
		 error->text[0] ? error->text : strerror(-result));
	/* A mapping that met a hole is of no use any more; the name may be. */
	if (result == -EBADMSG)
		astshm_reader_close(&model->reader);
	return result;
}

int model_refresh(struct model *model)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	int result = 0;

	if (!model->reader)
		result = astshm_reader_open(&model->reader, model->name, NULL, &error);
	if (result == 0)
		result = take(model, &snapshot, &error);
	if (result < 0)
		return fail(model, result, &error);
	result = accept(model, snapshot);
	if (result < 0)
		return fail(model, result, &error);
	model->trouble[0] = '\0';
	return 0;
}
