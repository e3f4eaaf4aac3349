/* SPDX-License-Identifier: MIT */
/*
 * A segment as a file: create, publish, lock, grow, map, attach, find.
 * Knows the layout of the header and of tables, nothing of metrics.
 *
 * All functions return 0 or a negative errno value and fill *error (if not
 * NULL) with one line that says what was wrong and what to do.
 */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <astshm/layout.h>
#include <astshm/types.h>

/* An open segment. fd -1 and base NULL: nothing is open. */
struct shm_segment {
	int fd;
	uint8_t *base;      /* PROT_READ for readers */
	uint64_t map_bytes; /* = header.max_bytes, constant while mapped */
	uint64_t file_bytes; /* writer: what posix_fallocate has reached.
	                        Reader: fstat size last seen */
	uint64_t allocated_bytes; /* reader: of the file, then; less: it has holes */
	uint64_t expected_bytes;  /* reader: what shm_expect was last asked for */
	dev_t device;
	ino_t inode;
	uint64_t generation; /* writer: its header's. Reader: 0 */
	char path[PATH_MAX]; /* where it is (to be) linked */
};

#define SHM_SEGMENT_INIT { .fd = -1 }

struct shm_create {
	const char *name;       /* NAME, or a path if it holds a '/' */
	mode_t mode;            /* set by fchmod, whatever the umask; 0600 is added
	                           (else its successor could not lock it) */
	gid_t group;            /* (gid_t)-1: leave it */
	uint64_t max_bytes;
	uint32_t keep;          /* dead predecessors kept as NAME~1 .. NAME~keep */
	void *reserve;          /* map over this reserved area, which is as long as
	                           max_bytes in whole pages, or NULL */
};

/*
 * Builds an unnamed segment: file (O_TMPFILE, else O_EXCL under a temporary
 * name), mode, write lock, first commit of `first_bytes` (posix_fallocate),
 * mapping of max_bytes (MAP_SHARED, MADV_DONTFORK), the identity part of the
 * header (magic to name) and the words that start non-zero (committed_bytes,
 * state, recording, epochs = 1, heartbeat and reset times).
 * The caller fills the tables, then calls shm_publish. -EINVAL: a name that
 * writers may not take (NAME~3 is a dead segment's), a mode with other bits than
 * reading and writing, max_bytes below first_bytes or beyond 1 TiB.
 */
int shm_create(struct shm_segment *segment, const struct shm_create *how,
	       uint64_t first_bytes, struct astshm_error *error);

/*
 * Links the segment to its name. -EBUSY: a living writer has it (its pid in
 * the text). A dead predecessor is renamed to NAME~1 (or removed if keep is
 * 0). What is no segment is never touched: -EEXIST, -EISDIR (a directory), -ELOOP
 * (a symbolic link); nor is another user's file: -EACCES, -EPERM. Blocks for up
 * to 100 ms while a writer has the name, and up to 5 s while another process holds
 * a lock on a dead one's file. May leave a warning in *error (code 0) when
 * the path is not on tmpfs or hugetlbfs. On failure the segment stays unnamed;
 * close it.
 */
int shm_publish(struct shm_segment *segment, const struct shm_create *how,
		struct astshm_error *error);

/*
 * Makes at least `bytes` of the file usable (rounded up to a step of at most
 * 1 MiB) and publishes committed_bytes. -ENOSPC: file system full, or beyond
 * max_bytes. -EFBIG: beyond RLIMIT_FSIZE (looked at first: no SIGXFSZ).
 */
int shm_grow(struct shm_segment *segment, uint64_t bytes, struct astshm_error *error);

/*
 * Gives a living writer's vanished name back (logind's RemoveIPC, a careless
 * rm); 0 as well if the name was there. The caller holds the writer's mutex, has
 * closed the gate and given records in flight a moment to end.
 *
 * Linux links no inode again whose last name is gone, so the segment moves into
 * a new file of the same mode, group, size and generation, mapped over the old
 * one at the same addresses in one step. What other threads wrote into the old
 * file between the copy and that step is added to the new one, 64-bit word by
 * word. doc/segment.md, "A name that vanished", says what is exact then.
 *
 * -EAGAIN: another file has the name, which is never touched; call again later.
 * Any other error leaves the segment where it was, mapped and usable.
 */
int shm_republish(struct shm_segment *segment, struct astshm_error *error);

/* Does the name still lead to this file? 1 yes, 0 another file or none. */
int shm_is_named(const struct shm_segment *segment);

/* Unlinks the name if it still leads to this file. */
void shm_remove_name(const struct shm_segment *segment);

/*
 * Closes descriptor and mapping. With `reserve`, the address range stays
 * mapped (private, anonymous, zero) and is returned through it for a later
 * shm_create, so that a record that overlaps the close hits no hole.
 */
void shm_close(struct shm_segment *segment, void **reserve);

/*
 * Turns "NAME", "PID" or "PATH" into a path, by design section 10: with a '/'
 * a path; else the name of a segment that exists; else digits are a pid; else
 * the name (which then does not exist). `path` has PATH_MAX bytes. A pid: the
 * segment whose living writer is that process, through its own root folder, so
 * that a container's is found. -ENOENT: it has none; -EACCES: not allowed to
 * look; -ENOTUNIQ: it has several (named in the text); -EMFILE, -ENFILE: there was
 * no descriptor to look with.
 */
int shm_resolve(const char *argument, char *path, struct astshm_error *error);

/* "NAME" -> "/dev/shm/astshm.NAME"; a path is copied. -EINVAL: a bad name. */
int shm_name_to_path(const char *name, char *path, struct astshm_error *error);

/*
 * Opens and maps a segment for reading and checks its header. Errors:
 * -ENOENT no such segment; -EACCES/-EPERM no permission; -EPROTONOSUPPORT
 * wrong version or byte order; -EBADMSG corrupt or not a segment.
 */
int shm_attach(struct shm_segment *segment, const char *path, struct astshm_error *error);

/*
 * Checks an image in memory in the same way (in-process readers, tests).
 * `bytes` is what may be touched; the caller keeps the memory alive.
 */
int shm_check_header(const uint8_t *base, uint64_t bytes, struct astshm_error *error);

enum shm_lock_state { SHM_LOCK_NONE, SHM_LOCK_WRITER, SHM_LOCK_UNKNOWN };

/* Is a writer alive? Asks the kernel with F_OFD_GETLK; never blocks. */
enum shm_lock_state shm_lock_state(int fd);

/*
 * Locks a dead writer's file, to rename or unlink it: keeps writers out and all
 * who would do the same, and is no sign of life to shm_lock_state. `fd` is open
 * for writing; closing it unlocks. -EBUSY: the writer lives; -EAGAIN: read locks
 * are in the way, or another process is at it. Never blocks.
 */
int shm_lock_retire(int fd);

/*
 * The committed size a reader may touch now: header.committed_bytes (acquire)
 * checked against fstat and the mapping. 0 if the segment is corrupt or the
 * file was truncated.
 */
uint64_t shm_committed(struct shm_segment *segment);

/*
 * A reader is about to read the committed bytes up to `bytes`: maps those not
 * asked for before in bulk, which costs a fraction of faults one by one. A hint;
 * kernels before 5.14 do not know it. Nothing happens to a file with holes, which
 * reading would give memory, and no SIGBUS comes of one that was truncated.
 */
void shm_expect(struct shm_segment *segment, uint64_t bytes);

/*
 * Element `index` of a table, or NULL when any word on the way is off: index
 * not below count, extent outside [0, committed), misaligned. Loads each
 * shared word once. `stride` is what the caller expects at least.
 */
const void *shm_table_element(const uint8_t *base, uint64_t committed,
			      const struct astshm_segment_table *table,
			      uint32_t index, uint32_t stride);

/* Elements that lie one behind the other. */
struct shm_table_run {
	const uint8_t *first; /* NULL: none */
	uint32_t step;        /* bytes from one to the next */
	uint32_t count;       /* at least 1 if there are any */
};

/* As shm_table_element, with all that follow in the same extent: for whoever
 * walks along a table, what leads to it is looked at once an extent. */
struct shm_table_run shm_table_run(const uint8_t *base, uint64_t committed,
				   const struct astshm_segment_table *table,
				   uint32_t index, uint32_t stride);

/* Extent number and place of an element. Shared by writer and readers. */
static inline void shm_table_locate(uint32_t first, uint32_t index,
				    uint32_t *extent, uint32_t *place)
{
	if (index < first) {
		*extent = 0;
		*place = index;
		return;
	}
	uint32_t ratio = index / first; /* >= 1; first is a power of two */
	uint32_t e = 32u - (uint32_t)__builtin_clz(ratio);
	*extent = e;
	*place = index - (first << (e - 1));
}

static inline uint32_t shm_table_extent_elements(uint32_t first, uint32_t extent)
{
	return extent == 0 ? first : first << (extent - 1);
}

/* The range [off, off + len) lies in [0, size), without wrap-around. */
static inline bool shm_in_bounds(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

/*
 * Calls `each` for every segment file in the default folder (names with
 * NAME~K included), sorted by name, until it returns non-zero; returns that.
 */
int shm_list(int (*each)(const char *name, const char *path, void *context), void *context);

/* Fills *error and returns code, so that `return shm_fail(...)` is a line. */
int shm_fail(struct astshm_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(3)));

/* Nanoseconds of CLOCK_REALTIME / CLOCK_MONOTONIC. */
uint64_t shm_realtime_ns(void);
uint64_t shm_monotonic_ns(void);

/* Checks of names: length, NUL-free, valid UTF-8. True if it may be stored. */
bool shm_utf8_valid(const char *text, size_t length);

/* Bytes of the well-formed character at `text`, of which `left` bytes may be
 * looked at; 0: none, or a NUL. */
size_t shm_utf8_length(const char *text, size_t left);

#endif
