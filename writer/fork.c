/* SPDX-License-Identifier: MIT */
/*
 * Fork. Locks are taken in the order liburcu's, open lock, each writer's (its
 * reader's before its own, as a tick does):
 * a synchronize_rcu that is under way ends only when readers leave, and a
 * reader in a first touch may wait for a writer's lock, so that lock must not
 * be held while we wait for liburcu's. For the same reason nobody registers
 * with liburcu while it holds a writer's lock.
 */
#include "fork.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "health.h"
#include "history.h"
#include "row.h"
#include "thread.h"

pthread_mutex_t writer_open_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t no_canary;
uint32_t *writer_process_canary = &no_canary;
static bool rcu_hooks = true;
static bool rcu_prepared;
static bool initialised;

static void prepare(void)
{
	rcu_prepared = rcu_hooks;
	if (rcu_prepared)
		urcu_bp_before_fork();
	pthread_mutex_lock(&writer_open_lock);
	for (uint32_t i = 0; i < ASTSHM_WRITER_NUMBERS; i++) {
		pthread_mutex_lock(&writer_all[i].reader_lock);
		pthread_mutex_lock(&writer_all[i].lock);
	}
}

static void unlock_all(void)
{
	for (uint32_t i = ASTSHM_WRITER_NUMBERS; i-- > 0;) {
		pthread_mutex_unlock(&writer_all[i].lock);
		pthread_mutex_unlock(&writer_all[i].reader_lock);
	}
	pthread_mutex_unlock(&writer_open_lock);
}

static void parent(void)
{
	unlock_all();
	if (rcu_prepared)
		urcu_bp_after_fork_parent();
}

/*
 * The child lets go of its parent's segment: above all of the descriptor, since
 * the lock that shows the parent alive lasts as long as any copy of it.
 */
static void let_go(struct astshm_writer *writer)
{
	pthread_mutex_init(&writer->lock, NULL);
	pthread_mutex_init(&writer->reader_lock, NULL);
	/* Not taken in prepare: the tick's thread may have held them. */
	pthread_mutex_init(&writer->tick_lock, NULL);
	pthread_mutex_init(&writer->tick_turn, NULL);
	writer_history_clear(&writer->history);
	writer_health_restart(writer);
	if (writer->generation == 0)
		return;
	writer_switch(writer, false);
	writer->foreign = true;
	writer->tick_running = false;
	for (uint32_t i = 0; i < writer->slot_count; i++)
		writer_row_destroy(writer->slots[i].row);
	writer->slot_count = 0;
	if (writer->segment.fd >= 0)
		(void)close(writer->segment.fd);
	writer->segment.fd = -1;
	/* MADV_DONTFORK took the mapping already, and somebody may have mapped
	 * something else there since: no munmap. */
	writer->segment.base = NULL;
	writer->header = NULL;
	astshm_reader_close(&writer->reader);
}

static void let_go_of_all(void)
{
	/* qemu-user and old kernels do not wipe. */
	__atomic_store_n(writer_process_canary, 0, __ATOMIC_RELAXED);
	writer_thread_forget();
	pthread_mutex_init(&writer_open_lock, NULL);
	for (uint32_t i = 0; i < ASTSHM_WRITER_NUMBERS; i++)
		let_go(&writer_all[i]);
}

static void child(void)
{
	unlock_all(); /* taken by this very thread, in prepare */
	let_go_of_all();
	if (rcu_prepared)
		urcu_bp_after_fork_child();
}

/* Did the fork hook run in this child? clone(2) leaves it out. */
static bool hook_ran(void)
{
	for (uint32_t i = 0; i < ASTSHM_WRITER_NUMBERS; i++)
		if (writer_all[i].generation && !writer_all[i].foreign)
			return false;
	return true;
}

void writer_fork_adopt(void)
{
	if (writer_process_forked() && !hook_ran())
		let_go_of_all();
	__atomic_store_n(writer_process_canary, 1, __ATOMIC_RELAXED);
}

void writer_fork_leave_rcu_alone(void)
{
	rcu_hooks = false;
}

int writer_fork_init(void)
{
	if (initialised)
		return 0;
	uint32_t *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -ENOMEM;
	(void)madvise(page, sizeof *page, MADV_WIPEONFORK);
	if (pthread_atfork(prepare, parent, child) != 0) {
		(void)munmap(page, sizeof *page);
		return -ENOMEM;
	}
	*page = 1;
	writer_process_canary = page;
	initialised = true;
	return 0;
}
