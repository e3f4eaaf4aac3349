/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attachment.h"

#define IMAGE_BYTES (UINT64_C(4) << 20)
/* Two seconds, the default, pass on a busy machine while a reader is off its core. */
#define PATIENCE_NS INT64_C(60000000000)

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	if (fixture == NULL)
		return -1;
	image_init(&fixture->image, IMAGE_BYTES);
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	astshm_snapshot_free(&fixture->snapshot);
	astshm_reader_close(&fixture->reader);
	image_fini(&fixture->image);
	if (fixture->path[0] != '\0')
		unlink(fixture->path);
	free(fixture);
	return 0;
}

void fixture_open(struct fixture *fixture)
{
	struct astshm_error error = { .text = "" };
	int code = astshm_reader_open_memory(&fixture->reader, fixture->image.base,
					     fixture->image.bytes, &error);
	if (code != 0)
		fail_msg("open_memory: %d, %s", code, error.text);
	fixture->reader->deadline_ns = PATIENCE_NS;
}

const struct astshm_snapshot *fixture_snapshot(struct fixture *fixture, unsigned flags)
{
	struct astshm_error error = { .text = "" };
	astshm_snapshot_free(&fixture->snapshot);
	int code = astshm_reader_snapshot(fixture->reader, flags, &fixture->snapshot, &error);
	if (code != 0)
		fail_msg("snapshot: %d, %s", code, error.text);
	return fixture->snapshot;
}

const struct astshm_series *fixture_find(const struct fixture *fixture, enum astshm_kind kind,
					 const char *key)
{
	return astshm_snapshot_find(fixture->snapshot, kind, key);
}

int64_t fixture_counter(const struct fixture *fixture, const char *key)
{
	const struct astshm_series *series = fixture_find(fixture, ASTSHM_KIND_COUNTER, key);
	if (series == NULL)
		fail_msg("no counter %s", key);
	return series->counter.value;
}

uint64_t fixture_bad(const struct fixture *fixture)
{
	return astshm_snapshot_segment(fixture->snapshot)->bad_records;
}

void fixture_open_file(struct fixture *fixture, const char *name, bool follow)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_error error = { .text = "" };
	snprintf(fixture->path, sizeof fixture->path, "/dev/shm/astshm-test-%d-%s",
		 (int)getpid(), name);
	image_write(&fixture->image, fixture->path);
	options.follow = follow;
	options.deadline_ns = PATIENCE_NS;
	int code = astshm_reader_open(&fixture->reader, fixture->path, &options, &error);
	if (code != 0)
		fail_msg("open %s: %d, %s", fixture->path, code, error.text);
}
