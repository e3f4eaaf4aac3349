/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a file of snapshots: msgpack documents one after the other, or frames
 * of a feed (doc/feeds.md), of which some may be damaged or lack their beginning.
 */
#ifndef CAT_RECORDING_H
#define CAT_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

/* What was passed over, as it is no whole frame. An end that is cut off is not counted:
 * it may still be written. */
struct skipped {
	uint64_t bytes;
	uint64_t places;
};

/* Could these bytes begin a recording, or a document? */
bool recording_begins(const void *bytes, size_t count);

/*
 * The last snapshot; of frames, if `merge` says so, the last of each writer, merged.
 * -ENODATA: the first one is cut off, or none is meant for us; -EBADMSG: there is no
 * whole one; -EPROTONOSUPPORT: of another version; -EINTR: an end was asked for; else
 * as astshm_snapshot_merge. It takes a time in proportion to the bytes, whatever they
 * are.
 */
int recording_decode(const char *bytes, size_t count, bool merge,
		     struct astshm_snapshot **snapshot, struct skipped *skipped,
		     struct astshm_error *error);

#endif
