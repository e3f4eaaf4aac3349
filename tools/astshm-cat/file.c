/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
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
#include "newest.h"
#include "signals.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

/* A document is a map: fixmap 0x80..0x8f, map 16 0xde, map 32 0xdf. */
static bool is_msgpack_map(unsigned char first)
{
	return (first & 0xf0) == 0x80 || first == 0xde || first == 0xdf;
}

static bool is_saved(const void *bytes, size_t count)
{
	return count > 0 && (is_msgpack_map(*(const unsigned char *)bytes) ||
			     feed_head_magic(bytes, count));
}

static enum file_content recognise(const unsigned char *bytes, size_t count)
{
	uint64_t magic;

	if (is_saved(bytes, count))
		return FILE_SNAPSHOT;
	if (count < sizeof(magic))
		return FILE_OTHER;
	memcpy(&magic, bytes, sizeof(magic));
	return magic == ASTSHM_SEGMENT_MAGIC || magic == __builtin_bswap64(ASTSHM_SEGMENT_MAGIC)
		       ? FILE_SEGMENT
		       : FILE_OTHER;
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
	close(fd);
	*content = recognise(bytes, count > 0 ? (size_t)count : 0);
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

/* Of what cannot be a snapshot one piece is enough: /dev/zero has no end. */
static int read_all(int fd, struct buffer *buffer)
{
	char piece[65536];

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
		if (buffer->count >= sizeof(uint32_t) && !is_saved(buffer->bytes, buffer->count))
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

/* --- what a file holds ------------------------------------------------------------ */

/* One document; *used is how far it goes. */
static int add_document(const char *bytes, size_t count, size_t *used, struct newest *found,
			struct astshm_error *error)
{
	struct astshm_snapshot *next = NULL;
	int result = astshm_decode_msgpack(bytes, count, used, &next, error);

	return result < 0 ? result : newest_add(found, next);
}

/* The same with a head in front. What a later version's flags mean is not known. */
static int add_frame(const char *bytes, size_t count, size_t *used, struct newest *found,
		     struct astshm_error *error)
{
	struct feed_head head = { 0 };
	size_t document = 0;
	int result = feed_head_read(bytes, count, &head);

	if (result == -EPROTONOSUPPORT)
		snprintf(error->text, sizeof(error->text), "is a feed of version %u, not 1",
			 head.version);
	if (result == -EBADMSG)
		snprintf(error->text, sizeof(error->text), "no frame where one should begin");
	if (result < 0)
		return result;
	*used = (size_t)head.head_bytes + head.document_bytes;
	if (head.flags)
		return 0;
	result = add_document(bytes + head.head_bytes, head.document_bytes, &document, found,
			      error);
	if (result == -ENODATA || (result == 0 && document != head.document_bytes)) {
		snprintf(error->text, sizeof(error->text), "a document that is not as long as its "
			 "frame says");
		return -EBADMSG;
	}
	return result;
}

/* A stream that is still being written may end within a document: then the
 * last whole one counts. */
static int find_all(const struct buffer *buffer, struct newest *found, struct astshm_error *error)
{
	bool framed = feed_head_magic(buffer->bytes, buffer->count);
	size_t at = 0, used;
	int result = -ENODATA;

	found->each &= framed;
	while (at < buffer->count) {
		if (signals_stop_wanted()) {
			snprintf(error->text, sizeof(error->text), "interrupted");
			return -EINTR;
		}
		used = 0;
		result = (framed ? add_frame : add_document)(buffer->bytes + at, buffer->count - at,
							     &used, found, error);
		if (result < 0)
			break;
		at += used;
	}
	if (found->count > 0 && result == -ENODATA)
		return 0;
	return result == 0 && found->count == 0 ? -ENODATA : result;
}

static int decode(const struct buffer *buffer, bool merge, struct astshm_snapshot **snapshot,
		  struct astshm_error *error)
{
	struct newest found;
	int result;

	newest_init(&found, merge);
	result = find_all(buffer, &found, error);
	if (result == 0)
		result = newest_merge(&found, snapshot, error);
	newest_fini(&found);
	return result;
}

static int fail_decode(struct astshm_error *error, int code, const char *path,
		       const struct buffer *buffer)
{
	char why[sizeof(error->text)];

	if (buffer->count == 0)
		return fail(error, -EBADMSG, path,
			    "holds no snapshot: it is empty, or a FIFO that nobody writes to");
	if (!is_saved(buffer->bytes, buffer->count))
		return fail(error, -EBADMSG, path,
			    "is no msgpack snapshot (save one with -f msgpack -o FILE)");
	if (code == -ENODATA)
		return fail(error, -EBADMSG, path, "ends within the snapshot");
	memcpy(why, error->text, sizeof(why));
	return fail(error, code, path, why[0] ? why : strerror(-code));
}

int file_load(const char *path, bool merge, struct astshm_snapshot **snapshot,
	      struct astshm_error *error)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct buffer buffer = { 0 };
	int result = read_path(path, &buffer);

	if (result < 0) {
		fail(error, result, name, result == -EINTR ? "interrupted" : strerror(-result));
	} else {
		error->text[0] = '\0';
		result = decode(&buffer, merge, snapshot, error);
		if (result < 0)
			result = fail_decode(error, result, name, &buffer);
	}
	buffer_free(&buffer);
	return result;
}
