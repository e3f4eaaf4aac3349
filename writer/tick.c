/* SPDX-License-Identifier: MIT */
#include "tick.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "fork.h"
#include "gate.h"
#include "health.h"
#include "history.h"

#define IN_FLIGHT_NS 2000000

/*
 * Somebody removed the name (logind's RemoveIPC, a careless rm). Linux does
 * not link a file again that has lost its last name, so the segment moves to a
 * new file under the same addresses. The gates are shut first: only records
 * already in flight may still write, and shm_republish carries those over.
 */
static int restore_name(struct astshm_writer *writer, struct astshm_error *error)
{
	struct stat other;

	if (lstat(writer->segment.path, &other) == 0)
		return shm_fail(error, -EAGAIN,
				"%s belongs to another file now; this segment has no name",
				writer->segment.path);
	writer_gate_shut_all(writer);
	/* Records in flight get a moment to end; only a thread that is suspended
	 * inside one is left to shm_republish. */
	(void)nanosleep(&(struct timespec){ .tv_nsec = IN_FLIGHT_NS }, NULL);
	return shm_republish(&writer->segment, error);
}

/* Says that somebody beats, and how often. */
static void beat(struct astshm_writer *writer)
{
	__atomic_store_n(&writer->header->heartbeat_monotonic_ns, shm_monotonic_ns(),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&writer->header->heartbeat_period_ns,
			 writer->options.tick_ms * 1000000ull, __ATOMIC_RELAXED);
}

/* Is there a segment to look after? */
static bool look_after(struct astshm_writer *writer, int *result, struct astshm_error *error)
{
	pthread_mutex_lock(&writer->lock);
	bool open = writer->generation && !writer->foreign;
	if (open) {
		beat(writer);
		if (!shm_is_named(&writer->segment))
			*result = restore_name(writer, error);
	}
	pthread_mutex_unlock(&writer->lock);
	return open;
}

static bool was_full_since(const struct astshm_writer *writer, uint64_t ns)
{
	/* Relaxed, as in writer_storage_full: "full" is believed for as long as a
	 * tick is apart, so none falls through between two of them. */
	bool was = __atomic_load_n(&writer->full_until_ns, __ATOMIC_RELAXED) > ns;

	for (uint32_t kind = 0; !was && kind < 5; kind++)
		was = __atomic_load_n(&writer->directory_full_until_ns[kind],
				      __ATOMIC_RELAXED) > ns;
	return was;
}

/*
 * Whoever records is told nothing; the host's housekeeping is. What is counted
 * without a lack of room are invalid names and tags, which are not told.
 */
static void warn_of_room(struct astshm_writer *writer, struct astshm_error *error)
{
	struct writer_room *room = &writer->room;
	/* Relaxed: words for people, in no order to others. */
	uint64_t records = __atomic_load_n(&writer->header->dropped_records, __ATOMIC_RELAXED);
	uint64_t registrations = __atomic_load_n(&writer->header->dropped_registrations,
						 __ATOMIC_RELAXED);

	pthread_mutex_lock(&writer->lock);
	if (records + registrations > room->dropped && was_full_since(writer, room->looked_ns))
		(void)shm_fail(error, 0, "%llu records and %llu registrations were dropped so "
			       "far: %s", (unsigned long long)records,
			       (unsigned long long)registrations, room->why.text);
	pthread_mutex_unlock(&writer->lock);
	room->dropped = records + registrations;
	room->looked_ns = shm_monotonic_ns();
}

int astshm_writer_tick(struct astshm_writer *writer, struct astshm_error *error)
{
	int result = 0;

	if (!writer_is_reachable(writer))
		return 0;
	pthread_mutex_lock(&writer->tick_turn);
	uint64_t start_ns = shm_monotonic_ns();
	if (look_after(writer, &result, error)) {
		writer_health_tick(writer); /* first: the history knows it then */
		writer_history_tick(writer);
		if (result == 0)
			warn_of_room(writer, error);
		writer_health_ticked(writer, (int64_t)(shm_monotonic_ns() - start_ns));
	}
	pthread_mutex_unlock(&writer->tick_turn);
	writer_clock_refine();
	return result;
}

/* A period from now: after a stop (SIGSTOP) nothing is caught up. */
static struct timespec next_beat(const struct astshm_writer *writer)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_nsec += (long)(writer->options.tick_ms % 1000) * 1000000;
	next.tv_sec += writer->options.tick_ms / 1000 + next.tv_nsec / 1000000000;
	next.tv_nsec %= 1000000000;
	return next;
}

static void *tick_main(void *argument)
{
	struct astshm_writer *writer = argument;

	pthread_mutex_lock(&writer->tick_lock);
	while (!writer->tick_stop) {
		pthread_mutex_unlock(&writer->tick_lock);
		(void)astshm_writer_tick(writer, NULL);
		struct timespec next = next_beat(writer);
		pthread_mutex_lock(&writer->tick_lock);
		while (!writer->tick_stop &&
		       pthread_cond_timedwait(&writer->tick_wake, &writer->tick_lock, &next) !=
			       ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&writer->tick_lock);
	return NULL;
}

void writer_tick_start(struct astshm_writer *writer)
{
	pthread_condattr_t attribute;
	sigset_t all, before;

	pthread_condattr_init(&attribute);
	pthread_condattr_setclock(&attribute, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->tick_wake, &attribute);
	pthread_condattr_destroy(&attribute);
	writer->tick_stop = false;
	/* The host's signals are for the host's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	writer->tick_running =
		pthread_create(&writer->tick_thread, NULL, tick_main, writer) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (writer->tick_running)
		(void)pthread_setname_np(writer->tick_thread, "astshm-tick");
}

void writer_tick_stop(struct astshm_writer *writer)
{
	if (!writer->tick_running)
		return;
	pthread_mutex_lock(&writer->tick_lock);
	writer->tick_stop = true;
	pthread_cond_signal(&writer->tick_wake);
	pthread_mutex_unlock(&writer->tick_lock);
	pthread_join(writer->tick_thread, NULL);
	pthread_cond_destroy(&writer->tick_wake);
	writer->tick_running = false;
}
