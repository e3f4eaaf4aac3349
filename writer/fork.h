/* SPDX-License-Identifier: MIT */
/* What a forked child may and may not do with its parent's writers. */
#ifndef WRITER_FORK_H
#define WRITER_FORK_H

#include "state.h"

/*
 * A word in memory that a child finds zeroed (MADV_WIPEONFORK), or that the
 * fork hook cleared where the kernel does not: 1 in the process that set it.
 */
extern uint32_t *writer_process_canary;

/* Are we in a child that has not reopened? No system call. */
static inline bool writer_process_forked(void)
{
	/* Relaxed: changes only across a fork. */
	return __atomic_load_n(writer_process_canary, __ATOMIC_RELAXED) == 0;
}

/* May this process touch the writer's segment? To be asked before the lock,
 * which in a child without the fork hook may never be given back. */
static inline bool writer_is_reachable(const struct astshm_writer *writer)
{
	return writer && writer->header && !writer_process_forked();
}

/* Once per process, before the first segment: canary and fork hooks. -ENOMEM. */
int writer_fork_init(void);

/* Some writer's host installs liburcu-bp's fork hooks itself. */
void writer_fork_leave_rcu_alone(void);

/* The child has made itself at home: rows and records work again. */
void writer_fork_adopt(void);

/* Guards opening, closing and reopening; also held across a fork. */
extern pthread_mutex_t writer_open_lock;

#endif
