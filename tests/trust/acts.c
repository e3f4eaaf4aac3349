/* SPDX-License-Identifier: MIT */
#include "acts.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <astshm/writer.h>

#include "stepper.h"

#define FAILED 101 /* exit status of an act whose own calls fail */

static struct astshm_writer *writer;
static struct astshm_counter counter, signal_counter;
static struct astshm_gauge gauge;
static struct astshm_timing timing;
static struct astshm_distribution distribution;

static void must(int result)
{
	if (result < 0)
		_exit(FAILED);
}

static struct astshm_writer_options small(void)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	options.max_bytes = 2 << 20;
	options.max_series = 400;
	options.max_tag_sets = 400;
	options.max_threads = 4;
	options.history_ms = ASTSHM_HISTORY_NONE;
	return options;
}

static void open_small(const char *path)
{
	struct astshm_writer_options options = small();
	must(astshm_writer_open(&writer, path, &options, NULL));
}

static void register_all(void)
{
	must(astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter,
				     NULL));
	must(astshm_counter_register(writer, &(struct astshm_metric){
					     .name = "s", .flags = ASTSHM_SIGNAL_SAFE },
				     &signal_counter, NULL));
	must(astshm_gauge_register(writer, &(struct astshm_metric){ .name = "g" }, &gauge, NULL));
	must(astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing,
				    NULL));
	must(astshm_distribution_register(writer, &(struct astshm_metric){
						  .name = "d", .unit = "bytes" },
					  &distribution, NULL));
}

/* A segment with a value of every kind, each a different one. */
static void furnish(const char *path)
{
	open_small(path);
	register_all();
	astshm_counter_add(counter, 5);
	astshm_counter_add_signal(signal_counter, 2);
	astshm_increment(writer, "n", 7, ASTSHM_TAGS({ "k", "v" }));
	astshm_increment(writer, "u", 4, ASTSHM_NO_TAGS);
	astshm_decrement(writer, "u", 1, ASTSHM_NO_TAGS);
	astshm_gauge_set(gauge, 1.5);
	astshm_gauge_set(gauge, 2.5);
	for (int64_t i = 1; i <= 100; i++) {
		astshm_timing_record(timing, i * 1000);
		astshm_distribution_record(distribution, i * i);
	}
	astshm_time(writer, "by.name", 777, ASTSHM_NO_TAGS);
}

/* --- inside a segment ---------------------------------------------------- */

static void register_handles(void *path)
{
	const struct astshm_tag tags[] = { { "kind", "x" }, { "an", "other" } };
	struct astshm_metric metric = { .name = "made", .unit = "parts", .help = "A help text.",
					.tags = tags, .tag_count = 2,
					.merge = ASTSHM_MERGE_MAX };
	furnish(path);
	stepper_mark();
	must(astshm_counter_register(writer, &metric, &counter, NULL));
	stepper_mark();
	must(astshm_gauge_register(writer, &metric, &gauge, NULL));
	stepper_mark();
	must(astshm_timing_register(writer, &metric, &timing, NULL));
	stepper_mark();
	must(astshm_distribution_register(writer, &metric, &distribution, NULL));
	stepper_mark();
	metric.name = "c"; /* known, but not for signals */
	metric.tag_count = 0;
	metric.flags = ASTSHM_SIGNAL_SAFE;
	must(astshm_counter_register(writer, &metric, &counter, NULL));
	stepper_mark();
}

static void register_names(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_increment(writer, "new", 13, ASTSHM_TAGS({ "k", "v" }));
	stepper_mark();
	astshm_set(writer, "new", 0.25, ASTSHM_NO_TAGS);
	stepper_mark();
	astshm_time(writer, "new", 1000, ASTSHM_NO_TAGS);
	stepper_mark();
	astshm_observe(writer, "new", 1000, ASTSHM_NO_TAGS);
	stepper_mark();
}

static void touch_first(void *path)
{
	open_small(path);
	register_all();
	stepper_mark();
	astshm_counter_add(counter, 11);
	stepper_mark();
	astshm_gauge_set(gauge, 12.5);
	stepper_mark();
	astshm_timing_record(timing, 13);
	stepper_mark();
	astshm_distribution_record(distribution, 14);
	stepper_mark();
}

static void record_counters(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_counter_add(counter, 1);
	stepper_mark();
	astshm_counter_add(counter, UINT64_C(1) << 40);
	stepper_mark();
	astshm_counter_add_signal(signal_counter, 3);
	stepper_mark();
	astshm_increment(writer, "n", 6, ASTSHM_TAGS({ "k", "v" }));
	stepper_mark();
	astshm_decrement(writer, "u", 5, ASTSHM_NO_TAGS);
	stepper_mark();
}

static void record_gauges(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_gauge_set(gauge, 2.0);
	stepper_mark();
	astshm_gauge_set(gauge, -7.0);
	stepper_mark();
	astshm_gauge_add(gauge, 100.0);
	stepper_mark();
	astshm_gauge_set(gauge, INFINITY); /* current alone */
	stepper_mark();
	astshm_add(writer, "gauge.by.name", 1.25, ASTSHM_NO_TAGS);
	stepper_mark();
}

/* In the middle; a new minimum; a new maximum; zero; past the last bucket, so
 * often that the sum carries. */
static const int64_t samples[] = { 5500, 3, 9000000000, 0, INT64_MAX, INT64_MAX, INT64_MAX };
#define SAMPLES (sizeof samples / sizeof samples[0])

static void record_timings(void *path)
{
	furnish(path);
	stepper_mark();
	for (size_t i = 0; i < SAMPLES; i++) {
		astshm_timing_record(timing, samples[i]);
		stepper_mark();
	}
}

static void record_distributions(void *path)
{
	furnish(path);
	stepper_mark();
	for (size_t i = 0; i < SAMPLES; i++) {
		astshm_distribution_record(distribution, samples[i]);
		stepper_mark();
	}
}

/* A counter that falls for the first time, by name. */
static void turn_up_down(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_decrement(writer, "n", 2, ASTSHM_TAGS({ "k", "v" }));
	stepper_mark();
	astshm_decrement(writer, "c", 9, ASTSHM_NO_TAGS);
	stepper_mark();
}

/* Records are used again, first for other names, then for the same ones. */
static void remove_and_reuse(void *path)
{
	furnish(path);
	stepper_mark();
	must(astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", ASTSHM_NO_TAGS));
	stepper_mark();
	astshm_increment(writer, "c2", 50, ASTSHM_TAGS({ "longer", "tags" }));
	stepper_mark();
	must(astshm_remove(writer, ASTSHM_KIND_TIMING, "t", ASTSHM_NO_TAGS));
	stepper_mark();
	astshm_time(writer, "t2", 123456, ASTSHM_NO_TAGS);
	stepper_mark();
	must(astshm_remove(writer, ASTSHM_KIND_GAUGE, "g", ASTSHM_NO_TAGS));
	stepper_mark();
	astshm_set(writer, "g", 9.5, ASTSHM_NO_TAGS);
	stepper_mark();
	must(astshm_remove(writer, ASTSHM_KIND_COUNTER, "s", ASTSHM_NO_TAGS));
	stepper_mark();
	astshm_increment(writer, "s", 21, ASTSHM_NO_TAGS);
	stepper_mark();
}

static void remove_matching(void *path)
{
	furnish(path);
	stepper_mark();
	must(astshm_remove_match(writer, 0, "[cgtnu]*", NULL, 0));
	stepper_mark();
	must(astshm_remove_match(writer, 0, "*", NULL, 0));
	stepper_mark();
}

static void reset_and_go_on(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_reset(writer);
	stepper_mark();
	astshm_counter_add(counter, 3);
	stepper_mark();
	astshm_increment(writer, "n", 4, ASTSHM_TAGS({ "k", "v" }));
	stepper_mark();
	astshm_gauge_set(gauge, 5.5);
	stepper_mark();
	astshm_timing_record(timing, 6000);
	stepper_mark();
	astshm_distribution_record(distribution, 7);
	stepper_mark();
	astshm_time(writer, "by.name", 8, ASTSHM_NO_TAGS);
	stepper_mark();
	astshm_reset_counters(writer);
	stepper_mark();
	astshm_counter_add(counter, 9);
	stepper_mark();
	astshm_reset(writer); /* a second one in a row: the other baseline */
	stepper_mark();
}

/* Each first touch of a timing takes 24 KiB. */
static void grow(void *path)
{
	char name[16];
	furnish(path);
	stepper_mark();
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "grow.%d", i);
		astshm_time(writer, name, 1000 + i, ASTSHM_NO_TAGS);
		stepper_mark();
	}
}

/* Extents of the directory hold 256 series, 64 families, 64 chunks of counters. */
static void extend_directory(void *path)
{
	char text[16];
	open_small(path);
	for (int i = 0; i < 254; i++) {
		snprintf(text, sizeof text, "%d", i);
		astshm_increment(writer, "many", 1000 + (uint64_t)i, ASTSHM_TAGS({ "i", text }));
	}
	for (int i = 0; i < 62; i++) {
		snprintf(text, sizeof text, "family.%d", i);
		must(astshm_describe(writer, ASTSHM_KIND_GAUGE, text, "rooms", "Before.", NULL));
	}
	stepper_mark();
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "family.x.%d", i);
		astshm_set(writer, text, i + 0.5, ASTSHM_NO_TAGS);
		stepper_mark();
	}
}

static void describe(void *path)
{
	furnish(path);
	stepper_mark();
	must(astshm_describe(writer, ASTSHM_KIND_COUNTER, "c", "pieces", "One sentence.", NULL));
	stepper_mark();
	must(astshm_describe(writer, ASTSHM_KIND_COUNTER, "c", "things", "A longer sentence.",
			     NULL));
	stepper_mark();
	must(astshm_describe(writer, ASTSHM_KIND_GAUGE, "g", "", "Unit gone.", NULL));
	stepper_mark();
}

static void switch_off_and_on(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_writer_set_recording(writer, false);
	stepper_mark();
	astshm_counter_add(counter, 1000);
	stepper_mark();
	astshm_writer_set_recording(writer, true);
	stepper_mark();
	astshm_counter_add(counter, 1);
	stepper_mark();
	must(astshm_writer_tick(writer, NULL));
	stepper_mark();
}

static void open_with_history(const char *path)
{
	struct astshm_writer_options options = small();
	options.tick_ms = options.history_ms = 1;
	options.history_count = 1;
	options.history_coarse_count = ASTSHM_HISTORY_NONE;
	must(astshm_writer_open(&writer, path, &options, NULL));
}

/* The first tick makes the table. */
static void begin_history(void *path)
{
	open_with_history(path);
	must(astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing,
				    NULL));
	astshm_timing_record(timing, 1);
	stepper_mark();
	must(astshm_writer_tick(writer, NULL));
	stepper_mark();
}

/* The second tick overwrites what the one before the last kept. */
static void keep_history(void *path)
{
	open_with_history(path);
	register_all();
	for (int64_t k = 1; k <= 1500; k++) /* more than a chunk of 1 KiB */
		astshm_timing_record(timing, k * k * k);
	must(astshm_writer_tick(writer, NULL));
	stepper_mark();
	for (int64_t i = 1; i <= 2; i++) {
		astshm_timing_record(timing, i);
		stepper_mark();
		(void)usleep(1100);
		must(astshm_writer_tick(writer, NULL));
		stepper_mark();
	}
}

#define SAMPLE_MARKS ((uint32_t)SAMPLES + 1)

const struct act acts_inside[] = {
	{ "register", register_handles, 6 },
	{ "register by name", register_names, 5 },
	{ "first touch", touch_first, 5 },
	{ "record counters", record_counters, 6 },
	{ "record gauges", record_gauges, 6 },
	{ "record timings", record_timings, SAMPLE_MARKS },
	{ "record distributions", record_distributions, SAMPLE_MARKS },
	{ "turn up-down", turn_up_down, 3 },
	{ "remove and reuse", remove_and_reuse, 9 },
	{ "remove matching", remove_matching, 3 },
	{ "reset", reset_and_go_on, 11 },
	{ "grow", grow, 7 },
	{ "extend the directory", extend_directory, 5 },
	{ "describe", describe, 4 },
	{ "switch off and on", switch_off_and_on, 6 },
	{ "begin a history", begin_history, 2 },
	{ "keep a history", keep_history, 5 },
};
const size_t acts_inside_count = sizeof acts_inside / sizeof acts_inside[0];

/* The sum first: until the bucket follows, count and buckets agree about the
 * samples before, and the sum is one too large. */
static void break_the_rules(void *path)
{
	struct astshm_histogram_block *block;
	furnish(path);
	stepper_mark();
	/* The row's entry is the thread's block. */
	block = (void *)astshm_row_entry(timing.writer, timing.index);
	__atomic_store_n(&block->sum, block->sum + 5500, __ATOMIC_RELEASE);
	__atomic_store_n(&block->slots[astshm_bucket_slot(astshm_timing_table, 5500)],
			 block->slots[astshm_bucket_slot(astshm_timing_table, 5500)] + 1,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&block->count, block->count + 1, __ATOMIC_RELEASE);
	stepper_mark();
}

const struct act act_break_the_rules = { "break the rules", break_the_rules, 2 };

/* --- coming and going -------------------------------------------------------- */

static void open_keeping(const char *path, uint32_t keep)
{
	struct astshm_writer_options options = small();
	options.keep_dead = keep;
	stepper_mark();
	must(astshm_writer_open(&writer, path, &options, NULL));
	stepper_mark();
}

static void create(void *path)
{
	open_keeping(path, 1);
}

static void take_over_keeping_two(void *path)
{
	open_keeping(path, 2);
}

static void take_over_keeping_none(void *path)
{
	open_keeping(path, ASTSHM_KEEP_NONE);
}

static void close_writer(void *path)
{
	furnish(path);
	stepper_mark();
	astshm_writer_close(&writer);
	stepper_mark();
}

static void close_keeping(void *path)
{
	struct astshm_writer_options options = small();
	options.flags = ASTSHM_OPEN_KEEP;
	must(astshm_writer_open(&writer, path, &options, NULL));
	register_all();
	astshm_counter_add(counter, 5);
	stepper_mark();
	astshm_writer_close(&writer);
	stepper_mark();
}

/* A small one: it is copied word by word. */
static void restore_name(void *path)
{
	open_small(path);
	register_all();
	astshm_counter_add(counter, 5);
	stepper_mark();
	must(unlink(path));
	must(astshm_writer_tick(writer, NULL));
	stepper_mark();
}

const struct act act_create = { "create", create, 2 };
const struct act act_take_over = { "take over", create, 2 };
const struct act act_take_over_again = { "take over, two dead", create, 2 };
const struct act act_take_over_keeping_two = { "take over, keep 2", take_over_keeping_two, 2 };
const struct act act_take_over_keeping_none = { "take over, keep 0", take_over_keeping_none, 2 };
const struct act act_close = { "close", close_writer, 2 };
const struct act act_close_keeping = { "close, keep", close_keeping, 2 };
const struct act act_restore_name = { "restore the name", restore_name, 2 };

/* --- other writers -------------------------------------------------------------- */

static void live_as_heir(const char *path, int ready, int end)
{
	struct astshm_error error;
	char byte = 'r';
	if (astshm_writer_open(&writer, path, NULL, &error) < 0) {
		fprintf(stderr, "heir: %s\n", error.text);
		_exit(FAILED);
	}
	astshm_increment(writer, "heir", 1, ASTSHM_NO_TAGS);
	if (write(ready, &byte, 1) != 1 || read(end, &byte, 1) < 0)
		_exit(FAILED);
	astshm_writer_close(&writer);
	_exit(0);
}

void acts_inherit(struct heir *heir, const char *path)
{
	int ready[2], end[2];
	char byte;
	assert_int_equal(pipe(ready) | pipe(end), 0);
	heir->pid = fork();
	assert_true(heir->pid >= 0);
	if (heir->pid == 0) {
		close(ready[0]);
		close(end[1]);
		live_as_heir(path, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	heir->end = end[1];
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("no new writer can take %s over", path);
	close(ready[0]);
}

void acts_end(struct heir *heir)
{
	int status;
	close(heir->end);
	assert_int_equal(waitpid(heir->pid, &status, 0), heir->pid);
	assert_int_equal(status, 0);
}

void acts_leave_dead(const char *path, uint64_t value)
{
	int status, pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct astshm_writer_options options = small();
		options.keep_dead = 9;
		must(astshm_writer_open(&writer, path, &options, NULL));
		astshm_increment(writer, "dead", value, ASTSHM_NO_TAGS);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
