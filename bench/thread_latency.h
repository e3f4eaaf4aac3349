/* SPDX-License-Identifier: MIT */
/* How long single records take, the slowest too. */
#ifndef BENCH_THREAD_LATENCY_H
#define BENCH_THREAD_LATENCY_H

#include "commands.h"
#include "scene.h"
#include "team.h"

void bench_thread_latency(struct bench_scene *scene, struct bench_team *team, unsigned most,
			  const struct bench_options *options, struct bench_report *report);

#endif
