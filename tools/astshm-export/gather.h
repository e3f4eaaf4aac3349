/* SPDX-License-Identifier: MIT */
/*
 * One snapshot of all that a scrape of several segments is to see: every series
 * with a tag `segment` more, and beside them what is known of each segment.
 *
 * It uses the reader library's inside, which is linked into this program: a
 * snapshot that was not read can be encoded like any other, in every format.
 */
#ifndef EXPORT_GATHER_H
#define EXPORT_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include <astshm/reader.h>

#include "feeds.h"

struct gather_part {
	const char *name;                       /* of the segment */
	const struct astshm_snapshot *snapshot; /* NULL: it could not be read */
	bool live;                              /* false: its series are left out */
};

/*
 * With `labelled` each series gets segment="NAME"; a tag that is called so
 * already becomes exported_segment. The snapshot's own families, as gauges:
 *
 *     astshm_up                     1 if the writer lives, else 0
 *     astshm_heartbeat_age_seconds  since it was last heard of, if it ever was
 *     astshm_left_out_series        of this segment: a name of ours, or a unit
 *                                   that differs from an earlier segment's
 *
 * and, with a tag `target`, what `feeds` (NULL: there are none) has counted:
 *
 *     astshm_feed_consumers                 connected now
 *     astshm_feed_sent_total                snapshots that went out whole
 *     astshm_feed_dropped_total             that a consumer did not get
 *     astshm_feed_slow_consumers_total      hung up on
 *     astshm_feed_reconnects_total          connections after the first
 *     astshm_feed_failed_connections_total  tries that came to nothing
 *
 * -ENOMEM; else as astshm_snapshot_merge.
 */
int gather(const struct gather_part *parts, size_t count, const struct feeds *feeds,
	   bool labelled, struct astshm_snapshot **gathered, struct astshm_error *error);

#endif
