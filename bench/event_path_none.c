/* SPDX-License-Identifier: MIT */
/* Where the server is not built. */
#include "event_path.h"

void bench_event_path(const struct bench_options *options, struct bench_report *report)
{
	(void)options;
	(void)report;
}
