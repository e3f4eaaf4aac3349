/* SPDX-License-Identifier: MIT */
#include "gap.h"

void gap_loaded(struct gap *gap, uint64_t lost, int64_t now_ms)
{
	gap->lost_when_loaded = lost;
	gap->loaded_ms = now_ms;
}

bool gap_due(struct gap *gap, uint64_t received, uint64_t lost, int64_t now_ms)
{
	if (received != gap->received) {
		gap->received = received;
		gap->quiet_since_ms = now_ms;
	}
	return gap->limit != GAP_OFF && lost - gap->lost_when_loaded > gap->limit &&
	       now_ms - gap->quiet_since_ms >= GAP_QUIET_MS &&
	       now_ms - gap->loaded_ms >= GAP_INTERVAL_MS;
}
