/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

/* The series of that key whose kind has the field; else one that has not. */
static const struct astshm_series *find_key(const struct astshm_snapshot *snapshot,
					    const char *key, struct field field)
{
	const struct astshm_series *other = NULL;

	for (int kind = ASTSHM_KIND_COUNTER; kind <= ASTSHM_KIND_DISTRIBUTION; kind++) {
		const struct astshm_series *series =
			astshm_snapshot_find(snapshot, (enum astshm_kind)kind, key);

		if (series && field_applies(field, series->kind))
			return series;
		other = other ? other : series;
	}
	return other;
}

static const struct astshm_series *find_split(const struct astshm_snapshot *snapshot,
					      const char *wanted, struct field *field)
{
	const struct astshm_series *series = NULL;
	const char *colon = strrchr(wanted, ':');
	char *key;

	if (!colon || !field_parse(colon + 1, field))
		return NULL;
	key = strndup(wanted, (size_t)(colon - wanted));
	if (key)
		series = find_key(snapshot, key, *field);
	free(key);
	return series;
}

static enum exit_status fail(struct astshm_error *why, enum exit_status status,
			     const char *subject, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%.150s: %s", subject, text);
	return status;
}

enum exit_status value_find(const char *wanted, const struct astshm_snapshot *snapshot,
			    char text[FIELD_TEXT_MAX], struct astshm_error *why)
{
	struct field field = { .id = FIELD_MAIN };
	const struct astshm_series *series = find_key(snapshot, wanted, field);

	if (!series)
		series = find_split(snapshot, wanted, &field);
	if (!series)
		return fail(why, EXIT_NO_MATCH, wanted,
			    "no such metric, or no such field of it (a field stands behind ':')");
	if (!field_applies(field, series->kind))
		return fail(why, EXIT_USAGE, wanted,
			    "a metric of this kind does not have the field");
	if (!field_text(field, series, text))
		return fail(why, EXIT_NO_MATCH, wanted, "has no such number now");
	return EXIT_OK;
}
