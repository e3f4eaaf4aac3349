/* SPDX-License-Identifier: MIT */
/*
 * Loads of words that another process may be storing at the same time. Each
 * loads once: what was checked is what is used.
 */
#ifndef READERS_LOAD_H
#define READERS_LOAD_H

#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define READER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define READER_TSAN 1
#endif
#endif

static inline uint64_t load_acquire(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline uint64_t load_relaxed(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t load_acquire32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline uint32_t load_relaxed32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline double load_double(const uint64_t *word)
{
	uint64_t bits = load_relaxed(word);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* All loads before it are done before any after it. gcc's TSan does not model
 * fences and says so; the loads around this one are atomic there. */
static inline void fence_acquire(void)
{
#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic pop
#endif
}

/*
 * target[i] = more[i] + cells[i] for a multiple of 8 words; returns the sum of
 * cells. The cells are shared and read plainly: relaxed atomics would keep
 * both compilers from using vectors, which is most of a snapshot's time. An
 * aligned vector load is not promised to be one access, but each of its 64-bit
 * words is (Intel SDM 3A 9.1.1, Arm DDI 0487 B2.2), each word is used once,
 * and callers check afterwards what they saw (an acquire fence is between).
 * `ahead`: cells that will be wanted next; a processor does not guess them, as
 * they lie in another page. Only a hint: it may point anywhere.
 */
static inline uint64_t load_and_add(uint64_t *target, const uint64_t *more,
				    const uint64_t *cells, uint32_t count, const uint64_t *ahead)
{
#ifdef READER_TSAN
	uint64_t total = 0;
	(void)ahead;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t cell = load_relaxed(&cells[i]);
		target[i] = more[i] + cell;
		total += cell;
	}
	return total;
#else
	typedef uint64_t vector __attribute__((vector_size(16), may_alias));
	const vector *in = (const vector *)(const void *)cells;
	const vector *add = (const vector *)(const void *)more;
	vector *out = (vector *)(void *)target;
	vector even = { 0, 0 }, odd = { 0, 0 };
	for (const vector *end = in + count / 2; in < end; in += 4, add += 4, out += 4) {
		vector a = in[0], b = in[1], c = in[2], d = in[3];
		__builtin_prefetch(ahead);
		ahead += 8;
		out[0] = add[0] + a;
		out[1] = add[1] + b;
		out[2] = add[2] + c;
		out[3] = add[3] + d;
		even += a + c;
		odd += b + d;
	}
	even += odd;
	return even[0] + even[1];
#endif
}

#endif
