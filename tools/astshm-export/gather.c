/* SPDX-License-Identifier: MIT */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"

#define LABEL "segment"
#define MOVED "exported_"

/* --- what is known of each segment ------------------------------------------ */

#define OWN(kind_text, text, unit_text, help_text)                                         \
	{                                                                                  \
		.kind = ASTSHM_KIND_##kind_text, .name = (text), .name_len = sizeof(text) - 1, \
		.unit = (unit_text), .unit_len = sizeof(unit_text) - 1,                    \
		.help = (help_text), .help_len = sizeof(help_text) - 1,                    \
		.monotonic = ASTSHM_KIND_##kind_text == ASTSHM_KIND_COUNTER                \
	}
#define FEED "astshm_feed_"

enum own { UP, AGE, LEFT_OUT, OWN_COUNT_OF_PART,
	   FEED_CONSUMERS = OWN_COUNT_OF_PART, FEED_SENT, FEED_DROPPED, FEED_SLOW, FEED_RECONNECTS,
	   FEED_FAILURES, OWN_COUNT };
#define OWN_COUNT_OF_FEED (OWN_COUNT - OWN_COUNT_OF_PART)

static const struct astshm_family own[OWN_COUNT] = {
	[UP] = OWN(GAUGE, "astshm_up", "", "1 if the writer of the segment lives, else 0."),
	[AGE] = OWN(GAUGE, "astshm_heartbeat_age_seconds", "seconds",
		    "Time since the writer of the segment was last heard of."),
	[LEFT_OUT] = OWN(GAUGE, "astshm_left_out_series", "",
			 "Series of the segment that are not shown: a name of ours, or a unit "
			 "that differs from another segment's."),
	[FEED_CONSUMERS] = OWN(GAUGE, FEED "consumers", "", "Consumers connected to the feed."),
	[FEED_SENT] = OWN(COUNTER, FEED "sent", "", "Snapshots sent, each consumer's counted."),
	[FEED_DROPPED] = OWN(COUNTER, FEED "dropped", "",
			     "Snapshots that a consumer of the feed did not get."),
	[FEED_SLOW] = OWN(COUNTER, FEED "slow_consumers", "",
			  "Consumers hung up on because they were too slow."),
	[FEED_RECONNECTS] = OWN(COUNTER, FEED "reconnects", "",
				"Connections to the consumer after the first one."),
	[FEED_FAILURES] = OWN(COUNTER, FEED "failed_connections", "",
			      "Tries to connect to the consumer that failed."),
};

static char as_prometheus(char c)
{
	return c == '.' ? '_' : c;
}

/* What begins like the feeds' families is one of theirs, today or one day. */
static bool is_of_feed(const struct astshm_family *family)
{
	const size_t length = sizeof(FEED) - 1;

	for (size_t i = 0; i < length; i++) {
		if (i == family->name_len || as_prometheus(family->name[i]) != FEED[i])
			return false;
	}
	return true;
}

/* Would Prometheus call the family like one of ours? Units may stand behind it. */
static bool is_like(const struct astshm_family *family, const struct astshm_family *ours)
{
	if (family->name_len > ours->name_len)
		return false;
	for (uint32_t i = 0; i < family->name_len; i++) {
		if (as_prometheus(family->name[i]) != ours->name[i])
			return false;
	}
	return family->name_len == ours->name_len ||
	       strcmp(ours->name + family->name_len, "_seconds") == 0;
}

static bool is_reserved(const struct astshm_family *family)
{
	if (is_of_feed(family))
		return true;
	for (int i = 0; i < OWN_COUNT_OF_PART; i++) {
		if (is_like(family, &own[i]))
			return true;
	}
	return false;
}

/* --- one more tag ------------------------------------------------------------- */

static int compare_tags(const void *left, const void *right)
{
	const struct astshm_label *a = left, *b = right;

	return strcmp(a->key, b->key);
}

static bool has_tag(const struct astshm_series *series, const char *key)
{
	for (uint32_t i = 0; i < series->tag_count; i++) {
		if (strcmp(series->tags[i].key, key) == 0)
			return true;
	}
	return false;
}

/* What the series' own tag `segment` is called from now on. NULL: no memory. */
static char *moved_key(struct reader_arena *arena, const struct astshm_series *series)
{
	size_t room = sizeof(MOVED) - 1;
	char *key = reader_arena_alloc(arena, (series->tag_count + 1) * room + sizeof(LABEL));

	if (!key)
		return NULL;
	memcpy(key, LABEL, sizeof(LABEL));
	do {
		memmove(key + room, key, strlen(key) + 1);
		memcpy(key, MOVED, room);
	} while (has_tag(series, key));
	return key;
}

static int move_tag(struct reader_arena *arena, const struct astshm_series *series,
		    struct astshm_label *tags)
{
	for (uint32_t i = 0; i < series->tag_count; i++) {
		if (strcmp(tags[i].key, LABEL) != 0)
			continue;
		tags[i].key = moved_key(arena, series);
		if (!tags[i].key)
			return -ENOMEM;
		tags[i].key_len = (uint32_t)strlen(tags[i].key);
	}
	return 0;
}

/* `series` has the values and the identity it had; it gets a new one. */
static int label(struct reader_arena *arena, struct astshm_series *series,
		 const struct astshm_label *tag)
{
	uint32_t count = series->tag_count + 1;
	struct astshm_label *tags = reader_arena_array(arena, count, sizeof(*tags));
	char *key;

	if (!tags)
		return -ENOMEM;
	if (series->tag_count > 0)
		memcpy(tags, series->tags, series->tag_count * sizeof(*tags));
	if (move_tag(arena, series, tags) < 0)
		return -ENOMEM;
	tags[series->tag_count] = *tag;
	qsort(tags, count, sizeof(*tags), compare_tags);
	series->tags = tags;
	series->tag_count = count;
	series->key_len = (uint32_t)snapshot_key(NULL, series->family->name,
						 series->family->name_len, tags, count);
	key = reader_arena_alloc(arena, series->key_len + 1);
	if (!key)
		return -ENOMEM;
	snapshot_key(key, series->family->name, series->family->name_len, tags, count);
	series->key = key;
	return 0;
}

/* --- one segment ----------------------------------------------------------------- */

static struct astshm_label label_of(const char *name)
{
	return (struct astshm_label){ LABEL, name, sizeof(LABEL) - 1, (uint32_t)strlen(name) };
}

static struct astshm_label target_of(const char *text)
{
	return (struct astshm_label){ "target", text, sizeof("target") - 1,
				      (uint32_t)strlen(text) };
}

static bool same_unit(const struct astshm_family *a, const struct astshm_family *b)
{
	return a->unit_len == 0 || b->unit_len == 0 ||
	       (a->unit_len == b->unit_len && memcmp(a->unit, b->unit, a->unit_len) == 0);
}

/* Has an earlier segment a family of this name and kind with another unit? */
static bool contradicts(const struct astshm_family *family, struct astshm_snapshot *const *earlier,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t place = derive_family_place(earlier[i], family);

		if (place < earlier[i]->family_count &&
		    !same_unit(earlier[i]->families[place], family))
			return true;
	}
	return false;
}

/* A reset begins a series anew; what merged documents say of uptimes is not of one
 * segment. */
static uint64_t created(const struct astshm_series *series, const struct astshm_snapshot *snapshot)
{
	uint64_t began = snapshot->timestamp_ns - snapshot->uptime_ns;

	return series->created_realtime_ns > began ? series->created_realtime_ns : began;
}

/* What is shown of one segment, and how many series are not. */
static int show(const struct gather_part *part, bool labelled,
		struct astshm_snapshot *const *earlier, size_t earlier_count,
		struct astshm_snapshot **shown, size_t *left_out)
{
	const struct astshm_label tag = label_of(part->name);
	struct astshm_snapshot *made = derive_create(part->snapshot, part->snapshot->series_count);
	const struct astshm_family *last = NULL;
	bool skip = false;

	if (!made)
		return -ENOMEM;
	made->reordered = false;
	for (size_t i = 0; i < part->snapshot->series_count; i++) {
		const struct astshm_series *series = &part->snapshot->series[i];

		if (series->family != last) {
			last = series->family;
			skip = is_reserved(last) || contradicts(last, earlier, earlier_count);
		}
		*left_out += skip;
		if (skip)
			continue;
		made->series[made->series_count] = *series;
		made->series[made->series_count].created_realtime_ns =
			created(series, part->snapshot);
		if (labelled &&
		    label(made->arena, &made->series[made->series_count], &tag) < 0)
			goto failed;
		made->series_count++;
	}
	if (snapshot_finish(made) == 0) {
		*shown = made;
		return 0;
	}
failed:
	astshm_snapshot_free(&made);
	return -ENOMEM;
}

static int add(struct astshm_snapshot *snapshot, enum own which, double value,
	       const struct astshm_label *tag)
{
	struct astshm_series *series = &snapshot->series[snapshot->series_count];

	*series = (struct astshm_series){
		.kind = own[which].kind,
		.monotonic = own[which].monotonic,
		.family = &own[which],
		.key = own[which].name,
		.key_len = own[which].name_len,
	};
	if (series->kind == ASTSHM_KIND_COUNTER)
		series->counter.value = (int64_t)value;
	else
		series->gauge = (struct astshm_gauge_value){
			.current = value, .count = 1, .sum = value, .min = value, .max = value,
		};
	if (tag && label(snapshot->arena, series, tag) < 0)
		return -ENOMEM;
	snapshot->series_count++;
	return 0;
}

static int tell_of(struct astshm_snapshot *facts, const struct gather_part *part, bool labelled,
		   size_t left_out)
{
	const struct astshm_label label = label_of(part->name);
	const struct astshm_label *tag = labelled ? &label : NULL;
	int result = add(facts, UP, part->live, tag);

	if (result == 0)
		result = add(facts, LEFT_OUT, (double)left_out, tag);
	if (result == 0 && part->snapshot && part->snapshot->has_segment &&
	    part->snapshot->segment.heartbeat_age_ns >= 0)
		result = add(facts, AGE,
			     (double)part->snapshot->segment.heartbeat_age_ns / 1e9, tag);
	return result;
}

/* --- the feeds ---------------------------------------------------------------------- */

static int tell_of_feed(struct astshm_snapshot *facts, const struct feed *feed)
{
	const struct astshm_label tag = target_of(feed->text);
	const uint64_t values[OWN_COUNT_OF_FEED] = {
		feed->consumer_count, feed->counts.sent,       feed->counts.dropped,
		feed->counts.slow,    feed->counts.reconnects, feed->counts.failures,
	};
	int result = 0;

	for (int i = 0; i < OWN_COUNT_OF_FEED && result == 0; i++)
		result = add(facts, (enum own)(OWN_COUNT_OF_PART + i), (double)values[i], &tag);
	return result;
}

static size_t count_feeds(const struct feeds *feeds)
{
	size_t count = 0;

	while (feeds && feeds_at(feeds, count))
		count++;
	return count;
}

static int tell_of_feeds(struct astshm_snapshot *facts, const struct feeds *feeds, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = tell_of_feed(facts, feeds_at(feeds, i));
	return result;
}

/* --- all -------------------------------------------------------------------------- */

static int gather_into(struct astshm_snapshot **shown, struct astshm_snapshot *facts,
		       const struct gather_part *parts, size_t count, const struct feeds *feeds,
		       bool labelled, size_t *shown_count)
{
	size_t feed_count = count_feeds(feeds);
	int told;

	facts->series = reader_arena_array(
		facts->arena, OWN_COUNT_OF_PART * count + OWN_COUNT_OF_FEED * feed_count + 1,
		sizeof(*facts->series));
	if (!facts->series)
		return -ENOMEM;
	told = tell_of_feeds(facts, feeds, feed_count);
	if (told < 0)
		return told;
	for (size_t i = 0; i < count; i++) {
		size_t left_out = 0;
		int result = 0;

		if (parts[i].live)
			result = show(&parts[i], labelled, shown, *shown_count,
				      &shown[*shown_count], &left_out);
		if (result < 0)
			return result;
		*shown_count += parts[i].live;
		result = tell_of(facts, &parts[i], labelled, left_out);
		if (result < 0)
			return result;
	}
	return snapshot_finish(facts);
}

int gather(const struct gather_part *parts, size_t count, const struct feeds *feeds,
	   bool labelled, struct astshm_snapshot **gathered, struct astshm_error *error)
{
	struct astshm_snapshot **shown = calloc(count + 1, sizeof(struct astshm_snapshot *));
	struct astshm_snapshot *facts = snapshot_create();
	size_t shown_count = 0;
	int result = -ENOMEM;

	if (shown && facts)
		result = gather_into(shown, facts, parts, count, feeds, labelled,
				     &shown_count);
	if (result == 0) {
		shown[shown_count++] = facts;
		facts = NULL;
		result = astshm_snapshot_merge(
			(const struct astshm_snapshot *const *)shown, shown_count, gathered, error);
	}
	for (size_t i = 0; i < shown_count; i++)
		astshm_snapshot_free(&shown[i]);
	free(shown);
	astshm_snapshot_free(&facts);
	return result;
}
