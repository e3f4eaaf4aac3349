/* SPDX-License-Identifier: MIT */
/*
 * Reading a segment: attach, snapshot, and what to do with a snapshot.
 *
 * Nothing here writes to a segment, takes a lock the writer can see, or waits
 * without a deadline. A segment is a stranger's input: whatever its bytes say,
 * these functions return a snapshot (with bad_records > 0 where something was
 * off) or an error.
 *
 * Threads: an astshm_reader serves one thread at a time. A finished snapshot
 * is constant and may be used by any number of threads; it outlives its reader.
 */
#ifndef ASTSHM_READER_H
#define ASTSHM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ */
/* Attaching                                                          */
/* ------------------------------------------------------------------ */

struct astshm_reader;

/* What is known of the writer behind a segment. */
enum astshm_state {
	ASTSHM_STATE_NONE = 0,     /* no segment behind it (merged, empty) */
	ASTSHM_STATE_LIVE = 1,     /* the writer holds its lock */
	ASTSHM_STATE_CLOSED = 2,   /* the writer closed it in good order */
	ASTSHM_STATE_DEAD = 3,     /* the lock is gone, the segment was not closed */
	ASTSHM_STATE_REPLACED = 4, /* the name leads to another file by now */
};

struct astshm_reader_options {
	size_t size;         /* sizeof(struct astshm_reader_options) */
	int64_t wait_ns;     /* wait that long for the segment to appear; 0: do not */
	int64_t deadline_ns; /* most time one attach or snapshot may take; 0: 2 s */
	bool follow;         /* re-attach when the name leads to a new segment */
};

#define ASTSHM_READER_OPTIONS_INIT { sizeof(struct astshm_reader_options), 0, 0, true }

/*
 * Attaches to `segment`: a name, a pid, or a path (holds a '/'). NULL options:
 * the defaults above. On success *reader is to be closed by the caller.
 *
 * Errors: -ENOENT no such segment; -EACCES, -EPERM no permission;
 * -EPROTONOSUPPORT another version or byte order; -EBADMSG corrupt;
 * -EINVAL bad argument; -ETIMEDOUT deadline; -ENOMEM, -EMFILE, ... as open(2)
 * and mmap(2). Allocates; blocks only for wait_ns.
 */
ASTSHM_API int astshm_reader_open(struct astshm_reader **reader, const char *segment,
				  const struct astshm_reader_options *options,
				  struct astshm_error *error);

/*
 * The same over bytes in memory, which stay the caller's and must outlive the
 * reader: an image of a segment, or a writer's own mapping. `bytes` is the
 * most that may be touched. State is live unless the header says closed.
 */
ASTSHM_API int astshm_reader_open_memory(struct astshm_reader **reader, const void *base,
					 uint64_t bytes, struct astshm_error *error);

/* Detaches and frees; *reader becomes NULL. NULL is allowed. */
ASTSHM_API void astshm_reader_close(struct astshm_reader **reader);

/* Asks the kernel and the name. One or two system calls, never blocks. */
ASTSHM_API enum astshm_state astshm_reader_state(struct astshm_reader *reader);

/* "live", "closed", "dead", "replaced", "none". */
ASTSHM_API const char *astshm_state_name(enum astshm_state state);

/*
 * For a program's SIGBUS handler (a reader's mapping of a file that somebody
 * truncated): if `address` (siginfo_t.si_addr) lies in a segment that a reader
 * has mapped, replaces the missing page by zeroes, marks the reader broken
 * (its calls then give -EBADMSG) and returns true; else returns false and
 * the handler should do what it would have done. Async-signal-safe.
 */
ASTSHM_API bool astshm_reader_handle_sigbus(const void *address);

/* A segment as astshm_list sees it. Strings live for the call. */
struct astshm_listing {
	const char *name;
	const char *path;
	int error;               /* 0, or why its header could not be read */
	enum astshm_state state;
	uint32_t pid;
	uint64_t age_ns;         /* since creation */
	uint64_t heartbeat_age_ns; /* UINT64_MAX: nobody beats */
	uint64_t bytes;          /* committed */
	uint64_t series;         /* live, of all kinds */
	uint64_t threads;        /* slots in use */
	uint64_t generation;
	uint64_t heartbeat_period_ns; /* 0: nobody beats */
};

/*
 * Calls `each` for every segment of this machine's default folder, sorted by
 * name, until it returns non-zero; returns that, or 0, or a negative errno.
 */
ASTSHM_API int astshm_list(int (*each)(const struct astshm_listing *listing, void *context),
			   void *context, struct astshm_error *error);

/*
 * The same of the one segment at `path`, which holds a '/' and may lie anywhere;
 * both strings of *listing are `path` itself. -ENOENT: there is no such file;
 * -EINVAL: not a path. Anything else that is wrong stands in listing->error.
 */
ASTSHM_API int astshm_list_path(const char *path, struct astshm_listing *listing,
				struct astshm_error *error);

/*
 * Unlinks a segment whose writer is dead or closed. -EBUSY: the writer lives, or
 * another process has a lock on it. -EBADMSG: not a segment (a symbolic link, a
 * folder, some other file).
 * Compares the locked file with the name before it unlinks (a new writer may
 * have taken the name meanwhile: then -EAGAIN and nothing is removed).
 */
ASTSHM_API int astshm_prune(const char *path, struct astshm_error *error);

/* ------------------------------------------------------------------ */
/* Snapshots                                                          */
/* ------------------------------------------------------------------ */

struct astshm_snapshot;

/*
 * A histogram in a snapshot. Timings: nanoseconds, buckets aligned to seconds;
 * distributions: the unit itself. Slot numbers as in <astshm/layout.h>.
 */
struct astshm_histogram {
	uint64_t count;    /* always the sum of all slots */
	uint64_t sum;      /* low and high word of a 128-bit sum */
	uint64_t sum_hi;
	uint64_t min;      /* exact; meaningful if count > 0 and has_extremes */
	uint64_t max;
	uint64_t zero_count;
	uint64_t overflow_count;
	const uint64_t *slots;  /* slots[i] counts slot first_slot + i, 1..3062 */
	uint32_t first_slot;
	uint32_t slot_count;    /* 0: no regular sample, or no buckets kept */
	bool has_buckets;       /* false after decoding a document without */
	bool has_extremes;      /* false in interval views: min/max unknown */
};

struct astshm_gauge_value {
	double current;
	uint64_t count; /* finite values set since the last reset */
	double sum;
	double min;     /* meaningful if count > 0 */
	double max;
};

struct astshm_counter_value {
	int64_t value;     /* total since reset; up-down counters may be < 0 */
	int64_t increase;  /* interval views only; < 0 for up-down counters alone */
	double rate;       /* increase per second; interval views only */
	bool has_rate;
};

/* What one thread slot added to a series. */
struct astshm_thread_value {
	uint32_t slot;
	uint32_t tid;
	uint32_t owners;
	char name[17]; /* NUL-terminated, made valid UTF-8 */
	union {
		int64_t counter; /* since the segment was made: resets leave it */
		struct astshm_gauge_value gauge; /* current: of the whole series */
		struct astshm_histogram histogram;
	};
};

/* A family: what is common to the series of one (kind, name). */
struct astshm_family {
	enum astshm_kind kind;
	enum astshm_merge merge;
	bool monotonic;    /* counters: none of its series is up-down */
	const char *name;
	const char *unit;  /* "" if none was given; timings: "seconds" */
	const char *help;  /* "" if none was given */
	uint32_t name_len, unit_len, help_len;
};

/* A tag in a snapshot. NUL-terminated; the NUL is not counted. */
struct astshm_label {
	const char *key;
	const char *value;
	uint32_t key_len, value_len;
};

/*
 * One series of a snapshot. All pointers belong to the snapshot. `key` is what
 * people see: name, or name[k=v,...] with tags sorted and escaped.
 */
struct astshm_series {
	enum astshm_kind kind;
	bool monotonic;      /* counters: may only grow */
	uint32_t key_len;
	uint32_t tag_count;
	const char *key;
	const struct astshm_family *family; /* family->name is its name */
	const struct astshm_label *tags;    /* sorted by key */
	uint64_t created_realtime_ns;       /* 0: unknown */
	union {
		struct astshm_counter_value counter;
		struct astshm_gauge_value gauge;
		struct astshm_histogram histogram; /* timing, distribution */
	};
	const struct astshm_thread_value *threads; /* with ASTSHM_PER_THREAD */
	uint32_t thread_count;
};

/* The segment a snapshot came from. */
struct astshm_segment_info {
	const char *name;
	uint32_t pid;
	enum astshm_state state;
	uint64_t generation;
	bool recording;
	uint64_t epoch;
	uint64_t counters_epoch;
	int64_t heartbeat_age_ns; /* -1: nobody beats */
	uint64_t bytes;           /* committed */
	uint64_t threads;         /* slots in use */
	uint64_t dropped;         /* records and registrations without room */
	uint64_t other_tag_sets;
	uint64_t torn;            /* blocks taken as best effort */
	uint64_t bad_records;     /* records or blocks skipped as invalid */
	int64_t heartbeat_period_ns; /* 0: unknown (decoded documents), or nobody beats */
};

enum astshm_snapshot_flags {
	ASTSHM_PER_THREAD = 1, /* keep each thread's part as well */
};

/*
 * One pass over the segment into private memory. Polls: sees new series,
 * removals and resets; with `follow`, re-attaches when the name leads to a new
 * segment. Exact per thread and series; no consistency across series.
 *
 * Errors: -EBADMSG corrupt or truncated meanwhile; -ENOMEM; -ETIMEDOUT only if
 * the deadline passed before one pass was whole. *snapshot is untouched then.
 * A dead or closed writer's values are read like a living one's.
 */
ASTSHM_API int astshm_reader_snapshot(struct astshm_reader *reader, unsigned flags,
				      struct astshm_snapshot **snapshot,
				      struct astshm_error *error);

/* Frees; *snapshot becomes NULL. NULL is allowed. */
ASTSHM_API void astshm_snapshot_free(struct astshm_snapshot **snapshot);

/* --- walking ------------------------------------------------------- */

/* Series in a snapshot, sorted by (kind, key bytes) unless _sort made it. */
ASTSHM_API size_t astshm_snapshot_count(const struct astshm_snapshot *snapshot);
/* The i-th series, or NULL past the end. */
ASTSHM_API const struct astshm_series *
astshm_snapshot_at(const struct astshm_snapshot *snapshot, size_t i);
/* By kind and key ("name" or "name[k=v]"); NULL: no such metric. O(log n). */
ASTSHM_API const struct astshm_series *
astshm_snapshot_find(const struct astshm_snapshot *snapshot, enum astshm_kind kind,
		     const char *key);
/* Families, sorted by (name, kind). */
ASTSHM_API size_t astshm_snapshot_family_count(const struct astshm_snapshot *snapshot);
ASTSHM_API const struct astshm_family *
astshm_snapshot_family_at(const struct astshm_snapshot *snapshot, size_t i);

/* NULL in a merged snapshot. */
ASTSHM_API const struct astshm_segment_info *
astshm_snapshot_segment(const struct astshm_snapshot *snapshot);
/* The i-th source of a merged snapshot, or NULL. */
ASTSHM_API const struct astshm_segment_info *
astshm_snapshot_source(const struct astshm_snapshot *snapshot, size_t i);
/* When the pass was made: CLOCK_REALTIME, nanoseconds. */
ASTSHM_API uint64_t astshm_snapshot_timestamp_ns(const struct astshm_snapshot *snapshot);
/* Since creation or the last reset; a dead writer's ends at its last beat. */
ASTSHM_API uint64_t astshm_snapshot_uptime_ns(const struct astshm_snapshot *snapshot);
/* Interval views: the real length of the interval; else 0. */
ASTSHM_API uint64_t astshm_snapshot_interval_ns(const struct astshm_snapshot *snapshot);

/* --- statistics ---------------------------------------------------- */

/*
 * A quantile, 0 <= q <= 1, in nanoseconds or the unit; NaN without samples or
 * buckets. Rank inside the bucket, density interpolated with the slope of the
 * neighbours, clamped to min and max: within 0.54 % of the bucket's midpoint
 * is the bound (doc/histogram.md has what was measured).
 */
ASTSHM_API double astshm_histogram_quantile(const struct astshm_histogram *histogram,
					    enum astshm_kind kind, double q);
/* `n` quantiles in one pass; q ascending. */
ASTSHM_API void astshm_histogram_quantiles(const struct astshm_histogram *histogram,
					   enum astshm_kind kind, const double *q,
					   double *values, size_t n);
/* sum / count; NaN without samples. */
ASTSHM_API double astshm_histogram_mean(const struct astshm_histogram *histogram);
/* Upper (inclusive) bound of a slot, in nanoseconds or the unit. Slot 0: 0. */
ASTSHM_API double astshm_histogram_bound(enum astshm_kind kind, uint32_t slot);

/* --- point reads ---------------------------------------------------- */

/*
 * A resolved series of a segment: reading it allocates nothing and makes no
 * system call. Belongs to the reader; stale (-ESTALE) once the series was
 * removed or the reader re-attached.
 */
struct astshm_point {
	uint32_t index;
	enum astshm_kind kind;
	uint64_t generation;
	uint64_t attachment;
};

/*
 * Finds a series by kind, name and tags (in any order), after a look at what
 * is new; follows the name like a snapshot does. -ENOENT: no such metric (never
 * recorded, removed, or hidden by a reset); -EINVAL: not a name or tag set;
 * -EBADMSG, -ENOMEM, -ETIMEDOUT as astshm_reader_snapshot.
 */
ASTSHM_API int astshm_reader_resolve(struct astshm_reader *reader, enum astshm_kind kind,
				     const char *name, const struct astshm_tag *tags,
				     size_t tag_count, struct astshm_point *point);
/*
 * One pass over one series; repeated if a reset comes in between. No allocation
 * and no system call, except one fstat(2) after the segment has grown.
 * -ESTALE: resolve it again; -ENOENT: hidden by a reset until it is touched;
 * -EINVAL: a point of another kind; -EBADMSG: corrupt or truncated;
 * -ETIMEDOUT: resets never left room for a pass. *value is untouched then.
 */
ASTSHM_API int astshm_reader_counter(struct astshm_reader *reader,
				     const struct astshm_point *point, int64_t *value);
ASTSHM_API int astshm_reader_gauge(struct astshm_reader *reader,
				   const struct astshm_point *point,
				   struct astshm_gauge_value *value);
/* `slots` has room for ASTSHM_HISTOGRAM_SLOTS words; value->slots points into it. */
ASTSHM_API int astshm_reader_histogram(struct astshm_reader *reader,
				       const struct astshm_point *point,
				       struct astshm_histogram *value, uint64_t *slots);

/* --- the recent past ------------------------------------------------ */

/*
 * A snapshot of the whole lifetime that also knows the last `window_ns`, from the
 * history that the segment keeps: astshm_snapshot_window gives it. It begins
 * with the entry nearest to that long ago, or with the segment's first moment;
 * its real length is astshm_snapshot_interval_ns of the window. A writer that has
 * ended did so at its last beat: its last window_ns are meant.
 *
 * Errors: -EINVAL: window_ns is not positive; -ENODATA: the writer keeps no
 * history (it never ticked) and is older than the window; else those of
 * astshm_reader_snapshot. Bytes that are off are counted in the window's
 * bad_records. Allocates; reads as many entries as the window has if there are
 * gauges, else one.
 */
ASTSHM_API int astshm_reader_window(struct astshm_reader *reader, int64_t window_ns,
				    unsigned flags, struct astshm_snapshot **snapshot,
				    struct astshm_error *error);

/*
 * The window of a snapshot, which it owns; NULL: it has none. An interval view as
 * of astshm_snapshot_subtract, whose series are those of the snapshot in the same
 * places; its timestamp is its end. Besides: gauges have min and max of what they
 * were at ticks and are now (and what their lifetime's extremes give away), count
 * and sum of what was set in it; one that was not set has what it is as its one
 * value. Histograms have min and max to the width of a bucket, exactly where the
 * lifetime's extremes moved. Filtered, sorted and grouped snapshots have theirs
 * treated the same; differences and merged ones have none.
 */
ASTSHM_API const struct astshm_snapshot *
astshm_snapshot_window(const struct astshm_snapshot *snapshot);

struct astshm_history;

struct astshm_history_info {
	uint64_t period_ns;        /* between entries of the last minutes */
	uint64_t coarse_period_ns; /* between those kept for longer */
	uint64_t count;            /* entries there are */
	uint64_t skipped;          /* entries the writer had no room for */
	uint64_t bytes;            /* of the segment that it takes */
	uint64_t bad;              /* entries that were off and left out */
};

/*
 * All entries of the history, copied: they stay what they are whatever becomes of
 * the segment. Also of a dead or closed writer's segment, where they are what
 * came before its end. Errors as astshm_reader_window; -ENODATA: there is none.
 */
ASTSHM_API int astshm_reader_history(struct astshm_reader *reader,
				     struct astshm_history **history,
				     struct astshm_error *error);
ASTSHM_API void astshm_history_free(struct astshm_history **history);
ASTSHM_API const struct astshm_history_info *
astshm_history_info(const struct astshm_history *history);
ASTSHM_API size_t astshm_history_count(const struct astshm_history *history);
/*
 * The i-th entry, 0 the oldest, as the snapshot it was: the lifetime's values
 * then, without per-thread ones. Series removed since are left out. Two of them
 * subtracted are the time between. -EINVAL: no such entry; -ENOMEM.
 */
ASTSHM_API int astshm_history_snapshot(const struct astshm_history *history, size_t i,
				       struct astshm_snapshot **snapshot,
				       struct astshm_error *error);

/*
 * What happened from entry i - 1 to entry i, as a window has it; its timestamp is
 * that of entry i. A reset in between makes it begin there. -EINVAL: no such
 * entry, or no time between the two; -ENOMEM.
 */
ASTSHM_API int astshm_history_interval(const struct astshm_history *history, size_t i,
				       struct astshm_snapshot **interval,
				       struct astshm_error *error);

struct astshm_history_entry;
/*
 * For writers: one pass as an entry of the history (doc/segment.md): its bytes,
 * head->bytes of them, which are the reader's until its next call; and its head
 * but for sequence, first_off and flags. Errors as astshm_reader_snapshot, by code
 * alone; -EOVERFLOW: 4 GiB are not enough.
 */
ASTSHM_API int astshm_reader_encode_entry(struct astshm_reader *reader, const void **bytes,
					  struct astshm_history_entry *head);

/* --- from snapshots to snapshots ------------------------------------ */

/*
 * The interval view: newer minus older. Counters get value (as newer), rate
 * and increase; histograms hold the interval alone; gauges stay as newer. A
 * reset or restart in between (epoch, generation) makes the interval start at
 * that reset: nothing is ever negative. Series only in `older` are left out.
 * -ENODATA: a histogram without buckets; -EINVAL: older is the newer one.
 */
ASTSHM_API int astshm_snapshot_subtract(const struct astshm_snapshot *newer,
					const struct astshm_snapshot *older,
					struct astshm_snapshot **interval,
					struct astshm_error *error);

/*
 * One snapshot of several processes or machines: counters and buckets add up,
 * gauges as their merge mode says. -ENODATA: a histogram without buckets; -EINVAL:
 * parts that do not fit together; -EOVERFLOW: more samples than 64 bits count.
 */
ASTSHM_API int astshm_snapshot_merge(const struct astshm_snapshot *const *parts, size_t count,
				     struct astshm_snapshot **merged,
				     struct astshm_error *error);

/*
 * A snapshot in another order: within each kind, series sorted by `compare`
 * (as qsort's; equal ones keep their order; both are the snapshot's own, as
 * astshm_snapshot_at gives them). Walks and encoders follow it;
 * _find still works, in linear time. -ENOMEM.
 */
ASTSHM_API int astshm_snapshot_sort(const struct astshm_snapshot *snapshot,
				    int (*compare)(const struct astshm_series *a,
						   const struct astshm_series *b,
						   void *context),
				    void *context, struct astshm_snapshot **sorted,
				    struct astshm_error *error);

/*
 * Adds series up over all tags but `keys` (count 0: over all). Series that
 * lack a key are grouped as if its value were missing. Errors as for merging.
 */
ASTSHM_API int astshm_snapshot_group(const struct astshm_snapshot *snapshot,
				     const char *const *keys, size_t count,
				     struct astshm_snapshot **grouped,
				     struct astshm_error *error);

/* The series for which `keep` says true, in the order they had. */
ASTSHM_API int astshm_snapshot_filter(const struct astshm_snapshot *snapshot,
				      bool (*keep)(const struct astshm_series *series,
						   void *context),
				      void *context, struct astshm_snapshot **filtered,
				      struct astshm_error *error);

/* ------------------------------------------------------------------ */
/* Encoders                                                           */
/* ------------------------------------------------------------------ */

/*
 * Where encoders write. Called with pieces of some KiB; returns 0, or a
 * negative errno value that ends the encoding and is returned by it.
 */
struct astshm_sink {
	int (*write)(void *context, const void *bytes, size_t count);
	void *context;
};

enum astshm_encode_flags {
	ASTSHM_ENCODE_BUCKETS = 1, /* JSON: sparse buckets too */
	ASTSHM_ENCODE_PRETTY = 2,  /* JSON: indented by 2 */
	ASTSHM_ENCODE_COLOR = 4,   /* table: ANSI attributes */
	ASTSHM_ENCODE_OPENMETRICS = 8, /* prometheus: OpenMetrics 1.0 instead */
};

struct astshm_encode_options {
	size_t size; /* sizeof(struct astshm_encode_options) */
	unsigned flags;
	unsigned width; /* table: columns; 0: as wide as needed */
	/* prometheus: text for what was left out, NULL: nobody wants it */
	void (*warn)(void *context, const char *line);
	void *warn_context;
};

#define ASTSHM_ENCODE_OPTIONS_INIT \
	{ sizeof(struct astshm_encode_options), 0, 0, NULL, NULL }

/*
 * The documents of doc/snapshot.md. They stream, allocate nothing per series,
 * and do not depend on the locale. JSON documents end without a newline.
 * Errors: what the sink returned; -ENOMEM.
 */
ASTSHM_API int astshm_encode_json(const struct astshm_snapshot *snapshot,
				  const struct astshm_sink *sink,
				  const struct astshm_encode_options *options);
ASTSHM_API int astshm_encode_msgpack(const struct astshm_snapshot *snapshot,
				     const struct astshm_sink *sink,
				     const struct astshm_encode_options *options);
ASTSHM_API int astshm_encode_prometheus(const struct astshm_snapshot *snapshot,
					const struct astshm_sink *sink,
					const struct astshm_encode_options *options);
ASTSHM_API int astshm_encode_table(const struct astshm_snapshot *snapshot,
				   const struct astshm_sink *sink,
				   const struct astshm_encode_options *options);
ASTSHM_API int astshm_encode_summary(const struct astshm_snapshot *snapshot,
				     const struct astshm_sink *sink,
				     const struct astshm_encode_options *options);
/*
 * An interval view alone, as the object that a document has under "window": from,
 * to, and the figures of each series in short. -EINVAL: not an interval.
 */
ASTSHM_API int astshm_encode_window(const struct astshm_snapshot *interval,
				    const struct astshm_sink *sink,
				    const struct astshm_encode_options *options);

/*
 * Reads one snapshot document from `bytes`; *used tells how many it took (a
 * stream holds several). -EBADMSG: not such a document (error->position says
 * where); -EPROTONOSUPPORT: another schema; -ENODATA: it ends too early.
 */
ASTSHM_API int astshm_decode_msgpack(const void *bytes, size_t size, size_t *used,
				     struct astshm_snapshot **snapshot,
				     struct astshm_error *error);

#ifdef __cplusplus
}
#endif

#endif
