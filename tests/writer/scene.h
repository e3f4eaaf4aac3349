/* SPDX-License-Identifier: MIT */
/* What the writer's tests share: a writer under a name of its own, threads that
 * start together, readers in other processes. */
#ifndef TESTS_WRITER_SCENE_H
#define TESTS_WRITER_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <astshm/writer.h>

/* Opens a writer named after process and case; fails the test if it cannot. */
struct astshm_writer *scene_open(const char *test, const struct astshm_writer_options *options);
/* The name scene_open gives to a case; static storage. */
const char *scene_name(const char *test);
/*
 * What astshm_reader_open does, for readers of what is being written: two seconds,
 * the default, pass on a busy machine while the reader is off its core.
 */
int scene_reader_open(struct astshm_reader **reader, const char *segment);
/* cmocka teardown: removes every segment that this process left. */
int scene_teardown(void **state);

/* Options with everything at its default; size is set. */
struct astshm_writer_options scene_options(void);

/* Values by name, without tags; fail the test if there is no such metric. */
int64_t scene_counter(struct astshm_writer *writer, const char *name);
struct astshm_statistics scene_timing(struct astshm_writer *writer, const char *name);
struct astshm_gauge_value scene_gauge(struct astshm_writer *writer, const char *name);

/* CLOCK_MONOTONIC: what a busy machine may delay is looked for until some time. */
int64_t scene_seconds(void);
#define SCENE_PATIENCE_SECONDS 60

/* Runs main(i, argument) on `count` threads and waits for all. */
void scene_threads(unsigned count, void (*main)(unsigned number, void *argument), void *argument);

/*
 * Runs check(name) in a forked process that attaches from outside; its result
 * (0 for success) must arrive within 120 s. start/join for longer ones.
 */
int scene_fork(int (*check)(void *argument), void *argument);
int scene_join(int pid);
/* In such a process: it has attached and read once. */
void scene_report_ready(void);
/* Waits for that many reports: load that ends before a reader has come proves
 * nothing. Fails the test after 60 s. */
void scene_await_ready(unsigned count);

/* Is every histogram of the snapshot consistent? count = sum of slots, min <=
 * quantiles <= max. Returns 0, or 1 after printing what was off. */
int scene_check_snapshot(const struct astshm_snapshot *snapshot);

#endif
