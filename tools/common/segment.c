/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "segment.h"
#include "signals.h"

#define WAIT_STEP_NS 20000000

/* A short name may be part of any word, so it counts only as a whole path, in
 * quotes, or in front. */
static bool is_named_in(const char *text, const char *argument)
{
	char quoted[NAME_MAX + 3], file[NAME_MAX + 16];
	size_t length = strlen(argument);

	if (strchr(argument, '/'))
		return strstr(text, argument) != NULL;
	if (strncmp(text, argument, length) == 0 && text[length] == ':')
		return true;
	snprintf(quoted, sizeof(quoted), "'%s'", argument);
	snprintf(file, sizeof(file), "/astshm.%s", argument);
	return strstr(text, quoted) || strstr(text, file);
}

/* The library's text, led by the argument where it does not speak of it. */
enum exit_status segment_report(const char *argument, int result,
				const struct astshm_error *error)
{
	const char *text = error->text[0] ? error->text : strerror(-result);
	const char *hint = argument && result == -ENOENT && !strchr(argument, '/')
				   ? "; astshm-ls shows what is there" : "";

	if (!argument || is_named_in(text, argument))
		message("%s%s", text, hint);
	else
		message("%s: %s%s", argument, text, hint);
	return message_status(result);
}

/* -ENOENT: none is live; -ENOTUNIQ: several are. */
static int find_only_live(const struct listing *listing, const char **path)
{
	int live = 0;

	for (size_t i = 0; i < listing->count; i++) {
		const struct astshm_listing *item = &listing->items[i];

		if (item->error == 0 && item->state == ASTSHM_STATE_LIVE) {
			*path = item->path;
			live++;
		}
	}
	return live == 0 ? -ENOENT : live == 1 ? 0 : -ENOTUNIQ;
}

/* If no segment at all can be read, the reason that is the easiest to mend. */
static enum exit_status unreadable_status(const struct listing *listing)
{
	enum exit_status status = EXIT_OTHER;

	for (size_t i = 0; i < listing->count; i++) {
		enum exit_status one = message_status(listing->items[i].error);

		if (one == EXIT_OK)
			return EXIT_OK;
		if (status == EXIT_OTHER || (one != EXIT_OTHER && one < status))
			status = one;
	}
	return status;
}

static void tell_choice(enum exit_status status)
{
	if (status == EXIT_USAGE)
		message("name one of these segments:");
	else if (status == EXIT_NO_PERMISSION)
		message("no permission to read any segment that might be meant:");
	else if (status == EXIT_CORRUPT)
		message("there are only corrupt segments:");
	else
		message("no segment of this machine can be read:");
}

enum exit_status segment_report_choice(void)
{
	struct listing listing = LISTING_INIT;
	struct astshm_error error = { 0 };
	enum exit_status status = EXIT_USAGE;
	int result = listing_load(&listing, &error);

	if (result < 0)
		return segment_report(NULL, result, &error);
	if (listing.count == 0) {
		message("no segment on this machine; is a server that records metrics running? "
			"(--wait SECONDS waits for one)");
		status = EXIT_NO_SEGMENT;
	} else {
		status = unreadable_status(&listing);
		status = status == EXIT_OK ? EXIT_USAGE : status;
		tell_choice(status);
		listing_print(&listing, stderr);
	}
	listing_free(&listing);
	return status;
}

int segment_find_only(char **path, struct astshm_error *error)
{
	struct listing listing = LISTING_INIT;
	const char *found = NULL;
	int result = listing_load(&listing, error);

	if (result < 0)
		return result;
	result = find_only_live(&listing, &found);
	if (result == 0) {
		*path = strdup(found);
		result = *path ? 0 : -ENOMEM;
	}
	listing_free(&listing);
	return result;
}

/* A file here that has the name of no segment. "./" makes it a path, which the
 * reader library needs to take it for one. Only a segment counts: a folder has a
 * server's name easily, and is never what was meant. */
static bool open_here(struct astshm_reader **reader, char **name)
{
	char path[NAME_MAX + 3], *kept;

	if (strchr(*name, '/') || strlen(*name) > NAME_MAX)
		return false;
	snprintf(path, sizeof(path), "./%s", *name);
	kept = strdup(path);
	if (!kept || astshm_reader_open(reader, path, NULL, NULL) < 0) {
		free(kept);
		return false;
	}
	free(*name);
	*name = kept;
	return true;
}

int segment_open(struct astshm_reader **reader, char **name, const char *argument,
		 struct astshm_error *error)
{
	char *called = argument ? strdup(argument) : NULL;
	int result = argument ? 0 : segment_find_only(&called, error);

	if (result == 0 && !called)
		result = -ENOMEM;
	if (result == 0)
		result = astshm_reader_open(reader, called, NULL, error);
	if (result == -ENOENT && argument && open_here(reader, &called))
		result = 0;
	if (result == 0)
		*name = called;
	else
		free(called);
	return result;
}

enum exit_status segment_attach(struct astshm_reader **reader, char **name,
				const char *argument, int64_t wait_ns)
{
	int64_t deadline_ns = monotonic_ns();
	struct astshm_error error;
	int result;

	if (__builtin_add_overflow(deadline_ns, wait_ns, &deadline_ns))
		deadline_ns = INT64_MAX;
	for (;;) {
		int64_t now_ns = monotonic_ns();

		error = (struct astshm_error){ 0 };
		result = segment_open(reader, name, argument, &error);
		if (result != -ENOENT || now_ns >= deadline_ns ||
		    sleep_until(now_ns + WAIT_STEP_NS, -1) != SLEPT)
			break;
	}
	if (result == 0)
		return EXIT_OK;
	if (!argument && (result == -ENOENT || result == -ENOTUNIQ))
		return segment_report_choice();
	return segment_report(argument, result, &error);
}
