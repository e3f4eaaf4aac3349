/* SPDX-License-Identifier: MIT */
/*
 * Builds the image of a segment in memory according to <astshm/layout.h>,
 * without the writer library: tests then hold the readers against the layout,
 * and may put any value anywhere. Aborts when a test asks for too much.
 */
#ifndef TESTS_IMAGE_H
#define TESTS_IMAGE_H

#include <stdint.h>

#include <astshm/layout.h>
#include <astshm/types.h>

struct image {
	uint8_t *base; /* page-aligned */
	uint64_t bytes;
	uint64_t next_off; /* the first byte not given out; = committed_bytes */
	uint32_t next_cell;
	struct astshm_segment_header *header;
};

void image_init(struct image *image, uint64_t bytes);
void image_fini(struct image *image);

/* Zeroed bytes aligned to 64, committed. Returns the offset. */
uint64_t image_alloc(struct image *image, uint64_t bytes);
void *image_at(const struct image *image, uint64_t off);
/* A string reference (ASTSHM_STRING_REF). */
uint64_t image_bytes(struct image *image, const void *bytes, uint32_t length);
uint64_t image_text(struct image *image, const char *text);

/* The next element of a table, counted at once. */
void *image_append(struct image *image, struct astshm_segment_table *table, uint32_t *index);
void *image_element(const struct image *image, const struct astshm_segment_table *table,
		    uint32_t index);

uint32_t image_family(struct image *image, enum astshm_kind kind, const char *name,
		      const char *unit, const char *help);
/* A live series, registered by handle, with its cell or shared cell. */
uint32_t image_series(struct image *image, uint32_t family, const struct astshm_tag *tags,
		      uint32_t tag_count);
/* Family and untagged series in one. */
uint32_t image_metric(struct image *image, enum astshm_kind kind, const char *name);
struct astshm_segment_series *image_series_at(const struct image *image, uint32_t index);
struct astshm_segment_family *image_family_at(const struct image *image, uint32_t index);

/* A thread slot in use. */
uint32_t image_slot(struct image *image, uint32_t tid, const char *name);

/* The block of a slot, made if there is none. */
struct astshm_counter_block *image_counter_block(struct image *image, uint32_t series,
						 uint32_t slot);
struct astshm_histogram_block *image_histogram_block(struct image *image, uint32_t series,
						     uint32_t slot);
struct astshm_gauge_block *image_gauge_block(struct image *image, uint32_t series, uint32_t slot);

void image_count(struct image *image, uint32_t series, uint32_t slot, uint64_t amount);
/* A sample of a timing or distribution, as the writer would record it. */
void image_record(struct image *image, uint32_t series, uint32_t slot, int64_t value);
void image_set(struct image *image, uint32_t series, uint32_t slot, double value);

/* Writes the committed bytes to a file. */
void image_write(const struct image *image, const char *path);

#endif
