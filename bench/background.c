/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "background.h"
#include "cores.h"
#include "fail.h"

static void *keep_going(void *argument)
{
	struct bench_background *background = argument;
	unsigned thread = __atomic_fetch_add(&background->next, 1, __ATOMIC_RELAXED);
	uint64_t steps = 0;

	bench_pin(background->first_core + thread);
	do {
		background->step(background->context, thread);
		steps++;
		if (steps == 1)
			__atomic_fetch_add(&background->steps, 1, __ATOMIC_RELAXED);
	} while (!__atomic_load_n(&background->stop, __ATOMIC_RELAXED));
	__atomic_fetch_add(&background->steps, steps - 1, __ATOMIC_RELAXED);
	return NULL;
}

void bench_background_start(struct bench_background *background, unsigned count)
{
	background->count = count;
	background->stop = 0;
	background->next = 0;
	background->steps = 0;
	for (unsigned i = 0; i < count; i++) {
		if (pthread_create(&background->threads[i], NULL, keep_going, background) != 0)
			bench_fail("no thread");
	}
	while (__atomic_load_n(&background->steps, __ATOMIC_RELAXED) < count)
		sched_yield();
}

void bench_background_stop(struct bench_background *background)
{
	__atomic_store_n(&background->stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < background->count; i++)
		pthread_join(background->threads[i], NULL);
}
