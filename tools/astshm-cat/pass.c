/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "order.h"
#include "pass.h"

struct parts {
	struct astshm_snapshot **items;
	const struct source **from; /* beside each item */
	size_t count;
};

static void free_parts(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		astshm_snapshot_free(&parts->items[i]);
	free(parts->items);
	free(parts->from);
}

/* A writer that a part has values of. */
struct writer {
	const struct astshm_segment_info *segment;
	const struct source *source;
};

static int by_generation(const void *a, const void *b)
{
	const struct writer *left = a, *right = b;
	uint64_t one = left->segment->generation, other = right->segment->generation;

	return (one > other) - (one < other);
}

/* The i-th of those that a snapshot has values of: its own, or what it was merged from. */
static const struct astshm_segment_info *writer_of(const struct astshm_snapshot *snapshot,
						   size_t i)
{
	const struct astshm_segment_info *own = astshm_snapshot_segment(snapshot);

	if (own)
		return i == 0 ? own : NULL;
	return astshm_snapshot_source(snapshot, i);
}

/* Counts them alone without room. */
static size_t put_writers(struct writer *writers, const struct parts *parts, size_t part)
{
	const struct astshm_segment_info *segment;
	size_t count = 0;

	for (; (segment = writer_of(parts->items[part], count)); count++) {
		if (writers)
			writers[count] = (struct writer){ segment, parts->from[part] };
	}
	return count;
}

static enum exit_status tell_twice(const struct writer *writers, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct writer *one = &writers[i - 1], *other = &writers[i];

		if (one->source == other->source || by_generation(one, other) != 0)
			continue;
		message("%s and %s both have the values of %s, pid %" PRIu32
			": they would count twice",
			source_shown(one->source->argument),
			source_shown(other->source->argument), one->segment->name,
			one->segment->pid);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

/* No writer may be in two of them, be it live or in what was saved of it. */
static enum exit_status check_twice(const struct parts *parts)
{
	enum exit_status status;
	struct writer *writers;
	size_t count = 0;

	for (size_t i = 0; i < parts->count; i++)
		count += put_writers(NULL, parts, i);
	writers = reallocarray(NULL, count + 1, sizeof(*writers));
	if (!writers) {
		message("out of memory");
		return EXIT_OTHER;
	}
	count = 0;
	for (size_t i = 0; i < parts->count; i++)
		count += put_writers(&writers[count], parts, i);
	qsort(writers, count, sizeof(*writers), by_generation);
	status = tell_twice(writers, count);
	free(writers);
	return status;
}

/* The view of every source that has one. */
static enum exit_status take_parts(struct sources *sources, const struct options *options,
				   struct parts *parts)
{
	parts->items = calloc(sources->count, sizeof(struct astshm_snapshot *));
	parts->from = calloc(sources->count, sizeof(const struct source *));
	if (!parts->items || !parts->from) {
		message("out of memory");
		return EXIT_OTHER;
	}
	for (size_t i = 0; i < sources->count; i++) {
		struct astshm_snapshot *view = NULL;
		enum exit_status status = source_view(&sources->items[i], options, &view);

		if (status != EXIT_OK)
			return status;
		if (!view)
			continue;
		parts->from[parts->count] = &sources->items[i];
		parts->items[parts->count++] = view;
	}
	return check_twice(parts);
}

static enum exit_status take_all(struct sources *sources, const struct options *options,
				 struct astshm_snapshot **view)
{
	struct astshm_error error = { 0 };
	struct parts parts = { 0 };
	enum exit_status status = take_parts(sources, options, &parts);

	if (status == EXIT_OK && parts.count > 0 && options->merge) {
		int result = astshm_snapshot_merge(
			(const struct astshm_snapshot *const *)parts.items, parts.count, view,
			&error);

		if (result < 0)
			status = report(result, &error);
	} else if (status == EXIT_OK && parts.count > 0) {
		*view = parts.items[0];
		parts.items[0] = NULL;
	}
	free_parts(&parts);
	return status;
}

static void replace(struct astshm_snapshot **view, struct astshm_snapshot *next)
{
	astshm_snapshot_free(view);
	*view = next;
}

const struct astshm_snapshot *pass_figures(const struct astshm_snapshot *view)
{
	const struct astshm_snapshot *window = astshm_snapshot_window(view);

	return window ? window : view;
}

static int subtract(const struct astshm_snapshot *since, struct astshm_snapshot **view,
		    struct astshm_error *error)
{
	struct astshm_snapshot *next = NULL;
	int result = astshm_snapshot_subtract(*view, since, &next, error);

	if (result == 0)
		replace(view, next);
	return result;
}

int pass_refine(const struct options *options, struct astshm_snapshot **view,
		struct astshm_error *error)
{
	struct astshm_snapshot *next = NULL;
	int result;

	if (options->selection.count > 0) {
		result = astshm_snapshot_filter(*view, selection_keeps,
						(void *)&options->selection, &next, error);
		if (result < 0)
			return result;
		replace(view, next);
	}
	if (options->group) {
		result = astshm_snapshot_group(*view, (const char *const *)options->group_keys,
					       options->group_key_count, &next, error);
		if (result < 0)
			return result;
		replace(view, next);
	}
	return options->sort ? order_snapshot(view, &options->sort_field, options->top, error) : 0;
}

enum exit_status pass_take(struct sources *sources, const struct options *options,
			   const struct astshm_snapshot *since, struct astshm_snapshot **view)
{
	struct astshm_error error = { 0 };
	enum exit_status status = take_all(sources, options, view);
	int result;

	if (status != EXIT_OK || !*view)
		return status;
	result = since ? subtract(since, view, &error) : 0;
	if (result == 0)
		result = pass_refine(options, view, &error);
	if (result < 0) {
		astshm_snapshot_free(view);
		return report(result, &error);
	}
	/* An empty segment is printed; an empty selection is an answer. */
	if ((options->selection.count > 0 || options->top > 0) &&
	    astshm_snapshot_count(*view) == 0) {
		astshm_snapshot_free(view);
		return EXIT_NO_MATCH;
	}
	return EXIT_OK;
}
