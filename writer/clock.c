/* SPDX-License-Identifier: MIT */
/*
 * A cycle counter is read in less than half the time that clock_gettime takes,
 * so it is used where it is a clock: on x86 where the kernel itself keeps time
 * by it (invariant, synchronous over cores: clocksource tsc), on arm64 always.
 * Who knows more of a machine than that says so with ASTSHM_CLOCK: virtual
 * machines often have another clocksource although their TSC is sound, so that
 * they can be moved, after which it may have jumped.
 */
#include "clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <astshm/hotpath.h>

#include <segment.h>

/* Long enough for an error of some 50 parts in a million. */
#define CALIBRATION_NS 1000000u

__extension__ typedef unsigned __int128 u128;

struct astshm_clock astshm_clock;

/* One instant on both clocks. */
struct pair {
	uint64_t cycles;
	uint64_t ns;
};

/* Where the present measurement begins: when the library was loaded, or later
 * (measure). Only its user, who holds `measuring`, reads or writes it. */
static struct pair begun;
static bool begun_anew;
static uint32_t measuring;

uint64_t astshm_clock_gettime_ns(void)
{
	return shm_monotonic_ns();
}

#if defined(__x86_64__)
#define INVARIANT_TSC (1u << 8) /* CPUID 80000007h, EDX */

static bool cycles_are_constant(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(0x80000007u, &eax, &ebx, &ecx, &edx) && (edx & INVARIANT_TSC) != 0;
}

static bool cycles_are_a_clock(void)
{
	char name[16] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, name, sizeof name - 1);
	(void)close(fd);
	return got == 4 && memcmp(name, "tsc\n", 4) == 0;
}
#else
#if defined(__aarch64__)
#define HAVE_CYCLES true
#else
#define HAVE_CYCLES false
#endif
static bool cycles_are_constant(void)
{
	return HAVE_CYCLES;
}

static bool cycles_are_a_clock(void)
{
	return HAVE_CYCLES;
}
#endif

/* What was asked for, if this processor can give it, else what is known. */
static bool wants_cycles(void)
{
	const char *wish = secure_getenv("ASTSHM_CLOCK");

	if (wish && strcmp(wish, "gettime") == 0)
		return false;
	if (wish && strcmp(wish, "cycles") == 0)
		return cycles_are_constant();
	return cycles_are_a_clock();
}

/* The tightest of a few readings: an interrupt in between spoils only one. */
static struct pair read_pair(void)
{
	struct pair best = { 0, 0 };
	uint64_t narrowest = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		uint64_t before = astshm_clock_now();
		uint64_t ns = shm_monotonic_ns();
		uint64_t after = astshm_clock_now();
		if (after - before < narrowest) {
			narrowest = after - before;
			best = (struct pair){ before + (after - before) / 2, ns };
		}
	}
	return best;
}

/* The source never changes after load: a timer may span anything else. */
__attribute__((constructor)) static void choose_clock(void)
{
	if (!wants_cycles())
		return;
	astshm_clock.source = ASTSHM_CLOCK_CYCLES;
	begun = read_pair();
}

/* Has a cycle become longer or shorter by more than one part in a thousand? */
static bool departs(uint64_t factor, uint64_t known)
{
	uint64_t change = factor > known ? factor - known : known - factor;
	return known != 0 && change > known / 1000;
}

/*
 * A constant clock does not change its pace: if it seems to, the machine slept,
 * when CLOCK_MONOTONIC stands still and the counter need not. The measurement
 * then begins anew; what the next one says is believed.
 */
static void measure(void)
{
	struct pair now = read_pair();
	uint64_t cycles = now.cycles - begun.cycles;
	u128 ns = now.ns - begun.ns;

	if (cycles == 0 || ns < CALIBRATION_NS)
		return;
	uint64_t factor = (uint64_t)((ns << 32) / cycles);
	/* Relaxed: see astshm_clock_elapsed_ns. */
	if (departs(factor, __atomic_load_n(&astshm_clock.factor, __ATOMIC_RELAXED)) &&
	    !begun_anew) {
		begun = now;
		begun_anew = true;
		return;
	}
	begun_anew = false;
	__atomic_store_n(&astshm_clock.factor, factor, __ATOMIC_RELAXED);
}

void writer_clock_calibrate(void)
{
	if (astshm_clock.source != ASTSHM_CLOCK_CYCLES ||
	    __atomic_load_n(&astshm_clock.factor, __ATOMIC_RELAXED) != 0)
		return;
	/* Alone: nobody refines what was never measured. */
	while (shm_monotonic_ns() - begun.ns < CALIBRATION_NS)
		;
	measure();
}

void writer_clock_refine(void)
{
	/* One at a time, nobody waits; the acquire pairs with the release of the
	 * one before. Taken over a fork it stays taken: the child keeps the factor. */
	if (astshm_clock.source != ASTSHM_CLOCK_CYCLES ||
	    __atomic_exchange_n(&measuring, 1, __ATOMIC_ACQUIRE))
		return;
	measure();
	__atomic_store_n(&measuring, 0, __ATOMIC_RELEASE);
}
