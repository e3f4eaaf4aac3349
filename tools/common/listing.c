/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "message.h"

#define HEARTBEATS_MISSED 3 /* as the table of astshm-cat counts */

static int reserve_item(struct listing *listing)
{
	size_t capacity = listing->capacity ? 2 * listing->capacity : 8;
	struct astshm_listing *items;

	if (listing->count < listing->capacity)
		return 0;
	items = reallocarray(listing->items, capacity, sizeof(*items));
	if (!items)
		return -ENOMEM;
	listing->items = items;
	listing->capacity = capacity;
	return 0;
}

int listing_add(struct listing *listing, const struct astshm_listing *item)
{
	char *name, *path;

	if (reserve_item(listing) < 0)
		return -ENOMEM;
	name = strdup(item->name);
	path = strdup(item->path);
	if (!name || !path) {
		free(name);
		free(path);
		return -ENOMEM;
	}
	listing->items[listing->count] = *item;
	listing->items[listing->count].name = name;
	listing->items[listing->count].path = path;
	listing->count++;
	return 0;
}

static int keep_item(const struct astshm_listing *item, void *context)
{
	return listing_add(context, item);
}

int listing_load(struct listing *listing, struct astshm_error *error)
{
	int result;

	error->text[0] = '\0';
	result = astshm_list(keep_item, listing, error);
	if (result < 0) {
		if (error->text[0] == '\0')
			snprintf(error->text, sizeof(error->text), "cannot list the segments: %s",
				 strerror(-result));
		listing_free(listing);
	}
	return result;
}

void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free((char *)listing->items[i].name);
		free((char *)listing->items[i].path);
	}
	free(listing->items);
	*listing = (struct listing)LISTING_INIT;
}

const char *listing_state(const struct astshm_listing *item)
{
	switch (item->error) {
	case 0:
		return astshm_state_name(item->state);
	case -EACCES:
	case -EPERM:
		return "denied";
	case -EPROTONOSUPPORT:
		return "version";
	case -EBADMSG:
		return "corrupt";
	default:
		return "error";
	}
}

const char *listing_reason(const struct astshm_listing *item)
{
	switch (item->error) {
	case -EPROTONOSUPPORT:
		return "of an incompatible version";
	case -EBADMSG:
		return "corrupt, or not a segment";
	default:
		return strerror(-item->error);
	}
}

static void format_age(char *text, size_t size, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (s < 60)
		snprintf(text, size, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(text, size, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, size, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(text, size, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

static void format_bytes(char *text, size_t size, uint64_t bytes)
{
	if (bytes < 1024 * 1024)
		snprintf(text, size, "%" PRIu64 "K", (bytes + 1023) / 1024);
	else
		snprintf(text, size, "%" PRIu64 ".%" PRIu64 "M", bytes >> 20,
			 (bytes & 0xfffff) * 10 >> 20);
}

/* A writer that is stopped holds its lock, so only its heartbeat tells. */
static bool is_heartbeat_old(const struct astshm_listing *item)
{
	if (item->heartbeat_age_ns == UINT64_MAX)
		return false;
	return item->state == ASTSHM_STATE_DEAD || item->state == ASTSHM_STATE_CLOSED ||
	       item->heartbeat_age_ns / HEARTBEATS_MISSED > item->heartbeat_period_ns;
}

static void print_item(const struct astshm_listing *item, size_t width, FILE *stream)
{
	char age[32], bytes[32];

	print_safe(stream, item->name);
	fprintf(stream, "%*s", (int)(width - safe_columns(item->name)), "");
	if (item->error) {
		fprintf(stream, "  %7s  %s\n", "-", listing_state(item));
		return;
	}
	format_age(age, sizeof(age), item->age_ns);
	format_bytes(bytes, sizeof(bytes), item->bytes);
	fprintf(stream, "  %7" PRIu32 "  %-8s  %7s  %7s  %6" PRIu64 "  %7" PRIu64,
		item->pid, listing_state(item), age, bytes, item->series, item->threads);
	if (is_heartbeat_old(item)) {
		format_age(age, sizeof(age), item->heartbeat_age_ns);
		fprintf(stream, "  heartbeat %s ago", age);
	}
	putc('\n', stream);
}

void listing_print(const struct listing *listing, FILE *stream)
{
	size_t width = 4;

	for (size_t i = 0; i < listing->count; i++) {
		size_t columns = safe_columns(listing->items[i].name);

		width = columns > width ? columns : width;
	}
	if (listing->count > 0)
		fprintf(stream, "%-*s  %7s  %-8s  %7s  %7s  %6s  %7s\n", (int)width, "NAME", "PID",
			"STATE", "AGE", "SIZE", "SERIES", "THREADS");
	for (size_t i = 0; i < listing->count; i++)
		print_item(&listing->items[i], width, stream);
}
