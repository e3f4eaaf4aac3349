/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that are not asked for but sent, each interval, to whoever --stream
 * names (doc/feeds.md).
 */
#ifndef EXPORT_FEEDS_H
#define EXPORT_FEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feed.h"
#include "segments.h"
#include "target.h"

#define FEEDS_FINISH_NS ((int64_t)1000000000)

struct feeds;

/*
 * `segments` and the texts of the targets must outlive it. Errors as feed_open;
 * -ENOMEM.
 */
int feeds_start(struct feeds **feeds, const struct target *targets, size_t count,
		int64_t interval_ns, bool allow_remote, struct segments *segments,
		struct astshm_error *error);
/*
 * Sends the rest of the frames that consumers are in the middle of, for which it waits
 * FEEDS_FINISH_NS at most, and tells what each feed has sent. NULL is allowed.
 */
void feeds_stop(struct feeds **feeds);

/* Readable when feeds_run() has something to do. */
int feeds_fd(const struct feeds *feeds);
/* The most time that may pass before feeds_run() is called again; -1: any. */
int64_t feeds_timeout_ns(const struct feeds *feeds);
/* Does what can be done without waiting. Else than FEED_GOES_ON: stdout is at an end. */
enum feed_end feeds_run(struct feeds *feeds);

/* The i-th of them, or NULL past the last. */
const struct feed *feeds_at(const struct feeds *feeds, size_t i);

#endif
