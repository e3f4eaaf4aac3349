/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

/* Where the part of a key's tags that begins at `at` ends: a comma or the end. */
static const char *part_end(const char *at, const char *end)
{
	while (at < end && *at != ',')
		at += *at == '\\' && end - at > 1 ? 2 : 1;
	return at;
}

static bool has_part(const char *at, const char *end, const char *part, size_t length)
{
	for (;;) {
		const char *stop = part_end(at, end);

		if ((size_t)(stop - at) == length && memcmp(at, part, length) == 0)
			return true;
		if (stop == end)
			return false;
		at = stop + 1;
	}
}

/*
 * Is `key` the series' key but for the order of its tags? Of equal length, and
 * with each of the series' parts, which all differ, it has no others.
 */
static bool is_reordered(const struct astshm_series *series, const char *key, size_t length)
{
	size_t name = series->family->name_len;
	const char *at = series->key + name + 1, *end = series->key + series->key_len - 1;

	if (series->tag_count < 2 || series->key_len != length || key[length - 1] != ']' ||
	    memcmp(series->key, key, name + 1) != 0)
		return false;
	for (;;) {
		const char *stop = part_end(at, end);

		if (!has_part(key + name + 1, key + length - 1, at, (size_t)(stop - at)))
			return false;
		if (stop == end)
			return true;
		at = stop + 1;
	}
}

/* By key, or by the same tags in another order. */
static const struct astshm_series *find_kind(const struct astshm_snapshot *snapshot,
					     enum astshm_kind kind, const char *key)
{
	const struct astshm_series *series = astshm_snapshot_find(snapshot, kind, key);
	size_t length = strlen(key);

	for (size_t i = 0; !series && i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *other = astshm_snapshot_at(snapshot, i);

		if (other->kind == kind && is_reordered(other, key, length))
			series = other;
	}
	return series;
}

/* The series of that key whose kind has the field; else one that has not. */
static const struct astshm_series *find_key(const struct astshm_snapshot *snapshot,
					    const char *key, struct field field)
{
	const struct astshm_series *other = NULL;

	for (int kind = ASTSHM_KIND_COUNTER; kind <= ASTSHM_KIND_DISTRIBUTION; kind++) {
		const struct astshm_series *series =
			find_kind(snapshot, (enum astshm_kind)kind, key);

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

/* Is there a metric of that name (with or without a field), if only with tags? */
static bool has_tagged(const struct astshm_snapshot *snapshot, const char *wanted)
{
	const char *colon = strrchr(wanted, ':');
	size_t length = strlen(wanted), cut = colon ? (size_t)(colon - wanted) : length;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		size_t name = series->family->name_len;

		if (series->tag_count > 0 && (name == length || name == cut) &&
		    memcmp(series->family->name, wanted, name) == 0)
			return true;
	}
	return false;
}

/* NULL: the number is not there, for which there are many reasons. */
static const char *odd_number(struct field field, const struct astshm_series *series)
{
	double number = field_number(field, series);

	if (series->kind != ASTSHM_KIND_GAUGE || isfinite(number))
		return NULL;
	if (field.id != FIELD_MAIN && field.id != FIELD_CURRENT && series->gauge.count == 0)
		return NULL;
	return isnan(number) ? "is NaN (not a number)" : number > 0 ? "is +Inf (infinite)"
								     : "is -Inf (infinite)";
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
	const char *odd;

	if (!series)
		series = find_split(snapshot, wanted, &field);
	if (!series && has_tagged(snapshot, wanted))
		return fail(why, EXIT_NO_MATCH, wanted,
			    "has only series with tags: -g '' adds them up, and a KEY with its "
			    "[tag=value] names one");
	if (!series)
		return fail(why, EXIT_NO_MATCH, wanted,
			    "no such metric, or no such field of it (a field stands behind ':')");
	if (!field_applies(field, series->kind))
		return fail(why, EXIT_USAGE, wanted,
			    "a metric of this kind does not have the field");
	if (field_text(field, series, text))
		return EXIT_OK;
	odd = odd_number(field, series);
	return fail(why, EXIT_NO_MATCH, wanted, odd ? odd : "has no such number now");
}
