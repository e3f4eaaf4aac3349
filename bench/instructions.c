/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <signal.h>
#include <stddef.h>

#include "fail.h"
#include "instructions.h"

/* Two runs, of which the difference is taken: the way in and out cancels. */
#define FEW 1u
#define MANY 5u

#if defined(__x86_64__) && !defined(BENCH_SANITIZED)
#include <x86intrin.h>

#define TRAP_FLAG 0x100u

static volatile sig_atomic_t traps;

static void count_trap(int number)
{
	(void)number;
	traps++;
}

static double traps_of(void (*run)(void *, uint64_t), void *context, uint64_t iterations)
{
	traps = 0;
	__writeeflags(__readeflags() | TRAP_FLAG);
	run(context, iterations);
	__writeeflags(__readeflags() & ~(unsigned long long)TRAP_FLAG);
	return (double)traps;
}

double bench_instructions(void (*run)(void *context, uint64_t iterations), void *context,
			  uint64_t *iterations)
{
	struct sigaction trap = { .sa_handler = count_trap }, old;

	sigemptyset(&trap.sa_mask);
	if (sigaction(SIGTRAP, &trap, &old) != 0)
		bench_fail("sigaction");
	double few = traps_of(run, context, FEW);
	double many = traps_of(run, context, MANY);
	sigaction(SIGTRAP, &old, NULL);
	*iterations += FEW + MANY;
	return (many - few) / (MANY - FEW);
}
#else
double bench_instructions(void (*run)(void *context, uint64_t iterations), void *context,
			  uint64_t *iterations)
{
	(void)run;
	(void)context;
	(void)iterations;
	return NAN;
}
#endif
