/* SPDX-License-Identifier: MIT */
/*
 * Saved msgpack snapshots.
 */
#ifndef CAT_FILE_H
#define CAT_FILE_H

#include <stdbool.h>

#include <astshm/reader.h>

#include "recording.h"

enum file_content {
	FILE_SEGMENT,  /* has a segment's magic, in either byte order */
	FILE_SNAPSHOT, /* begins like a msgpack document, or has a frame of a feed */
	FILE_STREAM,   /* a pipe or device: can be read once, so taken as a snapshot */
	FILE_FOLDER,
	FILE_SOCKET,
	FILE_OTHER,
};

/* Looks at the first bytes, or some more. -ENOENT, -EACCES, ... as open(2). */
int file_recognise(const char *path, enum file_content *content);

/*
 * The newest (last) snapshot of a file, "-" being stdin; of a feed (doc/feeds.md),
 * if `merge` says so, the newest of each writer, merged. *skipped is what was passed
 * over for it. -EBADMSG: it holds no whole document, or something else; -EPROTONOSUPPORT:
 * a feed of another version; -EINTR: an end was asked for; others as open(2), read(2) and
 * astshm_snapshot_merge. A FIFO that nobody has open for writing is empty: it is not
 * waited for.
 */
int file_load(const char *path, bool merge, struct astshm_snapshot **snapshot,
	      struct skipped *skipped, struct astshm_error *error);

/* Says so on stderr, if anything was. */
void file_tell_skipped(const char *path, const struct skipped *skipped);

#endif
