/* SPDX-License-Identifier: MIT */
/* Readers: open, follow a name, close; and what their calls have in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "attachment.h"
#include "collect.h"
#include "head.h"

#define DEADLINE_NS INT64_C(2000000000)
#define WAIT_STEP_NS 5000000L

static int fail_memory(struct astshm_error *error)
{
	return shm_fail(error, -ENOMEM, "out of memory");
}

/* The text for what a pass says by code alone. */
static int fail_pass(int code, struct astshm_error *error)
{
	switch (code) {
	case -EBADMSG:
		return shm_fail(error, code, "the segment is corrupt, or its file was truncated");
	case -ETIMEDOUT:
		return shm_fail(error, code, "no undisturbed pass before the deadline");
	case -ENOMEM:
		return fail_memory(error);
	default:
		return shm_fail(error, code, "cannot read the segment: %s", strerror(-code));
	}
}

/* --- views ------------------------------------------------------------ */

static int memory_view(const struct astshm_reader *reader, struct reader_view *view)
{
	const struct astshm_segment_header *header =
		(const struct astshm_segment_header *)(const void *)reader->base;
	/* Acquire: pairs with the release in shm_grow. */
	view->committed = load_acquire(&header->committed_bytes);
	if (view->committed < ASTSHM_SEGMENT_HEADER_BYTES ||
	    view->committed > reader->memory_bytes)
		return -EBADMSG;
	return 0;
}

int reader_view(struct astshm_reader *reader, struct reader_view *view)
{
	*view = (struct reader_view){ .base = reader->base, .deadline_ns = UINT64_MAX };
	if (reader->segment.fd < 0)
		return memory_view(reader, view);
	view->committed = shm_committed(&reader->segment);
	if (view->committed == 0 || sigbus_broken(reader->range))
		return -EBADMSG;
	return 0;
}

int reader_view_cached(struct astshm_reader *reader, struct reader_view *view)
{
	*view = (struct reader_view){ .base = reader->base, .deadline_ns = UINT64_MAX };
	if (reader->segment.fd < 0)
		return memory_view(reader, view);
	if (sigbus_broken(reader->range))
		return -EBADMSG;
	view->committed = load_acquire(&view_header(view)->committed_bytes);
	if (view->committed > reader->segment.file_bytes)
		return reader_view(reader, view);
	return view->committed < ASTSHM_SEGMENT_HEADER_BYTES ? -EBADMSG : 0;
}

/* --- attaching --------------------------------------------------------- */

static void detach(struct astshm_reader *reader)
{
	directory_clear(&reader->directory);
	sigbus_leave(reader->range);
	reader->range = NULL;
	shm_close(&reader->segment, NULL);
}

/* Takes over a segment that shm_attach opened. */
static void adopt(struct astshm_reader *reader, const struct shm_segment *segment)
{
	reader->segment = *segment;
	reader->base = segment->base;
	reader->range = sigbus_enter(segment->base, segment->map_bytes);
	reader->attachment++;
}

/* Parses the directory, so that attaching is when a corrupt one shows. */
static int first_look(struct astshm_reader *reader)
{
	struct reader_view view;
	int code = reader_view(reader, &view);
	if (code != 0)
		return code;
	view.deadline_ns = shm_monotonic_ns() + (uint64_t)reader->deadline_ns;
	struct collect_stamp stamp = collect_stamp(&view);
	code = directory_update(&reader->directory, &view, stamp.retiring, false);
	return code == 0 && sigbus_broken(reader->range) ? -EBADMSG : code;
}

static bool time_left(uint64_t start_ns, int64_t wait_ns)
{
	return wait_ns > 0 && shm_monotonic_ns() - start_ns < (uint64_t)wait_ns;
}

/* Tries until there is such a segment, for at most wait_ns. */
static int attach_waiting(struct shm_segment *segment, const char *argument, int64_t wait_ns,
			  struct astshm_error *error)
{
	const struct timespec step = { 0, WAIT_STEP_NS };
	uint64_t start_ns = shm_monotonic_ns();
	char path[PATH_MAX];
	for (;;) {
		int code = shm_resolve(argument, path, error);
		if (code == 0)
			code = shm_attach(segment, path, error);
		if (code != -ENOENT || !time_left(start_ns, wait_ns))
			return code;
		nanosleep(&step, NULL);
	}
}

static struct astshm_reader *reader_create(const struct astshm_reader_options *options)
{
	size_t slots_bytes = ASTSHM_HISTOGRAM_SLOTS * sizeof(uint64_t);
	struct astshm_reader *reader = calloc(1, sizeof *reader);
	if (reader == NULL)
		return NULL;
	reader->segment.fd = -1;
	reader->deadline_ns = options->deadline_ns > 0 ? options->deadline_ns : DEADLINE_NS;
	reader->follow = options->follow;
	reader->slots[0] = aligned_alloc(64, 2 * slots_bytes);
	if (reader->slots[0] == NULL) {
		free(reader);
		return NULL;
	}
	reader->slots[1] = reader->slots[0] + ASTSHM_HISTOGRAM_SLOTS;
	return reader;
}

int astshm_reader_open(struct astshm_reader **reader, const char *segment,
		       const struct astshm_reader_options *options, struct astshm_error *error)
{
	static const struct astshm_reader_options defaults = ASTSHM_READER_OPTIONS_INIT;
	if (options == NULL)
		options = &defaults;
	if (reader == NULL || segment == NULL || options->size < sizeof *options)
		return shm_fail(error, -EINVAL, "bad argument");
	struct astshm_reader *made = reader_create(options);
	if (made == NULL)
		return fail_memory(error);
	struct shm_segment found = SHM_SEGMENT_INIT;
	int code = attach_waiting(&found, segment, options->wait_ns, error);
	if (code != 0) {
		astshm_reader_close(&made);
		return code;
	}
	adopt(made, &found);
	code = first_look(made);
	if (code != 0) {
		astshm_reader_close(&made);
		return fail_pass(code, error);
	}
	*reader = made;
	return 0;
}

int astshm_reader_open_memory(struct astshm_reader **reader, const void *base, uint64_t bytes,
			      struct astshm_error *error)
{
	static const struct astshm_reader_options defaults = ASTSHM_READER_OPTIONS_INIT;
	if (reader == NULL || base == NULL || (uintptr_t)base % ASTSHM_SEGMENT_ALIGN != 0)
		return shm_fail(error, -EINVAL, "bad argument");
	int code = shm_check_header(base, bytes, error);
	if (code != 0)
		return code;
	struct astshm_reader *made = reader_create(&defaults);
	if (made == NULL)
		return fail_memory(error);
	made->base = base;
	made->memory_bytes = bytes;
	made->attachment = 1;
	code = first_look(made);
	if (code != 0) {
		astshm_reader_close(&made);
		return fail_pass(code, error);
	}
	*reader = made;
	return 0;
}

void astshm_reader_close(struct astshm_reader **reader)
{
	if (reader == NULL || *reader == NULL)
		return;
	struct astshm_reader *gone = *reader;
	*reader = NULL;
	detach(gone);
	free(gone->slots[0]);
	free(gone->totals);
	free(gone->entry_bytes.start);
	free(gone);
}

/* --- state -------------------------------------------------------------- */

static bool is_replaced(const struct astshm_reader *reader)
{
	struct stat named;
	/* No name at all is no answer: it may be being replaced this moment. */
	if (lstat(reader->segment.path, &named) != 0)
		return false;
	return named.st_dev != reader->segment.device || named.st_ino != reader->segment.inode;
}

static bool is_closed(const struct astshm_reader *reader)
{
	struct reader_view view = { .base = reader->base };
	return load_acquire32(&view_header(&view)->state) == ASTSHM_SEGMENT_CLOSED;
}

enum astshm_state astshm_reader_state(struct astshm_reader *reader)
{
	struct reader_view view;
	if (reader->segment.fd < 0)
		return is_closed(reader) ? ASTSHM_STATE_CLOSED : ASTSHM_STATE_LIVE;
	if (is_replaced(reader))
		return ASTSHM_STATE_REPLACED;
	enum shm_lock_state lock = shm_lock_state(reader->segment.fd);
	/* The header of a truncated file is not touched. */
	if (reader_view(reader, &view) == 0 && is_closed(reader))
		return ASTSHM_STATE_CLOSED;
	return lock == SHM_LOCK_NONE ? ASTSHM_STATE_DEAD : ASTSHM_STATE_LIVE;
}

const char *astshm_state_name(enum astshm_state state)
{
	switch (state) {
	case ASTSHM_STATE_LIVE:
		return "live";
	case ASTSHM_STATE_CLOSED:
		return "closed";
	case ASTSHM_STATE_DEAD:
		return "dead";
	case ASTSHM_STATE_REPLACED:
		return "replaced";
	case ASTSHM_STATE_NONE:
		break;
	}
	return "none";
}

void reader_follow(struct astshm_reader *reader)
{
	struct shm_segment found = SHM_SEGMENT_INIT;
	if (!reader->follow || reader->segment.fd < 0 || !is_replaced(reader))
		return;
	if (shm_attach(&found, reader->segment.path, NULL) != 0)
		return;
	detach(reader);
	adopt(reader, &found);
}

/* --- snapshots ----------------------------------------------------------- */

static int take_snapshot(struct astshm_reader *reader, unsigned flags,
			 struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	struct astshm_snapshot *made;
	reader_follow(reader);
	int code = collect_snapshot(reader, flags, &made);
	if (code == 0 && sigbus_broken(reader->range)) {
		astshm_snapshot_free(&made);
		code = -EBADMSG;
	}
	if (code != 0)
		return fail_pass(code, error);
	*snapshot = made;
	return 0;
}

static int check_flags(unsigned flags, struct astshm_error *error)
{
	if ((flags & ~(unsigned)ASTSHM_PER_THREAD) != 0)
		return shm_fail(error, -EINVAL, "unknown flags");
	return 0;
}

int astshm_reader_snapshot(struct astshm_reader *reader, unsigned flags,
			   struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	int code = check_flags(flags, error);
	return code == 0 ? take_snapshot(reader, flags, snapshot, error) : code;
}

int reader_snapshot_rows(struct astshm_reader *reader, unsigned flags,
			 struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	int code = check_flags(flags, error);
	return code == 0 ? take_snapshot(reader, flags | COLLECT_ROWS, snapshot, error) : code;
}

int reader_head(struct astshm_reader *reader, struct astshm_snapshot **head,
		struct astshm_error *error)
{
	return take_snapshot(reader, COLLECT_HEAD, head, error);
}
