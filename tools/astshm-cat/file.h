/* SPDX-License-Identifier: MIT */
/*
 * Saved msgpack snapshots.
 */
#ifndef CAT_FILE_H
#define CAT_FILE_H

#include <stdbool.h>

#include <astshm/reader.h>

enum file_content {
	FILE_SEGMENT,  /* has a segment's magic, in either byte order */
	FILE_SNAPSHOT, /* begins like a msgpack document */
	FILE_STREAM,   /* a pipe or device: can be read once, so taken as a snapshot */
	FILE_FOLDER,
	FILE_SOCKET,
	FILE_OTHER,
};

/* Looks at the first bytes. -ENOENT, -EACCES, ... as open(2). */
int file_recognise(const char *path, enum file_content *content);

/*
 * The newest (last) snapshot of a file, "-" being stdin. -EBADMSG: it holds no
 * whole document, or something else; -EINTR: an end was asked for; others as
 * open(2) and read(2). A FIFO that nobody has open for writing is empty: it is
 * not waited for.
 */
int file_load(const char *path, struct astshm_snapshot **snapshot, struct astshm_error *error);

#endif
