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

/* The most that is kept of a file: one document, or as much as is damaged at a time. */
#define KEPT_BYTES_MAX ((size_t)1 << 30)
#define PIECE_BYTES 65536
#define TAKEN_BYTES_MIN ((size_t)1 << 20)
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

	while (at < RECORDING_LOOK_BYTES) {
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

/* What has been read of a file and is still needed. */
struct load {
	struct recording recording;
	struct buffer buffer;
	size_t wanted; /* bytes in it, before they are looked at again */
	bool any;
	bool begins;   /* as a recording or a document does */
	int result;    /* of what the bytes are */
	struct astshm_error *error;
};

/* Gives what there is to the recording, and keeps what it leaves. */
static void take(struct load *load, bool last)
{
	struct buffer *buffer = &load->buffer;
	size_t used;

	if (!load->any && buffer->count > 0) {
		load->any = true;
		load->begins = recording_begins(buffer->bytes, buffer->count);
	}
	load->result = recording_take(&load->recording, buffer->bytes, buffer->count, last, &used,
				      load->error);
	if (used > 0 && used < buffer->count)
		memmove(buffer->bytes, buffer->bytes + used, buffer->count - used);
	buffer->count -= used;
	load->wanted = 2 * buffer->count > TAKEN_BYTES_MIN ? 2 * buffer->count : TAKEN_BYTES_MIN;
}

/* -EFBIG: one document would be larger than what is kept. */
static int add_piece(struct load *load, const char *piece, size_t count)
{
	if (count > KEPT_BYTES_MAX - load->buffer.count) {
		take(load, true);
		if (load->result == 0 && count > KEPT_BYTES_MAX - load->buffer.count)
			return -EFBIG;
	}
	if (buffer_write(&load->buffer, piece, count) < 0)
		return -ENOMEM;
	if (load->buffer.count >= load->wanted)
		take(load, false);
	return 0;
}

/* Of what cannot be a snapshot a part is enough: /dev/zero has no end. */
static int read_all(int fd, struct load *load)
{
	char piece[PIECE_BYTES];

	while (load->result == 0) {
		ssize_t count = read(fd, piece, sizeof(piece));
		int result;

		if (signals_stop_wanted())
			return -EINTR;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EAGAIN && wait_readable(fd) == 0)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0) {
			take(load, true);
			break;
		}
		result = add_piece(load, piece, (size_t)count);
		if (result < 0)
			return result;
	}
	return 0;
}

static int read_path(const char *path, struct load *load)
{
	int result, fd;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, load);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	result = read_all(fd, load);
	close(fd);
	return result;
}

static int fail_decode(const struct load *load, const char *path)
{
	struct astshm_error *error = load->error;
	char why[sizeof(error->text)];

	if (!load->any)
		return fail(error, -EBADMSG, path,
			    "holds no snapshot: it is empty, or a FIFO that nobody writes to");
	if (!load->begins && (load->result == -EBADMSG || load->result == -ENODATA))
		return fail(error, -EBADMSG, path,
			    "is no msgpack snapshot (save one with -f msgpack -o FILE)");
	if (load->result == -ENODATA)
		return fail(error, -EBADMSG, path, "ends within the snapshot");
	memcpy(why, error->text, sizeof(why));
	return fail(error, load->result, path, why[0] ? why : strerror(-load->result));
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
	struct load load = { .wanted = TAKEN_BYTES_MIN, .error = error };
	int result;

	error->text[0] = '\0';
	recording_init(&load.recording, merge);
	result = read_path(path, &load);
	if (result == 0 && load.result == 0)
		load.result = recording_finish(&load.recording, snapshot, error);
	if (result < 0)
		fail(error, result, shown(path),
		     result == -EINTR ? "interrupted" : strerror(-result));
	else if (load.result < 0)
		result = fail_decode(&load, shown(path));
	else
		*skipped = load.recording.skipped;
	recording_fini(&load.recording);
	buffer_free(&load.buffer);
	return result;
}
