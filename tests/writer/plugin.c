/* SPDX-License-Identifier: MIT */
/* A plug-in that records; see test_dlopen.c. */
#include <astshm/writer.h>

static struct astshm_writer *writer;
static struct astshm_counter counter;

ASTSHM_API int plugin_open(const char *name);
ASTSHM_API void plugin_record(void);
ASTSHM_API long plugin_count(void);
ASTSHM_API void plugin_close(void);

int plugin_open(const char *name)
{
	int result = astshm_writer_open(&writer, name, NULL, NULL);

	if (result < 0)
		return result;
	return astshm_counter_register(writer, &(struct astshm_metric){ .name = "plugin.calls" },
				       &counter, NULL);
}

void plugin_record(void)
{
	astshm_counter_add(counter, 1);
	astshm_time(writer, "plugin.time", 100, ASTSHM_NO_TAGS);
}

long plugin_count(void)
{
	int64_t value = -1;

	(void)astshm_get_counter(writer, "plugin.calls", ASTSHM_NO_TAGS, &value);
	return (long)value;
}

void plugin_close(void)
{
	astshm_writer_close(&writer);
}
