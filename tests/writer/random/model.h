/* SPDX-License-Identifier: MIT */
/*
 * What the segment must hold, kept beside it by the test itself.
 *
 * The operations that change values for everybody (resets, the switch, removal
 * by name) are made by one thread, the controller, and numbered. They cut a
 * round into intervals: operation m lies between the intervals m - 1 and m. A
 * record is made somewhere from the interval in which it began to the one in
 * which it ended. If all of these say the same of it, it must be there, or must
 * not; if they differ, because it overlapped the operation, either is right.
 */
#ifndef TESTS_RANDOM_MODEL_H
#define TESTS_RANDOM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <astshm/writer.h>

#define LANES 8u
#define VETERANS 3u /* lanes whose thread lives for the whole run */
#define PALETTE 12u
#define OPERATIONS_MAX 4u
#define INTERVALS (OPERATIONS_MAX + 1)
#define SUBJECTS_MAX 96u
#define SHARED UINT32_MAX

/* How a subject is recorded. */
enum manner {
	BY_HANDLE,  /* registered for the whole life of the segment */
	BY_NAME,
	REGISTERED, /* by its lane, which registers and removes it as it likes */
};

/* What is recorded into it. */
enum action { ADD, SUBTRACT_TOO, SIGNAL, SET, RAISE, TIME, OBSERVE };

/* One series, or (strangers) all of one name. */
struct subject {
	char name[24];
	char value[8]; /* of the tag k; empty: no tag */
	char key[48];
	enum astshm_kind kind;
	enum manner manner;
	enum action action;
	uint32_t lane;  /* whose alone it is, or SHARED */
	bool removable; /* by the controller */
	bool strangers; /* the tag's value is invented at each record */
	bool made_at_once; /* when the segment is opened */
};

extern struct subject subjects[SUBJECTS_MAX];
extern uint32_t subject_count;

void subjects_init(void);
/* The amount, value or sample behind a place of the palette. */
int64_t palette_amount(enum action action, uint32_t place);
double palette_double(uint32_t place);

/* --- what a lane recorded in this round ------------------------------- */

struct span {
	uint32_t counts[PALETTE];
	uint32_t last_order; /* of the last record of a SET subject, from 1 */
	uint32_t last_place;
};

struct tally {
	struct span spans[SUBJECTS_MAX][INTERVALS][INTERVALS]; /* [from][to] */
	bool removed[SUBJECTS_MAX];      /* by the lane: earlier rounds do not count */
	uint32_t registered[SUBJECTS_MAX]; /* kept from round to round */
	uint32_t order;
};

/* Everything of a subject that this lane recorded is gone. */
void tally_forget(struct tally *tally, uint32_t subject);
/* A new round: what is registered stays. */
void tally_clear(struct tally *tally);

/* --- the operations ----------------------------------------------------- */

enum operation { RESET, RESET_COUNTERS, OFF, ON, REMOVE };

struct round {
	enum operation operations[OPERATIONS_MAX];
	uint32_t removed[OPERATIONS_MAX]; /* subject of each REMOVE */
	uint32_t operation_count;
	bool on_at_start;
	/* 2 m - 1 while operation m is made, 2 m after it. */
	uint32_t sequence;
};

/* --- what must be there ------------------------------------------------- */

struct totals {
	uint64_t points;  /* quiescent ones */
	uint64_t exact;   /* values that could only be one */
	uint64_t bounded; /* values of which overlapping records left a choice */
};

/* A new segment: nothing has been recorded. */
void model_begin(void);
/* Takes a round's records and operations into account. */
void model_settle(const struct round *round, const struct tally *tallies);
/* Operations made while nobody records. */
void model_apply(const struct round *round);
/*
 * Compares a snapshot, taken while nobody records, with what must be there, and
 * goes on from what is there. Returns the number of differences, printed.
 */
int model_compare(const struct astshm_snapshot *snapshot, struct totals *totals);

#endif
