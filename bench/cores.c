/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "cores.h"
#include "fail.h"

static cpu_set_t allowed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Before anything is pinned: later the set would hold one core alone. */
static void look(void)
{
	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		bench_fail("sched_getaffinity: %s", strerror(errno));
}

unsigned bench_core_count(void)
{
	pthread_once(&once, look);
	return (unsigned)CPU_COUNT(&allowed);
}

void bench_pin(unsigned i)
{
	unsigned wanted = i % bench_core_count();
	cpu_set_t one;

	for (unsigned core = 0; core < CPU_SETSIZE; core++) {
		if (!CPU_ISSET(core, &allowed) || wanted-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(core, &one);
		if (sched_setaffinity(0, sizeof one, &one) != 0)
			bench_fail("sched_setaffinity: %s", strerror(errno));
		return;
	}
}
