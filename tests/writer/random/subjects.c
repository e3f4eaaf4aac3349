/* SPDX-License-Identifier: MIT */
/* Which series there are, and what is recorded into them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

struct subject subjects[SUBJECTS_MAX];
uint32_t subject_count;

static struct subject *add(const char *name, enum manner manner, enum action action,
			   const char *value)
{
	static const enum astshm_kind kinds[] = {
		[ADD] = ASTSHM_KIND_COUNTER,   [SUBTRACT_TOO] = ASTSHM_KIND_COUNTER,
		[SIGNAL] = ASTSHM_KIND_COUNTER, [SET] = ASTSHM_KIND_GAUGE,
		[RAISE] = ASTSHM_KIND_GAUGE,   [TIME] = ASTSHM_KIND_TIMING,
		[OBSERVE] = ASTSHM_KIND_DISTRIBUTION,
	};
	struct subject *subject = &subjects[subject_count++];

	*subject = (struct subject){
		.kind = kinds[action], .manner = manner, .action = action, .lane = SHARED,
	};
	snprintf(subject->name, sizeof subject->name, "%s", name);
	snprintf(subject->value, sizeof subject->value, "%s", value);
	snprintf(subject->key, sizeof subject->key, *value ? "%s[k=%s]" : "%s", name, value);
	return subject;
}

static void add_shared(void)
{
	add("h.counter", BY_HANDLE, ADD, "");
	add("h.level", BY_HANDLE, SUBTRACT_TOO, "");
	add("h.signal", BY_HANDLE, SIGNAL, "");
	add("h.gauge", BY_HANDLE, RAISE, "");
	add("h.timing", BY_HANDLE, TIME, "v");
	add("h.distribution", BY_HANDLE, OBSERVE, "");
	/* Up-down from its first moment on: resets never touch it. */
	add("n.level", BY_NAME, SUBTRACT_TOO, "")->made_at_once = true;
	add("n.strangers", BY_NAME, ADD, "")->strangers = true;
	add("n.counter", BY_NAME, ADD, "a")->removable = true;
	add("n.counter", BY_NAME, ADD, "b")->removable = true;
	add("n.gauge", BY_NAME, RAISE, "a")->removable = true;
	add("n.timing", BY_NAME, TIME, "")->removable = true;
	add("n.distribution", BY_NAME, OBSERVE, "")->removable = true;
}

static void add_own(uint32_t lane, enum manner manner, const char *prefix)
{
	static const struct {
		const char *name;
		enum action action;
	} own[] = {
		{ "counter", ADD },
		{ "gauge", SET },
		{ "timing", TIME },
		{ "distribution", OBSERVE },
	};
	char name[24], value[8];

	snprintf(value, sizeof value, "%u", lane);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		snprintf(name, sizeof name, "%s.%s", prefix, own[i].name);
		add(name, manner, own[i].action, value)->lane = lane;
	}
}

void subjects_init(void)
{
	add_shared();
	for (uint32_t lane = 0; lane < LANES; lane++) {
		add_own(lane, REGISTERED, "r");
		add_own(lane, BY_NAME, "o");
	}
}

/* Each in a bucket of its own, so that buckets tell samples; but for the first
 * two, which both count as 0. The last overflows, and its sums carry. */
static const int64_t samples[PALETTE] = {
	-5, 0, 1, 2, 3, 999, 4096, 1000000, 1500000001, 60000000000, 200000000000000, INT64_MAX,
};

int64_t palette_amount(enum action action, uint32_t place)
{
	static const int64_t amounts[PALETTE] = { 0,  1,  2,  3,   5,   64,
						  -1, -2, -7, 255, 999, -1000 };

	if (action == TIME || action == OBSERVE)
		return samples[place];
	if (action == SUBTRACT_TOO || action == RAISE)
		return amounts[place];
	return amounts[place] < 0 ? -amounts[place] : amounts[place];
}

double palette_double(uint32_t place)
{
	static const double values[PALETTE] = {
		0.0, 1.0, -1.0, 2.5, 1000.25, -4096.0, 65536.5, 3.0, 1.0, (double)NAN,
		(double)INFINITY, -(double)INFINITY,
	};
	return values[place];
}
