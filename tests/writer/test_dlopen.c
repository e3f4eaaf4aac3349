/* SPDX-License-Identifier: MIT */
/* The library as a plug-in's dependency: loaded late, closed while threads that
 * used it live on. argv[1] is the plug-in. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "scene.h"

static const char *plugin_path;

struct plugin {
	int (*open)(const char *name);
	void (*record)(void);
	long (*count)(void);
	void (*close)(void);
};

static pthread_barrier_t turns;

static void *record_and_outlive(void *argument)
{
	const struct plugin *plugin = argument;

	plugin->record();
	pthread_barrier_wait(&turns); /* recorded */
	pthread_barrier_wait(&turns); /* the library is closed */
	return NULL;
}

static void threads_outlive_the_library(void **state)
{
	struct plugin plugin;
	pthread_t thread;

	(void)state;
	void *library = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fail_msg("%s", dlerror());
	*(void **)&plugin.open = dlsym(library, "plugin_open");
	*(void **)&plugin.record = dlsym(library, "plugin_record");
	*(void **)&plugin.count = dlsym(library, "plugin_count");
	*(void **)&plugin.close = dlsym(library, "plugin_close");
	assert_int_equal(plugin.open(scene_name(__func__)), 0);
	pthread_barrier_init(&turns, NULL, 2);
	pthread_create(&thread, NULL, record_and_outlive, &plugin);
	pthread_barrier_wait(&turns);
	plugin.record();
	assert_int_equal(plugin.count(), 2);
	plugin.close();
	assert_int_equal(dlclose(library), 0);
	pthread_barrier_wait(&turns);
	pthread_join(thread, NULL); /* its exit hook runs now */
	pthread_barrier_destroy(&turns);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_outlive_the_library),
	};

	if (argc < 2) {
		fprintf(stderr, "usage: test_dlopen PLUGIN\n");
		return 2;
	}
	plugin_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
