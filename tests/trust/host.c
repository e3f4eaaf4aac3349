/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

void host_start(struct host *host, const char *segment)
{
	memset(host, 0, sizeof *host);
	host->code = astshm_writer_open(&host->writer, segment, NULL, &host->error);
	(void)astshm_counter_register(host->writer, &(struct astshm_metric){ .name = "requests" },
				      &host->requests, NULL);
	(void)astshm_gauge_register(host->writer, &(struct astshm_metric){ .name = "depth" },
				    &host->depth, NULL);
	(void)astshm_timing_register(host->writer, &(struct astshm_metric){ .name = "duration" },
				     &host->duration, NULL);
	(void)astshm_distribution_register(host->writer,
					   &(struct astshm_metric){ .name = "size" },
					   &host->size, NULL);
}

void host_serve(struct host *host, unsigned count)
{
	char kind[32];
	for (unsigned i = 0; i < count; i++) {
		struct astshm_timer timer = astshm_timer_start();
		snprintf(kind, sizeof kind, "kind.%u", i % 20);
		astshm_counter_add(host->requests, 1);
		astshm_gauge_set(host->depth, i);
		astshm_distribution_record(host->size, i);
		astshm_increment(host->writer, "by.kind", 1, ASTSHM_TAGS({ "kind", kind }));
		astshm_time(host->writer, kind, 1000 + i, ASTSHM_NO_TAGS);
		astshm_timer_stop(host->duration, timer);
		host->answered++;
	}
}

int64_t host_counted(struct host *host)
{
	int64_t value = -1;
	if (host->writer)
		(void)astshm_get_counter(host->writer, "requests", ASTSHM_NO_TAGS, &value);
	return value;
}

bool host_isolate(const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

void host_complain(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
}
