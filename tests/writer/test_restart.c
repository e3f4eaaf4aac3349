/* SPDX-License-Identifier: MIT */
/* One reader that polls for ever, while writers are killed, restarted and
 * closed behind the name. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

/* A writer in a process of its own, told over a pipe when to end and how. */
struct life {
	char name[128];
	uint64_t value;
	int pid;
	int ready[2], end[2];
};

static int live(void *argument)
{
	struct life *life = argument;
	struct astshm_writer *writer;
	struct astshm_counter counter;
	char byte = 'r';

	if (astshm_writer_open(&writer, life->name, NULL, NULL) < 0)
		return 1;
	astshm_counter_register(writer, &(struct astshm_metric){ .name = "c" }, &counter, NULL);
	astshm_counter_add(counter, life->value);
	(void)astshm_writer_tick(writer, NULL);
	if (write(life->ready[1], &byte, 1) != 1)
		return 2;
	/* Records until it is killed or told to close. */
	close(life->end[1]);
	if (read(life->end[0], &byte, 1) < 0)
		return 3;
	astshm_writer_close(&writer);
	return 0;
}

static void begin(struct life *life, uint64_t value)
{
	char byte;

	life->value = value;
	assert_int_equal(pipe(life->ready), 0);
	assert_int_equal(pipe(life->end), 0);
	life->pid = scene_fork(live, life);
	assert_int_equal(read(life->ready[0], &byte, 1), 1);
}

static int end(struct life *life, int signal)
{
	if (signal)
		kill(life->pid, signal);
	close(life->end[1]);
	int result = scene_join(life->pid);
	close(life->end[0]);
	close(life->ready[0]);
	close(life->ready[1]);
	return result;
}

static int64_t poll_once(struct astshm_reader *reader, enum astshm_state *state)
{
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	if (astshm_reader_snapshot(reader, 0, &snapshot, &error) < 0)
		fail_msg("snapshot: %s", error.text);
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_COUNTER, "c");
	int64_t value = series ? series->counter.value : -1;
	*state = astshm_snapshot_segment(snapshot)->state;
	astshm_snapshot_free(&snapshot);
	return value;
}

static void a_polling_reader_sees_death_and_the_next_life(void **state)
{
	struct astshm_reader *reader;
	enum astshm_state seen;
	struct life life;

	(void)state;
	snprintf(life.name, sizeof life.name, "%s", scene_name(__func__));
	begin(&life, 11);
	assert_int_equal(astshm_reader_open(&reader, life.name, NULL, NULL), 0);
	for (uint64_t round = 1; round <= 5; round++) {
		assert_int_equal(poll_once(reader, &seen), 11 * (int64_t)round);
		assert_int_equal(seen, ASTSHM_STATE_LIVE);
		assert_int_equal(end(&life, SIGKILL), 128 + SIGKILL);
		assert_int_equal(poll_once(reader, &seen), 11 * (int64_t)round);
		assert_int_equal(seen, ASTSHM_STATE_DEAD);
		begin(&life, 11 * (round + 1));
	}
	assert_int_equal(poll_once(reader, &seen), 66);
	assert_int_equal(end(&life, 0), 0);
	assert_int_equal(poll_once(reader, &seen), 66); /* closed and unlinked */
	assert_int_equal(seen, ASTSHM_STATE_CLOSED);
	astshm_reader_close(&reader);
}

static void the_dead_predecessor_is_kept_as_evidence(void **state)
{
	struct astshm_reader *reader;
	enum astshm_state seen;
	struct life life;
	char dead[160];

	(void)state;
	snprintf(life.name, sizeof life.name, "%s", scene_name(__func__));
	snprintf(dead, sizeof dead, "%s~1", life.name);
	begin(&life, 5);
	end(&life, SIGKILL);
	begin(&life, 6);
	assert_int_equal(astshm_reader_open(&reader, dead, NULL, NULL), 0);
	assert_int_equal(poll_once(reader, &seen), 5);
	assert_int_equal(seen, ASTSHM_STATE_DEAD);
	astshm_reader_close(&reader);
	assert_int_equal(end(&life, 0), 0);
}

static void a_suspended_writer_is_alive_with_a_stale_heart(void **state)
{
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	struct life life;

	(void)state;
	snprintf(life.name, sizeof life.name, "%s", scene_name(__func__));
	begin(&life, 5);
	kill(life.pid, SIGSTOP);
	usleep(20000);
	assert_int_equal(astshm_reader_open(&reader, life.name, NULL, NULL), 0);
	assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(snapshot)->state, ASTSHM_STATE_LIVE);
	assert_true(astshm_snapshot_segment(snapshot)->heartbeat_age_ns >= 20000000);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
	kill(life.pid, SIGCONT);
	assert_int_equal(end(&life, 0), 0);
}

/* Records as fast as it can until it is killed. */
static int record_for_ever(void *argument)
{
	struct life *life = argument;
	struct astshm_writer *writer;
	struct astshm_timing timing;
	char byte = 'r';

	if (astshm_writer_open(&writer, life->name, NULL, NULL) < 0)
		return 1;
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "t" }, &timing, NULL);
	astshm_timing_record(timing, 1);
	if (write(life->ready[1], &byte, 1) != 1)
		return 2;
	for (int64_t i = 0;; i++)
		astshm_timing_record(timing, i & 0xffffff);
}

static void a_writer_killed_while_it_records_reads_consistently(void **state)
{
	struct astshm_snapshot *snapshot;
	struct astshm_reader *reader;
	struct life life;
	char byte;

	(void)state;
	snprintf(life.name, sizeof life.name, "%s", scene_name(__func__));
	for (int round = 0; round < 20; round++) {
		assert_int_equal(pipe(life.ready), 0);
		life.pid = scene_fork(record_for_ever, &life);
		assert_int_equal(read(life.ready[0], &byte, 1), 1);
		assert_int_equal(astshm_reader_open(&reader, life.name, NULL, NULL), 0);
		for (int i = 0; i < 10; i++) {
			if (i == 5)
				kill(life.pid, SIGKILL);
			assert_int_equal(astshm_reader_snapshot(reader, 0, &snapshot, NULL), 0);
			assert_int_equal(scene_check_snapshot(snapshot), 0);
			astshm_snapshot_free(&snapshot);
		}
		assert_int_equal(scene_join(life.pid), 128 + SIGKILL);
		astshm_reader_close(&reader);
		close(life.ready[0]);
		close(life.ready[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_polling_reader_sees_death_and_the_next_life),
		cmocka_unit_test(the_dead_predecessor_is_kept_as_evidence),
		cmocka_unit_test(a_suspended_writer_is_alive_with_a_stale_heart),
		cmocka_unit_test(a_writer_killed_while_it_records_reads_consistently),
	};
	return cmocka_run_group_tests(tests, NULL, scene_teardown);
}
