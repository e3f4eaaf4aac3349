/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "feed_head.h"
#include "signals.h"

#define MAGIC_BYTES sizeof(uint32_t)

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

/* The next place from `at` on for which `holds` says so; `end`: none before it. */
static size_t find_place(const struct recording *recording, size_t at, size_t end,
			 bool (*holds)(const struct recording *recording, size_t at))
{
	while (at < end && !signals_stop_wanted()) {
		at += feed_head_find(recording->bytes + at, end - at);
		if (at < end && holds(recording, at))
			break;
		at++;
	}
	return at < end ? at : end;
}

static size_t find_frame(const struct recording *recording, size_t at, size_t end)
{
	return find_place(recording, at, end, looks_like_a_frame);
}

/* Could there be a frame, if more bytes were known? */
static bool looks_like_a_part(const struct recording *recording, size_t at)
{
	struct feed_head head;

	return feed_head_read(recording->bytes + at, recording->count - at, &head) == -ENODATA;
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

/*
 * Has the frame from `at` to `end` lost some bytes, for which others of the next one were
 * taken? -EBADMSG: yes; -ENODATA: it is not known yet.
 */
static int check_length(const struct recording *recording, size_t at, size_t end)
{
	if (!recording->last && recording->count - end < MAGIC_BYTES)
		return -ENODATA;
	if (is_a_border(recording, end))
		return 0;
	if (find_frame(recording, at + 1, end) < end)
		return -EBADMSG;
	return !recording->last && find_place(recording, at + 1, end, looks_like_a_part) < end
		       ? -ENODATA
		       : 0;
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
	result = check_length(recording, at, at + *used);
	if (result == -EBADMSG)
		fail(error, result, "a frame that another one cuts short");
	return result < 0 || head.flags
		       ? result
		       : add_framed(recording, bytes + head.head_bytes, head.document_bytes, error);
}

/* --- all of them ---------------------------------------------------------------------------- */

/*
 * Frames that lie one within the other can make every byte count in many of them. In
 * no recording that was merely damaged they do.
 */
static bool may_go_on(const struct recording *recording)
{
	return recording->in_vain <= 4 * (recording->done + recording->count);
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
 * No more bytes will come, and those from `good` on are of no use because of `why`: an
 * end that is cut off may still be written, and one of another version has news that we
 * cannot read.
 */
static int end_frames(struct recording *recording, size_t *good, int why)
{
	if (why == -EPROTONOSUPPORT)
		return why;
	if (why != -ENODATA) {
		skip(recording, recording->count - *good);
		*good = recording->count;
	}
	return recording->newest.count > 0 ? 0 : why;
}

/* From `at` on. *good is where the last good frame ended, so that what lies between them
 * is being passed over; `why` it is. */
static int add_frames(struct recording *recording, size_t *good, size_t at, int why,
		      struct astshm_error *error)
{
	uint64_t in_vain = recording->in_vain;

	while (at < recording->count) {
		struct astshm_error fault = { 0 };
		size_t used = 0;
		int result = signals_stop_wanted() ? fail(&fault, -EINTR, "interrupted")
						   : add_frame(recording, at, &used, &fault);

		if (result == 0) {
			skip(recording, at - *good);
			at += used;
			*good = at;
			why = 0;
			in_vain = recording->in_vain;
			continue;
		}
		if (result == -ENODATA && !recording->last)
			break;
		if (why == 0 || !is_damage(result)) {
			*error = fault;
			why = result;
		}
		if (!is_damage(result))
			return result;
		if (!may_go_on(recording))
			return fail(error, -EBADMSG, "much more is damaged in it than whole");
		at = find_frame(recording, at + 1, recording->count);
	}
	if (recording->last)
		return end_frames(recording, good, why);
	recording->in_vain = in_vain; /* they are looked at again */
	recording->why = why;
	return 0;
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
static int find_first(struct recording *recording, size_t *at, struct astshm_error *error)
{
	int why = add_documents(recording, at, error);
	size_t frame;

	if (why == -ENODATA && (!recording->last || recording->newest.count > 0))
		return 0;
	if (why == 0 || !is_damage(why))
		return why;
	frame = find_frame(recording, *at, recording->count);
	if (frame == recording->count)
		return recording->last || frame - *at >= RECORDING_LOOK_BYTES ? why : 0;
	newest_fini(&recording->newest);
	newest_init(&recording->newest, recording->merge);
	recording->framed = true;
	/* What went for documents is a part of the same gap. */
	recording->skipped.bytes = recording->done + *at;
	recording->skipped.places = recording->skipped.bytes > 0 && frame == *at;
	return add_frames(recording, at, frame, why, error);
}

void recording_init(struct recording *recording, bool merge)
{
	*recording = (struct recording){ .merge = merge };
	newest_init(&recording->newest, false);
}

void recording_fini(struct recording *recording)
{
	newest_fini(&recording->newest);
}

int recording_take(struct recording *recording, const char *bytes, size_t count, bool last,
		   size_t *used, struct astshm_error *error)
{
	int result;

	*used = 0;
	recording->bytes = bytes;
	recording->count = count;
	recording->last = last;
	if (count < MAGIC_BYTES && !last)
		return 0;
	if (recording->done == 0 && feed_head_magic(bytes, count)) {
		recording->framed = true;
		recording->newest.each = recording->merge;
	}
	result = recording->framed ? add_frames(recording, used, 0, recording->why, error)
				   : find_first(recording, used, error);
	recording->done += *used;
	return result;
}

int recording_finish(struct recording *recording, struct astshm_snapshot **snapshot,
		     struct astshm_error *error)
{
	return recording->newest.count > 0 ? newest_merge(&recording->newest, snapshot, error)
					   : -ENODATA;
}
