/* SPDX-License-Identifier: MIT */
/*
 * The library as a plug-in's dependency: loaded late, closed while threads that
 * used it live on, and loaded again. argv[1] is the plug-in.
 *
 * The plug-in's code and data are gone after dlclose; the writer library stays
 * (it is linked with -z nodelete), because the threads' exit hooks are in it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "scene.h"

#define GUESTS 8u

static const char *plugin_path;

static struct plugin {
	void *library;
	int (*open)(const char *name);
	void (*record)(void);
	long (*count)(void);
	void (*close)(void);
} plugin;

static void load(void)
{
	plugin.library = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin.library)
		fail_msg("%s", dlerror());
	*(void **)&plugin.open = dlsym(plugin.library, "plugin_open");
	*(void **)&plugin.record = dlsym(plugin.library, "plugin_record");
	*(void **)&plugin.count = dlsym(plugin.library, "plugin_count");
	*(void **)&plugin.close = dlsym(plugin.library, "plugin_close");
}

static void unload(void)
{
	assert_int_equal(dlclose(plugin.library), 0);
	/* It is gone, not only closed. */
	assert_null(dlopen(plugin_path, RTLD_NOW | RTLD_NOLOAD));
}

/* --- threads that do as they are told ------------------------------------------- */

enum order { IDLE, RECORD, LEAVE };

struct guest {
	pthread_t thread;
	pthread_barrier_t turn; /* before and after each order */
	enum order order;
};

static void *guest_main(void *argument)
{
	struct guest *guest = argument;

	for (;;) {
		pthread_barrier_wait(&guest->turn);
		if (guest->order == LEAVE)
			return NULL; /* and its exit hook runs */
		plugin.record();
		pthread_barrier_wait(&guest->turn);
	}
}

static void invite(struct guest *guest)
{
	pthread_barrier_init(&guest->turn, NULL, 2);
	assert_int_equal(pthread_create(&guest->thread, NULL, guest_main, guest), 0);
}

static void tell(struct guest *guest, enum order order)
{
	guest->order = order;
	pthread_barrier_wait(&guest->turn);
	if (order == RECORD) {
		pthread_barrier_wait(&guest->turn);
		return;
	}
	pthread_join(guest->thread, NULL);
	pthread_barrier_destroy(&guest->turn);
}

static void invite_all(struct guest *guests)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		invite(&guests[i]);
		tell(&guests[i], RECORD);
	}
}

/* --- cases ------------------------------------------------------------------------ */

static void threads_outlive_the_library(void **state)
{
	struct guest guests[GUESTS];

	(void)state;
	load();
	assert_int_equal(plugin.open(scene_name(__func__)), 0);
	invite_all(guests);
	plugin.record();
	assert_int_equal(plugin.count(), GUESTS + 1);
	plugin.close();
	unload();
	for (unsigned i = 0; i < GUESTS; i++)
		tell(&guests[i], LEAVE);
}

static void threads_leave_before_between_and_after(void **state)
{
	struct guest guests[GUESTS];

	(void)state;
	load();
	assert_int_equal(plugin.open(scene_name(__func__)), 0);
	invite_all(guests);
	tell(&guests[7], LEAVE); /* the writer is open */
	tell(&guests[0], LEAVE);
	tell(&guests[1], RECORD);
	assert_int_equal(plugin.count(), GUESTS + 1);
	plugin.close();
	tell(&guests[6], LEAVE); /* it is closed, the plug-in loaded */
	tell(&guests[1], LEAVE);
	unload();
	for (unsigned i = 5; i >= 2; i--) /* the youngest first */
		tell(&guests[i], LEAVE);
}

/* The plug-in forgot to close its writer: the segment lives as long as the process,
 * and threads still give their slots back. */
static void threads_leave_a_writer_that_nobody_closed(void **state)
{
	struct guest guests[GUESTS];
	struct astshm_snapshot *snapshot;
	struct astshm_reader *reader;

	(void)state;
	load();
	assert_int_equal(plugin.open(scene_name(__func__)), 0);
	invite_all(guests);
	unload();
	assert_int_equal(astshm_reader_open(&reader, scene_name(__func__), NULL, NULL), 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
		assert_int_equal(astshm_snapshot_segment(snapshot)->threads, GUESTS - i);
		assert_int_equal(astshm_snapshot_segment(snapshot)->state, ASTSHM_STATE_LIVE);
		astshm_snapshot_free(&snapshot);
		tell(&guests[i], LEAVE);
	}
	astshm_reader_close(&reader);
}

/* Slots and rows of the first segment mean nothing in the second. */
static void threads_serve_the_library_that_is_loaded_again(void **state)
{
	struct guest guests[GUESTS];

	(void)state;
	load();
	assert_int_equal(plugin.open(scene_name(__func__)), 0);
	invite_all(guests);
	for (int again = 0; again < 3; again++) {
		plugin.close();
		unload();
		load();
		assert_int_equal(plugin.open(scene_name(__func__)), 0);
		assert_int_equal(plugin.count(), 0);
		for (unsigned i = GUESTS; i-- > 0;)
			tell(&guests[i], RECORD);
		assert_int_equal(plugin.count(), GUESTS);
	}
	for (unsigned i = 0; i < GUESTS / 2; i++)
		tell(&guests[i], LEAVE);
	plugin.close();
	unload();
	for (unsigned i = GUESTS / 2; i < GUESTS; i++)
		tell(&guests[i], LEAVE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_outlive_the_library),
		cmocka_unit_test(threads_leave_before_between_and_after),
		cmocka_unit_test(threads_leave_a_writer_that_nobody_closed),
		cmocka_unit_test(threads_serve_the_library_that_is_loaded_again),
	};

	if (argc < 2) {
		fprintf(stderr, "usage: test_dlopen PLUGIN\n");
		return 2;
	}
	plugin_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
