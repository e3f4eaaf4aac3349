/* SPDX-License-Identifier: MIT */
/*
 * The numbers of /live/seq: duplicates, gaps, late arrivals, restarts. The
 * numbers are int32 and compared by serial arithmetic (RFC 1982), so that
 * they may wrap.
 */
#ifndef SERVER_SEQUENCE_H
#define SERVER_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_WINDOW 100u

/* Where a datagram came from. IPv4 addresses in their IPv6-mapped form. */
struct sequence_source {
	uint8_t address[16];
	uint16_t port;
};

enum sequence_verdict {
	SEQUENCE_FIRST,     /* the first number ever */
	SEQUENCE_NEXT,      /* highest + 1 */
	SEQUENCE_GAP,       /* higher than that: numbers are missing */
	SEQUENCE_LATE,      /* lower than the highest, not seen lately: accepted */
	SEQUENCE_RESTART,   /* the sender started anew */
	SEQUENCE_DUPLICATE, /* among the last 100 accepted: not accepted */
};

struct sequence {
	bool started;
	int32_t highest;
	struct sequence_source source; /* of the last accepted number */
	int32_t window[SEQUENCE_WINDOW]; /* the last accepted numbers, a ring */
	uint32_t window_count;
	uint32_t window_next;
};

void sequence_init(struct sequence *sequence);

/*
 * Judges a number and, unless it is a duplicate, remembers it. *missing: how
 * many numbers a SEQUENCE_GAP left out, else 0.
 */
enum sequence_verdict sequence_accept(struct sequence *sequence, int32_t number,
				      const struct sequence_source *source, uint32_t *missing);

#endif
