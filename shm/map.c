/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

int shm_map_writable(int fd, void *where, uint64_t bytes, uint8_t **base)
{
	int flags = MAP_SHARED | (where ? MAP_FIXED : 0);
	void *mapping = mmap(where, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mapping == MAP_FAILED)
		return -errno;
	/* A forked child must not record into its parent's segment. Where a range
	 * was replaced there is no way back, and the child's empty rows and the
	 * writer's fork handler still keep it out. */
	if (madvise(mapping, bytes, MADV_DONTFORK) && !where) {
		int code = -errno;
		munmap(mapping, bytes);
		return code;
	}
	*base = mapping;
	return 0;
}

/*
 * Replaces the mapping by zeroes that cost nothing, in one step: a thread that
 * is still recording hits either the file or the zeroes, never a hole. Should
 * the kernel refuse, the file itself stays mapped, which is as good.
 */
static void *reserve_range(uint8_t *base, uint64_t bytes)
{
	(void)mmap(base, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	return base;
}

void shm_close(struct shm_segment *segment, void **reserve)
{
	if (segment->base && reserve)
		*reserve = reserve_range(segment->base, segment->map_bytes);
	else if (segment->base)
		munmap(segment->base, segment->map_bytes);
	if (segment->fd >= 0) {
		if (segment->generation)
			shm_file_forget(segment->fd, segment->path, segment->generation);
		close(segment->fd);
	}
	*segment = (struct shm_segment)SHM_SEGMENT_INIT;
}
