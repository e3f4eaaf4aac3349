/* SPDX-License-Identifier: MIT */
/* Readers that look while everybody records. */
#ifndef TESTS_RANDOM_WATCH_H
#define TESTS_RANDOM_WATCH_H

#include <astshm/reader.h>

/* Forks the process that reads; before there are threads. */
int watch_init(void);
void watch_fini(void);
/* One thread and that process attach to a segment and poll it. */
int watch_start(const char *segment);
/* Both let go of it. Returns what went wrong, printed; *passes: of all segments. */
int watch_stop(unsigned long *passes);

#endif
