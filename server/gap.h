/* SPDX-License-Identifier: MIT */
/*
 * --reload-on-gap: when numbers that are missing are a reason to load the file
 * again. The tree lacks what the lost events said; once the sender has paused,
 * its file may have it. A reload loses live edits, so it is not done lightly.
 */
#ifndef SERVER_GAP_H
#define SERVER_GAP_H

#include <stdbool.h>
#include <stdint.h>

#define GAP_OFF UINT64_MAX
#define GAP_QUIET_MS 500    /* without a datagram */
#define GAP_INTERVAL_MS 2000 /* since the last load, whatever that was for */

struct gap {
	uint64_t limit; /* more missing numbers since the last load are too many; GAP_OFF */
	uint64_t lost_when_loaded;
	uint64_t received; /* when last looked at */
	int64_t quiet_since_ms;
	int64_t loaded_ms;
};

/*
 * A load, with what it lacks: `lost` is the count before the file was read,
 * `now_ms` the time after. A load that failed counts too: it would fail again.
 */
void gap_loaded(struct gap *gap, uint64_t lost, int64_t now_ms);
/*
 * Of the counts as they are now: is it time? To be asked several times in
 * GAP_QUIET_MS, of a clock that never steps back.
 */
bool gap_due(struct gap *gap, uint64_t received, uint64_t lost, int64_t now_ms);

#endif
