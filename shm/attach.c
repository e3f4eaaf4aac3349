/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* A record, strings, and that tables grow by doubling. */
#define EXPECTED_ELEMENT_BYTES 256u
/* No page is longer; an offset by it is one of a page. */
#define EXPECTED_STEP_BYTES ((uint64_t)64 << 10)
#define EXPECTED_MOST_BYTES ((uint64_t)64 << 20)

static int fail_open(const char *path, int code, struct astshm_error *error)
{
	switch (code) {
	case -ENOENT:
	case -ENOTDIR:
		return shm_fail(error, -ENOENT, "no such segment: %.200s", path);
	case -EACCES:
	case -EPERM:
		return shm_fail(error, code, "no permission to read %.200s", path);
	case -ELOOP:
		return shm_fail(error, -EBADMSG, "%.200s is a symbolic link, not a segment", path);
	case -ENXIO:
		return shm_fail(error, -EBADMSG, "%.200s is not a segment", path);
	default:
		return shm_fail(error, code, "cannot open %.150s: %s", path, strerror(-code));
	}
}

/* O_NONBLOCK: a FIFO under the name must not make a reader wait. */
static int open_file(const char *path, struct shm_segment *segment, struct astshm_error *error)
{
	segment->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (segment->fd < 0)
		return fail_open(path, -errno, error);
	struct stat opened;
	if (fstat(segment->fd, &opened))
		return shm_fail(error, -errno, "cannot look at %.150s: %s", path, strerror(errno));
	if (!S_ISREG(opened.st_mode))
		return shm_fail(error, -EBADMSG, "%.200s is not a segment", path);
	segment->device = opened.st_dev;
	segment->inode = opened.st_ino;
	return 0;
}

/* The size now, never more than was mapped is of use. */
static int note_size(struct shm_segment *segment)
{
	struct stat now;
	if (fstat(segment->fd, &now))
		return -errno;
	segment->file_bytes = (uint64_t)now.st_size;
	segment->allocated_bytes = (uint64_t)now.st_blocks * 512;
	return 0;
}

/*
 * Checked in a private copy, before anything is mapped: it says how much to map.
 * Words that change are loaded and checked again by whoever uses them. The size
 * is asked for after the header was read: a growing writer publishes only bytes
 * that the file already has.
 */
static int read_header(struct shm_segment *segment, struct astshm_segment_header *header,
		       struct astshm_error *error)
{
	ssize_t length = pread(segment->fd, header, sizeof *header, 0);
	int code = length < 0 ? -errno : note_size(segment);
	if (code)
		return shm_fail(error, code, "cannot read the segment: %s", strerror(-code));
	uint64_t bytes = segment->file_bytes;
	if ((size_t)length < sizeof *header)
		bytes = (uint64_t)length;
	return shm_check_header((const uint8_t *)header, bytes, error);
}

static int map_file(struct shm_segment *segment, uint64_t bytes, struct astshm_error *error)
{
	void *mapping = mmap(NULL, bytes, PROT_READ, MAP_SHARED, segment->fd, 0);
	if (mapping == MAP_FAILED)
		return shm_fail(error, -errno, "cannot map %llu bytes: %s",
				(unsigned long long)bytes, strerror(errno));
	segment->base = mapping;
	segment->map_bytes = bytes;
	return 0;
}

void shm_expect(struct shm_segment *segment, uint64_t bytes)
{
#ifdef MADV_POPULATE_READ
	uint64_t from = segment->expected_bytes / EXPECTED_STEP_BYTES * EXPECTED_STEP_BYTES;
	if (bytes > EXPECTED_MOST_BYTES)
		bytes = EXPECTED_MOST_BYTES;
	if (bytes <= segment->expected_bytes || segment->allocated_bytes < segment->file_bytes)
		return;
	segment->expected_bytes = bytes;
	int before = errno;
	(void)madvise(segment->base + from, bytes - from, MADV_POPULATE_READ);
	errno = before;
#else
	(void)segment;
	(void)bytes;
#endif
}

/* Where the directory of a program lies that registers first and records then. */
static void expect_directory(struct shm_segment *segment,
			     const struct astshm_segment_header *header)
{
	uint64_t elements = (uint64_t)header->series.count + header->families.count;
	uint64_t bytes = sizeof *header + elements * EXPECTED_ELEMENT_BYTES;
	shm_expect(segment, bytes < header->committed_bytes ? bytes : header->committed_bytes);
}

int shm_attach(struct shm_segment *segment, const char *path, struct astshm_error *error)
{
	struct shm_segment found = SHM_SEGMENT_INIT;
	struct astshm_segment_header header;
	int code = shm_name_to_path(path, found.path, error);
	if (code == 0)
		code = open_file(found.path, &found, error);
	if (code == 0)
		code = read_header(&found, &header, error);
	if (code == 0)
		code = map_file(&found, header.max_bytes, error);
	if (code) {
		shm_close(&found, NULL);
		return code;
	}
	expect_directory(&found, &header);
	*segment = found;
	return 0;
}

/* Looks at the size first: a header in a truncated file is a SIGBUS. */
uint64_t shm_committed(struct shm_segment *segment)
{
	if (segment->fd >= 0 && note_size(segment))
		return 0;
	if (segment->file_bytes < ASTSHM_SEGMENT_HEADER_BYTES)
		return 0;
	const struct astshm_segment_header *header = (const void *)segment->base;
	/* Acquire: pairs with the release store in shm_grow, so that the bytes
	 * below are there; the file has grown before the word says so. */
	uint64_t committed = __atomic_load_n(&header->committed_bytes, __ATOMIC_ACQUIRE);
	if (committed > segment->file_bytes && segment->fd >= 0 && note_size(segment))
		return 0;
	if (committed < ASTSHM_SEGMENT_HEADER_BYTES || committed > segment->map_bytes ||
	    committed > segment->file_bytes)
		return 0;
	return committed;
}
