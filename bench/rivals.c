/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "fail.h"
#include "operations.h"

/* Through a pointer, as a program reaches its counters; see doc/performance.md.
 * Threads that share one race, which ThreadSanitizer need not be told. */
static inline void add_plain(uint64_t *cell)
{
#ifdef ASTSHM_TSAN
	__atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
#else
	volatile uint64_t *plain = cell;
	++*plain;
#endif
}

BENCH_LOOPS(empty, (void)0)
/* What the loop does for an operation on durations: whose turn, and a value. */
BENCH_LOOPS(values, __asm__ volatile("" ::"r"(k), "r"(BENCH_NS(i))))
BENCH_LOOPS(plain, add_plain(&s->cell[k].value))
BENCH_LOOPS(xadd, __atomic_fetch_add(&s->cell[k].value, 1, __ATOMIC_RELAXED))
BENCH_LOOPS(original_increment, bench_original_increment(s->original, s->name[k], 1, NULL, 0))
BENCH_LOOPS(original_1_tag, bench_original_increment(s->original, s->name[k], 1, s->tags, 1))
BENCH_LOOPS(original_3_tags, bench_original_increment(s->original, s->name[k], 1, s->tags, 3))
BENCH_LOOPS(original_timing,
	    bench_original_timing(s->original, s->name[k], BENCH_NS(i), s->tags, 1))
BENCH_LOOPS(log_linear, log_linear_record(&s->log_linear[k], (uint64_t)BENCH_NS(i)))

static inline void add_locked(struct bench_subject *s, uint64_t k)
{
	pthread_mutex_lock(&s->lock);
	s->cell[k].value++;
	pthread_mutex_unlock(&s->lock);
}
BENCH_LOOPS(mutex, add_locked(s, k))

static inline int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline void two_clocks(struct bench_subject *s, uint64_t k)
{
	int64_t start = clock_now();

	astshm_timing_record(s->timing[k], clock_now() - start);
}
BENCH_LOOPS(clocks, two_clocks(s, k))

static void pcp_handle(void *subject, uint64_t iterations)
{
	bench_pcp_add(((struct bench_subject *)subject)->pcp, iterations);
}

static void pcp_named(void *subject, uint64_t iterations)
{
	bench_pcp_add_named(((struct bench_subject *)subject)->pcp, iterations);
}

static void make_original(struct bench_subject *s)
{
	s->original = bench_original_create();
}

static void make_log_linear(struct bench_subject *s)
{
	s->log_linear = bench_array(BENCH_TURNS, sizeof *s->log_linear);
	for (size_t k = 0; k < BENCH_TURNS; k++) {
		s->log_linear[k].min = UINT64_MAX;
		pthread_mutex_init(&s->log_linear[k].lock, NULL);
	}
}

static void make_timings(struct bench_subject *s)
{
	for (size_t k = 0; k < BENCH_TURNS; k++)
		s->timing[k] = bench_timing(s->scene->writer, s->name[k]);
}

static void make_pcp(struct bench_subject *s)
{
	s->pcp = bench_pcp_open();
}

static uint64_t cells(struct bench_subject *s)
{
	uint64_t total = 0;

	for (size_t k = 0; k < BENCH_TURNS; k++)
		total += s->cell[k].value;
	return total;
}

static uint64_t in_original(struct bench_subject *s, size_t tag_count)
{
	uint64_t total = 0;

	for (size_t k = 0; k < BENCH_TURNS; k++)
		total += bench_original_read(s->original, s->name[k], s->tags, tag_count);
	return total;
}

static uint64_t in_original_0(struct bench_subject *s)
{
	return in_original(s, 0);
}

static uint64_t in_original_1(struct bench_subject *s)
{
	return in_original(s, 1);
}

static uint64_t in_original_3(struct bench_subject *s)
{
	return in_original(s, 3);
}

static uint64_t in_log_linear(struct bench_subject *s)
{
	uint64_t total = 0;

	for (size_t k = 0; k < BENCH_TURNS; k++) {
		for (size_t slot = 0; slot < LOG_LINEAR_SLOTS; slot++)
			total += s->log_linear[k].slots[slot];
	}
	return total;
}

static uint64_t in_timings(struct bench_subject *s)
{
	uint64_t total = 0, sum;

	for (size_t k = 0; k < BENCH_TURNS; k++)
		total += bench_scene_samples(s->scene, ASTSHM_KIND_TIMING, s->name[k], &sum);
	return total;
}

static uint64_t in_pcp(struct bench_subject *s)
{
	return bench_pcp_read(s->pcp);
}

const struct bench_operation bench_rivals[] = {
	{ "empty loop", BENCH_RUN(empty), NULL, NULL, NULL },
	{ "empty loop that makes durations", BENCH_RUN(values), NULL, NULL, NULL },
	{ "plain volatile increment", BENCH_RUN(plain), cells, NULL, NULL },
	{ "shared lock xadd", BENCH_RUN(xadd), cells, NULL, NULL },
	{ "mutex and increment", BENCH_RUN(mutex), cells, NULL, NULL },
	{ "mutex + log-linear histogram", BENCH_RUN(log_linear),
	  in_log_linear, make_log_linear, NULL },
	{ "two clock_gettime + record", BENCH_RUN(clocks), in_timings, make_timings, NULL },
	{ "original: increment", BENCH_RUN(original_increment),
	  in_original_0, make_original, NULL },
	{ "original: increment, 1 tag", BENCH_RUN(original_1_tag),
	  in_original_1, make_original, NULL },
	{ "original: increment, 3 tags", BENCH_RUN(original_3_tags),
	  in_original_3, make_original, NULL },
	{ "original: timing, 1 tag", BENCH_RUN(original_timing),
	  in_original_1, make_original, NULL },
	{ "PCP MMV by handle", { pcp_handle }, in_pcp, make_pcp, bench_pcp_built },
	{ "PCP MMV by name", { pcp_named }, in_pcp, make_pcp, bench_pcp_built },
};
const size_t bench_rivals_count = sizeof bench_rivals / sizeof bench_rivals[0];
