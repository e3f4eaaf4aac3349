/* SPDX-License-Identifier: MIT */
/*
 * Gives a living writer's vanished name back. The kernel links no inode whose
 * last name is gone (vfs_link: ENOENT), so the segment moves to a new file:
 *
 *	image = private copy of the old file	(records in flight go on there)
 *	new file = image
 *	mmap(MAP_FIXED) new file over the old mapping; from here on every store
 *		goes to the new file, because the kernel replaces the mapping in
 *		one step and no processor keeps a stale translation
 *	for each word: old file now - image = what came between: add it
 *	link the new file
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

struct move {
	const uint64_t *old; /* the old file, mapped a second time, read-only */
	uint64_t *image;     /* what was copied into the new one */
	uint64_t bytes;
	int fd;              /* the new file */
	dev_t device;
	ino_t inode;
};

static int map_anywhere(int fd, int protection, int flags, uint64_t bytes, void *mapping)
{
	void *made = mmap(NULL, bytes, protection, flags, fd, 0);
	if (made == MAP_FAILED)
		return -errno;
	memcpy(mapping, &made, sizeof made);
	return 0;
}

/* Word by word: other threads may be storing into the old file. */
static void take_image(struct move *move)
{
	for (uint64_t i = 0; i < move->bytes / 8; i++)
		/* Relaxed: any value a word has until the mapping changes will
		 * do, carry_over adds the rest. */
		move->image[i] = __atomic_load_n(&move->old[i], __ATOMIC_RELAXED);
}

static int write_image(const struct move *move)
{
	for (uint64_t done = 0; done < move->bytes;) {
		ssize_t length = pwrite(move->fd, (const uint8_t *)move->image + done,
					move->bytes - done, (off_t)done);
		if (length < 0 && errno != EINTR)
			return -errno;
		done += length > 0 ? (uint64_t)length : 0;
	}
	return 0;
}

/* The new file: same mode, group and size, locked before anybody can see it. */
static int make_file(const struct shm_segment *segment, struct move *move)
{
	struct stat old, made;
	if (fstat(segment->fd, &old))
		return -errno;
	int code = shm_file_create(segment->path, segment->generation, &move->fd);
	if (code == 0)
		code = shm_file_set_owner(move->fd, old.st_mode & 07777, old.st_gid);
	if (code == 0)
		code = shm_lock_take(move->fd);
	if (code == 0)
		code = shm_file_allocate(move->fd, 0, move->bytes);
	if (code == 0 && fstat(move->fd, &made))
		code = -errno;
	if (code)
		return code;
	move->device = made.st_dev;
	move->inode = made.st_ino;
	return 0;
}

static int prepare(const struct shm_segment *segment, struct move *move)
{
	int code = make_file(segment, move);
	if (code == 0)
		code = map_anywhere(segment->fd, PROT_READ, MAP_SHARED, move->bytes, &move->old);
	if (code == 0)
		code = map_anywhere(-1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    move->bytes, &move->image);
	if (code)
		return code;
	take_image(move);
	return write_image(move);
}

/*
 * A word that only the old file saw change takes over the old value, whatever
 * it means; one that changed on both sides can only be a sum that several
 * threads add to, and gets the difference. Relaxed: only each word's own
 * read-modify-write must be one step; shm_file_link, a system call, comes
 * between this and the first reader.
 */
static void carry_over(const struct move *move, uint8_t *base)
{
	uint64_t *words = (void *)base;
	for (uint64_t i = 0; i < move->bytes / 8; i++) {
		uint64_t before = move->image[i];
		uint64_t after = __atomic_load_n(&move->old[i], __ATOMIC_RELAXED);
		uint64_t expected = before;
		if (after != before &&
		    !__atomic_compare_exchange_n(&words[i], &expected, after, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			__atomic_fetch_add(&words[i], after - before, __ATOMIC_RELAXED);
	}
}

static void release(struct move *move)
{
	if (move->old)
		munmap((void *)(uintptr_t)move->old, move->bytes);
	if (move->image)
		munmap(move->image, move->bytes);
}

static void discard(const struct shm_segment *segment, struct move *move)
{
	release(move);
	if (move->fd < 0)
		return;
	shm_file_forget(move->fd, segment->path, segment->generation);
	close(move->fd);
}

static int switch_mapping(struct shm_segment *segment, struct move *move)
{
	uint8_t *base;
	int code = shm_map_writable(move->fd, segment->base, segment->map_bytes, &base);
	if (code == 0)
		return 0;
	/* Linux may have unmapped the range before it failed: put the old file
	 * back, so that threads that record find it. */
	shm_map_writable(segment->fd, segment->base, segment->map_bytes, &base);
	return code;
}

static int migrate(struct shm_segment *segment)
{
	struct move move = { .fd = -1, .bytes = segment->file_bytes };
	int code = prepare(segment, &move);
	if (code == 0)
		code = switch_mapping(segment, &move);
	if (code) {
		discard(segment, &move);
		return code;
	}
	carry_over(&move, segment->base);
	release(&move);
	/* The old file's lock goes with it: its readers see a dead writer and
	 * another file under the name, and attach again. */
	close(segment->fd);
	segment->fd = move.fd;
	segment->device = move.device;
	segment->inode = move.inode;
	return 0;
}

int shm_republish(struct shm_segment *segment, struct astshm_error *error)
{
	if (shm_is_named(segment))
		return 0;
	/* Enough if the file has another name, or was moved here by an earlier
	 * call that then found the name taken. */
	int code = shm_file_link(segment->fd, segment->path, segment->generation);
	if (code == -ENOENT) {
		code = migrate(segment);
		if (code == 0)
			code = shm_file_link(segment->fd, segment->path, segment->generation);
	}
	if (code == -EEXIST)
		return shm_fail(error, -EAGAIN, "another file has the name %.120s", segment->path);
	if (code)
		return shm_fail(error, code, "cannot link %.120s again: %s", segment->path,
				strerror(-code));
	return 0;
}
