/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load_source.h"

static int fail(struct load_source *source, int result, const char *reason)
{
	snprintf(source->reason, sizeof source->reason, "%s", reason);
	return result;
}

static int fail_errno(struct load_source *source)
{
	int error = errno;

	return fail(source, -error, strerror(error));
}

/* More input, behind what is left. *end: there is none. */
static int fill(struct load_source *source, bool *end)
{
	size_t left = source->input_end - source->input_next;
	ssize_t got;

	memmove(source->input, source->input + source->input_next, left);
	source->input_next = 0;
	source->input_end = left;
	do {
		got = read(source->fd, source->input + left, sizeof source->input - left);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_errno(source);
	source->input_end += (size_t)got;
	*end = got == 0;
	return 0;
}

static int fill_until(struct load_source *source, size_t least)
{
	bool end = false;
	int result = 0;

	while (result == 0 && !end && source->input_end - source->input_next < least)
		result = fill(source, &end);
	return result;
}

static bool at_member(const struct load_source *source)
{
	const unsigned char *input = source->input + source->input_next;

	return source->input_end - source->input_next >= 2 && input[0] == 0x1f &&
	       input[1] == 0x8b;
}

/* O_NONBLOCK: opening a pipe must not wait for its other end. */
static int open_regular(struct load_source *source, const char *path)
{
	struct stat status;

	source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source->fd < 0 || fstat(source->fd, &status) < 0)
		return fail_errno(source);
	if (!S_ISREG(status.st_mode))
		return fail(source, -EISDIR, "not a regular file");
	return 0;
}

int load_source_open(struct load_source *source, const char *path)
{
	source->gzip = source->member_open = false;
	source->input_next = source->input_end = 0;
	source->reason[0] = '\0';
	memset(&source->inflater, 0, sizeof source->inflater);
	int result = open_regular(source, path);
	if (result == 0)
		result = fill_until(source, 2);
	if (result == 0 && at_member(source)) {
		source->gzip = source->member_open = true;
		if (inflateInit2(&source->inflater, 16 + MAX_WBITS) != Z_OK) {
			source->gzip = false;
			result = fail(source, -ENOMEM, strerror(ENOMEM));
		}
	}
	if (result < 0)
		load_source_close(source);
	return result;
}

void load_source_close(struct load_source *source)
{
	if (source->gzip)
		inflateEnd(&source->inflater);
	if (source->fd >= 0)
		close(source->fd);
	source->gzip = false;
	source->fd = -1;
}

/* --- gzip ------------------------------------------------------------- */

/*
 * Behind a member another may follow, or zeros as padding, as gzip(1) has it.
 * False in *more: the end.
 */
static int next_member(struct load_source *source, bool *more)
{
	*more = false;
	for (;;) {
		int result = fill_until(source, 2);
		if (result < 0)
			return result;
		if (source->input_next == source->input_end)
			return 0;
		if (at_member(source))
			break;
		if (source->input[source->input_next] != 0)
			return fail(source, -EBADMSG, "garbage after the gzip data");
		source->input_next++;
	}
	inflateReset(&source->inflater);
	source->member_open = *more = true;
	return 0;
}

static int step(struct load_source *source)
{
	z_stream *inflater = &source->inflater;
	char reason[128];

	inflater->next_in = source->input + source->input_next;
	inflater->avail_in = (uInt)(source->input_end - source->input_next);
	int result = inflate(inflater, Z_NO_FLUSH);
	source->input_next = source->input_end - inflater->avail_in;
	if (result == Z_STREAM_END)
		source->member_open = false;
	if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
		return 0;
	if (result == Z_MEM_ERROR)
		return fail(source, -ENOMEM, strerror(ENOMEM));
	snprintf(reason, sizeof reason, "corrupt gzip data: %s",
		 inflater->msg ? inflater->msg : "preset dictionary");
	return fail(source, -EBADMSG, reason);
}

/* One step of the inflater, with input for it. *more: it is worth another. */
static int advance(struct load_source *source, bool *more)
{
	bool end = false;
	int result = 0;

	if (!source->member_open)
		return next_member(source, more);
	if (source->input_next == source->input_end)
		result = fill(source, &end);
	if (result == 0 && end)
		return fail(source, -EBADMSG, "truncated gzip data");
	return result < 0 ? result : step(source);
}

static ssize_t read_gzip(struct load_source *source, void *out, size_t room)
{
	bool more = true;

	source->inflater.next_out = out;
	source->inflater.avail_out = (uInt)room;
	while (more && source->inflater.avail_out > 0) {
		int result = advance(source, &more);
		if (result < 0)
			return result;
	}
	return (ssize_t)(room - source->inflater.avail_out);
}

static ssize_t read_plain(struct load_source *source, void *out, size_t room)
{
	int result = fill_until(source, 1);
	if (result < 0)
		return result;
	size_t length = source->input_end - source->input_next;
	if (length > room)
		length = room;
	memcpy(out, source->input + source->input_next, length);
	source->input_next += length;
	return (ssize_t)length;
}

ssize_t load_source_read(struct load_source *source, void *out, size_t room)
{
	return source->gzip ? read_gzip(source, out, room) : read_plain(source, out, room);
}
