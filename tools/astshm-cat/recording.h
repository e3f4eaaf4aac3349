/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a file of snapshots: msgpack documents one after the other, or frames
 * of a feed (doc/feeds.md), of which some may be damaged or lack their beginning. They
 * are taken as they come, so that a recording may be larger than memory.
 */
#ifndef CAT_RECORDING_H
#define CAT_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

#include "newest.h"

/* How far the first frame is looked for in what has lost its beginning, which is less
 * than a document as a rule. */
#define RECORDING_LOOK_BYTES ((size_t)64 << 20)

/* What was passed over, as it is no whole frame. An end that is cut off is not counted:
 * it may still be written. */
struct skipped {
	uint64_t bytes;
	uint64_t places;
};

struct recording {
	bool merge;
	bool framed;
	struct newest newest;
	struct skipped skipped;
	uint64_t done;     /* bytes that will not come again */
	uint64_t in_vain;  /* bytes of documents that turned out to be none */
	int why;           /* the bytes to come begin with a gap; 0: they do not yet */
	const char *bytes; /* of the present call, */
	size_t count;
	bool last;         /* behind which none will come */
};

/* Could these bytes begin a recording, or a document? */
bool recording_begins(const void *bytes, size_t count);

/* With `merge` the last snapshot of each writer counts, as far as they are framed. */
void recording_init(struct recording *recording, bool merge);
void recording_fini(struct recording *recording);

/*
 * Takes what is whole from the front of these bytes, and passes over what is damaged;
 * *used is how far that goes. What is left has to be there again, in front of further
 * bytes, unless these are the `last`. It takes a time in proportion to all bytes, if
 * each call brings as many as were left.
 *
 * -ENODATA: the first one is cut off; -EBADMSG: there is no whole one; -EPROTONOSUPPORT:
 * the last ones are of another version; -EINTR: an end was asked for; -ENOMEM.
 */
int recording_take(struct recording *recording, const char *bytes, size_t count, bool last,
		   size_t *used, struct astshm_error *error);

/*
 * The last snapshot, or of each writer, merged. -ENODATA: there was none that is meant
 * for us; else as astshm_snapshot_merge.
 */
int recording_finish(struct recording *recording, struct astshm_snapshot **snapshot,
		     struct astshm_error *error);

#endif
