/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sequence.h"

void sequence_init(struct sequence *sequence)
{
	memset(sequence, 0, sizeof *sequence);
}

static bool same_source(const struct sequence_source *a, const struct sequence_source *b)
{
	return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool in_window(const struct sequence *sequence, int32_t number)
{
	for (uint32_t i = 0; i < sequence->window_count; i++) {
		if (sequence->window[i] == number)
			return true;
	}
	return false;
}

static void remember(struct sequence *sequence, int32_t number,
		     const struct sequence_source *source)
{
	sequence->window[sequence->window_next] = number;
	sequence->window_next = (sequence->window_next + 1) % SEQUENCE_WINDOW;
	if (sequence->window_count < SEQUENCE_WINDOW)
		sequence->window_count++;
	sequence->source = *source;
}

/* Serial distance: positive when number lies ahead of the highest. */
static int32_t distance(const struct sequence *sequence, int32_t number)
{
	return (int32_t)((uint32_t)number - (uint32_t)sequence->highest);
}

/*
 * More than a window behind, no duplicate could be told from a new number: the
 * sender began anew (2^31 - 1 followed by 0 falls under this too). Number 0
 * from another socket says the same before the window is left.
 */
static bool is_restart(const struct sequence *sequence, int32_t number,
		       const struct sequence_source *source)
{
	if (distance(sequence, number) < -(int32_t)SEQUENCE_WINDOW)
		return true;
	return number == 0 && !same_source(&sequence->source, source);
}

static enum sequence_verdict begin(struct sequence *sequence, int32_t number,
				   enum sequence_verdict verdict)
{
	sequence->started = true;
	sequence->highest = number;
	sequence->window_count = 0;
	sequence->window_next = 0;
	return verdict;
}

static enum sequence_verdict judge(struct sequence *sequence, int32_t number,
				   const struct sequence_source *source, uint32_t *missing)
{
	if (!sequence->started)
		return begin(sequence, number, SEQUENCE_FIRST);
	if (is_restart(sequence, number, source))
		return begin(sequence, number, SEQUENCE_RESTART);
	if (in_window(sequence, number))
		return SEQUENCE_DUPLICATE;
	int32_t ahead = distance(sequence, number);
	if (ahead <= 0)
		return SEQUENCE_LATE;
	sequence->highest = number;
	*missing = (uint32_t)ahead - 1;
	return ahead == 1 ? SEQUENCE_NEXT : SEQUENCE_GAP;
}

enum sequence_verdict sequence_accept(struct sequence *sequence, int32_t number,
				      const struct sequence_source *source, uint32_t *missing)
{
	*missing = 0;
	enum sequence_verdict verdict = judge(sequence, number, source, missing);
	if (verdict != SEQUENCE_DUPLICATE)
		remember(sequence, number, source);
	return verdict;
}
