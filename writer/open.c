/* SPDX-License-Identifier: MIT */
/* Opening, closing and reopening a writer; the switch of recording. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "fork.h"
#include "gate.h"
#include "health.h"
#include "history.h"
#include "registry.h"
#include "row.h"
#include "storage.h"
#include "thread.h"
#include "tick.h"

/* Header, the first extents of the tables and a run of small pieces. */
#define FIRST_BYTES 65536u
#define DEFAULT_MODE 0640
#define DEFAULT_KEEP 1u
#define DEFAULT_TICK_MS 1000u
#define PID_PLACEHOLDER "{pid}"

/* The number is constant: exit hooks of threads read it without any lock. */
#define WRITER_CLOSED(n)                                                        \
	{                                                                       \
		.number = (n),                                                  \
		.lock = PTHREAD_MUTEX_INITIALIZER,                              \
		.reader_lock = PTHREAD_MUTEX_INITIALIZER,                       \
		.tick_lock = PTHREAD_MUTEX_INITIALIZER,                         \
		.tick_turn = PTHREAD_MUTEX_INITIALIZER,                         \
		.segment = SHM_SEGMENT_INIT,                                    \
	}

uint32_t astshm_recording[ASTSHM_WRITER_NUMBERS];

struct astshm_writer writer_all[ASTSHM_WRITER_NUMBERS] = {
	WRITER_CLOSED(0), WRITER_CLOSED(1), WRITER_CLOSED(2), WRITER_CLOSED(3), WRITER_CLOSED(4),
};

static uint64_t last_generation;

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}

static uint32_t count_or_default(uint32_t value, uint32_t standard)
{
	return value == ASTSHM_HISTORY_NONE ? 0 : or_default(value, standard);
}

static void set_history(struct astshm_writer_options *mine)
{
	mine->history_ms = or_default(mine->history_ms, WRITER_DEFAULT_HISTORY_MS);
	mine->history_coarse_ms = or_default(mine->history_coarse_ms, WRITER_DEFAULT_COARSE_MS);
	mine->history_count = count_or_default(mine->history_count, WRITER_DEFAULT_HISTORY_COUNT);
	mine->history_coarse_count =
		count_or_default(mine->history_coarse_count, WRITER_DEFAULT_COARSE_COUNT);
	/* Else the youngest entry would be there until the next one. */
	if (mine->history_count == 0 && mine->history_coarse_count == 0)
		mine->history_ms = ASTSHM_HISTORY_NONE;
	mine->history_bytes =
		mine->history_bytes ? mine->history_bytes : WRITER_DEFAULT_HISTORY_BYTES;
}

static int check_history(const struct astshm_writer_options *mine, struct astshm_error *error)
{
	if (mine->history_count > WRITER_HISTORY_LIMIT ||
	    mine->history_coarse_count > WRITER_HISTORY_LIMIT)
		return shm_fail(error, -EINVAL, "a history of %u and %u entries: at most %u of "
				"each are possible", mine->history_count,
				mine->history_coarse_count, WRITER_HISTORY_LIMIT);
	return 0;
}

static int set_options(struct astshm_writer *writer, const struct astshm_writer_options *given,
		       struct astshm_error *error)
{
	struct astshm_writer_options *mine = &writer->options;

	memset(mine, 0, sizeof *mine);
	if (given)
		memcpy(mine, given, given->size < sizeof *mine ? given->size : sizeof *mine);
	mine->max_bytes = mine->max_bytes ? mine->max_bytes : WRITER_DEFAULT_MAX_BYTES;
	mine->max_series = or_default(mine->max_series, WRITER_DEFAULT_SERIES);
	mine->max_threads = or_default(mine->max_threads, WRITER_DEFAULT_THREADS);
	mine->max_tag_sets = or_default(mine->max_tag_sets, WRITER_DEFAULT_TAG_SETS);
	mine->tick_ms = or_default(mine->tick_ms, DEFAULT_TICK_MS);
	set_history(mine);
	mine->mode = mine->mode ? mine->mode : DEFAULT_MODE;
	if (mine->max_series > WRITER_SERIES_LIMIT)
		return shm_fail(error, -EINVAL, "max_series is %u, at most %u are possible",
				mine->max_series, WRITER_SERIES_LIMIT);
	if (mine->max_threads > WRITER_THREADS_LIMIT)
		return shm_fail(error, -EINVAL, "max_threads is %u, at most %u are possible",
				mine->max_threads, WRITER_THREADS_LIMIT);
	if (mine->mode & ~(mode_t)0777)
		return shm_fail(error, -EINVAL, "mode %o: only permission bits are allowed",
				(unsigned)mine->mode);
	return check_history(mine, error);
}

static int find_group(const char *group, gid_t *gid, struct astshm_error *error)
{
	char buffer[4096], *end;
	struct group entry, *found = NULL;

	*gid = (gid_t)-1;
	if (!group)
		return 0;
	if (getgrnam_r(group, &entry, buffer, sizeof buffer, &found) == 0 && found) {
		*gid = found->gr_gid;
		return 0;
	}
	unsigned long number = strtoul(group, &end, 10);
	if (*group < '0' || *group > '9' || *end || number >= (gid_t)-1)
		return shm_fail(error, -EINVAL, "there is no group '%s'", group);
	*gid = (gid_t)number;
	return 0;
}

/* Puts the process id for each {pid} of the template. */
static int expand_name(struct astshm_writer *writer, struct astshm_error *error)
{
	const char *from = writer->name_template;
	char *to = writer->name;
	size_t room = sizeof writer->name;

	while (*from && room > 1) {
		int took = 1;
		if (strncmp(from, PID_PLACEHOLDER, sizeof PID_PLACEHOLDER - 1) == 0) {
			took = snprintf(to, room, "%ld", (long)getpid());
			from += sizeof PID_PLACEHOLDER - 1;
		} else {
			*to = *from++;
		}
		if ((size_t)took >= room)
			break;
		to += took;
		room -= (size_t)took;
	}
	*to = '\0';
	return *from ? shm_fail(error, -ENAMETOOLONG, "the segment's name is too long") : 0;
}

/* A kept address range serves a segment that is no larger. */
static void fit_reserve(struct astshm_writer *writer)
{
	uint64_t bytes = writer->options.max_bytes;

	if (writer->reserve && writer->reserve_bytes < bytes) {
		(void)munmap(writer->reserve, writer->reserve_bytes);
		writer->reserve = NULL;
	}
	if (!writer->reserve)
		writer->reserve_bytes = bytes;
}

static int set_how(struct astshm_writer *writer, struct astshm_error *error)
{
	const struct astshm_writer_options *options = &writer->options;
	int result = expand_name(writer, error);

	if (result < 0)
		return result;
	fit_reserve(writer);
	writer->how = (struct shm_create){
		.name = writer->name,
		.mode = options->mode,
		.max_bytes = options->max_bytes,
		.keep = options->keep_dead == ASTSHM_KEEP_NONE
				? 0
				: or_default(options->keep_dead, DEFAULT_KEEP),
		.reserve = writer->reserve,
	};
	return find_group(options->group, &writer->how.group, error);
}

/* Fills the fresh, still unnamed segment. */
static int format_segment(struct astshm_writer *writer)
{
	struct astshm_segment_header *header =
		(struct astshm_segment_header *)(void *)writer->segment.base;

	writer->header = header;
	writer->frontier = ASTSHM_SEGMENT_HEADER_BYTES;
	writer->small_off = writer->small_end = 0;
	writer->full_until_ns = 0;
	memset(writer->directory_full_until_ns, 0, sizeof writer->directory_full_until_ns);
	writer->room = (struct writer_room){ 0 };
	writer->epoch = header->epoch;
	header->recording = !writer->paused;
	int result = writer_registry_format(writer);
	if (result == 0)
		result = writer_thread_init_slots(writer);
	if (result == 0)
		result = writer_registry_republish(writer);
	return result;
}

static void drop_segment(struct astshm_writer *writer)
{
	for (uint32_t i = 0; i < writer->slot_count; i++)
		writer_row_destroy(writer->slots[i].row);
	writer->slot_count = writer->free_slot = 0;
	writer_history_clear(&writer->history);
	shm_close(&writer->segment, &writer->reserve);
	writer->header = NULL;
}

static int create_segment(struct astshm_writer *writer, struct astshm_error *error)
{
	int result = set_how(writer, error);

	if (result < 0)
		return result;
	result = shm_create(&writer->segment, &writer->how, FIRST_BYTES, error);
	/* The segment lies there now; or it failed, and may have unmapped it. */
	writer->reserve = NULL;
	if (result < 0)
		return result;
	result = format_segment(writer);
	if (result < 0)
		shm_fail(error, result, "no room for an empty segment: raise max_bytes or free "
			 "space on its file system");
	else
		result = shm_publish(&writer->segment, &writer->how, error);
	if (result < 0)
		drop_segment(writer);
	return result;
}

/* Memory that is as large as the limits, touched only as far as used. */
static int allocate(struct astshm_writer *writer)
{
	size_t entries = ((size_t)writer->options.max_series + ASTSHM_CHUNK_CELLS) /
			 ASTSHM_CHUNK_CELLS * ASTSHM_CHUNK_CELLS;

	/* Never smaller than before: a stale handle of a closed writer must not
	 * reach past the row of its successor. */
	if (entries > writer->row_entries)
		writer->row_entries = entries;
	writer_row_destroy_parked(&writer->parked_rows);
	writer->slots = calloc((size_t)writer->options.max_threads + 1, sizeof *writer->slots);
	writer->signal_cells = writer_row_create(writer->row_entries);
	if (!writer->slots || !writer->signal_cells)
		return -ENOMEM;
	return writer_registry_init(writer);
}

static void release(struct astshm_writer *writer)
{
	writer_row_destroy(writer->signal_cells);
	free(writer->slots);
	free(writer->name_template);
	free((char *)writer->options.group);
	writer_health_close(writer);
	writer->signal_cells = NULL;
	writer->slots = NULL;
	writer->name_template = NULL;
	writer->options.group = NULL;
}

static int copy_strings(struct astshm_writer *writer, const char *name)
{
	const char *group = writer->options.group;

	writer->options.group = group ? strdup(group) : NULL;
	writer->name_template = strdup(name);
	return writer->name_template && (!group || writer->options.group) ? 0 : -ENOMEM;
}

static void start(struct astshm_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->foreign = false;
	__atomic_store_n(&writer->generation, ++last_generation, __ATOMIC_RELAXED);
	writer_switch(writer, !writer->paused);
	pthread_mutex_unlock(&writer->lock);
	if (writer->options.flags & ASTSHM_OPEN_TICK_THREAD)
		writer_tick_start(writer);
}

static int open_locked(struct astshm_writer *writer, const char *name,
		       const struct astshm_writer_options *options, struct astshm_error *error)
{
	int result = set_options(writer, options, error);

	if (result < 0)
		return result;
	writer->paused = (writer->options.flags & ASTSHM_OPEN_PAUSED) != 0;
	result = copy_strings(writer, name);
	if (result == 0)
		result = allocate(writer);
	if (result == 0)
		result = create_segment(writer, error);
	else
		shm_fail(error, result, "out of memory");
	if (result < 0) {
		writer_registry_fini(writer);
		release(writer);
		return result;
	}
	if (writer->options.flags & ASTSHM_OPEN_NO_RCU_ATFORK)
		writer_fork_leave_rcu_alone();
	start(writer);
	return 0;
}

static struct astshm_writer *find_closed(void)
{
	for (uint32_t i = 1; i < ASTSHM_WRITER_NUMBERS; i++)
		if (writer_all[i].generation == 0 && !writer_all[i].closing)
			return &writer_all[i];
	return NULL;
}

static bool disabled_by_environment(void)
{
	const char *value = getenv("ASTSHM_DISABLE");
	return value && strcmp(value, "1") == 0;
}

static int open_any(struct astshm_writer **out, const char *name,
		    const struct astshm_writer_options *options, struct astshm_error *error)
{
	int result = writer_fork_init();

	if (result < 0)
		return shm_fail(error, result, "out of memory");
	if (writer_process_forked())
		writer_fork_adopt();
	struct astshm_writer *writer = find_closed();
	if (!writer)
		return shm_fail(error, -EMFILE, "this process writes %u segments already",
				ASTSHM_WRITERS_MAX);
	writer_clock_calibrate();
	result = open_locked(writer, name, options, error);
	if (result == 0)
		*out = writer;
	return result;
}

int astshm_writer_open_abi(struct astshm_writer **writer, const char *name,
			   const struct astshm_writer_options *options, uint32_t abi,
			   struct astshm_error *error)
{
	*writer = NULL;
	if (error)
		memset(error, 0, sizeof *error);
	if (abi != ASTSHM_ABI || (options && options->size < sizeof(size_t) + sizeof(unsigned)))
		return shm_fail(error, -EPROTONOSUPPORT,
				"the program was compiled for ABI %08x of libastshm-writer, this "
				"is ABI %08x: compile it again", abi, ASTSHM_ABI);
	if ((options && options->flags & ASTSHM_OPEN_DISABLED) || disabled_by_environment()) {
		*writer = &writer_all[0];
		return 0;
	}
	if (!name || !*name)
		return shm_fail(error, -EINVAL, "a segment needs a name");
	/* A failed open takes its table apart inside a read section: registered
	 * with liburcu here, not under the lock that fork takes after liburcu's. */
	writer_thread_prepare();
	pthread_mutex_lock(&writer_open_lock);
	int result = open_any(writer, name, options, error);
	pthread_mutex_unlock(&writer_open_lock);
	return result;
}

static void mark_closed(struct astshm_writer *writer)
{
	struct astshm_segment_header *header = writer->header;

	pthread_mutex_lock(&writer->lock);
	writer_switch(writer, false);
	writer_gate_shut_all(writer);
	writer_thread_leave_all(writer);
	__atomic_store_n(&writer->generation, 0, __ATOMIC_RELAXED);
	/* The uptime of a closed segment ends here. */
	__atomic_store_n(&header->heartbeat_monotonic_ns, shm_monotonic_ns(), __ATOMIC_RELAXED);
	/* Release: a reader that sees "closed" sees the last values. */
	__atomic_store_n(&header->state, ASTSHM_SEGMENT_CLOSED, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&writer->lock);
}

void astshm_writer_close(struct astshm_writer **pointer)
{
	struct astshm_writer *writer = *pointer;

	*pointer = NULL;
	if (writer_is_disabled(writer))
		return;
	if (!writer_process_forked())
		writer_tick_stop(writer); /* its thread is not in a child */
	pthread_mutex_lock(&writer_open_lock);
	if (writer_process_forked())
		writer_fork_adopt();
	writer->closing = true;
	if (writer->header) {
		mark_closed(writer);
		if (!(writer->options.flags & ASTSHM_OPEN_KEEP))
			shm_remove_name(&writer->segment);
		astshm_reader_close(&writer->reader);
		drop_segment(writer);
	}
	writer->generation = 0;
	writer->foreign = false;
	pthread_mutex_unlock(&writer_open_lock);
	/* Waits for a grace period, so without the lock that fork.c takes after
	 * liburcu's; `closing` keeps the writer from being opened meanwhile. */
	writer_registry_fini(writer);
	pthread_mutex_lock(&writer_open_lock);
	release(writer);
	writer->closing = false;
	pthread_mutex_unlock(&writer_open_lock);
}

static void forget_values(struct astshm_writer *writer)
{
	memset(writer->slots, 0, ((size_t)writer->options.max_threads + 1) * sizeof *writer->slots);
	writer->slot_count = writer->free_slot = 0;
	for (uint32_t i = 1; i < writer->record_count; i++)
		if (writer->records[i].series)
			writer->records[i].series->shown_epoch = 0;
}

int astshm_writer_reopen(struct astshm_writer *writer, struct astshm_error *error)
{
	int result = 0;

	if (writer_is_disabled(writer))
		return 0;
	pthread_mutex_lock(&writer_open_lock);
	if (writer_process_forked())
		writer_fork_adopt();
	if (!writer->foreign)
		result = shm_fail(error, -EINVAL, "only a forked child reopens a writer");
	if (result == 0) {
		forget_values(writer);
		result = create_segment(writer, error);
	}
	if (result == 0)
		start(writer);
	pthread_mutex_unlock(&writer_open_lock);
	return result;
}

void astshm_writer_set_recording(struct astshm_writer *writer, bool on)
{
	if (!writer_is_reachable(writer))
		return;
	pthread_mutex_lock(&writer->lock);
	if (writer->generation && !writer->foreign) {
		writer->paused = !on;
		/* The switch first, then the gates: a first touch looks at the
		 * switch under this lock before it opens a gate again. */
		writer_switch(writer, on);
		__atomic_store_n(&writer->header->recording, on, __ATOMIC_RELAXED);
		if (!on)
			writer_gate_shut_all(writer);
	}
	pthread_mutex_unlock(&writer->lock);
}

const char *astshm_writer_path(const struct astshm_writer *writer)
{
	return writer && writer->header ? writer->segment.path : "";
}
