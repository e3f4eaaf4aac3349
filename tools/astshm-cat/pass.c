/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "order.h"
#include "pass.h"

struct parts {
	struct astshm_snapshot **items;
	size_t count;
};

static void free_parts(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		astshm_snapshot_free(&parts->items[i]);
	free(parts->items);
}

/* Its values would count twice. A saved snapshot of it is another matter. */
static enum exit_status check_twice(const struct sources *sources)
{
	for (size_t i = 1; i < sources->count; i++) {
		const struct source *source = &sources->items[i];

		for (size_t j = 0; j < i && source->reader; j++) {
			const struct source *other = &sources->items[j];

			if (!other->reader || source->generation != other->generation)
				continue;
			message("%s and %s are the same segment", other->argument,
				source->argument);
			return EXIT_USAGE;
		}
	}
	return EXIT_OK;
}

/* The view of every source that has one. */
static enum exit_status take_parts(struct sources *sources, const struct options *options,
				   struct parts *parts)
{
	parts->items = calloc(sources->count, sizeof(struct astshm_snapshot *));
	if (!parts->items) {
		message("out of memory");
		return EXIT_OTHER;
	}
	for (size_t i = 0; i < sources->count; i++) {
		struct astshm_snapshot *view = NULL;
		enum exit_status status = source_view(&sources->items[i], options, &view);

		if (status != EXIT_OK)
			return status;
		if (view)
			parts->items[parts->count++] = view;
	}
	return check_twice(sources);
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
