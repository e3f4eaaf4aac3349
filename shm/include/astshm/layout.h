/* SPDX-License-Identifier: MIT */
/*
 * The layout of a segment, version 1.1: every byte that writer and reader
 * agree on. doc/segment.md is the same in prose; a test compares the two.
 *
 * Rules: fixed-width integers in the byte order of the machine, no pointer,
 * no bool, no enum, no size_t. Every reference is an offset in bytes from the
 * start of the segment, 0 meaning "none". Words that change after publication
 * are 64-bit (or 32-bit) and naturally aligned, accessed with __atomic
 * builtins; each says who stores it and which load it pairs with.
 */
#ifndef ASTSHM_LAYOUT_H
#define ASTSHM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ASTSHM_LAYOUT_ASSERT static_assert
extern "C" {
#else
#define ASTSHM_LAYOUT_ASSERT _Static_assert
#endif

#define ASTSHM_SEGMENT_MAGIC 0x314d485354534100ull /* "\0ASTSHM1" */
#define ASTSHM_SEGMENT_BYTE_ORDER 0x01020304u
#define ASTSHM_SEGMENT_MAJOR 1u
#define ASTSHM_SEGMENT_MINOR 1u

#define ASTSHM_SEGMENT_HEADER_BYTES 4096u
#define ASTSHM_SEGMENT_ALIGN 64u /* of every block, extent and shared cell */
#define ASTSHM_SEGMENT_EXTENTS 24u
#define ASTSHM_SEGMENT_NAME_BYTES 256u

/*
 * A growing table: element i lies in extent e, extents double.
 * first = a power of two; extent 0 holds elements [0, first), extent e > 0
 * holds [first << (e-1), first << e). Elements never move.
 */
struct astshm_segment_table {
	uint32_t stride; /* bytes of one element, fixed at creation */
	uint32_t first;  /* elements of extent 0, a power of two */
	uint32_t limit;  /* most elements there can ever be */
	/* Elements that exist. Stored with release after the element (and its
	 * extent's offset) is complete; readers load it with acquire first. */
	uint32_t count;
	uint64_t extent_off[ASTSHM_SEGMENT_EXTENTS];
};

/* Values of astshm_segment_header.state. */
#define ASTSHM_SEGMENT_LIVE 1u
#define ASTSHM_SEGMENT_CLOSED 2u

struct astshm_segment_header {
	/* --- identity: written before publication, constant afterwards --- */
	uint64_t magic;
	uint32_t byte_order;
	uint32_t header_bytes;
	uint32_t major_version;
	uint32_t minor_version;
	uint32_t series_bytes;      /* sizeof(struct astshm_segment_series) */
	uint32_t family_bytes;
	uint32_t slot_bytes;
	uint32_t block_header_bytes;
	uint32_t chunk_cells;       /* counters in a chunk */
	uint32_t histogram_slots;
	uint32_t histogram_scale;
	uint32_t pid;               /* in the writer's own pid namespace */
	uint64_t pid_start_ticks;   /* field 22 of /proc/PID/stat */
	uint64_t max_bytes;         /* what writer and readers map */
	uint64_t generation;        /* random, never 0 */
	uint64_t created_realtime_ns;
	uint64_t created_monotonic_ns;
	uint32_t tag_set_limit;     /* default of families */
	uint32_t name_len;
	char name[ASTSHM_SEGMENT_NAME_BYTES]; /* of the segment, UTF-8 */
	uint8_t reserved0[512 - 104 - ASTSHM_SEGMENT_NAME_BYTES];

	/* --- offset 512: words that change --- */
	/* Bytes of the file that may be touched. The writer stores it with
	 * release after posix_fallocate; readers load it with acquire and
	 * check it against fstat before they trust any offset. */
	uint64_t committed_bytes;
	uint32_t state;             /* ASTSHM_SEGMENT_LIVE or _CLOSED */
	uint32_t recording;         /* 1: on, 0: switched off at run time */
	uint64_t heartbeat_monotonic_ns;
	uint64_t heartbeat_period_ns; /* 0: nobody beats */
	/* Raised by reset; blocks of histograms and gauges carry the epoch
	 * they count for. Stored with release before the rows are cleared;
	 * readers load it with acquire before and after a pass. */
	uint64_t epoch;
	/* Raised by reset and reset_counters, release, after the baselines
	 * base[(epoch + 1) & 1] are written. Loaded like epoch. */
	uint64_t counters_epoch;
	uint64_t reset_realtime_ns;  /* creation, or the last full reset */
	uint64_t reset_monotonic_ns;
	/* Odd while a series is being retired and its cells zeroed. Readers
	 * load it before (acquire) and after (acquire fence) a pass. */
	uint64_t retiring;
	/* Raised (release) after anything in the directory changed that is
	 * not an appended element: retired, reused, described, converted. */
	uint64_t directory_changes;
	uint64_t dropped_records;       /* no room for a first touch */
	uint64_t dropped_registrations; /* no room or invalid, by name or handle */
	uint64_t other_tag_sets;        /* records, registrations sent to [k=__other__] */
	uint64_t live_series[4];        /* by kind - 1 */
	uint64_t slot_waits;            /* threads that found no slot */
	uint8_t reserved1[48];

	/* --- offset 704: since 1.1. 0 until the first tick that keeps one;
	 * the offset is stored with release, after what it leads to. --- */
	uint64_t history_off; /* struct astshm_segment_history */
	uint64_t history_bytes; /* of it with its entries */
	uint8_t reserved2[48];

	/* --- offset 768: tables, 208 bytes each --- */
	struct astshm_segment_table series;   /* struct astshm_segment_series */
	struct astshm_segment_table families; /* struct astshm_segment_family */
	struct astshm_segment_table chunks;   /* uint64_t: newest block's offset */
	struct astshm_segment_table slots;    /* struct astshm_segment_slot */
	uint8_t reserved3[ASTSHM_SEGMENT_HEADER_BYTES - 768 - 4 * 208];
};

/*
 * A string: offset << 16 | length, in one word, so that a reader never sees
 * the offset of one string with the length of another. 0 is the empty string.
 */
#define ASTSHM_STRING_OFF(ref) ((uint64_t)(ref) >> 16)
#define ASTSHM_STRING_LEN(ref) ((uint32_t)((ref) & 0xffffu))
#define ASTSHM_STRING_REF(off, len) ((uint64_t)(off) << 16 | (uint64_t)(len))

/* A family: (kind, name). Appended, never removed. */
struct astshm_segment_family {
	uint64_t name_ref;
	uint64_t unit_ref; /* replaced by describe: release / acquire */
	uint64_t help_ref; /* replaced by describe: release / acquire */
	uint32_t kind;     /* enum astshm_kind */
	uint32_t merge;    /* enum astshm_merge */
	uint8_t reserved[32];
};

/* States of a series: the low byte of astshm_segment_series.state. */
#define ASTSHM_SERIES_FREE 0u
#define ASTSHM_SERIES_RESERVED 1u
#define ASTSHM_SERIES_LIVE 2u
#define ASTSHM_SERIES_RETIRED 3u
#define ASTSHM_SERIES_STATE(word) ((uint32_t)((word) & 0xffu))
#define ASTSHM_SERIES_GENERATION(word) ((uint64_t)(word) >> 8)

/* Flags of a series. */
#define ASTSHM_SERIES_UP_DOWN 1u   /* a counter that may fall; set by OR */
#define ASTSHM_SERIES_BY_HANDLE 2u /* registered: visible though untouched */
#define ASTSHM_SERIES_SIGNAL 4u    /* counter with a shared cell at shared_off */
#define ASTSHM_SERIES_OTHER 8u     /* the series of [k=__other__] */

/*
 * One series. The first 64 bytes are what a pass over the values reads.
 * Element 0 of the table is the null handle's: never live.
 */
struct astshm_segment_series {
	/* generation << 8 | state. Written last (release) at registration,
	 * first at removal; the generation grows at each reuse. */
	uint64_t state;
	uint32_t kind;
	uint32_t flags;
	uint64_t base[2];     /* counters: subtract base[counters_epoch & 1] */
	uint64_t shown_epoch; /* by name: visible if >= header.epoch */
	/* Timing, distribution, gauge: newest block, release / acquire. */
	uint64_t blocks_off;
	/* Gauge: its current value (IEEE-754 bits). Signal-safe counter: its
	 * shared cell. Each alone on a line of 64 bytes. */
	uint64_t shared_off;
	uint32_t cell;   /* counter: chunk * 64 + place in the chunk */
	uint32_t family; /* index into families */
	/* --- second line: read once per generation --- */
	/* tag_count times: key length (1 byte), value length (1 byte), key,
	 * value; sorted by key bytes. */
	uint64_t tags_ref;
	uint64_t created_realtime_ns;
	uint32_t tag_count;
	uint32_t reserved0;
	uint8_t reserved[40];
};

/* States of a thread slot. */
#define ASTSHM_SLOT_FREE 0u
#define ASTSHM_SLOT_USED 1u

/* The identity behind a thread's blocks. Slot 0 is shared by threads that
 * found no slot of their own; its tid is 0. All words relaxed: for people. */
struct astshm_segment_slot {
	uint32_t state;
	uint32_t owners; /* threads that have owned it so far */
	uint32_t tid;    /* of the present or last owner */
	uint32_t reserved0;
	uint64_t name[2]; /* thread name, NUL-padded bytes */
	uint64_t since_realtime_ns;
	uint8_t reserved[24];
};

#define ASTSHM_CHUNK_CELLS 64u
#define ASTSHM_HISTOGRAM_SCALE 6u
#define ASTSHM_HISTOGRAM_SLOTS 3064u
#define ASTSHM_HISTOGRAM_ZERO 0u
#define ASTSHM_HISTOGRAM_FIRST 1u
#define ASTSHM_HISTOGRAM_LAST 3062u
#define ASTSHM_HISTOGRAM_OVERFLOW 3063u
/* OpenTelemetry bucket index = slot - this. */
#define ASTSHM_TIMING_INDEX_BIAS 1915
#define ASTSHM_DISTRIBUTION_INDEX_BIAS 2

/* Where a block's cells, slots or statistic words begin. */
#define ASTSHM_BLOCK_HEADER_BYTES 64u

/*
 * The header of every block. Owned by one thread slot; on the list of its
 * chunk or series, which holds at most one block of each slot. index, slot and
 * next are complete before the block is linked (release) and constant.
 */
struct astshm_block_header {
	uint32_t index; /* of the series; of the chunk in a counter chunk */
	uint32_t slot;
	/* Histograms and gauges: the header.epoch it counts for. Stored
	 * (release) after the block was zeroed for that epoch. */
	uint64_t epoch;
	uint64_t next_off;
};

/* One thread's cells of 64 counters. 576 bytes. */
struct astshm_counter_block {
	struct astshm_block_header head;
	uint8_t reserved[40];
	uint64_t cells[ASTSHM_CHUNK_CELLS];
};

/*
 * One thread's histogram. The owner writes, in this order: slots, min_inverse
 * and max_plus_one (release), sum (release), count last (release: the commit
 * word). Readers go the other way, see readers/collect.c. 24 KiB.
 */
struct astshm_histogram_block {
	struct astshm_block_header head;
	uint64_t count;
	uint64_t sum; /* low word */
	uint64_t sum_hi;
	uint64_t min_inverse;  /* ~smallest value; 0: no sample yet */
	uint64_t max_plus_one; /* largest value + 1; 0: no sample yet */
	uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
};

/*
 * One thread's statistics of a gauge. begin is raised before, count after the
 * rest (release): equal means undisturbed. Doubles as IEEE-754 bits.
 */
struct astshm_gauge_block {
	struct astshm_block_header head;
	/* The segment's offset of the gauge's current cell minus this block's:
	 * the same in every process. */
	int64_t current_rel;
	uint8_t reserved0[32];
	uint64_t begin;
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint8_t reserved1[24];
};

#define ASTSHM_HISTORY_CHUNK_BYTES 1024u
#define ASTSHM_HISTORY_WORDS 127u /* of a chunk, behind next_off */

/* Flags of an entry. */
#define ASTSHM_HISTORY_COARSE 1u /* outlives its minutes: one of the last hour */

/*
 * The recent past, since 1.1: snapshots of all values, each cumulative like a
 * reader's own, so that two of them subtracted are the time between. Entries
 * follow the head, at header_bytes, in no order: `sequence` tells. All words
 * relaxed: for people; entries say themselves whether they are whole.
 */
struct astshm_segment_history {
	uint32_t header_bytes; /* sizeof(struct astshm_segment_history) */
	uint32_t entry_bytes;  /* sizeof(struct astshm_history_entry) */
	uint32_t entry_count;
	uint32_t chunk_bytes;
	uint64_t period_ns; /* between entries; the fine_count youngest are kept */
	uint64_t coarse_period_ns; /* between those of them kept for longer */
	uint32_t fine_count;
	uint32_t coarse_count;
	uint64_t appended; /* entries so far */
	uint64_t skipped;  /* entries there was no room or no memory for */
	uint64_t chunks;   /* taken from the segment for entries' bytes */
	uint8_t reserved[64];
};

/*
 * One snapshot. A seqlock: the writer stores sequence 0, then (release fence)
 * whatever belongs to the entry, then its new sequence (release). Readers load
 * sequence (acquire), the entry and its chunks, then (acquire fence) sequence
 * again. Bytes of an entry are a list of chunks; what they say: doc/segment.md.
 */
struct astshm_history_entry {
	uint64_t sequence; /* 1 for the first; 0: empty, or being written */
	uint64_t realtime_ns;
	uint64_t monotonic_ns;
	uint64_t uptime_ns; /* since creation or the last reset */
	uint64_t epoch;     /* the header's, of the values */
	uint64_t counters_epoch;
	uint64_t first_off; /* its first chunk; 0: no series */
	uint32_t bytes;     /* in the chunks */
	uint32_t series;
	uint32_t flags;
	uint32_t threads; /* slots in use */
	uint64_t committed_bytes;
	uint64_t dropped; /* records and registrations without room */
	uint64_t other_tag_sets;
	uint64_t torn;
	uint64_t recording;
	uint64_t reserved[2];
};

struct astshm_history_chunk {
	uint64_t next_off; /* of the same entry; 0: the last */
	uint64_t words[ASTSHM_HISTORY_WORDS];
};

ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_table) == 208, "table");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_header) == 4096, "header");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_segment_header, name) == 104, "name");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_segment_header, committed_bytes) == 512, "live words");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_segment_header, history_off) == 704, "history");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_segment_header, series) == 768, "tables");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_family) == 64, "family");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_series) == 128, "series");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_segment_series, tags_ref) == 64, "series line 2");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_slot) == 64, "slot");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_block_header) == 24, "block header");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_counter_block) == 576, "chunk");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_counter_block, cells) == 64, "cells");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_histogram_block) == 24576, "histogram");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_histogram_block, slots) == 64, "slots");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_gauge_block) == 128, "gauge");
ASTSHM_LAYOUT_ASSERT(offsetof(struct astshm_gauge_block, begin) == 64, "gauge body");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_segment_history) == 128, "history");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_history_entry) == 128, "history entry");
ASTSHM_LAYOUT_ASSERT(sizeof(struct astshm_history_chunk) == ASTSHM_HISTORY_CHUNK_BYTES, "chunk");

#ifdef __cplusplus
}
#endif

#endif
