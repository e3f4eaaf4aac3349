/* SPDX-License-Identifier: MIT */
/*
 * The inlined part of recording. Include <astshm/writer.h>, not this file.
 *
 * Everything here is part of the ABI: the row table, the clock and the blocks
 * of <astshm/layout.h>. ASTSHM_ABI changes with the soname, and
 * astshm_writer_open refuses a program that was compiled for another one.
 */
#ifndef ASTSHM_HOTPATH_H
#define ASTSHM_HOTPATH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <astshm/buckets.h>
#include <astshm/layout.h>
#include <astshm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASTSHM_ABI_VERSION 1u
/* What open compares: the version and the sizes that inlined code relies on. */
#define ASTSHM_ABI                                                              \
	((uint32_t)(ASTSHM_ABI_VERSION << 24 ^ sizeof(struct astshm_thread) << 16 ^ \
		    sizeof(struct astshm_histogram_block) ^                     \
		    sizeof(struct astshm_gauge_block) << 8 ^ sizeof(struct astshm_clock)))

/* Segments that one process may write at a time. */
#define ASTSHM_WRITERS_MAX 4u
/* Writers are numbered from 1; number 0 is the null handle's, which is never
 * open, so that recording through a null handle costs what "off" costs. */
#define ASTSHM_WRITER_NUMBERS (ASTSHM_WRITERS_MAX + 1u)

#define ASTSHM_LIKELY(x) __builtin_expect(!!(x), 1)
#define ASTSHM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* ThreadSanitizer cannot see into inline asm: it gets __atomic builtins. */
#if defined(__SANITIZE_THREAD__)
#define ASTSHM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASTSHM_TSAN 1
#endif
#endif

#if defined(__x86_64__) && !defined(ASTSHM_TSAN)
#define ASTSHM_X86_ASM 1
#endif

/*
 * What a thread knows of each writer. row[i] is never NULL: it starts as the
 * dummy row, read-only zeroes as large as any handle, so that a null entry is
 * the one gate in front of every rare case. 128 bytes at most, since it lives
 * in the static TLS block even when the library is loaded by dlopen.
 */
struct astshm_thread {
	/* Stored by the thread itself, and by whoever closes the writer. */
	uint64_t **row[ASTSHM_WRITER_NUMBERS];
	uint64_t generation[ASTSHM_WRITER_NUMBERS]; /* of the writer row[i] is for */
	uint32_t slot[ASTSHM_WRITER_NUMBERS];
	uint32_t slot_try[ASTSHM_WRITER_NUMBERS]; /* writer's freed-slots count */
	uint32_t state;
	uint32_t reserved;
};

/* 1 for each writer that is open and records. Behind a null entry, so that it
 * costs nothing while entries are there. Relaxed: a switch, it orders nothing. */
ASTSHM_API extern uint32_t astshm_recording[ASTSHM_WRITER_NUMBERS];

ASTSHM_API extern __thread struct astshm_thread astshm_thread
	__attribute__((tls_model("initial-exec")));

/*
 * The timer's clock. source is fixed when the library is loaded; the factor is
 * refined by astshm_writer_tick (relaxed on both sides: any of its values is a
 * good one).
 */
#define ASTSHM_CLOCK_GETTIME 0u
#define ASTSHM_CLOCK_CYCLES 1u /* x86: TSC; arm64: generic counter */
struct astshm_clock {
	uint32_t source;
	uint32_t reserved;
	uint64_t factor; /* nanoseconds per cycle, 32 fractional bits */
};
ASTSHM_API extern struct astshm_clock astshm_clock;

/* Handles. All-zero is the null handle: recording through it does nothing. */
struct astshm_counter { uint32_t index, writer; };
struct astshm_gauge { uint32_t index, writer; };
struct astshm_timing { uint32_t index, writer; };
struct astshm_distribution { uint32_t index, writer; };

/*
 * The cold side of each operation, behind a null entry or a rare value. They
 * take a handle's parts, as wide as addresses are computed with: passed whole
 * it would be loaded a third time, passed as words of 32 bits each would be
 * copied, and gcc does either in front of the branch.
 */
ASTSHM_API void astshm_counter_add_cold(uint64_t index, uint64_t writer, uint64_t amount)
	__attribute__((cold, noinline));
ASTSHM_API void astshm_gauge_set_cold(uint64_t index, uint64_t writer, double value)
	__attribute__((cold, noinline));
ASTSHM_API void astshm_gauge_add_cold(uint64_t index, uint64_t writer, double amount)
	__attribute__((cold, noinline));
ASTSHM_API void astshm_timing_record_cold(uint64_t index, uint64_t writer, int64_t ns)
	__attribute__((cold, noinline));
ASTSHM_API void astshm_distribution_record_cold(uint64_t index, uint64_t writer, int64_t value)
	__attribute__((cold, noinline));
/* 0, negative and overflowing values, with a block in hand. */
ASTSHM_API void astshm_histogram_record_edge(struct astshm_histogram_block *block, int64_t value)
	__attribute__((cold, noinline));
ASTSHM_API uint64_t astshm_clock_gettime_ns(void);

/*
 * The entry of a handle in this thread's row. Relaxed: other threads only ever
 * store NULL here (writer/gate.c), and a record that overlaps such a store may
 * fall on either side of it. The row itself: only astshm_writer_close puts the
 * dummy row there (writer/open.c); no call of that writer overlaps it.
 */
static inline uint64_t *astshm_row_entry(uint32_t writer, uint32_t index)
{
	uint64_t **row = __atomic_load_n(&astshm_thread.row[writer], __ATOMIC_RELAXED);
	return __atomic_load_n(&row[index], __ATOMIC_RELAXED);
}

/* What a null entry means: only if recording is on is it worth a call. */
static inline bool astshm_worth_a_call(uint32_t writer)
{
	return ASTSHM_UNLIKELY(__atomic_load_n(&astshm_recording[writer], __ATOMIC_RELAXED) != 0);
}

/* Adds to a word that only this thread writes. No lock prefix. */
static inline void astshm_cell_add(uint64_t *cell, uint64_t amount)
{
#ifdef ASTSHM_X86_ASM
	__asm__ volatile("addq %1, %0" : "+m"(*cell) : "er"(amount));
#else
	__atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + amount,
			 __ATOMIC_RELAXED);
#endif
}

/*
 * One sample into a block of this thread, in the order that readers undo
 * (readers/collect.c, collect_histogram): slot; extremes; sum; count, which
 * commits the record. Each release orders the store after all before it.
 */
static inline void astshm_histogram_record(struct astshm_histogram_block *block,
					   const uint64_t *table, int64_t value)
{
	uint64_t slot = astshm_bucket_slot(table, value);

	if (ASTSHM_UNLIKELY(slot > ASTSHM_HISTOGRAM_LAST)) {
		astshm_histogram_record_edge(block, value);
		return;
	}
	astshm_cell_add(&block->slots[slot], 1);
	/* The owner reads its own fields plainly; pairs with the reader's
	 * acquire fence: a sum of slots seen complete has its extremes. */
	uint64_t sample = (uint64_t)value;
	if (ASTSHM_UNLIKELY(~sample > block->min_inverse))
		__atomic_store_n(&block->min_inverse, ~sample, __ATOMIC_RELEASE);
	if (ASTSHM_UNLIKELY(sample >= block->max_plus_one))
		__atomic_store_n(&block->max_plus_one, sample + 1, __ATOMIC_RELEASE);
#ifdef ASTSHM_X86_ASM
	/* x86 stores become visible in program order; the memory clobbers keep
	 * the compiler to it. A carry once in 2^64 is cheaper predicted than
	 * added to the high word each time. */
	bool carry;
	__asm__ volatile("addq %2, %0"
			 : "+m"(block->sum), "=@ccc"(carry) : "er"(sample) : "memory");
	if (ASTSHM_UNLIKELY(carry))
		__atomic_store_n(&block->sum_hi, block->sum_hi + 1, __ATOMIC_RELEASE);
	__asm__ volatile("addq $1, %0" : "+m"(block->count) : : "cc", "memory");
#else
	uint64_t sum = block->sum + sample;
	if (sum < sample)
		__atomic_store_n(&block->sum_hi, block->sum_hi + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&block->sum, sum, __ATOMIC_RELEASE);
	/* The commit word. Pairs with the reader's first, acquiring load. */
	__atomic_store_n(&block->count, block->count + 1, __ATOMIC_RELEASE);
#endif
}

static inline double astshm_bits_double(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline uint64_t astshm_double_bits(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* Statistics of a gauge: begin first, count last (readers/collect.c). */
static inline void astshm_gauge_sample(struct astshm_gauge_block *block, double value)
{
	uint64_t count = block->count;

	if (ASTSHM_UNLIKELY(!(value - value == 0.0)))
		return; /* NaN and infinities enter no statistics */
	__atomic_store_n(&block->begin, count + 1, __ATOMIC_RELAXED);
	/* begin before the rest: each release store below keeps it so; pairs
	 * with the acquire fence before the reader's second load of begin. */
	double sum = astshm_bits_double(block->sum) + value;
	__atomic_store_n(&block->sum, astshm_double_bits(sum), __ATOMIC_RELEASE);
	if (count == 0 || value < astshm_bits_double(block->min))
		__atomic_store_n(&block->min, astshm_double_bits(value), __ATOMIC_RELEASE);
	if (count == 0 || value > astshm_bits_double(block->max))
		__atomic_store_n(&block->max, astshm_double_bits(value), __ATOMIC_RELEASE);
	/* Commits. Pairs with the reader's first, acquiring load of count. */
	__atomic_store_n(&block->count, count + 1, __ATOMIC_RELEASE);
}

static inline uint64_t *astshm_gauge_current(struct astshm_gauge_block *block)
{
	return (uint64_t *)(void *)((char *)block + block->current_rel);
}

static inline void astshm_gauge_store(struct astshm_gauge_block *block, double value)
{
	/* Relaxed: a value on its own, last writer wins. */
	__atomic_store_n(astshm_gauge_current(block), astshm_double_bits(value), __ATOMIC_RELAXED);
	astshm_gauge_sample(block, value);
}

/* Nanoseconds or cycles, whichever astshm_clock.source says. */
static inline uint64_t astshm_clock_now(void)
{
#if defined(__x86_64__)
	if (ASTSHM_LIKELY(astshm_clock.source == ASTSHM_CLOCK_CYCLES))
		return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	if (ASTSHM_LIKELY(astshm_clock.source == ASTSHM_CLOCK_CYCLES)) {
		uint64_t cycles;
		__asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
		return cycles;
	}
#endif
	return astshm_clock_gettime_ns();
}

/* Nanoseconds between two readings of that clock; 0 if it stepped back. */
static inline int64_t astshm_clock_elapsed_ns(uint64_t from, uint64_t to)
{
	int64_t ticks = (int64_t)(to - from);

	if (ASTSHM_UNLIKELY(ticks < 0))
		return 0;
	if (ASTSHM_UNLIKELY(astshm_clock.source != ASTSHM_CLOCK_CYCLES))
		return ticks;
	uint64_t factor = __atomic_load_n(&astshm_clock.factor, __ATOMIC_RELAXED);
	return (int64_t)((__extension__(unsigned __int128)(uint64_t)ticks * factor) >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
