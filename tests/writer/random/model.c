/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How often something happened: at least, at most. */
struct range {
	int64_t low, high;
};

struct state {
	struct range exists; /* > 0: it does */
	struct range shown;  /* by name: recorded since the last full reset */
	struct range value;  /* of a counter, of a gauge that is raised */
	struct range samples[PALETTE]; /* of a histogram */
	struct range count;  /* of a gauge's statistics */
	/* A gauge that one lane sets: */
	double current, sum, min, max;
	bool current_known, statistics_known;
};

static struct state states[SUBJECTS_MAX];

static bool certain(struct range range)
{
	return range.low == range.high;
}

static void add(struct range *range, struct range more, int64_t each)
{
	range->low += each < 0 ? more.high * each : more.low * each;
	range->high += each < 0 ? more.low * each : more.high * each;
}

void tally_forget(struct tally *tally, uint32_t subject)
{
	memset(tally->spans[subject], 0, sizeof tally->spans[subject]);
	tally->removed[subject] = true;
}

void tally_clear(struct tally *tally)
{
	memset(tally->spans, 0, sizeof tally->spans);
	memset(tally->removed, 0, sizeof tally->removed);
	tally->order = 0;
}

static void forget_statistics(struct state *state)
{
	memset(state->samples, 0, sizeof state->samples);
	state->count = (struct range){ 0, 0 };
	state->sum = 0.0;
	state->min = (double)INFINITY;
	state->max = -(double)INFINITY;
	state->statistics_known = true;
}

static void forget(struct state *state)
{
	*state = (struct state){ .current_known = true };
	forget_statistics(state);
}

void model_begin(void)
{
	for (uint32_t i = 0; i < subject_count; i++) {
		forget(&states[i]);
		if (subjects[i].made_at_once)
			states[i].exists = states[i].shown = (struct range){ 1, 1 };
	}
}

/* --- what operations do ------------------------------------------------ */

/* What of a subject an operation may clear. */
enum part { VALUE, CURRENT, SHOWN, EXISTENCE };

static bool clears(const struct round *round, uint32_t operation, uint32_t subject,
		   enum part part)
{
	const struct subject *what = &subjects[subject];

	switch (round->operations[operation]) {
	case RESET:
		return part == SHOWN || (part == VALUE && what->action != SUBTRACT_TOO);
	case RESET_COUNTERS:
		return part == VALUE && what->kind == ASTSHM_KIND_COUNTER &&
		       what->action != SUBTRACT_TOO;
	case REMOVE:
		return round->removed[operation] == subject;
	case OFF:
	case ON:
		break;
	}
	return false;
}

static bool on_in(const struct round *round, uint32_t interval)
{
	bool on = round->on_at_start;

	for (uint32_t i = 0; i < interval; i++)
		if (round->operations[i] == ON || round->operations[i] == OFF)
			on = round->operations[i] == ON;
	return on;
}

/* Is what was stored in this interval still there when the round is over? */
static bool survives(const struct round *round, uint32_t interval, uint32_t subject,
		     enum part part)
{
	for (uint32_t i = interval; i < round->operation_count; i++)
		if (clears(round, i, subject, part))
			return false;
	return true;
}

/*
 * Of one record made between two intervals: must it be there, may it? It looked
 * at the switch in one of them, and stored in the same or a later one.
 */
static struct range fate(const struct round *round, uint32_t from, uint32_t to, uint32_t subject,
			 enum part part)
{
	struct range range = { 1, 0 };

	for (uint32_t looked = from; looked <= to; looked++)
		for (uint32_t stored = looked; stored <= to; stored++) {
			bool here = on_in(round, looked) && survives(round, stored, subject, part);
			range.low &= here;
			range.high |= here;
		}
	return range;
}

static void clear(struct state *state, const struct round *round, uint32_t operation,
		  uint32_t subject)
{
	enum action action = subjects[subject].action;

	if (clears(round, operation, subject, EXISTENCE)) {
		forget(state);
		return;
	}
	if (subjects[subject].manner == BY_NAME && clears(round, operation, subject, SHOWN))
		state->shown = (struct range){ 0, 0 };
	if (!clears(round, operation, subject, VALUE))
		return;
	if (action != RAISE) /* whose value is its current one */
		state->value = (struct range){ 0, 0 };
	forget_statistics(state);
}

void model_apply(const struct round *round)
{
	for (uint32_t i = 0; i < round->operation_count; i++)
		for (uint32_t j = 0; j < subject_count; j++)
			clear(&states[j], round, i, j);
}

/* --- what records do ---------------------------------------------------- */

static void widen_statistics(struct state *state, double value, uint32_t count)
{
	state->sum += value * count;
	state->min = fmin(state->min, value);
	state->max = fmax(state->max, value);
}

static void settle_place(struct state *state, enum action action, uint32_t place, uint32_t count,
			 struct range value, struct range current)
{
	struct range times = { value.low * count, value.high * count };
	struct range states_times = { current.low * count, current.high * count };
	double amount = palette_double(place);

	switch (action) {
	case ADD:
	case SUBTRACT_TOO:
	case SIGNAL:
		add(&state->value, times, palette_amount(action, place));
		break;
	case RAISE:
		add(&state->value, states_times, palette_amount(action, place));
		add(&state->count, times, 1);
		break;
	case SET:
		if (!isfinite(amount))
			break;
		add(&state->count, times, 1);
		if (value.low)
			widen_statistics(state, amount, count);
		else if (value.high)
			state->statistics_known = false;
		break;
	case TIME:
	case OBSERVE:
		add(&state->samples[place], times, 1);
		break;
	}
}

static void settle_span(struct state *state, const struct round *round, uint32_t subject,
			uint32_t from, uint32_t to, const struct span *span)
{
	struct range value = fate(round, from, to, subject, VALUE);
	struct range current = fate(round, from, to, subject, CURRENT);
	struct range shown = fate(round, from, to, subject, SHOWN);
	struct range exists = fate(round, from, to, subject, EXISTENCE);

	for (uint32_t place = 0; place < PALETTE; place++) {
		uint32_t count = span->counts[place];
		if (count == 0)
			continue;
		settle_place(state, subjects[subject].action, place, count, value, current);
		add(&state->shown, shown, 1);
		add(&state->exists, exists, 1);
	}
}

/* The last value that one lane has set: known unless a later one may have. */
static void settle_current(struct state *state, const struct round *round, uint32_t subject,
			   const struct tally *tally)
{
	const struct span *last = NULL;
	uint32_t perhaps = 0;

	for (uint32_t from = 0; from < INTERVALS; from++)
		for (uint32_t to = from; to < INTERVALS; to++) {
			const struct span *span = &tally->spans[subject][from][to];
			struct range range = fate(round, from, to, subject, CURRENT);
			if (span->last_order == 0)
				continue;
			if (range.low && (!last || span->last_order > last->last_order))
				last = span;
			else if (!range.low && range.high && span->last_order > perhaps)
				perhaps = span->last_order;
		}
	if (last) {
		state->current = palette_double(last->last_place);
		state->current_known = true;
	}
	if (perhaps > (last ? last->last_order : 0))
		state->current_known = false;
}

static void settle_lane(struct state *state, const struct round *round, uint32_t subject,
			const struct tally *tally)
{
	for (uint32_t from = 0; from < INTERVALS; from++)
		for (uint32_t to = from; to < INTERVALS; to++)
			settle_span(state, round, subject, from, to,
				    &tally->spans[subject][from][to]);
	if (subjects[subject].action == SET)
		settle_current(state, round, subject, tally);
}

void model_settle(const struct round *round, const struct tally *tallies)
{
	/* What was there before the round was there before its operations. */
	model_apply(round);
	for (uint32_t i = 0; i < subject_count; i++) {
		uint32_t lane = subjects[i].lane;
		if (lane != SHARED && tallies[lane].removed[i])
			forget(&states[i]);
		for (uint32_t j = 0; j < LANES; j++)
			if (lane == SHARED || lane == j)
				settle_lane(&states[i], round, i, &tallies[j]);
		if (subjects[i].manner == BY_HANDLE)
			states[i].exists = states[i].shown = (struct range){ 1, 1 };
		if (subjects[i].manner == REGISTERED) {
			int64_t held = tallies[lane].registered[i];
			states[i].exists = states[i].shown = (struct range){ held, held };
		}
	}
}

/* --- comparing ------------------------------------------------------------ */

struct verdict {
	const struct subject *subject;
	struct totals *totals;
	int wrong;
};

/* Is a number one that may be there? Goes on from it. */
static void judge(struct verdict *verdict, const char *what, struct range *range, int64_t seen)
{
	if (certain(*range))
		verdict->totals->exact++;
	else
		verdict->totals->bounded++;
	if (seen < range->low || seen > range->high) {
		printf("  %s: %s is %" PRId64 ", must be %" PRId64 " to %" PRId64 "\n",
		       verdict->subject->key, what, seen, range->low, range->high);
		verdict->wrong++;
	}
	*range = (struct range){ seen, seen };
}

static void judge_double(struct verdict *verdict, const char *what, bool known, double *wanted,
			 double seen)
{
	verdict->totals->exact += known;
	verdict->totals->bounded += !known;
	/* Bits: of NaN too. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (known && memcmp(wanted, &seen, sizeof seen) != 0) {
		printf("  %s: %s is %.17g, must be %.17g\n", verdict->subject->key, what, seen,
		       *wanted);
		verdict->wrong++;
	}
	*wanted = seen;
}

static void compare_set(struct verdict *verdict, struct state *state,
			const struct astshm_gauge_value *seen)
{
	bool any = seen->count > 0;

	judge_double(verdict, "current", state->current_known, &state->current, seen->current);
	judge_double(verdict, "sum", state->statistics_known, &state->sum, seen->sum);
	judge_double(verdict, "min", state->statistics_known, &state->min,
		     any ? seen->min : (double)INFINITY);
	judge_double(verdict, "max", state->statistics_known, &state->max,
		     any ? seen->max : -(double)INFINITY);
	state->current_known = state->statistics_known = true;
}

static void compare_gauge(struct verdict *verdict, struct state *state,
			  const struct astshm_gauge_value *seen)
{
	judge(verdict, "count", &state->count, (int64_t)seen->count);
	if (verdict->subject->action == SET)
		compare_set(verdict, state, seen);
	else
		judge(verdict, "current", &state->value, (int64_t)seen->current);
}

static uint64_t slot_count(const struct astshm_histogram *seen, uint32_t slot)
{
	if (slot == ASTSHM_HISTOGRAM_ZERO)
		return seen->zero_count;
	if (slot == ASTSHM_HISTOGRAM_OVERFLOW)
		return seen->overflow_count;
	if (slot < seen->first_slot || slot - seen->first_slot >= seen->slot_count)
		return 0;
	return seen->slots[slot - seen->first_slot];
}

/* The place whose bucket a place shares: both then count as the same value. */
static uint32_t first_of_bucket(const uint64_t *table, enum action action, uint32_t place)
{
	uint32_t slot = astshm_bucket_slot_any(table, palette_amount(action, place));

	for (uint32_t i = 0; i < place; i++)
		if (astshm_bucket_slot_any(table, palette_amount(action, i)) == slot)
			return i;
	return place;
}

/* A bucket holds one value, so from here on it is known how often each was made:
 * count, sum and extremes must be those of the buckets, whatever overlapped. */
static void judge_buckets(struct verdict *verdict, struct state *state, const uint64_t *table,
			  const struct astshm_histogram *seen)
{
	enum action action = verdict->subject->action;

	for (uint32_t i = 0; i < PALETTE; i++) {
		uint32_t first = first_of_bucket(table, action, i);
		if (first == i)
			continue;
		add(&state->samples[first], state->samples[i], 1);
		state->samples[i] = (struct range){ 0, 0 };
	}
	for (uint32_t i = 0; i < PALETTE; i++) {
		uint32_t slot = astshm_bucket_slot_any(table, palette_amount(action, i));
		if (first_of_bucket(table, action, i) == i)
			judge(verdict, "a bucket", &state->samples[i],
			      (int64_t)slot_count(seen, slot));
	}
}

static struct astshm_histogram sum_up(const struct state *state, enum action action)
{
	struct astshm_histogram wanted = { .min = UINT64_MAX };
	__extension__ unsigned __int128 sum = 0;

	for (uint32_t i = 0; i < PALETTE; i++) {
		int64_t amount = palette_amount(action, i);
		uint64_t sample = amount > 0 ? (uint64_t)amount : 0;
		uint64_t times = (uint64_t)state->samples[i].low;
		if (times == 0)
			continue;
		wanted.count += times;
		sum += __extension__(unsigned __int128)sample * times;
		wanted.min = sample < wanted.min ? sample : wanted.min;
		wanted.max = sample > wanted.max ? sample : wanted.max;
	}
	wanted.sum = (uint64_t)sum;
	wanted.sum_hi = (uint64_t)(sum >> 64);
	return wanted;
}

static void compare_histogram(struct verdict *verdict, struct state *state,
			      const struct astshm_histogram *seen)
{
	enum action action = verdict->subject->action;

	judge_buckets(verdict, state,
		      action == TIME ? astshm_timing_table : astshm_distribution_table, seen);
	struct astshm_histogram wanted = sum_up(state, action);
	verdict->totals->exact++;
	if (seen->count == wanted.count && seen->sum == wanted.sum &&
	    seen->sum_hi == wanted.sum_hi &&
	    (seen->count == 0 || (seen->has_extremes && seen->min == wanted.min &&
				  seen->max == wanted.max)))
		return;
	printf("  %s: count %" PRIu64 " for %" PRIu64 ", sum %" PRIu64 ":%" PRIu64 " for %" PRIu64
	       ":%" PRIu64 ", min %" PRIu64 " for %" PRIu64 ", max %" PRIu64 " for %" PRIu64 "\n",
	       verdict->subject->key, seen->count, wanted.count, seen->sum_hi, seen->sum,
	       wanted.sum_hi, wanted.sum, seen->min, wanted.min, seen->max, wanted.max);
	verdict->wrong++;
}

static void compare_values(struct verdict *verdict, struct state *state,
			   const struct astshm_series *series)
{
	switch (series->kind) {
	case ASTSHM_KIND_COUNTER:
		judge(verdict, "value", &state->value, series->counter.value);
		break;
	case ASTSHM_KIND_GAUGE:
		compare_gauge(verdict, state, &series->gauge);
		break;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		compare_histogram(verdict, state, &series->histogram);
		break;
	}
}

/* All tag sets of the name together, the one of __other__ too. A series that an
 * overlapping record left hidden may come to light later: no collapse. */
static void compare_strangers(struct verdict *verdict, const struct state *state,
			      const struct astshm_snapshot *snapshot)
{
	struct range value = state->value;
	int64_t seen = 0;

	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		if (strcmp(series->family->name, verdict->subject->name) == 0)
			seen += series->counter.value;
	}
	judge(verdict, "sum of all tag sets", &value, seen);
}

static void compare_subject(struct verdict *verdict, struct state *state,
			    const struct astshm_snapshot *snapshot)
{
	const struct subject *subject = verdict->subject;
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, subject->kind, subject->key);
	bool must = state->exists.low > 0 && state->shown.low > 0;
	bool may = state->exists.high > 0 && state->shown.high > 0;

	if (series ? !may : must) {
		printf("  %s is %s\n", subject->key, series ? "there" : "not there");
		verdict->wrong++;
	}
	if (!series)
		return;
	state->exists = state->shown = (struct range){ 1, 1 };
	compare_values(verdict, state, series);
}

int model_compare(const struct astshm_snapshot *snapshot, struct totals *totals)
{
	struct verdict verdict = { .totals = totals };

	totals->points++;
	for (uint32_t i = 0; i < subject_count; i++) {
		verdict.subject = &subjects[i];
		if (subjects[i].strangers)
			compare_strangers(&verdict, &states[i], snapshot);
		else
			compare_subject(&verdict, &states[i], snapshot);
	}
	return verdict.wrong;
}
