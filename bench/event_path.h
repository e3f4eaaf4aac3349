/* SPDX-License-Identifier: MIT */
/*
 * An event's way through ast-server in one thread, from the datagram to the
 * message for clients, with metrics and without: what recording is a part of.
 */
#ifndef BENCH_EVENT_PATH_H
#define BENCH_EVENT_PATH_H

#include "commands.h"

/* Adds rows, and the share of recording as a target. Nothing where there is no server. */
void bench_event_path(const struct bench_options *options, struct bench_report *report);

#endif
