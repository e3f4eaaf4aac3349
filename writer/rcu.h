/* SPDX-License-Identifier: MIT */
/*
 * liburcu, flavour bp (the host's threads are unknown to us), and the edges
 * that ThreadSanitizer must be told of, since liburcu is not instrumented:
 * release before add / acquire after lookup, release at read_unlock / acquire
 * after synchronize_rcu.
 *
 * _LGPL_SOURCE lets the compiler inline. Only urcu_bp_read_lock, its helper
 * and urcu_bp_read_unlock are used inlined; liburcu keeps each under ten lines
 * so that code under any licence may do so (urcu/static/urcu-bp.h). Builds with
 * sanitizers define WRITER_RCU_CALLS and call them instead: liburcu-bp 0.13
 * aligns its reader less than it declares, which UBSan would report as ours.
 */
#ifndef WRITER_RCU_H
#define WRITER_RCU_H

#ifndef WRITER_RCU_CALLS
#define _LGPL_SOURCE
#endif
#include <pthread.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <urcu/urcu-bp.h>
#include <urcu/rculfhash.h>
#pragma GCC diagnostic pop

#include <astshm/hotpath.h>

#ifdef ASTSHM_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define RCU_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define RCU_TSAN_RELEASE(address) __tsan_release(address)
#else
#define RCU_TSAN_ACQUIRE(address) ((void)(address))
#define RCU_TSAN_RELEASE(address) ((void)(address))
#endif

/* Only its address is used, as the place where sections and waits meet. */
extern char rcu_meeting_point;

static inline void rcu_section_enter(void)
{
	urcu_bp_read_lock();
}

/* The same without a call, for threads that liburcu knows; false for others. */
static inline bool rcu_section_try_enter(void)
{
#ifdef WRITER_RCU_CALLS
	urcu_bp_read_lock();
#else
	struct urcu_bp_reader *reader = URCU_TLS(urcu_bp_reader);
	if (ASTSHM_UNLIKELY(!reader))
		return false;
	cmm_barrier(); /* no mutex of the caller moves into the section */
	_urcu_bp_read_lock_update(reader->ctr);
#endif
	return true;
}

static inline void rcu_section_leave(void)
{
	RCU_TSAN_RELEASE(&rcu_meeting_point);
	urcu_bp_read_unlock();
}

/* liburcu sleeps in poll(2) with its mutexes held: a thread cancelled there
 * would leave them locked for the whole process. */
static inline void rcu_wait_for_readers(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	urcu_bp_synchronize_rcu();
	pthread_setcancelstate(state, NULL);
	RCU_TSAN_ACQUIRE(&rcu_meeting_point);
}

#endif
