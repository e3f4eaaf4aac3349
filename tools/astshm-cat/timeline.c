/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* How people read numbers: the library's own, not its interface. */
#include "human.h"
#include "text.h"

_Static_assert(HUMAN_BYTES <= TIMELINE_TEXT, "room for a number");

void timeline_exact_time(char text[TIMELINE_TEXT], uint64_t realtime_ns)
{
	text_timestamp(text, realtime_ns);
	text[TEXT_TIMESTAMP_BYTES] = '\0';
}

void timeline_time(char text[TIMELINE_TEXT], uint64_t realtime_ns)
{
	timeline_exact_time(text, realtime_ns);
	memcpy(text + strlen("2026-11-22T10:30:00"), "Z", 2);
}

void timeline_length(char text[TIMELINE_TEXT], uint64_t ns)
{
	human_uptime(text, ns);
}

/* --- what to tell of --------------------------------------------------------- */

static bool is_named(const struct astshm_series *series, const char *name)
{
	return strcmp(series->family->name, name) == 0;
}

/* Repeats by tag what another series counts. */
static bool is_by_type(const struct astshm_series *series)
{
	static const char suffix[] = ".by_type";
	size_t length = series->family->name_len, end = sizeof suffix - 1;

	return length >= end && strcmp(series->family->name + length - end, suffix) == 0;
}

/* How much of the whole a series stands for; 0: none of it. */
static double weight(const struct astshm_series *series, enum astshm_kind kind,
		     const char *preferred)
{
	if (series->kind != kind || is_by_type(series))
		return 0;
	if (is_named(series, preferred))
		return (double)INFINITY;
	if (kind == ASTSHM_KIND_TIMING)
		return (double)series->histogram.count;
	return series->monotonic && series->family->unit_len == 0 ? (double)series->counter.value
								   : 0;
}

static const char *choose(const struct astshm_snapshot *whole, enum astshm_kind kind,
			  const char *preferred)
{
	const char *name = NULL;
	double most = 0;

	for (size_t i = 0; i < astshm_snapshot_count(whole); i++) {
		const struct astshm_series *series = astshm_snapshot_at(whole, i);
		double one = weight(series, kind, preferred);

		if (one > most) {
			name = series->family->name;
			most = one;
		}
	}
	return name;
}

void timeline_choose(struct timeline *timeline, const struct astshm_snapshot *whole)
{
	timeline->counter = choose(whole, ASTSHM_KIND_COUNTER, "events.processed");
	timeline->timing = choose(whole, ASTSHM_KIND_TIMING, "event.processing.duration");
}

/* A stranger's name on its way to a terminal. */
static void clean(char to[ASTSHM_NAME_MAX + 1], const char *name)
{
	snprintf(to, ASTSHM_NAME_MAX + 1, "%s", name);
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

void timeline_legend(const struct timeline *timeline, char text[TIMELINE_LEGEND])
{
	char counter[ASTSHM_NAME_MAX + 1], timing[ASTSHM_NAME_MAX + 1];

	clean(counter, timeline->counter ? timeline->counter : "no counter");
	clean(timing, timeline->timing ? timeline->timing : "no timing");
	snprintf(text, TIMELINE_LEGEND,
		 "columns         PER SEC: %s\n"
		 "                P50 to MAX: %s\n"
		 "                ERRORS, DROPPED: counters with these words in their names\n",
		 counter, timing);
}

/* --- a line -------------------------------------------------------------------- */

/* Of the series without tags, else of those with tags together. */
static double rate_of(const struct astshm_snapshot *interval, const char *name)
{
	const struct astshm_series *total =
		astshm_snapshot_find(interval, ASTSHM_KIND_COUNTER, name);
	double rate = 0;

	if (total)
		return total->counter.rate;
	for (size_t i = 0; i < astshm_snapshot_count(interval); i++) {
		const struct astshm_series *series = astshm_snapshot_at(interval, i);

		if (series->kind == ASTSHM_KIND_COUNTER && is_named(series, name))
			rate += series->counter.rate;
	}
	return rate;
}

static uint64_t sum_of(const struct astshm_snapshot *interval, const char *word)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < astshm_snapshot_count(interval); i++) {
		const struct astshm_series *series = astshm_snapshot_at(interval, i);

		if (series->kind == ASTSHM_KIND_COUNTER && series->monotonic &&
		    strstr(series->family->name, word) && !is_by_type(series))
			sum += (uint64_t)series->counter.increase;
	}
	return sum;
}

#define LATENCIES 4

static void put_latencies(const struct astshm_series *series,
			  char text[LATENCIES][TIMELINE_TEXT])
{
	static const double q[] = { 0.5, 0.95, 0.99 };
	double values[3];

	for (int i = 0; i < LATENCIES; i++)
		strcpy(text[i], "-");
	if (!series || series->histogram.count == 0)
		return;
	astshm_histogram_quantiles(&series->histogram, series->kind, q, values, 3);
	for (int i = 0; i < 3; i++)
		human_time(text[i], values[i]);
	if (series->histogram.has_extremes)
		human_time(text[3], (double)series->histogram.max);
}

/* Tagged series alone are added up first, bucket by bucket. */
static void find_latencies(const struct astshm_snapshot *interval, const char *name,
			   char text[LATENCIES][TIMELINE_TEXT])
{
	const struct astshm_series *series =
		name ? astshm_snapshot_find(interval, ASTSHM_KIND_TIMING, name) : NULL;
	struct astshm_snapshot *grouped = NULL;

	if (name && !series && astshm_snapshot_group(interval, NULL, 0, &grouped, NULL) == 0)
		series = astshm_snapshot_find(grouped, ASTSHM_KIND_TIMING, name);
	put_latencies(series, text);
	astshm_snapshot_free(&grouped);
}

#define ROW "%-8s  %6s  %9s  %6s  %6s  %6s  %6s  %6s  %7s"

void timeline_head(char text[TIMELINE_LEGEND])
{
	snprintf(text, TIMELINE_LEGEND, ROW, "UNTIL", "LENGTH", "PER SEC", "P50", "P95", "P99",
		 "MAX", "ERRORS", "DROPPED");
}

void timeline_row(const struct timeline *timeline, const struct astshm_snapshot *interval,
		  char row[TIMELINE_ROW])
{
	char until[TIMELINE_TEXT], length[TIMELINE_TEXT], rate[TIMELINE_TEXT] = "-";
	char latencies[LATENCIES][TIMELINE_TEXT], errors[24], dropped[24];

	timeline_time(until, astshm_snapshot_timestamp_ns(interval));
	memmove(until, until + strlen("2026-11-22T"), strlen("10:30:00Z"));
	until[strlen("10:30:00")] = '\0';
	timeline_length(length, astshm_snapshot_interval_ns(interval));
	if (timeline->counter)
		human_number(rate, rate_of(interval, timeline->counter));
	find_latencies(interval, timeline->timing, latencies);
	snprintf(errors, sizeof errors, "%llu", (unsigned long long)sum_of(interval, "error"));
	snprintf(dropped, sizeof dropped, "%llu", (unsigned long long)sum_of(interval, "dropped"));
	snprintf(row, TIMELINE_ROW, ROW, until, length, rate, latencies[0], latencies[1],
		 latencies[2], latencies[3], errors, dropped);
}
