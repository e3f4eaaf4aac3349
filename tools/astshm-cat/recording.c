/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "feed_head.h"
#include "newest.h"
#include "signals.h"

struct recording {
	const char *bytes;
	size_t count;
	struct newest newest;
	struct skipped skipped;
	uint64_t in_vain; /* bytes of documents that turned out to be none */
};

/* A document is a map: fixmap 0x80..0x8f, map 16 0xde, map 32 0xdf. */
static bool is_msgpack_map(unsigned char first)
{
	return (first & 0xf0) == 0x80 || first == 0xde || first == 0xdf;
}

bool recording_begins(const void *bytes, size_t count)
{
	return count > 0 && (is_msgpack_map(*(const unsigned char *)bytes) ||
			     feed_head_magic(bytes, count));
}

static int fail(struct astshm_error *error, int code, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	return code;
}

/* --- where another one may begin --------------------------------------------------------- */

/* Is that the end of all, or does another one begin there, or is about to? */
static bool is_a_border(const struct recording *recording, size_t at)
{
	struct feed_head head;

	return feed_head_read(recording->bytes + at, recording->count - at, &head) != -EBADMSG;
}

/*
 * Four bytes of magic can be part of a number. That there is a document will tell; where
 * it cannot be looked at, there has to be a border behind.
 */
static bool looks_like_a_frame(const struct recording *recording, size_t at)
{
	struct feed_head head;

	if (feed_head_read(recording->bytes + at, recording->count - at, &head) != 0)
		return false;
	return !head.flags || is_a_border(recording, at + head.head_bytes + head.document_bytes);
}

/* The next one that begins from `at` on; `end`: none before it. */
static size_t find_frame(const struct recording *recording, size_t at, size_t end)
{
	while (at < end && !signals_stop_wanted()) {
		at += feed_head_find(recording->bytes + at, end - at);
		if (at < end && looks_like_a_frame(recording, at))
			break;
		at++;
	}
	return at < end ? at : end;
}

/* --- one of them ------------------------------------------------------------------- */

/* *used is how far it goes. */
static int add_document(struct recording *recording, size_t at, size_t *used,
			struct astshm_error *error)
{
	struct astshm_snapshot *next = NULL;
	int result = astshm_decode_msgpack(recording->bytes + at, recording->count - at, used,
					   &next, error);

	return result < 0 ? result : newest_add(&recording->newest, next);
}

/* A frame's own, which has to fill it. */
static int add_framed(struct recording *recording, const char *bytes, size_t count,
		      struct astshm_error *error)
{
	struct astshm_snapshot *next = NULL;
	size_t used = 0;
	int result = astshm_decode_msgpack(bytes, count, &used, &next, error);

	if (result == -ENODATA || (result == 0 && used != count)) {
		astshm_snapshot_free(&next);
		result = fail(error, -EBADMSG,
			      "a document that is not as long as its frame says");
	}
	if (result < 0 && result != -ENOMEM)
		recording->in_vain += count;
	return result < 0 ? result : newest_add(&recording->newest, next);
}

/* Has it lost some bytes, for which others of the next one were taken? */
static bool is_cut_short(const struct recording *recording, size_t at, size_t used)
{
	return !is_a_border(recording, at + used) &&
	       find_frame(recording, at + 1, at + used) < at + used;
}

/* The same with a head in front. What a later version's flags mean is not known. */
static int add_frame(struct recording *recording, size_t at, size_t *used,
		     struct astshm_error *error)
{
	const char *bytes = recording->bytes + at;
	struct feed_head head = { 0 };
	int result = feed_head_read(bytes, recording->count - at, &head);

	if (result == -EPROTONOSUPPORT)
		snprintf(error->text, sizeof(error->text), "is a feed of version %u, not 1",
			 head.version);
	if (result == -EBADMSG)
		fail(error, result, "no frame where one should begin");
	if (result < 0)
		return result;
	*used = (size_t)head.head_bytes + head.document_bytes;
	if (is_cut_short(recording, at, *used))
		return fail(error, -EBADMSG, "a frame that another one cuts short");
	return head.flags ? 0
			  : add_framed(recording, bytes + head.head_bytes, head.document_bytes,
				       error);
}

/* --- all of them ---------------------------------------------------------------------------- */

/*
 * Frames that lie one within the other can make every byte count in many of them. In
 * no recording that was merely damaged they do.
 */
static bool may_go_on(const struct recording *recording)
{
	return recording->in_vain <= 4 * (uint64_t)recording->count;
}

/* What comes behind may be as good as ever. */
static bool is_damage(int result)
{
	return result == -EBADMSG || result == -ENODATA || result == -EPROTONOSUPPORT;
}

static void skip(struct recording *recording, size_t bytes)
{
	recording->skipped.bytes += bytes;
	recording->skipped.places += bytes > 0;
}

/*
 * From `at` on. `good` is where the last good frame ended, so that what lies between
 * them is being passed over; `first` is why. An end that is cut off may still be written,
 * and one of another version has news that we cannot read.
 */
static int add_frames(struct recording *recording, size_t good, size_t at, int first,
		      struct astshm_error *error)
{
	while (at < recording->count) {
		struct astshm_error why = { 0 };
		size_t used = 0;
		int result = signals_stop_wanted() ? fail(&why, -EINTR, "interrupted")
						   : add_frame(recording, at, &used, &why);

		if (result == 0) {
			skip(recording, at - good);
			at += used;
			good = at;
			first = 0;
			continue;
		}
		if (first == 0) {
			*error = why;
			first = result;
		}
		if (!is_damage(result)) {
			*error = why;
			return result;
		}
		if (!may_go_on(recording))
			return fail(error, -EBADMSG, "much more is damaged in it than whole");
		at = find_frame(recording, at + 1, recording->count);
	}
	if (first == -EPROTONOSUPPORT)
		return first;
	if (first != -ENODATA)
		skip(recording, at - good);
	return recording->newest.count > 0 ? 0 : first;
}

static int add_documents(struct recording *recording, size_t *at, struct astshm_error *error)
{
	int result = 0;

	while (*at < recording->count && result == 0) {
		size_t used = 0;

		if (signals_stop_wanted())
			return fail(error, -EINTR, "interrupted");
		result = add_document(recording, *at, &used, error);
		*at += used;
	}
	return result;
}

/* A recording without its beginning is found out by what it is not. */
static int add_all(struct recording *recording, bool merge, struct astshm_error *error)
{
	size_t at = 0;
	int result;

	newest_init(&recording->newest, merge);
	if (feed_head_magic(recording->bytes, recording->count))
		return add_frames(recording, 0, 0, 0, error);
	recording->newest.each = false;
	result = add_documents(recording, &at, error);
	if (result == -ENODATA && recording->newest.count > 0)
		return 0;
	if (!is_damage(result))
		return result;
	at = find_frame(recording, 0, recording->count);
	if (at == recording->count)
		return result;
	newest_fini(&recording->newest);
	newest_init(&recording->newest, merge);
	return add_frames(recording, 0, at, result, error);
}

int recording_decode(const char *bytes, size_t count, bool merge,
		     struct astshm_snapshot **snapshot, struct skipped *skipped,
		     struct astshm_error *error)
{
	struct recording recording = { .bytes = bytes, .count = count };
	int result = add_all(&recording, merge, error);

	if (recording.newest.count == 0 && result == 0)
		result = -ENODATA;
	if (result == 0)
		result = newest_merge(&recording.newest, snapshot, error);
	if (result == 0)
		*skipped = recording.skipped;
	newest_fini(&recording.newest);
	return result;
}
