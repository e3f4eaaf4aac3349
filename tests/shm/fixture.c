/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void fixture_init(struct fixture *fixture, const char *name)
{
	memset(fixture, 0, sizeof *fixture);
	snprintf(fixture->name, sizeof fixture->name, "t%d.%s", (int)getpid(), name);
	snprintf(fixture->path, sizeof fixture->path, "/dev/shm/astshm.%s", fixture->name);
	fixture->how = (struct shm_create){
		.name = fixture->name,
		.mode = 0640,
		.group = (gid_t)-1,
		.max_bytes = FIXTURE_MAX_BYTES,
		.keep = 1,
	};
}

const char *fixture_numbered(const struct fixture *fixture, unsigned number)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof path, "%.200s~%u", fixture->path, number);
	return path;
}

static void remove_any(const char *path)
{
	if (unlink(path) && errno == EISDIR)
		rmdir(path);
}

void fixture_fini(struct fixture *fixture)
{
	remove_any(fixture->path);
	for (unsigned number = 1; number <= 9; number++)
		remove_any(fixture_numbered(fixture, number));
}

static void fill_table(struct astshm_segment_table *table, uint32_t stride)
{
	table->stride = stride;
	table->first = 16;
	table->limit = 1024;
}

void fixture_fill_tables(struct astshm_segment_header *header)
{
	fill_table(&header->series, sizeof(struct astshm_segment_series));
	fill_table(&header->families, sizeof(struct astshm_segment_family));
	fill_table(&header->chunks, sizeof(uint64_t));
	fill_table(&header->slots, sizeof(struct astshm_segment_slot));
}

int fixture_create(struct fixture *fixture, struct shm_segment *segment)
{
	*segment = (struct shm_segment)SHM_SEGMENT_INIT;
	int code = shm_create(segment, &fixture->how, FIXTURE_FIRST_BYTES, &fixture->error);
	if (code == 0)
		fixture_fill_tables((void *)segment->base);
	return code;
}

int fixture_publish(struct fixture *fixture, struct shm_segment *segment)
{
	int code = fixture_create(fixture, segment);
	if (code == 0)
		code = shm_publish(segment, &fixture->how, &fixture->error);
	if (code)
		shm_close(segment, NULL);
	return code;
}

uint64_t fixture_leave_dead(struct fixture *fixture)
{
	struct shm_segment segment;
	if (fixture_publish(fixture, &segment))
		fail_msg("cannot leave a dead segment: %s", fixture->error.text);
	uint64_t generation = segment.generation;
	shm_close(&segment, NULL);
	return generation;
}

static void hold(struct fixture *fixture, int ready, int stop)
{
	struct shm_segment segment;
	char byte = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fixture_publish(fixture, &segment) || write(ready, "r", 1) != 1)
		_exit(1);
	if (read(stop, &byte, 1) != 0)
		_exit(2);
	shm_close(&segment, NULL);
	_exit(0);
}

void fixture_hold(struct fixture *fixture, struct fixture_holder *holder)
{
	int ready[2], stop[2];
	char byte;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	holder->pid = fork();
	assert_true(holder->pid >= 0);
	if (holder->pid == 0) {
		close(stop[1]);
		hold(fixture, ready[1], stop[0]);
	}
	close(ready[1]);
	close(stop[0]);
	holder->stop = stop[1];
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

void fixture_reap(struct fixture_holder *holder, int signal)
{
	int status;
	if (signal)
		kill(holder->pid, signal);
	close(holder->stop);
	assert_int_equal(waitpid(holder->pid, &status, 0), holder->pid);
	if (signal)
		assert_true(WIFSIGNALED(status));
	else
		assert_int_equal(status, 0);
}

uint64_t fixture_generation_at(const char *path)
{
	struct astshm_segment_header header;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, &header, sizeof header);
	close(fd);
	if (length != sizeof header || header.magic != ASTSHM_SEGMENT_MAGIC)
		return 0;
	return header.generation;
}
