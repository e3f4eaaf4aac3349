/* SPDX-License-Identifier: MIT */
#ifndef READERS_DECODE_H
#define READERS_DECODE_H

#include "unpack.h"

/*
 * Strings of a segment are cut to the limits of <astshm/types.h>; U+FFFD for a
 * byte that was not UTF-8 takes three.
 */
#define DECODE_TEXT_LIMIT(limit) (3u * (limit))

/* What the maps of "metrics" and "window" are called. */
struct decode_kind {
	const char *plural;
	enum astshm_kind kind;
};
extern const struct decode_kind decode_kinds[SNAPSHOT_KINDS];

/* Where the decoding is: what the series need to know, and what went wrong. */
struct decoder {
	struct astshm_snapshot *snapshot;
	const uint8_t *start;
	const uint8_t *fault; /* where the value began that is being read */
	const char *what;     /* in words, for the error */
};

/* Reads the value of one series; `key` is what it stands under. */
int decode_series(struct decoder *decoder, enum astshm_kind kind, struct unpack_slice key,
		  struct unpack_slice value, struct astshm_series *series);

/*
 * Reads one series' values of a window into `series`, which has its identity and
 * no values yet.
 */
int decode_window_series(struct decoder *decoder, struct unpack_slice value,
			 struct astshm_series *series);

/* The section "window" of the snapshot, whose series are complete. */
int decode_window(struct decoder *decoder, struct unpack_slice part);

#endif
