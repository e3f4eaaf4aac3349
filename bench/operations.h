/* SPDX-License-Identifier: MIT */
/*
 * The operations that are compared, ours and the rivals', as loops over a
 * subject. Each has three forms, which answer different questions:
 *
 * back to back   how much one after the other on one series costs; bound by
 *                the store that the next addition has to wait for
 * in turn        the same over 16 series: what a program does that counts
 *                several things on its way
 * fenced         exposed latency: nothing overlaps with the operation
 */
#ifndef BENCH_OPERATIONS_H
#define BENCH_OPERATIONS_H

#include <astshm/writer.h>

#include "rivals/log_linear.h"
#include "rivals/original.h"
#include "rivals/pcp.h"
#include "scene.h"

#define BENCH_TURNS 16u /* a power of two */
#define BENCH_NS(i) (int64_t)(100000 + ((i)&1023u) * 128) /* 0.1 to 0.23 ms */

/* What an operation works on; a rival's takes a line of its own. */
struct bench_subject {
	struct bench_scene *scene;
	struct astshm_counter counter[BENCH_TURNS];
	struct astshm_gauge gauge[BENCH_TURNS];
	struct astshm_timing timing[BENCH_TURNS];
	struct astshm_distribution distribution[BENCH_TURNS];
	/* By name: requests.N, with as many tags as the operation says. */
	char name[BENCH_TURNS][48];
	struct astshm_tag tags[3];
	struct bench_original *original;
	struct bench_pcp *pcp;
	struct log_linear *log_linear;
	pthread_mutex_t lock;
	struct { uint64_t value; } __attribute__((aligned(64))) cell[BENCH_TURNS];
};

enum bench_form { BENCH_BACK_TO_BACK, BENCH_IN_TURN, BENCH_FENCED, BENCH_FORMS };

struct bench_operation {
	const char *name;
	/* A form that says nothing new is NULL. */
	void (*run[BENCH_FORMS])(void *subject, uint64_t iterations);
	/* What the subject holds of all iterations; NULL: nothing is kept. */
	uint64_t (*total)(struct bench_subject *subject);
	/* Registers what `run` needs; NULL: nothing. */
	void (*prepare)(struct bench_subject *subject);
	/* NULL: always. */
	bool (*built)(void);
};

extern const struct bench_operation bench_ours[];
extern const size_t bench_ours_count;
extern const struct bench_operation bench_rivals[];
extern const size_t bench_rivals_count;

const char *bench_form_name(enum bench_form form);
/* Fails if there is none. */
const struct bench_operation *bench_operation(const char *name);

/* `label` makes its series differ from those of other subjects. */
struct bench_subject *bench_subject_create(struct bench_scene *scene, const char *label,
					   const struct bench_operation *operation);
void bench_subject_free(struct bench_subject *subject);
/* Fails unless the subject holds `iterations`, read back through a reader. */
void bench_subject_check(struct bench_subject *subject, const struct bench_operation *operation,
			 uint64_t iterations);

/*
 * The three loops of one statement, which may use `s`, the subject; `k`, whose
 * turn it is; and `i`, the iteration.
 */
#define BENCH_LOOP(function, turn, after, ...)                                    \
	static void function(void *subject, uint64_t iterations)                  \
	{                                                                         \
		struct bench_subject *s = subject;                                \
		for (uint64_t i = 0; i < iterations; i++) {                       \
			uint64_t k = (turn);                                      \
			(void)s;                                                  \
			(void)k;                                                  \
			__VA_ARGS__;                                              \
			after;                                                    \
			BENCH_STEP(i);                                            \
		}                                                                 \
	}
#define BENCH_LOOPS(function, ...)                                                \
	BENCH_LOOP(function##_back_to_back, 0, (void)0, __VA_ARGS__)              \
	BENCH_LOOP(function##_in_turn, i % BENCH_TURNS, (void)0, __VA_ARGS__)     \
	BENCH_LOOP(function##_fenced, 0, bench_fence(), __VA_ARGS__)
#define BENCH_RUN(function) \
	{ function##_back_to_back, function##_in_turn, function##_fenced }

#endif
