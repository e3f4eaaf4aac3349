/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a datagram: decoded, its number judged, its event queued,
 * and each step counted. Owned by the UDP thread; needs no socket.
 */
#ifndef SERVER_INTAKE_H
#define SERVER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "metrics.h"
#include "osc.h"
#include "queue.h"
#include "sequence.h"

/*
 * Kept beside the metrics, which may be off. received = processed + dropped +
 * parse_errors, and dropped = duplicates + refused.
 */
struct intake_statistics {
	uint64_t received;
	uint64_t processed;    /* queued and not dropped at a stop, or accepted without an event */
	uint64_t dropped;
	uint64_t parse_errors;
	uint64_t duplicates;
	uint64_t refused;      /* by the full queue, for want of memory, or of time at a stop */
	uint64_t late;
	uint64_t gaps;
	uint64_t lost;         /* numbers missing in gaps */
	uint64_t kernel_dropped;
};

struct intake {
	struct server_metrics *metrics;
	struct queue *queue; /* of struct live_event */
	struct sequence sequence;
	struct intake_statistics statistics;
	/* For other threads: statistics.received and .lost. */
	uint64_t seen_received;
	uint64_t seen_lost;
	struct log_limit malformed;
	struct log_limit unknown;
	struct log_limit refused;
};

void intake_init(struct intake *intake, struct server_metrics *metrics, struct queue *queue);

/* One datagram. `cut`: it was longer than the buffer that holds it. */
void intake_datagram(struct intake *intake, const void *datagram, size_t size, bool cut,
		     const struct sequence_source *source);
/* How many datagrams came and how many numbers are missing so far; for any thread. */
void intake_observe(const struct intake *intake, uint64_t *received, uint64_t *lost);
/*
 * For the UDP thread between datagrams: tells of a flood that is over how large it
 * was. Returns for how many milliseconds that is to come; -1: there is none.
 */
int intake_tell_withheld(struct intake *intake);
/* The same before the thread ends. */
void intake_tell_withheld_at_end(struct intake *intake);
/* `count` more datagrams never arrived here: the receive buffer was full. */
void intake_kernel_dropped(struct intake *intake, uint32_t count);

#endif
