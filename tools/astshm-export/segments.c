/* SPDX-License-Identifier: MIT */
#include "segments.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "listing.h"

static bool is_pattern(const char *argument)
{
	return !strchr(argument, '/') && strpbrk(argument, "*?[");
}

/* A path is called by its last part, without what all files of segments begin with. */
static const char *name_of(const char *argument)
{
	static const char prefix[] = "astshm.";
	const char *slash = strrchr(argument, '/');

	if (!slash)
		return argument;
	if (strncmp(slash + 1, prefix, sizeof(prefix) - 1) == 0 && slash[sizeof(prefix)])
		return slash + sizeof(prefix);
	return slash[1] ? slash + 1 : argument;
}

static void free_served(struct served *served)
{
	astshm_reader_close(&served->reader);
	free(served->argument);
	free(served->name);
}

static int add(struct segments *segments, const char *argument, bool matched)
{
	struct served *items =
		reallocarray(segments->items, segments->count + 1, sizeof(*segments->items));
	struct served made = { .matched = matched, .present = true };

	if (!items)
		return -ENOMEM;
	segments->items = items;
	made.argument = strdup(argument);
	made.name = strdup(name_of(argument));
	if (!made.argument || !made.name) {
		free_served(&made);
		return -ENOMEM;
	}
	items[segments->count++] = made;
	return 0;
}

static int add_named(struct segments *segments, const char *argument, struct astshm_error *error)
{
	const char *name = name_of(argument);

	if (!segments_find(segments, name, strlen(name)))
		return add(segments, argument, false);
	snprintf(error->text, sizeof(error->text), "two segments would be called '%.150s'", name);
	return -EEXIST;
}

int segments_init(struct segments *segments, char **arguments, size_t count, const char *only,
		  struct astshm_error *error)
{
	int result = 0;

	*segments = (struct segments){ .patterns = calloc(count + 1, sizeof(char *)) };
	if (!segments->patterns)
		return -ENOMEM;
	for (size_t i = 0; i < count && result == 0; i++) {
		if (is_pattern(arguments[i]))
			segments->patterns[segments->pattern_count++] = arguments[i];
		else
			result = add_named(segments, arguments[i], error);
	}
	if (count == 0)
		result = add_named(segments, only, error);
	segments->several = segments->pattern_count > 0 || segments->count > 1;
	if (result < 0)
		segments_fini(segments);
	return result;
}

void segments_fini(struct segments *segments)
{
	for (size_t i = 0; i < segments->count; i++)
		free_served(&segments->items[i]);
	free(segments->items);
	free(segments->patterns);
	*segments = (struct segments){ 0 };
}

static bool matches(const struct segments *segments, const char *name)
{
	bool left_behind = strchr(name, '~') != NULL;

	for (size_t i = 0; i < segments->pattern_count; i++) {
		const char *pattern = segments->patterns[i];

		if ((!left_behind || strchr(pattern, '~')) && fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return false;
}

static int take_listing(struct segments *segments, const struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		const char *name = listing->items[i].name;
		struct served *known = segments_find(segments, name, strlen(name));
		int result = 0;

		if (known)
			known->present = true;
		else if (matches(segments, name))
			result = add(segments, name, true);
		if (result < 0)
			return result;
	}
	return 0;
}

static void drop_vanished(struct segments *segments)
{
	size_t kept = 0;

	for (size_t i = 0; i < segments->count; i++) {
		struct served *served = &segments->items[i];

		if (served->matched && !served->present)
			free_served(served);
		else
			segments->items[kept++] = *served;
	}
	segments->count = kept;
}

int segments_refresh(struct segments *segments)
{
	struct listing listing = LISTING_INIT;
	struct astshm_error error = { 0 };
	int result;

	if (segments->pattern_count == 0)
		return 0;
	result = listing_load(&listing, &error);
	if (result < 0)
		return result;
	for (size_t i = 0; i < segments->count; i++)
		segments->items[i].present = false;
	result = take_listing(segments, &listing);
	if (result == 0)
		drop_vanished(segments);
	listing_free(&listing);
	return result;
}

struct served *segments_find(struct segments *segments, const char *name, size_t length)
{
	for (size_t i = 0; i < segments->count; i++) {
		if (strlen(segments->items[i].name) == length &&
		    memcmp(segments->items[i].name, name, length) == 0)
			return &segments->items[i];
	}
	return NULL;
}

static int attach(struct served *served, struct astshm_error *error)
{
	return served->reader ? 0 : astshm_reader_open(&served->reader, served->argument, NULL,
						       error);
}

/* Of all errors only "no such window" leaves the reader as good as before. */
static int settle(struct served *served, int result)
{
	if (result < 0 && result != -ENODATA && result != -EINVAL)
		astshm_reader_close(&served->reader);
	return result;
}

int served_snapshot(struct served *served, int64_t window_ns, struct astshm_snapshot **snapshot,
		    struct astshm_error *error)
{
	int result = attach(served, error);

	if (result < 0)
		return result;
	result = window_ns ? astshm_reader_window(served->reader, window_ns, 0, snapshot, error)
			   : astshm_reader_snapshot(served->reader, 0, snapshot, error);
	return settle(served, result);
}

int served_head(struct served *served, struct astshm_snapshot **head, struct astshm_error *error)
{
	int result = attach(served, error);

	return result < 0 ? result : settle(served, reader_head(served->reader, head, error));
}

int served_history(struct served *served, struct astshm_history **history,
		   struct astshm_error *error)
{
	int result = attach(served, error);

	return result < 0 ? result
			  : settle(served, astshm_reader_history(served->reader, history, error));
}
