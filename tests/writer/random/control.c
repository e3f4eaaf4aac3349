/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 120
#define CHILD_RECORDS 20

static uint32_t choose_removable(uint64_t *random)
{
	uint32_t number;

	do
		number = random_below(random, subject_count);
	while (!subjects[number].removable);
	return number;
}

void control_plan(struct round *round, uint64_t *random, uint32_t most)
{
	static const enum operation choice[] = { RESET, RESET_COUNTERS, OFF, ON, REMOVE };

	*round = (struct round){ .on_at_start = true };
	round->operation_count = random_below(random, most + 1);
	for (uint32_t i = 0; i < round->operation_count; i++) {
		round->operations[i] = choice[random_below(random, 5)];
		if (round->operations[i] == REMOVE)
			round->removed[i] = choose_removable(random);
	}
}

static void operate(const struct round *round, uint32_t i)
{
	const struct subject *gone = &subjects[round->removed[i]];
	struct astshm_tag tag = { "k", gone->value };

	switch (round->operations[i]) {
	case RESET:
		astshm_reset(load.writer);
		break;
	case RESET_COUNTERS:
		astshm_reset_counters(load.writer);
		break;
	case OFF:
	case ON:
		astshm_writer_set_recording(load.writer, round->operations[i] == ON);
		break;
	case REMOVE:
		(void)astshm_remove(load.writer, gone->kind, gone->name, &tag,
				    *gone->value ? 1 : 0);
		break;
	}
}

void control_apply(const struct round *round)
{
	for (uint32_t i = 0; i < round->operation_count; i++)
		operate(round, i);
}

/* --- what changes no value ----------------------------------------------- */

static void record_everything(void)
{
	for (int i = 0; i < CHILD_RECORDS; i++)
		for (uint32_t j = 0; j < subject_count; j++)
			if (subjects[j].lane == SHARED)
				load_record(&subjects[j], load.handles[j], 3, 0);
}

/* A child that opens a segment of its own finds its own records and no others. */
static int reopened_child(void)
{
	struct astshm_error error;
	int64_t value = -1;

	if (astshm_writer_reopen(load.writer, &error) < 0) {
		printf("  child: reopen: %s\n", error.text);
		return 1;
	}
	astshm_writer_set_recording(load.writer, true);
	record_everything();
	if (astshm_get_counter(load.writer, "h.counter", ASTSHM_NO_TAGS, &value) < 0 ||
	    value != CHILD_RECORDS * palette_amount(ADD, 3)) {
		printf("  child: h.counter is %ld\n", (long)value);
		return 1;
	}
	astshm_writer_close(&load.writer);
	return 0;
}

static int child(bool reopen)
{
	(void)alarm(CHILD_SECONDS);
	record_everything();
	astshm_reset(load.writer);
	(void)astshm_remove_match(load.writer, 0, "*", NULL, 0);
	int wrong = reopen ? reopened_child() : 0;
	(void)fflush(stdout);
	return wrong;
}

/* A child of many threads may find the lock of ASan's allocator taken for good;
 * and qemu-user's own bookkeeping of threads (7.2) does not survive such a fork. */
#if defined(__SANITIZE_ADDRESS__)
#define MAY_FORK false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAY_FORK false
#endif
#endif
#ifndef MAY_FORK
#define MAY_FORK true
#endif

static int fork_child(bool reopen)
{
	int status = -1;

	if (!MAY_FORK || getenv("UNDER_QEMU_USER"))
		return 0;
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(child(reopen));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	printf("  a child ended with status %#x\n", (unsigned)status);
	return 1;
}

/* Somebody removes the name: the tick moves the segment to a new file while
 * everybody records. */
static int lose_name(void)
{
	struct astshm_error error;

	(void)unlink(astshm_writer_path(load.writer));
	int result = astshm_writer_tick(load.writer, &error);
	if (result < 0)
		printf("  tick: %s\n", error.text);
	return result < 0;
}

static int disturb(uint64_t *random)
{
	switch (random_below(random, 16)) {
	case 0:
		return fork_child(random_below(random, 2));
	case 1:
		return lose_name();
	case 2:
		return astshm_writer_tick(load.writer, NULL) < 0;
	case 3:
		return astshm_describe(load.writer, ASTSHM_KIND_COUNTER, "n.counter", "items",
				       random_below(random, 2) ? "One." : "Two.", NULL) < 0;
	default:
		(void)usleep(random_below(random, 4000));
		return 0;
	}
}

int control_run(uint64_t *random)
{
	struct round *round = &load.round;
	int wrong = 0;

	for (uint32_t i = 0; i < round->operation_count; i++) {
		wrong += disturb(random);
		/* Odd before, even after; the fences pair with those of load.c. */
		__atomic_store_n(&round->sequence, 2 * i + 1, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		operate(round, i);
		__atomic_store_n(&round->sequence, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return wrong + disturb(random);
}
