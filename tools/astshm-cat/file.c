/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <astshm/layout.h>

#include "buffer.h"
#include "feed_head.h"
#include "file.h"
#include "message.h"
#include "recording.h"
#include "signals.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)
/* How far the first frame is looked for in what has lost its beginning, which is less
 * than a document as a rule. */
#define LOOK_BYTES_MAX ((size_t)64 << 20)
#define PIECE_BYTES 65536
#define MAGIC_BYTES sizeof(uint32_t)

static enum file_content recognise(const unsigned char *bytes, size_t count)
{
	uint64_t magic;

	if (recording_begins(bytes, count))
		return FILE_SNAPSHOT;
	if (count < sizeof(magic))
		return FILE_OTHER;
	memcpy(&magic, bytes, sizeof(magic));
	return magic == ASTSHM_SEGMENT_MAGIC || magic == __builtin_bswap64(ASTSHM_SEGMENT_MAGIC)
		       ? FILE_SEGMENT
		       : FILE_OTHER;
}

/* Has it a frame further on? A magic may lie across two pieces. */
static bool holds_frame(int fd)
{
	char piece[PIECE_BYTES];
	size_t at = 0, found;
	ssize_t count;

	while (at < LOOK_BYTES_MAX) {
		count = pread(fd, piece, sizeof(piece), (off_t)at);
		if (count < (ssize_t)MAGIC_BYTES)
			return false;
		found = feed_head_find(piece, (size_t)count);
		if (found + MAGIC_BYTES <= (size_t)count)
			return true;
		at += found < (size_t)count ? found : (size_t)count;
	}
	return false;
}

int file_recognise(const char *path, enum file_content *content)
{
	unsigned char bytes[sizeof(uint64_t)];
	struct stat status;
	ssize_t count;
	int fd;

	if (stat(path, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		*content = S_ISDIR(status.st_mode)    ? FILE_FOLDER
			   : S_ISSOCK(status.st_mode) ? FILE_SOCKET
						      : FILE_STREAM;
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	count = read(fd, bytes, sizeof(bytes));
	*content = recognise(bytes, count > 0 ? (size_t)count : 0);
	if (*content == FILE_OTHER && holds_frame(fd))
		*content = FILE_SNAPSHOT;
	close(fd);
	return 0;
}

static int fail(struct astshm_error *error, int code, const char *path, const char *what)
{
	error->code = code;
	snprintf(error->text, sizeof(error->text), "%.120s: %.130s", path, what);
	return code;
}

/* What was opened without waiting waits here, for data or an end. */
static int wait_readable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

/* Has enough been read to know that it holds nothing? `looked` is how far was seen. */
static bool is_hopeless(const struct buffer *buffer, size_t *looked)
{
	if (buffer->count < MAGIC_BYTES || recording_begins(buffer->bytes, buffer->count))
		return false;
	*looked += feed_head_find(buffer->bytes + *looked, buffer->count - *looked);
	return buffer->count >= LOOK_BYTES_MAX && buffer->count - *looked < MAGIC_BYTES;
}

/* Of what cannot be a snapshot a part is enough: /dev/zero has no end. */
static int read_all(int fd, struct buffer *buffer)
{
	char piece[PIECE_BYTES];
	size_t looked = 0;

	for (;;) {
		ssize_t count = read(fd, piece, sizeof(piece));

		if (signals_stop_wanted())
			return -EINTR;
		if (count == 0)
			return 0;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EAGAIN && wait_readable(fd) == 0)
			continue;
		if (count < 0)
			return -errno;
		if ((size_t)count > FILE_BYTES_MAX - buffer->count)
			return -EFBIG;
		if (buffer_write(buffer, piece, (size_t)count) < 0)
			return -ENOMEM;
		if (is_hopeless(buffer, &looked))
			return 0;
	}
}

static int read_path(const char *path, struct buffer *buffer)
{
	int result, fd;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, buffer);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	result = read_all(fd, buffer);
	close(fd);
	return result;
}

static int fail_decode(struct astshm_error *error, int code, const char *path,
		       const struct buffer *buffer)
{
	char why[sizeof(error->text)];

	if (buffer->count == 0)
		return fail(error, -EBADMSG, path,
			    "holds no snapshot: it is empty, or a FIFO that nobody writes to");
	if (!recording_begins(buffer->bytes, buffer->count))
		return fail(error, -EBADMSG, path,
			    "is no msgpack snapshot (save one with -f msgpack -o FILE)");
	if (code == -ENODATA)
		return fail(error, -EBADMSG, path, "ends within the snapshot");
	memcpy(why, error->text, sizeof(why));
	return fail(error, code, path, why[0] ? why : strerror(-code));
}

static const char *shown(const char *path)
{
	return strcmp(path, "-") == 0 ? "stdin" : path;
}

void file_tell_skipped(const char *path, const struct skipped *skipped)
{
	if (skipped->bytes > 0)
		message("%s: skipped %" PRIu64 " byte%s, in %" PRIu64 " place%s, that are no whole "
			"snapshots", shown(path), skipped->bytes, skipped->bytes == 1 ? "" : "s",
			skipped->places, skipped->places == 1 ? "" : "s");
}

int file_load(const char *path, bool merge, struct astshm_snapshot **snapshot,
	      struct skipped *skipped, struct astshm_error *error)
{
	const char *name = shown(path);
	struct buffer buffer = { 0 };
	int result = read_path(path, &buffer);

	if (result < 0) {
		fail(error, result, name, result == -EINTR ? "interrupted" : strerror(-result));
	} else {
		error->text[0] = '\0';
		result = recording_decode(buffer.bytes, buffer.count, merge, snapshot, skipped,
					  error);
		if (result < 0)
			result = fail_decode(error, result, name, &buffer);
	}
	buffer_free(&buffer);
	return result;
}
