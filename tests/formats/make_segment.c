/* SPDX-License-Identifier: MIT */
/*
 * usage: make_segment NAME closed|dead|history
 *
 * Leaves the segment that test_formats.c knows the values of: for a version of
 * the format that tests/data has none of yet (tests/data/README.md). `dead`: the
 * process kills itself in the midst of a record. `history`: closed, and it has
 * both rings of a history.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <astshm/writer.h>

#define BEAT_MS 20
#define STEPS 9

static struct astshm_writer *writer;

static int open_writer(const char *name)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error;

	options.flags = ASTSHM_OPEN_KEEP;
	options.max_bytes = 1 << 20;
	options.max_series = 64;
	options.max_threads = 4;
	options.tick_ms = BEAT_MS;
	options.history_ms = BEAT_MS;
	options.history_count = 4;
	options.history_coarse_ms = 3 * BEAT_MS;
	options.history_coarse_count = 2;
	if (astshm_writer_open(&writer, name, &options, &error) == 0)
		return 0;
	fprintf(stderr, "%s\n", error.text);
	return 1;
}

static void record_all(void)
{
	const struct astshm_tag tags[] = {
		{ "type", "/live/track" },
		{ "a", "gr\xc3\xbc\xc3\x9f" },
	};
	struct astshm_metric signals = { .name = "signals", .flags = ASTSHM_SIGNAL_SAFE };
	struct astshm_counter counter;

	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events", "items", "Events received.", NULL);
	astshm_increment(writer, "events", 100, ASTSHM_NO_TAGS);
	astshm_increment(writer, "before", 7, ASTSHM_NO_TAGS);
	astshm_reset_counters(writer);
	astshm_increment(writer, "events", 41, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events", 1, tags, 2);
	astshm_decrement(writer, "level", 3, ASTSHM_NO_TAGS);
	astshm_counter_register(writer, &signals, &counter, NULL);
	astshm_counter_add(counter, 2);
	astshm_counter_add_signal(counter, 3);
	astshm_set(writer, "gauge", 1.5, ASTSHM_NO_TAGS);
	astshm_set(writer, "gauge", -2.25, ASTSHM_NO_TAGS);
	astshm_set(writer, "gauge.nan", (double)NAN, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 0, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 1000000, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", INT64_MAX, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", INT64_MAX, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", INT64_MAX, ASTSHM_NO_TAGS);
	astshm_observe(writer, "sizes", 4096, tags, 1);
	astshm_increment(writer, "removed", 9, ASTSHM_NO_TAGS);
	astshm_remove(writer, ASTSHM_KIND_COUNTER, "removed", ASTSHM_NO_TAGS);
}

/* Step after step: one more of each, and a tick that keeps it. */
static void make_history(void)
{
	const struct timespec beat = { .tv_nsec = BEAT_MS * 1000000 };

	for (int step = 1; step <= STEPS; step++) {
		astshm_increment(writer, "steps", 1, ASTSHM_NO_TAGS);
		astshm_set(writer, "step", step, ASTSHM_NO_TAGS);
		astshm_time(writer, "step.time", 1000 * step, ASTSHM_NO_TAGS);
		(void)nanosleep(&beat, NULL);
		(void)astshm_writer_tick(writer, NULL);
	}
}

/* The slot of a record, without the rest of it. */
static void die_in_a_record(void)
{
	struct astshm_metric metric = { .name = "torn" };
	struct astshm_distribution distribution;

	astshm_distribution_register(writer, &metric, &distribution, NULL);
	astshm_distribution_record(distribution, 8);
	struct astshm_histogram_block *block = (struct astshm_histogram_block *)(void *)
		astshm_row_entry(distribution.writer, distribution.index);
	astshm_cell_add(&block->slots[astshm_bucket_slot_any(astshm_distribution_table, 8)], 1);
	(void)raise(SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: make_segment NAME closed|dead|history\n");
		return 2;
	}
	if (open_writer(argv[1]))
		return 1;
	record_all();
	if (strcmp(argv[2], "dead") == 0)
		die_in_a_record();
	if (strcmp(argv[2], "history") == 0)
		make_history();
	astshm_writer_close(&writer);
	return 0;
}
