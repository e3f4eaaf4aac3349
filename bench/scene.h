/* SPDX-License-Identifier: MIT */
/* A writer of the bench's own, and what its readers see of it. */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include <astshm/writer.h>

struct bench_scene {
	struct astshm_writer *writer;
	struct astshm_reader *reader; /* another mapping of the segment, read-only */
};

/*
 * A segment named after the process and `name`; whatever ends the bench, exit
 * included, removes it. Options may be NULL.
 */
void bench_scene_open(struct bench_scene *scene, const char *name,
		      const struct astshm_writer_options *options);
void bench_scene_close(struct bench_scene *scene);

/* A reader of the scene, to be closed by the caller. */
struct astshm_reader *bench_scene_attach(const struct bench_scene *scene);
struct astshm_snapshot *bench_scene_snapshot(struct astshm_reader *reader);

/* Bytes of the segment's file. */
uint64_t bench_scene_bytes(const struct bench_scene *scene);

/* Each fails if the segment does not have the series. */
uint64_t bench_scene_counter(const struct bench_scene *scene, const char *key);
struct astshm_gauge_value bench_scene_gauge(const struct bench_scene *scene, const char *key);
/* Count of a timing or distribution, which must equal the sum of its buckets. */
uint64_t bench_scene_samples(const struct bench_scene *scene, enum astshm_kind kind,
			     const char *key, uint64_t *sum);

struct astshm_counter bench_counter(struct astshm_writer *writer, const char *name);
struct astshm_gauge bench_gauge(struct astshm_writer *writer, const char *name);
struct astshm_timing bench_timing(struct astshm_writer *writer, const char *name);
struct astshm_distribution bench_distribution(struct astshm_writer *writer, const char *name);

#endif
