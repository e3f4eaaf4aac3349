/* SPDX-License-Identifier: MIT */
/*
 * The usual histogram: log-linear buckets of 1/64 octave at the widest (as
 * HdrHistogram with two digits), count, sum, min and max, behind a mutex.
 */
#ifndef BENCH_RIVALS_LOG_LINEAR_H
#define BENCH_RIVALS_LOG_LINEAR_H

#include <pthread.h>
#include <stdint.h>

#define LOG_LINEAR_BITS 7u
#define LOG_LINEAR_SLOTS ((64u - LOG_LINEAR_BITS + 1u) << LOG_LINEAR_BITS)

struct log_linear {
	pthread_mutex_t lock;
	uint64_t count, sum, min, max;
	uint64_t slots[LOG_LINEAR_SLOTS];
};

/* Below 2^7 a slot a value, then 64 slots an octave. */
static inline uint32_t log_linear_slot(uint64_t value)
{
	if (value < 1u << LOG_LINEAR_BITS)
		return (uint32_t)value;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - (LOG_LINEAR_BITS - 1);
	return (shift << (LOG_LINEAR_BITS - 1)) + (uint32_t)(value >> shift);
}

static inline void log_linear_add(struct log_linear *histogram, uint64_t value)
{
	histogram->slots[log_linear_slot(value)]++;
	histogram->sum += value;
	histogram->count++;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

static inline void log_linear_record(struct log_linear *histogram, uint64_t value)
{
	pthread_mutex_lock(&histogram->lock);
	log_linear_add(histogram, value);
	pthread_mutex_unlock(&histogram->lock);
}

#endif
