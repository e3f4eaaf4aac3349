/* SPDX-License-Identifier: MIT */
/*
 * Recording metrics into a shared-memory segment.
 *
 * Open a writer, register series once, record through the handles:
 *
 *     struct astshm_writer *writer;
 *     struct astshm_counter requests;
 *     astshm_writer_open(&writer, "my-server", NULL, NULL);
 *     astshm_counter_register(writer, &(struct astshm_metric){ .name = "requests" },
 *                             &requests, NULL);
 *     astshm_counter_add(requests, 1);
 *
 * Recording makes no system call, takes no lock and waits for nobody, except
 * where a thread touches a series for the first time (doc/architecture.md).
 * Nothing here prints, exits or aborts, with one exception: liburcu-bp aborts if
 * the address space is exhausted at a thread's first record (doc/reliability.md).
 * Every function may be called with a NULL writer or a null handle and then does
 * nothing (get_* say -ENOENT).
 *
 * Threads: everything may be called from any thread at any time, except
 * astshm_writer_close: no thread may be inside a call of that writer then.
 * Signal handlers: astshm_counter_add_signal only. Fork: a child records
 * nothing until it calls astshm_writer_reopen.
 *
 * Compile with -DASTSHM_NO_RECORDING to make every record function of this
 * header an empty one.
 */
#ifndef ASTSHM_WRITER_H
#define ASTSHM_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include <astshm/hotpath.h>
#include <astshm/reader.h>
#include <astshm/types.h>

#ifdef __cplusplus
#include <initializer_list>
extern "C" {
#endif

/* ------------------------------------------------------------------ */
/* Opening and closing                                                */
/* ------------------------------------------------------------------ */

/*
 * A writer. Its first word says whether recording is on, so that the by-name
 * functions cost one load and one branch when it is off.
 */
struct astshm_writer;

enum astshm_open_flags {
	ASTSHM_OPEN_DISABLED = 1,     /* no segment; every handle is the null handle */
	ASTSHM_OPEN_PAUSED = 2,       /* start with recording switched off */
	ASTSHM_OPEN_KEEP = 4,         /* leave the closed segment behind at close */
	ASTSHM_OPEN_TICK_THREAD = 8,  /* a thread of the library calls the tick */
	ASTSHM_OPEN_NO_RCU_ATFORK = 16, /* the host installs liburcu-bp's fork hooks */
	ASTSHM_OPEN_HEALTH = 32,      /* ticks record process.* and astshm.* (doc/metrics.md) */
};

/* Zero or NULL anywhere means the default in brackets. */
struct astshm_writer_options {
	size_t size;            /* sizeof(struct astshm_writer_options) */
	unsigned flags;         /* enum astshm_open_flags */
	mode_t mode;            /* of the segment file [0640] */
	const char *group;      /* group name or number of the file [the process's] */
	uint64_t max_bytes;     /* largest segment [256 MiB] */
	uint32_t max_series;    /* at most 2^20 - 1 [16384] */
	uint32_t max_threads;   /* threads with cells of their own, at most 65535 [1024] */
	uint32_t max_tag_sets;  /* tag sets of a name, the rest share one [64] */
	uint32_t keep_dead;     /* dead predecessors kept as NAME~1.. [1]; ASTSHM_KEEP_NONE: 0 */
	uint32_t tick_ms;       /* how often the tick will be called [1000] */
	/* The recent past that ticks keep in the segment; ASTSHM_HISTORY_NONE: 0. */
	uint32_t history_ms;           /* from entry to entry [5000]; 0: no history */
	uint32_t history_count;        /* entries kept that far apart [24] */
	uint32_t history_coarse_ms;    /* from entry to entry of older ones [60000] */
	uint32_t history_coarse_count; /* how many of those [60] */
	uint64_t history_bytes;        /* most room for all of it [8 MiB] */
};
#define ASTSHM_KEEP_NONE UINT32_MAX
#define ASTSHM_HISTORY_NONE UINT32_MAX
#define ASTSHM_WRITER_OPTIONS_INIT                                              \
	{ sizeof(struct astshm_writer_options), 0, 0, NULL, 0, 0, 0, 0, 0, 0,   \
	  0, 0, 0, 0, 0 }

/*
 * Creates and publishes a segment. `name`: 1 to 200 bytes without '/', which
 * becomes /dev/shm/astshm.NAME, or a path that holds a '/'; "{pid}" in it is
 * replaced by the process id. NULL options: all defaults. With the environment
 * variable ASTSHM_DISABLE=1 it succeeds as if ASTSHM_OPEN_DISABLED were given.
 *
 * On failure *writer is NULL (which every function takes as "record nothing").
 * Errors: -EBUSY a living process writes this segment (pid in the text);
 * -EEXIST the name belongs to something that is no segment; -EMFILE four
 * writers are open in this process; -EINVAL a bad name or option; -ENOSPC,
 * -EFBIG no room; -EACCES, -ENOENT, -ELOOP as open(2); -EPROTONOSUPPORT the
 * program was compiled for another ABI. Success may leave a warning in *error
 * (code 0): the path is not on tmpfs, so writeback can stall recording.
 *
 * Blocks for about 100 ms when the name is held, and for up to 5 s while another
 * process holds a lock on a dead writer's file. If the process dies midway no
 * file is left, or a complete one.
 */
static inline int astshm_writer_open(struct astshm_writer **writer, const char *name,
				     const struct astshm_writer_options *options,
				     struct astshm_error *error);

/*
 * Marks the segment closed and unlinks it (with ASTSHM_OPEN_KEEP: leaves it).
 * *writer becomes NULL; its handles become dead: recording through them does
 * nothing until another writer is opened, which may take the same number: from
 * then on they must not be used. No thread may be inside a call of this writer.
 */
ASTSHM_API void astshm_writer_close(struct astshm_writer **writer);

/*
 * In a child after fork (or daemon()): opens a segment of the child's own
 * under the same options, with every series and family known to the parent,
 * so that all handles stay valid; values start at zero. A name without "{pid}"
 * gives -EBUSY while the parent lives. Errors as astshm_writer_open; -EINVAL
 * in the process that opened the writer.
 */
ASTSHM_API int astshm_writer_reopen(struct astshm_writer *writer, struct astshm_error *error);

/*
 * The housekeeping a host calls every tick_ms (ASTSHM_OPEN_TICK_THREAD: the
 * library does): beats the heartbeat, refines the clock, links the segment
 * to its name again if that vanished, records how the process is
 * (ASTSHM_OPEN_HEALTH), and appends to the history what all series
 * are now, if that is due. -EAGAIN: the name now belongs to another
 * file; the other errors as for open. Success may leave a warning in *error
 * (code 0): something found no room since the last tick; how much in all, and
 * why. Some system calls; waits for 2 ms where a name vanished, else for nobody.
 */
ASTSHM_API int astshm_writer_tick(struct astshm_writer *writer, struct astshm_error *error);

/* Recording on or off, at run time. Off: costs what a null handle costs. */
ASTSHM_API void astshm_writer_set_recording(struct astshm_writer *writer, bool on);
static inline bool astshm_writer_recording(const struct astshm_writer *writer);

/* The path of the segment; "" if there is none. Lives as long as the writer. */
ASTSHM_API const char *astshm_writer_path(const struct astshm_writer *writer);

/* ------------------------------------------------------------------ */
/* Registering                                                        */
/* ------------------------------------------------------------------ */

enum astshm_metric_flags {
	ASTSHM_UP_DOWN = 1,     /* a counter that may also fall; resets leave it */
	ASTSHM_SIGNAL_SAFE = 2, /* a counter for astshm_counter_add_signal */
};

/* Strings are borrowed for the call and must be valid UTF-8. */
struct astshm_metric {
	const char *name;               /* 1 to 255 bytes, e.g. "cache.hit_rate" */
	const char *unit;               /* e.g. "bytes"; NULL: leave as it is */
	const char *help;               /* one sentence; NULL: leave as it is */
	const struct astshm_tag *tags;  /* any order; keys differ */
	size_t tag_count;               /* at most 16 */
	unsigned flags;                 /* enum astshm_metric_flags */
	enum astshm_merge merge;        /* gauges of several processes */
};

/*
 * Finds or makes the series and gives its handle; valid on every thread until
 * the series is removed. Registrations are counted (see astshm_remove). On
 * failure *handle is the null handle, to record through which is harmless.
 *
 * Errors: -EINVAL a bad name or tag (which, in the text); -ENOSPC the segment
 * or the series limit is full (counted in the segment); -ENOMEM. A tag set
 * past the name's limit is no error: the handle is that of [k=__other__].
 * Takes the writer's lock, may allocate and grow the segment.
 */
ASTSHM_API int astshm_counter_register(struct astshm_writer *writer,
				       const struct astshm_metric *metric,
				       struct astshm_counter *handle, struct astshm_error *error);
ASTSHM_API int astshm_gauge_register(struct astshm_writer *writer,
				     const struct astshm_metric *metric,
				     struct astshm_gauge *handle, struct astshm_error *error);
ASTSHM_API int astshm_timing_register(struct astshm_writer *writer,
				      const struct astshm_metric *metric,
				      struct astshm_timing *handle, struct astshm_error *error);
ASTSHM_API int astshm_distribution_register(struct astshm_writer *writer,
					    const struct astshm_metric *metric,
					    struct astshm_distribution *handle,
					    struct astshm_error *error);

/*
 * Unit and help of a family, also for series that are made by name, now or
 * later. NULL leaves what is there. Errors as for registering.
 */
ASTSHM_API int astshm_describe(struct astshm_writer *writer, enum astshm_kind kind,
			       const char *name, const char *unit, const char *help,
			       struct astshm_error *error);

/* The tag-set limit of one family; counts what exists already. */
ASTSHM_API int astshm_limit_tag_sets(struct astshm_writer *writer, enum astshm_kind kind,
				     const char *name, uint32_t limit,
				     struct astshm_error *error);

/*
 * Takes back one registration, or a series made by name. The last one removes
 * the series: waits for an RCU grace period, then its storage serves others.
 * The caller sees to it that nobody records through its handles any more.
 * Returns the number of series removed (0: others hold it still), or -ENOENT.
 * Blocks for some milliseconds; never call it inside an RCU read section.
 */
ASTSHM_API int astshm_remove(struct astshm_writer *writer, enum astshm_kind kind,
			     const char *name, const struct astshm_tag *tags, size_t tag_count);

struct astshm_series_id {
	enum astshm_kind kind;
	const char *name;
	const struct astshm_tag *tags;
	size_t tag_count;
};
/* The same for many, with one grace period. Unknown ones are passed over. */
ASTSHM_API int astshm_remove_many(struct astshm_writer *writer,
				  const struct astshm_series_id *series, size_t count);
/*
 * Removes every series, registered or not, whose name matches `pattern` (as
 * fnmatch(3)) and that has all of `tags`. Kind 0: any kind.
 */
ASTSHM_API int astshm_remove_match(struct astshm_writer *writer, int kind, const char *pattern,
				   const struct astshm_tag *tags, size_t tag_count);

/* ------------------------------------------------------------------ */
/* Recording through handles                                          */
/* ------------------------------------------------------------------ */

static inline void astshm_counter_add(struct astshm_counter counter, uint64_t amount);
/* Up-down counters only; on a monotonic one nothing happens. */
static inline void astshm_counter_sub(struct astshm_counter counter, uint64_t amount);
/* From a signal handler, on a counter registered with ASTSHM_SIGNAL_SAFE. */
ASTSHM_API void astshm_counter_add_signal(struct astshm_counter counter, uint64_t amount);
/* The last value set, by whichever thread. NaN and infinities are kept too. */
static inline void astshm_gauge_set(struct astshm_gauge gauge, double value);
/* Atomic: no addition is lost between threads. */
static inline void astshm_gauge_add(struct astshm_gauge gauge, double amount);
/* Nanoseconds; negative durations count as 0. */
static inline void astshm_timing_record(struct astshm_timing timing, int64_t ns);
/* In the series' unit; negative values count as 0. */
static inline void astshm_distribution_record(struct astshm_distribution distribution,
					      int64_t value);

/* A point in time of the timer's clock; only for the functions below. */
struct astshm_timer { uint64_t start; };
static inline struct astshm_timer astshm_timer_start(void);
/* Records the time since start; returns it in nanoseconds. */
static inline int64_t astshm_timer_stop(struct astshm_timing timing, struct astshm_timer timer);
/* Nanoseconds since start, without recording. */
static inline int64_t astshm_timer_elapsed_ns(struct astshm_timer timer);

/*
 * ASTSHM_TIME_SCOPE(timing); times from here to the end of the block, however
 * it is left (the cleanup attribute, which gcc and clang know in C++ as well).
 */

/* ------------------------------------------------------------------ */
/* Recording by name                                                  */
/* ------------------------------------------------------------------ */

/*
 * The first use of a name registers the series. Tags may come in any order.
 * What cannot be recorded (bad name, no room) is counted in the segment, never
 * reported. In C write the tags as ASTSHM_TAGS({"k", "v"}, ...) or
 * ASTSHM_NO_TAGS; in C++ as {{"k", "v"}}.
 */
static inline void astshm_increment(struct astshm_writer *writer, const char *name,
				    uint64_t amount, const struct astshm_tag *tags,
				    size_t tag_count);
/* Makes the counter an up-down counter, if it is none yet, and subtracts. */
static inline void astshm_decrement(struct astshm_writer *writer, const char *name,
				    uint64_t amount, const struct astshm_tag *tags,
				    size_t tag_count);
static inline void astshm_set(struct astshm_writer *writer, const char *name, double value,
			      const struct astshm_tag *tags, size_t tag_count);
static inline void astshm_add(struct astshm_writer *writer, const char *name, double amount,
			      const struct astshm_tag *tags, size_t tag_count);
static inline void astshm_time(struct astshm_writer *writer, const char *name, int64_t ns,
			       const struct astshm_tag *tags, size_t tag_count);
static inline void astshm_observe(struct astshm_writer *writer, const char *name, int64_t value,
				  const struct astshm_tag *tags, size_t tag_count);
/* ASTSHM_TIME_SCOPE_NAMED(writer, name, tags, tag_count); like ASTSHM_TIME_SCOPE. */

/* ------------------------------------------------------------------ */
/* Reading back, resetting                                            */
/* ------------------------------------------------------------------ */

/* What people ask of a timing or distribution; values in ns or the unit. */
struct astshm_statistics {
	uint64_t count;
	double sum, mean, min, max; /* mean, min, max, quantiles: NaN if count is 0 */
	double p50, p90, p95, p99, p999;
};

/*
 * One metric, through the code that other processes read with.
 * -ENOENT: no such metric, which is not the same as zero.
 */
ASTSHM_API int astshm_get_counter(struct astshm_writer *writer, const char *name,
				  const struct astshm_tag *tags, size_t tag_count,
				  int64_t *value);
ASTSHM_API int astshm_get_gauge(struct astshm_writer *writer, const char *name,
				const struct astshm_tag *tags, size_t tag_count,
				struct astshm_gauge_value *value);
ASTSHM_API int astshm_get_timing(struct astshm_writer *writer, const char *name,
				 const struct astshm_tag *tags, size_t tag_count,
				 struct astshm_statistics *value);
ASTSHM_API int astshm_get_distribution(struct astshm_writer *writer, const char *name,
				       const struct astshm_tag *tags, size_t tag_count,
				       struct astshm_statistics *value);
/* A snapshot of everything; free it with astshm_snapshot_free. */
ASTSHM_API int astshm_get_all_metrics(struct astshm_writer *writer,
				      struct astshm_snapshot **snapshot,
				      struct astshm_error *error);

/* The same with the last `window_ns` as its window: see astshm_reader_window. */
ASTSHM_API int astshm_get_window(struct astshm_writer *writer, int64_t window_ns,
				 struct astshm_snapshot **snapshot, struct astshm_error *error);

/*
 * Starts afresh: counters, histograms and gauge statistics from zero, uptime
 * too; series made by name are hidden until touched again. A gauge's current
 * value and up-down counters are states and stay. Safe while every thread
 * records; a record that overlaps the call may fall on either side.
 */
ASTSHM_API void astshm_reset(struct astshm_writer *writer);
/* The same for (monotonic) counters alone. */
ASTSHM_API void astshm_reset_counters(struct astshm_writer *writer);

#ifdef __cplusplus
}
#endif

#include <astshm/writer_inline.h>

#endif
