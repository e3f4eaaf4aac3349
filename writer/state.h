/* SPDX-License-Identifier: MIT */
/*
 * The private side of a writer: what lives in the host's own memory.
 *
 * One mutex (lock) guards everything here and every structural change of the
 * segment. It is never held over synchronize_rcu (remove.c says why) and never
 * while a thread registers with liburcu (fork.c says why).
 */
#ifndef WRITER_STATE_H
#define WRITER_STATE_H

#include <pthread.h>
#include <stdbool.h>

#include <astshm/writer.h>

#include <segment.h>

#include "key.h"
#include "rcu.h"

#define WRITER_DEFAULT_MAX_BYTES (256ull << 20)
#define WRITER_DEFAULT_SERIES 16384u
#define WRITER_DEFAULT_THREADS 1024u
#define WRITER_DEFAULT_TAG_SETS 64u
#define WRITER_DEFAULT_HISTORY_MS 5000u
#define WRITER_DEFAULT_HISTORY_COUNT 24u
#define WRITER_DEFAULT_COARSE_MS 60000u
#define WRITER_DEFAULT_COARSE_COUNT 60u
#define WRITER_DEFAULT_HISTORY_BYTES (8ull << 20)
#define WRITER_HISTORY_LIMIT 32768u /* entries of either sort */
#define WRITER_SERIES_LIMIT ((1u << 20) - 1u)
#define WRITER_THREADS_LIMIT 65535u

/* How long a failed growth is believed before the next attempt. */
#define WRITER_FULL_NS 1000000000ull

/* A family's private side; found through the tree, never freed before close. */
struct writer_family {
	uint32_t index; /* in the segment's table */
	uint32_t kind;
	uint32_t merge;
	uint32_t name_len;
	/* Relaxed: named.c reads them without the lock to see whether a name
	 * is at its limit; a stale answer only costs a look under the lock. */
	uint32_t tag_sets;
	uint32_t tag_set_limit;
	char *unit; /* NULL: none */
	char *help;
	char name[]; /* NUL-terminated */
};

/*
 * A series as the registry knows it. Reached by name inside an RCU read
 * section, by index under the lock; freed after a grace period (remove.c).
 */
struct writer_series {
	uint64_t hash;
	struct writer_family *family;
	struct writer_series *next; /* of a batch that is being removed */
	uint32_t registrations;
	bool is_other; /* stands for the tag sets past the limit */
	/* From here on what a look-up touches, close together. */
	struct cds_lfht_node node;
	/* Epoch in which it was last shown by name; mirrors the record's word
	 * in memory that a forked child still has. Relaxed, see named.c. */
	uint64_t shown_epoch;
	uint32_t index;
	uint32_t key_len;
	uint8_t key[]; /* canonical, see key.h */
};

/*
 * What stays with an index of the directory while series come and go: blocks
 * and strings are not given back, a record is reused within its kind.
 */
struct writer_record {
	struct writer_series *series; /* NULL: unused or retired */
	uint64_t generation;
	uint64_t tags_off; /* string storage that belongs to the record */
	uint64_t shared_off;
	uint32_t tags_capacity;
	uint32_t cell;
	uint32_t next_free; /* of the same kind */
	uint8_t kind;
	uint8_t up_down; /* loaded without the lock in record.c and named.c */
	uint8_t by_handle;
	uint8_t signal_safe;
};

/* A thread slot's private side. The row stays with the slot for good. */
struct writer_slot {
	uint64_t **row; /* NULL: not made yet */
	/* Whose it is now, or NULL. Valid under the lock: a thread's exit hook
	 * takes the lock to give its slot back. */
	struct astshm_thread *owner;
	uint32_t owners;
	uint32_t next_free;
	uint32_t first_histogram; /* list of its histograms, see row.h */
};

/* The private side of the history, see history.h. */
struct writer_history {
	uint64_t off; /* of its head in the segment; 0: no entry yet */
	uint64_t sequence;
	uint64_t next_ns, next_coarse_ns; /* CLOCK_MONOTONIC: when one is due */
	uint64_t free_off; /* chunks that no entry has, linked */
	uint64_t free_count, chunk_count;
};

/* What the tick tells about a lack of room. */
struct writer_room {
	struct astshm_error why; /* of the last time; under the lock */
	uint64_t dropped;        /* in all, at the last tick */
	uint64_t looked_ns;      /* CLOCK_MONOTONIC: when that was */
};

struct astshm_writer {
	/* Must stay first: astshm_writer_recording reads it inline. 1 only
	 * while a segment is open and recording is switched on. */
	uint32_t recording;
	uint32_t number; /* which of the process's writers, from 1 */
	pthread_mutex_t lock;

	/* Process-wide unique while open, 0 when closed. Stored under the lock;
	 * relaxed loads elsewhere are checked again under it. */
	uint64_t generation;
	bool paused;  /* switched off at run time */
	bool foreign; /* a forked child has not reopened it yet */
	bool closing; /* not free for another open yet (open.c) */

	struct shm_segment segment;
	struct astshm_segment_header *header;
	/* Address range kept between segments, so that a record overlapping a
	 * close hits memory; in use while a segment lies there. */
	void *reserve;
	uint64_t reserve_bytes;
	/* Rows that threads had when the last segment was closed; kept until the
	 * next open for the same reason. A list, see row.h. */
	uint64_t **parked_rows;
	struct shm_create how;
	char *name_template;
	char name[PATH_MAX];
	struct astshm_writer_options options;

	/* allocation (storage.c) */
	uint64_t frontier; /* first byte never handed out */
	uint64_t small_off, small_end; /* run that small pieces are cut from */
	/* CLOCK_MONOTONIC_COARSE ns until which "full" is believed; 0: not
	 * full. Of the segment, and of the directory by kind. Relaxed. */
	uint64_t full_until_ns;
	uint64_t directory_full_until_ns[5];
	struct writer_room room;

	/* registry */
	struct cds_lfht *table;
	uint64_t hash_seed;
	void *family_tree; /* tsearch(3) */
	struct writer_family **families;
	uint32_t family_count, family_capacity;
	/* row_entries of them, so that a stale handle of a larger predecessor
	 * does not reach past the end. */
	struct writer_record *records;
	uint32_t record_count;
	uint32_t counter_count; /* cells handed out */
	uint32_t free_record[5]; /* by kind; 0: none */
	uint64_t epoch; /* mirror of header->epoch for named.c, relaxed */
	/* Raised under the lock for each series taken out of the table, before
	 * its grace period, and at close; never starts over. See named.c. */
	uint64_t removals;

	/* threads */
	struct writer_slot *slots; /* options.max_threads + 1 of them */
	uint32_t slot_count;
	uint32_t free_slot; /* 0: none */
	/* Raised when a slot is freed; a thread without one compares it with
	 * what it saw when it was refused. Relaxed. */
	uint32_t slots_freed;
	size_t row_entries;
	/* Cells for signal handlers by index, in memory a child finds zeroed.
	 * Stored release at registration, acquire in the handler. */
	uint64_t **signal_cells;

	struct writer_history history;
	struct writer_health *health; /* see health.h; NULL: not recorded yet */
	pthread_mutex_t tick_turn; /* held through a tick: one at a time */
	pthread_t tick_thread;
	pthread_mutex_t tick_lock;
	pthread_cond_t tick_wake;
	bool tick_running, tick_stop;

	/* in-process reading (get.c), under a lock of its own */
	pthread_mutex_t reader_lock;
	struct astshm_reader *reader;
};

_Static_assert(offsetof(struct astshm_writer, recording) == 0, "astshm_writer_recording");

/* All writers of this process; never freed, so that stale handles are safe.
 * Number 0 is what ASTSHM_OPEN_DISABLED gives: closed for ever. */
extern struct astshm_writer writer_all[ASTSHM_WRITER_NUMBERS];

static inline bool writer_is_disabled(const struct astshm_writer *writer)
{
	return !writer || writer == &writer_all[0];
}

/* The switch, in both places where inline code looks. Under the lock or before
 * the writer is known to anybody. Relaxed: astshm_recording. */
static inline void writer_switch(struct astshm_writer *writer, bool on)
{
	__atomic_store_n(&writer->recording, on, __ATOMIC_RELAXED);
	__atomic_store_n(&astshm_recording[writer->number], on, __ATOMIC_RELAXED);
}

/* The writer a handle belongs to, or NULL for garbage. */
static inline struct astshm_writer *writer_of(uint32_t number)
{
	return number < ASTSHM_WRITER_NUMBERS ? &writer_all[number] : NULL;
}

static inline void *writer_at(const struct astshm_writer *writer, uint64_t off)
{
	return writer->segment.base + off;
}

#endif
