/* SPDX-License-Identifier: MIT */
/* What the tests of the history and of windows share. */
#ifndef TESTS_WRITER_HISTORY_SCENE_H
#define TESTS_WRITER_HISTORY_SCENE_H

#include "scene.h"

/* An entry at each tick; `fine` of them, and `coarse` that are `step` apart. */
struct astshm_writer_options every_tick(uint32_t fine, uint32_t coarse, uint32_t step);
/* Two ticks never fall into one period. */
void tick(struct astshm_writer *writer);

/* From outside, as another process has them; each fails the test if it cannot. */
struct astshm_reader *reader_of(struct astshm_writer *writer);
struct astshm_history *history_of(struct astshm_reader *reader);
struct astshm_snapshot *entry_of(const struct astshm_history *history, size_t i);

#endif
