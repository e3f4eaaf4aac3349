/* SPDX-License-Identifier: MIT */
/*
 * A host that has its segment when limits close in, space runs out or privileges
 * go: it serves on, what it could record is exact, what it could not is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <astshm/reader.h>

#include "host.h"
#include "scene.h"

#define NAME "squeezed"
#define PATH "/dev/shm/astshm." NAME
#define NOBODY 65534
#define MAY_NOT 77
#define CROWD 100

static int set_soft(int resource, rlim_t value)
{
	struct rlimit limit;
	if (getrlimit((__rlimit_resource_t)resource, &limit))
		return -1;
	limit.rlim_cur = value;
	return setrlimit((__rlimit_resource_t)resource, &limit);
}

static rlim_t address_space_in_use(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static uint64_t dropped(struct host *host)
{
	struct astshm_snapshot *snapshot;
	if (astshm_get_all_metrics(host->writer, &snapshot, NULL) < 0)
		return 0;
	uint64_t count = astshm_snapshot_segment(snapshot)->dropped;
	astshm_snapshot_free(&snapshot);
	return count;
}

/* --- descriptors ------------------------------------------------------------- */

/* No descriptor is needed to record, to touch, to grow or to beat; one is to
 * make a vanished name again, and that is said and tried again. */
static int without_descriptors(void *unused)
{
	struct astshm_error error;
	struct host host;
	(void)unused;
	if (!host_isolate("mode=1777"))
		return MAY_NOT;
	host_start(&host, NAME);
	HOST_MUST(host.code == 0);
	HOST_MUST(set_soft(RLIMIT_NOFILE, 0) == 0);
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(host_counted(&host) == HOST_REQUESTS && dropped(&host) == 0);
	HOST_MUST(astshm_writer_tick(host.writer, &error) == 0);
	HOST_MUST(unlink(PATH) == 0);
	HOST_MUST(astshm_writer_tick(host.writer, &error) == -EMFILE);
	HOST_MUST(strstr(error.text, PATH) && strstr(error.text, "open files"));
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(set_soft(RLIMIT_NOFILE, 64) == 0);
	HOST_MUST(astshm_writer_tick(host.writer, &error) == 0 && access(PATH, F_OK) == 0);
	HOST_MUST(host_counted(&host) == 2 * HOST_REQUESTS);
	astshm_writer_close(&host.writer);
	HOST_MUST(host.answered == 2 * HOST_REQUESTS && access(PATH, F_OK) != 0);
	return 0;
}

/* --- address space --------------------------------------------------------------- */

struct crowd {
	struct host *host;
	pthread_barrier_t ready, go, done;
};

static void *record_late(void *argument)
{
	struct crowd *crowd = argument;
	pthread_barrier_wait(&crowd->ready);
	pthread_barrier_wait(&crowd->go);
	astshm_counter_add(crowd->host->requests, 1);
	astshm_timing_record(crowd->host->duration, 1000);
	pthread_barrier_wait(&crowd->done); /* all of them live at once */
	return NULL;
}

/* Starts threads that record for the first time when no address is left. */
static int squeeze_addresses(struct host *host, unsigned threads)
{
	struct crowd crowd = { .host = host };
	pthread_t ids[CROWD];
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	pthread_barrier_init(&crowd.ready, NULL, threads + 1);
	pthread_barrier_init(&crowd.go, NULL, threads + 1);
	pthread_barrier_init(&crowd.done, NULL, threads + 1);
	for (unsigned i = 0; i < threads; i++)
		HOST_MUST(pthread_create(&ids[i], &attributes, record_late, &crowd) == 0);
	pthread_barrier_wait(&crowd.ready);
	HOST_MUST(set_soft(RLIMIT_AS, address_space_in_use()) == 0);
	pthread_barrier_wait(&crowd.go);
	pthread_barrier_wait(&crowd.done);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

/* New threads find no room for a row of their own and share slot 0. */
static int without_addresses(void *unused)
{
	struct astshm_statistics durations;
	struct host host;
	(void)unused;
	if (!host_isolate("mode=1777"))
		return MAY_NOT;
	host_start(&host, NAME);
	HOST_MUST(host.code == 0);
	host_serve(&host, HOST_REQUESTS);
	if (squeeze_addresses(&host, 4))
		return 1;
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(set_soft(RLIMIT_AS, RLIM_INFINITY) == 0);
	HOST_MUST(host.answered == 2 * HOST_REQUESTS);
	HOST_MUST(host_counted(&host) == 2 * HOST_REQUESTS + 4);
	HOST_MUST(astshm_get_timing(host.writer, "duration", ASTSHM_NO_TAGS, &durations) == 0);
	HOST_MUST(durations.count == 2 * HOST_REQUESTS + 4);
	HOST_MUST(dropped(&host) == 0);
	astshm_writer_close(&host.writer);
	return 0;
}

/* liburcu-bp keeps its threads in an area that it must enlarge now and then, and
 * aborts if it cannot: the one stated exception (doc/reliability.md). */
static int without_addresses_for_liburcu(void *unused)
{
	struct host host;
	(void)unused;
	if (!host_isolate("mode=1777"))
		return MAY_NOT;
	host_start(&host, NAME);
	HOST_MUST(host.code == 0);
	return squeeze_addresses(&host, CROWD);
}

/* --- space ---------------------------------------------------------------------------- */

/* Somebody else fills the file system to the last page. */
static bool fill_folder(void)
{
	static char page[4096] = "x";
	int fd = open("/dev/shm/other", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && write(fd, page, sizeof page) > 0)
		;
	bool full = fd >= 0 && errno == ENOSPC;
	close(fd);
	return full;
}

static uint64_t samples_of(struct host *host, const char *name)
{
	struct astshm_statistics value = { 0 };
	(void)astshm_get_timing(host->writer, name, ASTSHM_NO_TAGS, &value);
	return value.count;
}

/* What has room goes on; what has none is counted; space that comes back is used. */
static int without_space(void *unused)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct host host;
	(void)unused;
	if (!host_isolate("size=8m,mode=1777"))
		return MAY_NOT;
	host_start(&host, NAME);
	HOST_MUST(host.code == 0);
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(fill_folder());
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "late.%d", i);
		astshm_time(host.writer, name, 5, ASTSHM_NO_TAGS);
	}
	HOST_MUST(dropped(&host) > 0);
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(host_counted(&host) == 2 * HOST_REQUESTS);
	HOST_MUST(unlink("/dev/shm/other") == 0);
	for (int i = 0; samples_of(&host, "late.39") == 0; i++) {
		HOST_MUST(i < 3000); /* a minute */
		nanosleep(&pause, NULL);
		astshm_time(host.writer, "late.39", 5, ASTSHM_NO_TAGS);
	}
	astshm_writer_close(&host.writer);
	return 0;
}

/* --- privileges ------------------------------------------------------------------------- */

static enum astshm_state state_at(const char *path)
{
	struct astshm_listing listing;
	if (astshm_list_path(path, &listing, NULL) < 0 || listing.error)
		return ASTSHM_STATE_NONE;
	return listing.state;
}

/* A server that was started by root and became somebody else. What it may not
 * unlink any more it leaves closed. */
static int without_privileges(void *unused)
{
	struct host host;
	(void)unused;
	if (!host_isolate("mode=1777"))
		return MAY_NOT;
	host_start(&host, NAME);
	HOST_MUST(host.code == 0);
	HOST_MUST(chmod(PATH, 0644) == 0);
	HOST_MUST(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
	host_serve(&host, HOST_REQUESTS);
	HOST_MUST(astshm_writer_tick(host.writer, NULL) == 0);
	HOST_MUST(host_counted(&host) == HOST_REQUESTS && dropped(&host) == 0);
	HOST_MUST(state_at(PATH) == ASTSHM_STATE_LIVE);
	astshm_writer_close(&host.writer);
	HOST_MUST(state_at(PATH) == ASTSHM_STATE_CLOSED);
	return 0;
}

/* --- cases --------------------------------------------------------------------------------- */

static void host_without_descriptors_serves_on(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(without_descriptors, NULL)), 0);
}

static void threads_without_addresses_share_a_slot(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(without_addresses, NULL)), 0);
}

static void liburcu_without_addresses_aborts_as_documented(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(without_addresses_for_liburcu, NULL)),
			 128 + SIGABRT);
}

static void space_that_comes_back_is_used(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(without_space, NULL)), 0);
}

static void server_that_dropped_its_privileges_serves_on(void **state)
{
	(void)state;
	assert_int_equal(scene_join(scene_fork(without_privileges, NULL)), 0);
}

static int try_to_isolate(void *unused)
{
	(void)unused;
	return host_isolate("mode=1777") ? 0 : MAY_NOT;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_without_descriptors_serves_on),
		cmocka_unit_test(space_that_comes_back_is_used),
		cmocka_unit_test(server_that_dropped_its_privileges_serves_on),
	};
	const struct CMUnitTest address_tests[] = {
		cmocka_unit_test(threads_without_addresses_share_a_slot),
		cmocka_unit_test(liburcu_without_addresses_aborts_as_documented),
	};
	int failed = 0;
	if (scene_join(scene_fork(try_to_isolate, NULL)) == MAY_NOT) {
		printf("skipped: needs a mount namespace (root)\n");
		return MAY_NOT;
	}
	if (HOST_CAN_LIMIT_ADDRESSES)
		failed = cmocka_run_group_tests(address_tests, NULL, NULL);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
