/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "scene.h"

/* A million series on a machine that others keep busy. */
#define DEADLINE_NS INT64_C(60000000000)

/* What exit has to remove: as many as a process may write at a time. */
static struct astshm_writer *open_writers[ASTSHM_WRITERS_MAX];
static pid_t owner;

/* A thread may be recording yet: the file alone goes, the mapping stays. */
static void unlink_segments(void)
{
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < ASTSHM_WRITERS_MAX; i++) {
		if (open_writers[i])
			unlink(astshm_writer_path(open_writers[i]));
	}
}

static void remember(struct astshm_writer *writer)
{
	if (owner != getpid()) {
		owner = getpid();
		atexit(unlink_segments);
	}
	for (size_t i = 0; i < ASTSHM_WRITERS_MAX; i++) {
		if (!open_writers[i]) {
			open_writers[i] = writer;
			return;
		}
	}
}

static void forget(const struct astshm_writer *writer)
{
	for (size_t i = 0; i < ASTSHM_WRITERS_MAX; i++) {
		if (open_writers[i] == writer)
			open_writers[i] = NULL;
	}
}

void bench_scene_open(struct bench_scene *scene, const char *name,
		      const struct astshm_writer_options *options)
{
	struct astshm_error error;
	char full[96];

	snprintf(full, sizeof full, "bench.%d.%s", (int)getpid(), name);
	if (astshm_writer_open(&scene->writer, full, options, &error) != 0)
		bench_fail("%s: %s", full, error.text);
	remember(scene->writer);
	scene->reader = NULL;
	if (astshm_writer_path(scene->writer)[0] != '\0')
		scene->reader = bench_scene_attach(scene);
}

void bench_scene_close(struct bench_scene *scene)
{
	astshm_reader_close(&scene->reader);
	forget(scene->writer);
	astshm_writer_close(&scene->writer);
}

struct astshm_reader *bench_scene_attach(const struct bench_scene *scene)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_reader *reader;
	struct astshm_error error;

	options.deadline_ns = DEADLINE_NS;
	if (astshm_reader_open(&reader, astshm_writer_path(scene->writer), &options, &error) != 0)
		bench_fail("attach: %s", error.text);
	return reader;
}

struct astshm_snapshot *bench_scene_snapshot(struct astshm_reader *reader)
{
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	if (astshm_reader_snapshot(reader, 0, &snapshot, &error) != 0)
		bench_fail("snapshot: %s", error.text);
	return snapshot;
}

uint64_t bench_scene_bytes(const struct bench_scene *scene)
{
	struct stat status;

	if (stat(astshm_writer_path(scene->writer), &status) != 0)
		bench_fail("stat of the segment");
	return (uint64_t)status.st_size;
}

/* The series of one key, out of a snapshot that the caller frees. */
static const struct astshm_series *need(struct astshm_snapshot *snapshot, enum astshm_kind kind,
					const char *key)
{
	const struct astshm_series *series = astshm_snapshot_find(snapshot, kind, key);

	if (!series)
		bench_fail("the segment has no %s", key);
	return series;
}

uint64_t bench_scene_counter(const struct bench_scene *scene, const char *key)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(scene->reader);
	int64_t value = need(snapshot, ASTSHM_KIND_COUNTER, key)->counter.value;

	astshm_snapshot_free(&snapshot);
	return (uint64_t)value;
}

struct astshm_gauge_value bench_scene_gauge(const struct bench_scene *scene, const char *key)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(scene->reader);
	struct astshm_gauge_value value = need(snapshot, ASTSHM_KIND_GAUGE, key)->gauge;

	astshm_snapshot_free(&snapshot);
	return value;
}

uint64_t bench_scene_samples(const struct bench_scene *scene, enum astshm_kind kind,
			     const char *key, uint64_t *sum)
{
	struct astshm_snapshot *snapshot = bench_scene_snapshot(scene->reader);
	const struct astshm_histogram *histogram = &need(snapshot, kind, key)->histogram;
	uint64_t count = histogram->count;
	uint64_t in_buckets = histogram->zero_count + histogram->overflow_count;

	for (uint32_t i = 0; i < histogram->slot_count; i++)
		in_buckets += histogram->slots[i];
	*sum = histogram->sum;
	astshm_snapshot_free(&snapshot);
	bench_expect("sum of buckets", count, in_buckets);
	return count;
}

#define REGISTER(kind)                                                              \
	struct astshm_##kind bench_##kind(struct astshm_writer *writer,             \
					  const char *name)                         \
	{                                                                           \
		struct astshm_##kind handle;                                        \
		struct astshm_error error;                                          \
		if (astshm_##kind##_register(writer,                                \
					     &(struct astshm_metric){ .name = name }, \
					     &handle, &error) != 0)                 \
			bench_fail("%s: %s", name, error.text);                     \
		return handle;                                                      \
	}

REGISTER(counter)
REGISTER(gauge)
REGISTER(timing)
REGISTER(distribution)
