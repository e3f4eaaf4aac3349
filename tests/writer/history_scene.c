/* SPDX-License-Identifier: MIT */
#include "history_scene.h"

#include <unistd.h>

struct astshm_writer_options every_tick(uint32_t fine, uint32_t coarse, uint32_t step)
{
	struct astshm_writer_options options = scene_options();

	options.tick_ms = 1;
	options.history_ms = 1;
	options.history_count = fine;
	options.history_coarse_ms = step;
	options.history_coarse_count = coarse;
	return options;
}

void tick(struct astshm_writer *writer)
{
	usleep(1100);
	assert_int_equal(astshm_writer_tick(writer, NULL), 0);
}

struct astshm_reader *reader_of(struct astshm_writer *writer)
{
	struct astshm_reader *reader;

	assert_int_equal(scene_reader_open(&reader, astshm_writer_path(writer)), 0);
	return reader;
}

struct astshm_history *history_of(struct astshm_reader *reader)
{
	struct astshm_history *history;

	assert_int_equal(astshm_reader_history(reader, &history, NULL), 0);
	assert_int_equal(astshm_history_info(history)->bad, 0);
	return history;
}

struct astshm_snapshot *entry_of(const struct astshm_history *history, size_t i)
{
	struct astshm_snapshot *snapshot;

	assert_int_equal(astshm_history_snapshot(history, i, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->bad_records, 0);
	return snapshot;
}
