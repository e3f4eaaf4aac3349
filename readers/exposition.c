/* SPDX-License-Identifier: MIT */
#include "exposition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <astshm/buckets.h>

#include "number.h"
#include "statistics.h"

static bool is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= '0' && c <= '9' && !first);
}

/*
 * Each byte that Prometheus does not allow becomes '_'; a digit in front gets
 * one before it. Returns the end; writes no NUL and at most length + 1 bytes.
 */
static char *mangle(char *p, const char *text, size_t length)
{
	if (length == 0 || (text[0] >= '0' && text[0] <= '9'))
		*p++ = '_';
	for (size_t i = 0; i < length; i++)
		*p++ = is_name_byte(text[i], false) ? text[i] : '_';
	return p;
}

/* --- families -------------------------------------------------------------- */

/* name + '_' + unit + "_total" + NUL, with room to begin with '_'. */
static size_t name_room(const struct astshm_family *family)
{
	return family->name_len + family->unit_len + sizeof "__seconds_total" + 2;
}

static char *add_suffix(const char *start, char *end, const char *suffix, size_t length)
{
	size_t have = (size_t)(end - start);
	if (have > length && end[-1 - (long)length] == '_' &&
	    memcmp(end - length, suffix, length) == 0)
		return end;
	*end++ = '_';
	memcpy(end, suffix, length);
	return end + length;
}

/* NAME_seconds, NAME_bytes, NAME_total as the kind and unit ask for. */
static char *name_family(char *start, const struct astshm_family *family, bool total)
{
	char unit[3 * ASTSHM_UNIT_MAX + 2];
	char *end = mangle(start, family->name, family->name_len);
	if (family->kind == ASTSHM_KIND_TIMING || statistics_is_time_counter(family)) {
		end = add_suffix(start, end, "seconds", 7);
	} else if (family->kind == ASTSHM_KIND_DISTRIBUTION && family->unit_len &&
		   family->unit_len < sizeof unit) {
		char *unit_end = mangle(unit, family->unit, family->unit_len);
		end = add_suffix(start, end, unit, (size_t)(unit_end - unit));
	}
	if (total && family->kind == ASTSHM_KIND_COUNTER && family->monotonic)
		end = add_suffix(start, end, "total", 5);
	*end++ = '\0';
	return end;
}

/* A set of names in use, histograms with the three that they stand for. */
struct name_set {
	const char **slots;
	size_t mask;
};

/* _created last: only OpenMetrics has it. */
static const char *const histogram_suffixes[] = { "_bucket", "_sum", "_count", "_created" };
static const char *const counter_suffixes[] = { "_total", "_created" };

static bool is_histogram(const struct astshm_family *family)
{
	return family->kind == ASTSHM_KIND_TIMING || family->kind == ASTSHM_KIND_DISTRIBUTION;
}

/* FNV-1a. */
static size_t hash_name(const char *name)
{
	uint64_t hash = 14695981039346656037ull;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211ull;
	return (size_t)(hash ^ hash >> 32);
}

static bool name_set_has(const struct name_set *set, const char *name)
{
	size_t at = hash_name(name) & set->mask;
	for (; set->slots[at]; at = (at + 1) & set->mask) {
		if (strcmp(set->slots[at], name) == 0)
			return true;
	}
	return false;
}

static void name_set_add(struct name_set *set, const char *name)
{
	size_t at = hash_name(name) & set->mask;
	while (set->slots[at])
		at = (at + 1) & set->mask;
	set->slots[at] = name;
}

/*
 * Names a family's samples will have: its own and those with suffixes, which lie
 * one after the other behind it. Adds them unless one is in use.
 */
static bool take_names(struct name_set *set, const char *name, unsigned count)
{
	const char *each = name;
	for (unsigned i = 0; i < count; i++, each += strlen(each) + 1) {
		if (name_set_has(set, each))
			return false;
	}
	for (unsigned i = 0; i < count; i++, name += strlen(name) + 1)
		name_set_add(set, name);
	return true;
}

/* `name` with each suffix behind it, one after the other. */
static char *put_suffixed(char *p, const char *name, const char *const *suffixes, unsigned count)
{
	size_t length = strlen(name);
	for (unsigned i = 0; i < count; i++) {
		size_t suffix = strlen(suffixes[i]);
		memcpy(p, name, length);
		memcpy(p + length, suffixes[i], suffix + 1);
		p += length + suffix + 1;
	}
	return p;
}

/* OpenMetrics calls a counter's family by what stands before _total. */
static char *cut_total(const char *name, char *end)
{
	const size_t total = sizeof "_total" - 1;
	size_t length = (size_t)(end - 1 - name);
	if (length <= total || strcmp(end - 1 - total, "_total") != 0)
		return end;
	end -= total;
	end[-1] = '\0';
	return end;
}

/* The family's name, then those of its samples; *count tells how many. */
static char *put_family_names(char *p, const struct astshm_family *family, bool openmetrics,
			      unsigned *count)
{
	char *name = p;
	bool total = openmetrics && family->kind == ASTSHM_KIND_COUNTER && family->monotonic;
	p = name_family(p, family, true);
	if (total)
		p = cut_total(name, p);
	*count = total ? 2 : !is_histogram(family) ? 0 : openmetrics ? 4 : 3;
	p = put_suffixed(p, name, total ? counter_suffixes : histogram_suffixes, *count);
	*count += 1;
	return p;
}

/* The name they begin with, then those of the samples; *count tells how many. */
static char *put_window_names(char *p, const struct astshm_family *family, unsigned *count)
{
	static const char *const counter[] = { EXPOSITION_RATE };
	static const char *const gauge[] = { EXPOSITION_MIN, EXPOSITION_MAX };
	static const char *const histogram[] = { EXPOSITION_RATE, EXPOSITION_WINDOW,
						 EXPOSITION_WINDOW "_sum",
						 EXPOSITION_WINDOW "_count" };
	char *name = p;
	p = name_family(p, family, false);
	*count = is_histogram(family) ? 4 : family->kind == ASTSHM_KIND_GAUGE ? 2 : 1;
	return put_suffixed(p, name,
			    is_histogram(family)                ? histogram
			    : family->kind == ASTSHM_KIND_GAUGE ? gauge
								: counter,
			    *count);
}

static size_t all_names_room(const struct astshm_snapshot *snapshot)
{
	size_t room = 1;
	for (size_t i = 0; i < snapshot->family_count; i++)
		room += 11 * (name_room(snapshot->families[i]) + sizeof EXPOSITION_WINDOW "_count");
	return room;
}

static char *fill_names(struct exposition_names *names, const struct astshm_snapshot *snapshot,
			const struct family_index *index, bool openmetrics,
			struct name_set *set)
{
	char *p = names->text;
	for (size_t i = 0; i < snapshot->family_count; i++) {
		unsigned count;
		names->offset[i] = (size_t)(p - names->text);
		p = put_family_names(p, snapshot->families[i], openmetrics, &count);
		if (index->first[i] == index->first[i + 1])
			continue;
		names->taken[i] = !take_names(set, names->text + names->offset[i], count);
	}
	return p;
}

static void fill_window_names(struct exposition_names *names,
			      const struct astshm_snapshot *snapshot,
			      const struct family_index *index, struct name_set *set, char *p)
{
	names->window_seconds_taken = name_set_has(set, EXPOSITION_WINDOW_SECONDS);
	if (!names->window_seconds_taken)
		name_set_add(set, EXPOSITION_WINDOW_SECONDS);
	for (size_t i = 0; i < snapshot->family_count; i++) {
		unsigned count;
		char *name = p;
		names->window_offset[i] = (size_t)(p - names->text);
		p = put_window_names(p, snapshot->families[i], &count);
		if (index->first[i] != index->first[i + 1])
			names->window_taken[i] =
				!take_names(set, name + strlen(name) + 1, count);
	}
}

int exposition_names_init(struct exposition_names *names, const struct astshm_snapshot *snapshot,
			  const struct family_index *index, bool openmetrics)
{
	struct name_set set = { .mask = 63 };
	while (set.mask < 20 * snapshot->family_count)
		set.mask = 2 * set.mask + 1;
	set.slots = calloc(set.mask + 1, sizeof *set.slots);
	names->text = malloc(all_names_room(snapshot));
	names->offset = calloc(snapshot->family_count + 1, sizeof *names->offset);
	names->taken = calloc(snapshot->family_count + 1, sizeof *names->taken);
	names->window_offset = calloc(snapshot->family_count + 1, sizeof *names->window_offset);
	names->window_taken = calloc(snapshot->family_count + 1, sizeof *names->window_taken);
	bool complete = set.slots && names->text && names->offset && names->taken &&
			names->window_offset && names->window_taken;
	if (complete) {
		char *end = fill_names(names, snapshot, index, openmetrics, &set);
		if (snapshot->window)
			fill_window_names(names, snapshot, index, &set, end);
	} else {
		exposition_names_fini(names);
	}
	free(set.slots);
	return complete ? 0 : -ENOMEM;
}

void exposition_names_fini(struct exposition_names *names)
{
	free(names->text);
	free(names->offset);
	free(names->taken);
	free(names->window_offset);
	free(names->window_taken);
	*names = (struct exposition_names){ 0 };
}

const char *exposition_name(const struct exposition_names *names, size_t family)
{
	return names->text + names->offset[family];
}

bool exposition_unit(const struct exposition_names *names, size_t family,
		     const struct astshm_family *of, char unit[EXPOSITION_UNIT_BYTES])
{
	const char *name = exposition_name(names, family);
	size_t length = strlen(name), unit_length = of->unit_len;
	if (!unit_length || unit_length > 3 * ASTSHM_UNIT_MAX)
		return false;
	char *end = mangle(unit, of->unit, unit_length);
	*end = '\0';
	unit_length = (size_t)(end - unit);
	return length > unit_length && name[length - unit_length - 1] == '_' &&
	       strcmp(name + length - unit_length, unit) == 0;
}

const char *exposition_window_name(const struct exposition_names *names, size_t family)
{
	return names->text + names->window_offset[family];
}

/* --- labels ------------------------------------------------------------------ */

static bool same_key(const struct astshm_label *a, const struct astshm_label *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* Place of the tag's key; labels->count if it is not there. */
static unsigned find_key(const struct exposition_labels *labels, const struct astshm_label *tag)
{
	unsigned place = 0;
	while (place < labels->count && !same_key(labels->keys[place], tag))
		place++;
	return place;
}

/* Names that begin with "__" and a histogram's "le" are not for others. */
static size_t mangle_label(char *name, const struct astshm_label *tag, const char *reserved)
{
	size_t length = tag->key_len;
	if (length > 3 * ASTSHM_TAG_KEY_MAX)
		length = 3 * ASTSHM_TAG_KEY_MAX;
	char *end = mangle(name, tag->key, length);
	*end = '\0';
	if (strncmp(name, "__", 2) == 0 || (reserved && strcmp(name, reserved) == 0)) {
		memcpy(name, "tag_", 4);
		end = mangle(name + 4, tag->key, length);
		*end = '\0';
	}
	return (size_t)(end - name);
}

static bool is_taken(const struct exposition_labels *labels, const char *name)
{
	for (unsigned i = 0; i < labels->count; i++) {
		if (strcmp(labels->names[i], name) == 0)
			return true;
	}
	return false;
}

static void add_key(struct exposition_labels *labels, const struct astshm_label *tag)
{
	char *name = labels->names[labels->count];
	size_t length = mangle_label(name, tag, labels->reserved);
	for (unsigned n = 2; is_taken(labels, name); n++) {
		char *end = name + length;
		*end++ = '_';
		*number_put_u64(end, n) = '\0';
	}
	labels->keys[labels->count++] = tag;
}

bool exposition_labels_init(struct exposition_labels *labels, const struct astshm_series *series,
			    const uint32_t *places, size_t count, const char *reserved)
{
	labels->count = 0;
	labels->reserved = reserved;
	for (size_t i = 0; i < count; i++) {
		const struct astshm_series *one = &series[places[i]];
		for (uint32_t t = 0; t < one->tag_count; t++) {
			if (find_key(labels, &one->tags[t]) < labels->count)
				continue;
			if (labels->count == EXPOSITION_LABELS_MAX)
				return false;
			add_key(labels, &one->tags[t]);
		}
	}
	return true;
}

const char *exposition_label(const struct exposition_labels *labels, const struct astshm_label *tag)
{
	return labels->names[find_key(labels, tag)];
}

/* --- buckets ------------------------------------------------------------------- */

static const struct exposition_bound timing_bounds[] = {
	{ 1000, "1e-06" },
	{ 2500, "2.5e-06" },
	{ 5000, "5e-06" },
	{ 10000, "1e-05" },
	{ 25000, "2.5e-05" },
	{ 50000, "5e-05" },
	{ 100000, "0.0001" },
	{ 250000, "0.00025" },
	{ 500000, "0.0005" },
	{ 1000000, "0.001" },
	{ 2500000, "0.0025" },
	{ 5000000, "0.005" },
	{ 10000000, "0.01" },
	{ 25000000, "0.025" },
	{ 50000000, "0.05" },
	{ 100000000, "0.1" },
	{ 250000000, "0.25" },
	{ 500000000, "0.5" },
	{ 1000000000, "1.0" },
	{ 2500000000, "2.5" },
	{ 5000000000, "5.0" },
	{ 10000000000, "10.0" },
};

static const struct exposition_bound distribution_bounds[] = {
	{ 1, "1.0" },
	{ 4, "4.0" },
	{ 16, "16.0" },
	{ 64, "64.0" },
	{ 256, "256.0" },
	{ 1024, "1024.0" },
	{ 4096, "4096.0" },
	{ 16384, "16384.0" },
	{ 65536, "65536.0" },
	{ 262144, "262144.0" },
	{ 1048576, "1048576.0" },
	{ 4194304, "4194304.0" },
	{ 16777216, "16777216.0" },
	{ 67108864, "67108864.0" },
	{ 268435456, "268435456.0" },
	{ 1073741824, "1073741824.0" },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(COUNT_OF(timing_bounds) <= EXPOSITION_BOUNDS_MAX, "room for timings");
_Static_assert(COUNT_OF(distribution_bounds) <= EXPOSITION_BOUNDS_MAX, "room for distributions");

const struct exposition_bound *exposition_bounds(enum astshm_kind kind, size_t *count)
{
	bool timing = kind == ASTSHM_KIND_TIMING;
	*count = timing ? COUNT_OF(timing_bounds) : COUNT_OF(distribution_bounds);
	return timing ? timing_bounds : distribution_bounds;
}

/*
 * Of the samples in `slot`, those not above `bound`, which lies in it: all but what the
 * extremes, where they lie in the slot too, tell to be above. A share in proportion would
 * lose samples equal to the bound, and would fall as the maximum rises: to Prometheus
 * that is a counter that was reset. With this, no further sample makes the part smaller.
 */
static uint64_t part_below(const struct astshm_histogram *histogram, enum astshm_kind kind,
			   uint32_t slot, uint64_t bound, uint64_t samples)
{
	uint64_t low, high;
	statistics_slot_range(kind, slot, &low, &high); /* samples lie in (low, high] */
	if (!samples || !histogram->has_extremes)
		return samples;
	if (histogram->min > bound)
		return 0;
	return samples - (histogram->max > bound && histogram->max <= high);
}

static uint64_t slot_samples(const struct astshm_histogram *histogram, uint32_t slot)
{
	if (slot < histogram->first_slot || slot - histogram->first_slot >= histogram->slot_count)
		return 0;
	return histogram->slots[slot - histogram->first_slot];
}

void exposition_below(const struct astshm_histogram *histogram, enum astshm_kind kind,
		      uint64_t below[EXPOSITION_BOUNDS_MAX])
{
	const uint64_t *table =
		kind == ASTSHM_KIND_TIMING ? astshm_timing_table : astshm_distribution_table;
	uint64_t whole = histogram->zero_count; /* in slots below `slot` */
	uint32_t slot = ASTSHM_HISTOGRAM_FIRST;
	size_t count;
	const struct exposition_bound *bound = exposition_bounds(kind, &count);
	for (size_t i = 0; i < count; i++) {
		uint32_t in = astshm_bucket_slot_any(table, (int64_t)bound[i].value);
		for (; slot < in; slot++)
			whole += slot_samples(histogram, slot);
		below[i] = whole + part_below(histogram, kind, in, bound[i].value,
					      slot_samples(histogram, in));
	}
}
