/* SPDX-License-Identifier: MIT */
/*
 * Segments and documents of every format version that there has been, read by
 * today's library: usage: test_formats DATA_FOLDER. make_segment.c made the
 * segments and knows best what is in them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <astshm/layout.h>
#include <astshm/reader.h>

#define EVENTS_OF_TYPE "events[a=gr\xc3\xbc\xc3\x9f,type=/live/track]"

static const char *data_folder;

/* --- files of tests/data ----------------------------------------------------- */

static FILE *open_data(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", data_folder, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

static void put_line(uint8_t *image, size_t size, const char *line)
{
	unsigned long offset;
	unsigned byte;
	int at = 0;

	assert_int_equal(sscanf(line, "%lx %n", &offset, &at), 1);
	for (const char *text = line + at; sscanf(text, "%2x", &byte) == 1; text += 2) {
		assert_true(offset < size);
		image[offset++] = (uint8_t)byte;
	}
}

/* The file that segment_text.py was given; *size bytes, for free(). */
static uint8_t *read_segment_text(const char *name, size_t *size)
{
	FILE *file = open_data(name);
	char line[128];

	assert_int_equal(fscanf(file, "%zu\n", size), 1);
	assert_true(*size > ASTSHM_SEGMENT_HEADER_BYTES && *size < (1u << 24));
	uint8_t *image = aligned_alloc(4096, *size);
	assert_non_null(image);
	memset(image, 0, *size);
	while (fgets(line, sizeof line, file))
		put_line(image, *size, line);
	fclose(file);
	return image;
}

/* --- what make_segment.c put there --------------------------------------------- */

static const struct astshm_series *find(const struct astshm_snapshot *snapshot,
					enum astshm_kind kind, const char *key)
{
	const struct astshm_series *series = astshm_snapshot_find(snapshot, kind, key);

	if (!series)
		fail_msg("there is no %s", key);
	return series;
}

static int64_t counter(const struct astshm_snapshot *snapshot, const char *key)
{
	return find(snapshot, ASTSHM_KIND_COUNTER, key)->counter.value;
}

static void check_counters(const struct astshm_snapshot *snapshot)
{
	const struct astshm_series *tagged =
		find(snapshot, ASTSHM_KIND_COUNTER, EVENTS_OF_TYPE);

	assert_int_equal(counter(snapshot, "events"), 41);
	assert_int_equal(counter(snapshot, "before"), 0);
	assert_int_equal(counter(snapshot, "level"), -3);
	assert_int_equal(counter(snapshot, "signals"), 5);
	assert_int_equal(tagged->counter.value, 1);
	assert_int_equal(tagged->tag_count, 2);
	assert_string_equal(tagged->tags[1].value, "/live/track");
	assert_string_equal(tagged->family->name, "events");
	assert_string_equal(tagged->family->unit, "items");
	assert_string_equal(tagged->family->help, "Events received.");
	assert_true(tagged->family->monotonic);
	assert_false(find(snapshot, ASTSHM_KIND_COUNTER, "level")->monotonic);
	assert_null(astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "removed"));
}

static void check_gauges(const struct astshm_snapshot *snapshot)
{
	const struct astshm_gauge_value *gauge =
		&find(snapshot, ASTSHM_KIND_GAUGE, "gauge")->gauge;
	const struct astshm_gauge_value *nan =
		&find(snapshot, ASTSHM_KIND_GAUGE, "gauge.nan")->gauge;

	assert_true(gauge->current == -2.25 && gauge->count == 2);
	assert_true(gauge->min == -2.25 && gauge->max == 1.5 && gauge->sum == -0.75);
	assert_true(isnan(nan->current) && nan->count == 0);
}

static void check_histograms(const struct astshm_snapshot *snapshot)
{
	const struct astshm_histogram *timing =
		&find(snapshot, ASTSHM_KIND_TIMING, "timing")->histogram;
	const struct astshm_histogram *sizes =
		&find(snapshot, ASTSHM_KIND_DISTRIBUTION, "sizes[type=/live/track]")->histogram;

	assert_int_equal(timing->count, 5);
	/* 3 (2^63 - 1) + 10^6 */
	assert_true(timing->sum_hi == 1 && timing->sum == (UINT64_MAX >> 1) + 1000000 - 2);
	assert_true(timing->min == 0 && timing->max == INT64_MAX);
	assert_true(timing->zero_count == 1 && timing->overflow_count == 3);
	assert_int_equal(timing->slot_count, 1);
	assert_int_equal(timing->first_slot, 1915 - 638); /* offset of its OpenTelemetry bucket */
	assert_int_equal(timing->slots[0], 1);
	assert_true(sizes->count == 1 && sizes->sum == 4096 && sizes->max == 4096);
	assert_int_equal(sizes->first_slot, 2 + 64 * 12 - 1); /* (2^(767/64), 2^12] */
}

static void check_values(const struct astshm_snapshot *snapshot)
{
	check_counters(snapshot);
	check_gauges(snapshot);
	check_histograms(snapshot);
}

/* --- the versions ------------------------------------------------------------- */

/* A reader of the segment that is kept as this text. */
static struct astshm_reader *open_segment(const char *name)
{
	size_t size;
	uint8_t *image = read_segment_text(name, &size);
	char path[] = "/tmp/astshm-formats-XXXXXX";
	struct astshm_reader *reader;
	struct astshm_error error;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, size), size);
	free(image);
	close(fd);
	int code = astshm_reader_open(&reader, path, NULL, &error);
	unlink(path);
	if (code < 0)
		fail_msg("%s: %s", name, error.text);
	return reader;
}

static struct astshm_snapshot *snapshot_of(struct astshm_reader *reader, const char *of,
					   enum astshm_state state, uint64_t torn)
{
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	if (astshm_reader_snapshot(reader, 0, &snapshot, &error) < 0)
		fail_msg("%s: %s", of, error.text);
	const struct astshm_segment_info *info = astshm_snapshot_segment(snapshot);
	assert_string_equal(info->name, of);
	assert_int_equal(info->state, state);
	assert_true(info->epoch == 1 && info->counters_epoch == 2);
	assert_int_equal(info->torn, torn);
	assert_int_equal(info->bad_records, 0);
	check_values(snapshot);
	return snapshot;
}

static void read_segment(const char *name, const char *of, enum astshm_state state,
			 uint64_t torn)
{
	struct astshm_reader *reader = open_segment(name);
	struct astshm_snapshot *snapshot = snapshot_of(reader, of, state, torn);

	if (torn) /* the record that was cut short is counted */
		assert_int_equal(find(snapshot, ASTSHM_KIND_DISTRIBUTION, "torn")->histogram.count,
				 2);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}

/* After so many steps; returns how many. */
static int64_t check_steps(const struct astshm_snapshot *snapshot)
{
	int64_t steps = counter(snapshot, "steps");
	const struct astshm_histogram *times =
		&find(snapshot, ASTSHM_KIND_TIMING, "step.time")->histogram;

	assert_int_equal(times->count, steps);
	assert_int_equal(times->sum, 1000 * steps * (steps + 1) / 2);
	assert_int_equal(times->max, 1000 * steps);
	assert_true(find(snapshot, ASTSHM_KIND_GAUGE, "step")->gauge.current == (double)steps);
	return steps;
}

static void segment_1_0_of_a_closed_writer_is_read(void **state)
{
	(void)state;
	read_segment("segment-1.0-closed.txt", "fmt-closed", ASTSHM_STATE_CLOSED, 0);
}

static void segment_1_0_of_a_killed_writer_is_read(void **state)
{
	(void)state;
	read_segment("segment-1.0-dead.txt", "fmt-dead", ASTSHM_STATE_DEAD, 1);
}

static void segment_1_1_of_a_killed_writer_is_read(void **state)
{
	(void)state;
	read_segment("segment-1.1-dead.txt", "fmt-dead", ASTSHM_STATE_DEAD, 1);
}

static void history_of_segment_1_1_is_read(void **state)
{
	struct astshm_reader *reader = open_segment("segment-1.1-history.txt");
	struct astshm_snapshot *snapshot =
		snapshot_of(reader, "fmt-history", ASTSHM_STATE_CLOSED, 0), *entry;
	struct astshm_history *history;
	int64_t steps = 0;

	(void)state;
	assert_int_equal(check_steps(snapshot), 9);
	assert_int_equal(astshm_reader_history(reader, &history, NULL), 0);
	assert_int_equal(astshm_history_info(history)->bad, 0);
	assert_int_equal(astshm_history_count(history), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(astshm_history_snapshot(history, i, &entry, NULL), 0);
		check_values(entry);
		assert_in_range(check_steps(entry), (uint64_t)steps + 1, 9);
		steps = check_steps(entry);
		astshm_snapshot_free(&entry);
	}
	assert_int_equal(steps, 9);
	astshm_history_free(&history);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}

/* A whole file that is one document. */
static struct astshm_snapshot *decode(const char *name, const char *of)
{
	FILE *file = open_data(name);
	struct astshm_snapshot *snapshot;
	struct astshm_error error;
	uint8_t bytes[65536];
	size_t used = 0;
	size_t size = fread(bytes, 1, sizeof bytes, file);

	fclose(file);
	if (astshm_decode_msgpack(bytes, size, &used, &snapshot, &error) < 0)
		fail_msg("at %llu: %s", (unsigned long long)error.position, error.text);
	assert_int_equal(used, size);
	assert_string_equal(astshm_snapshot_segment(snapshot)->name, of);
	assert_int_equal(astshm_snapshot_segment(snapshot)->state, ASTSHM_STATE_CLOSED);
	check_values(snapshot);
	return snapshot;
}

static void snapshot_1_is_decoded(void **state)
{
	struct astshm_snapshot *snapshot = decode("snapshot-1.msgpack", "fmt-closed");

	(void)state;
	assert_null(astshm_snapshot_window(snapshot));
	astshm_snapshot_free(&snapshot);
}

static void snapshot_1_with_a_window_is_decoded(void **state)
{
	struct astshm_snapshot *snapshot = decode("snapshot-1-window.msgpack", "fmt-history");
	const struct astshm_snapshot *window = astshm_snapshot_window(snapshot);

	(void)state;
	assert_int_equal(check_steps(snapshot), 9);
	assert_non_null(window);
	assert_int_equal(astshm_snapshot_interval_ns(window), 236152098);
	assert_int_equal(counter(window, "steps"), 9);
	assert_int_equal(find(window, ASTSHM_KIND_TIMING, "step.time")->histogram.count, 9);
	astshm_snapshot_free(&snapshot);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segment_1_0_of_a_closed_writer_is_read),
		cmocka_unit_test(segment_1_0_of_a_killed_writer_is_read),
		cmocka_unit_test(segment_1_1_of_a_killed_writer_is_read),
		cmocka_unit_test(history_of_segment_1_1_is_read),
		cmocka_unit_test(snapshot_1_is_decoded),
		cmocka_unit_test(snapshot_1_with_a_window_is_decoded),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_formats DATA_FOLDER\n");
		return 2;
	}
	data_folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
