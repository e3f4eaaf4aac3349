/* SPDX-License-Identifier: MIT */
/* The segments of this machine, and removing those that nobody writes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attachment.h"
#include "threads.h"

struct listing {
	int (*each)(const struct astshm_listing *listing, void *context);
	void *context;
};

static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static enum astshm_state segment_state(const struct shm_segment *segment,
				       const struct astshm_segment_header *header)
{
	/* Acquire: pairs with the release store at close. */
	if (load_acquire32(&header->state) == ASTSHM_SEGMENT_CLOSED)
		return ASTSHM_STATE_CLOSED;
	return shm_lock_state(segment->fd) == SHM_LOCK_NONE ? ASTSHM_STATE_DEAD :
							      ASTSHM_STATE_LIVE;
}

static void describe(struct shm_segment *segment, uint64_t committed,
		     struct astshm_listing *listing)
{
	struct reader_view view = { segment->base, committed, UINT64_MAX };
	const struct astshm_segment_header *header = view_header(&view);
	uint64_t bad = 0;
	listing->state = segment_state(segment, header);
	listing->pid = load_relaxed32(&header->pid);
	listing->age_ns = since(shm_realtime_ns(), load_relaxed(&header->created_realtime_ns));
	listing->heartbeat_period_ns = load_relaxed(&header->heartbeat_period_ns);
	listing->heartbeat_age_ns = UINT64_MAX;
	if (listing->heartbeat_period_ns != 0)
		listing->heartbeat_age_ns = since(shm_monotonic_ns(),
						  load_relaxed(&header->heartbeat_monotonic_ns));
	listing->bytes = committed;
	for (unsigned i = 0; i < 4; i++)
		listing->series += load_relaxed(&header->live_series[i]);
	listing->threads = threads_in_use(&view, &bad);
	listing->generation = load_relaxed(&header->generation);
}

static void look_at(const char *name, const char *path, struct astshm_listing *listing,
		    struct astshm_error *error)
{
	struct shm_segment segment = SHM_SEGMENT_INIT;
	*listing = (struct astshm_listing){ .name = name, .path = path };
	listing->error = shm_attach(&segment, path, error);
	if (listing->error != 0)
		return;
	struct sigbus_range *range = sigbus_enter(segment.base, segment.map_bytes);
	uint64_t committed = shm_committed(&segment);
	if (committed != 0)
		describe(&segment, committed, listing);
	if (committed == 0 || sigbus_broken(range))
		*listing = (struct astshm_listing){ name, path, .error = -EBADMSG };
	sigbus_leave(range);
	shm_close(&segment, NULL);
}

static int list_one(const char *name, const char *path, void *context)
{
	struct listing *to = context;
	struct astshm_listing listing;
	look_at(name, path, &listing, NULL);
	if (listing.error == -ENOENT)
		return 0; /* gone since the folder was read */
	return to->each(&listing, to->context);
}

int astshm_list_path(const char *path, struct astshm_listing *listing, struct astshm_error *error)
{
	if (path == NULL || listing == NULL || strchr(path, '/') == NULL)
		return shm_fail(error, -EINVAL, "bad argument");
	struct astshm_listing found;
	look_at(path, path, &found, error);
	if (found.error == -ENOENT)
		return -ENOENT;
	*listing = found;
	return 0;
}

int astshm_list(int (*each)(const struct astshm_listing *listing, void *context), void *context,
		struct astshm_error *error)
{
	struct listing to = { each, context };
	int code = shm_list(list_one, &to);
	if (code < 0)
		return shm_fail(error, code, "cannot list segments: %s", strerror(-code));
	return code;
}

/* --- pruning ---------------------------------------------------------- */

/* A file of somebody else's is not ours to remove, whatever its name. */
static int check_magic(int fd, const char *path, struct astshm_error *error)
{
	uint64_t magic;
	ssize_t length = pread(fd, &magic, sizeof magic, 0);
	if (length < 0)
		return shm_fail(error, -errno, "cannot read %.150s: %s", path, strerror(errno));
	if (length != (ssize_t)sizeof magic || magic != ASTSHM_SEGMENT_MAGIC)
		return shm_fail(error, -EBADMSG, "%.200s is not a segment", path);
	return 0;
}

static int take_lock(int fd, const char *path, struct astshm_error *error)
{
	int code = shm_lock_retire(fd);
	if (code == -EBUSY)
		return shm_fail(error, code, "%.200s has a living writer", path);
	if (code == -EAGAIN)
		return shm_fail(error, -EBUSY, "%.200s has no writer, but some process holds a "
				"lock on it", path);
	return code ? shm_fail(error, code, "cannot lock %.150s: %s", path, strerror(-code)) : 0;
}

/* The lock is held: whoever takes the name meanwhile has another file there. */
static int unlink_same(int fd, const char *path, struct astshm_error *error)
{
	struct stat locked, named;
	if (fstat(fd, &locked) != 0)
		return shm_fail(error, -errno, "cannot look at %.150s: %s", path, strerror(errno));
	if (lstat(path, &named) != 0 || locked.st_dev != named.st_dev ||
	    locked.st_ino != named.st_ino)
		return shm_fail(error, -EAGAIN, "%.200s was taken by another writer", path);
	if (unlink(path) != 0)
		return shm_fail(error, -errno, "cannot remove %.150s: %s", path, strerror(errno));
	return 0;
}

int astshm_prune(const char *path, struct astshm_error *error)
{
	struct stat file;
	/* O_NONBLOCK: a FIFO under the name must not make anybody wait. */
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
		return shm_fail(error, -EBADMSG, "%.200s is not a segment", path);
	if (fd < 0)
		return shm_fail(error, -errno, "cannot open %.150s: %s", path, strerror(errno));
	int code = 0;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		code = shm_fail(error, -EBADMSG, "%.200s is not a segment", path);
	if (code == 0)
		code = check_magic(fd, path, error);
	if (code == 0)
		code = take_lock(fd, path, error);
	if (code == 0)
		code = unlink_same(fd, path, error);
	close(fd);
	return code;
}
