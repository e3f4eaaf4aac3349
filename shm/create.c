/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define MODE_BITS ((mode_t)0666)
#define MODE_ALWAYS ((mode_t)0600)

static int check_request(const struct shm_create *how, uint64_t first_bytes,
			 struct astshm_error *error)
{
	if (how->mode & ~MODE_BITS)
		return shm_fail(error, -EINVAL, "mode 0%o: only bits of 0%o make sense",
				(unsigned)how->mode, (unsigned)MODE_BITS);
	if (how->max_bytes > SHM_MAX_BYTES || how->max_bytes > SIZE_MAX / 2)
		return shm_fail(error, -EINVAL, "a maximum of %llu bytes is too large",
				(unsigned long long)how->max_bytes);
	if (how->max_bytes < first_bytes || how->max_bytes < ASTSHM_SEGMENT_HEADER_BYTES)
		return shm_fail(error, -EINVAL, "a maximum of %llu bytes is too small",
				(unsigned long long)how->max_bytes);
	return 0;
}

/* Random, never 0. Without a random source the clock makes restarts differ. */
static uint64_t new_generation(void)
{
	uint64_t generation = 0;
	if (getrandom(&generation, sizeof generation, GRND_NONBLOCK) != sizeof generation)
		generation = shm_realtime_ns() ^ (uint64_t)getpid() << 48;
	return generation ? generation : 1;
}

static void fill_identity(struct astshm_segment_header *header, const char *name)
{
	header->magic = ASTSHM_SEGMENT_MAGIC;
	header->byte_order = ASTSHM_SEGMENT_BYTE_ORDER;
	header->header_bytes = sizeof *header;
	header->major_version = ASTSHM_SEGMENT_MAJOR;
	header->minor_version = ASTSHM_SEGMENT_MINOR;
	header->series_bytes = sizeof(struct astshm_segment_series);
	header->family_bytes = sizeof(struct astshm_segment_family);
	header->slot_bytes = sizeof(struct astshm_segment_slot);
	header->block_header_bytes = ASTSHM_BLOCK_HEADER_BYTES;
	header->chunk_cells = ASTSHM_CHUNK_CELLS;
	header->histogram_slots = ASTSHM_HISTOGRAM_SLOTS;
	header->histogram_scale = ASTSHM_HISTOGRAM_SCALE;
	header->pid = (uint32_t)getpid();
	header->pid_start_ticks = shm_process_start_ticks(0);
	header->name_len = (uint32_t)strlen(name);
	memcpy(header->name, name, header->name_len);
}

/* Plain stores: nobody else sees the file before shm_publish links it. */
static void fill_header(struct shm_segment *segment, const char *name)
{
	struct astshm_segment_header *header = (void *)segment->base;
	fill_identity(header, name);
	header->max_bytes = segment->map_bytes;
	header->generation = segment->generation;
	header->created_realtime_ns = shm_realtime_ns();
	header->created_monotonic_ns = shm_monotonic_ns();
	header->committed_bytes = segment->file_bytes;
	header->state = ASTSHM_SEGMENT_LIVE;
	header->recording = 1;
	header->heartbeat_monotonic_ns = header->created_monotonic_ns;
	header->epoch = 1;
	header->counters_epoch = 1;
	header->reset_realtime_ns = header->created_realtime_ns;
	header->reset_monotonic_ns = header->created_monotonic_ns;
}

static int note_inode(struct shm_segment *segment)
{
	struct stat made;
	if (fstat(segment->fd, &made))
		return -errno;
	segment->device = made.st_dev;
	segment->inode = made.st_ino;
	return 0;
}

static int prepare_file(struct shm_segment *segment, const struct shm_create *how,
			const char **step)
{
	*step = "create";
	int code = shm_file_create(segment->path, segment->generation, &segment->fd);
	if (code == 0)
		code = note_inode(segment);
	if (code)
		return code;
	*step = "set mode and group of";
	code = shm_file_set_owner(segment->fd, how->mode | MODE_ALWAYS, how->group);
	if (code)
		return code;
	*step = "lock";
	code = shm_lock_take(segment->fd);
	if (code)
		return code;
	*step = "allocate";
	return shm_file_allocate(segment->fd, 0, segment->file_bytes);
}

/* What an operator would have to change, where strerror does not say. */
static const char *advice(int code)
{
	switch (code) {
	case -EFBIG:
		return " (the process's file size limit, RLIMIT_FSIZE)";
	case -ENOMEM:
		return " (a smaller maximum may fit; the process's limit is RLIMIT_AS)";
	case -EMFILE:
		return " (the process's limit, RLIMIT_NOFILE)";
	default:
		return "";
	}
}

static int build(struct shm_segment *segment, const struct shm_create *how,
		 struct astshm_error *error)
{
	const char *step;
	int code = prepare_file(segment, how, &step);
	if (code == 0) {
		step = "map";
		code = shm_map_writable(segment->fd, how->reserve, segment->map_bytes,
					&segment->base);
	}
	if (code)
		return shm_fail(error, code, "cannot %s a segment for %.120s: %s%s", step,
				segment->path, strerror(-code), advice(code));
	return 0;
}

int shm_create(struct shm_segment *segment, const struct shm_create *how,
	       uint64_t first_bytes, struct astshm_error *error)
{
	struct shm_segment made = SHM_SEGMENT_INIT;
	char name[ASTSHM_SEGMENT_NAME_BYTES];
	int code = shm_name_to_path(how->name, made.path, error);
	if (code == 0)
		code = shm_name_of_path(made.path, name, error);
	if (code == 0)
		code = check_request(how, first_bytes, error);
	if (code)
		return code;
	if (first_bytes < ASTSHM_SEGMENT_HEADER_BYTES)
		first_bytes = ASTSHM_SEGMENT_HEADER_BYTES;
	made.map_bytes = shm_round_to_pages(how->max_bytes);
	made.file_bytes = shm_round_to_pages(first_bytes);
	made.generation = new_generation();
	code = build(&made, how, error);
	if (code) {
		shm_close(&made, NULL);
		return code;
	}
	fill_header(&made, name);
	*segment = made;
	return 0;
}
