/* SPDX-License-Identifier: MIT */
/*
 * What a segment is made of, as a table: which records there are, where they lie
 * in an image, and what each of their words means. The image may be damaged; what
 * cannot be reached is not found. A new record is a row of `segment_shapes`, a
 * new word a row of its fields.
 */
#ifndef FUZZ_SEGMENT_RECORDS_H
#define FUZZ_SEGMENT_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/layout.h>

#define SEGMENT_RECORDS_MAX 4096u

/* What a word means decides what may go wrong with it. */
enum segment_meaning {
	MEANS_NUMBER,   /* nothing else hangs on it */
	MEANS_IDENTITY, /* magic, version, byte order */
	MEANS_SIZE,     /* bytes of something: a stride, the committed size */
	MEANS_OFFSET,
	MEANS_COUNT,    /* how many there are, or may be */
	MEANS_INDEX,    /* which of them */
	MEANS_STATE,
	MEANS_EPOCH,
	MEANS_STRING,   /* ASTSHM_STRING_REF */
	MEANS_DOUBLE,
	MEANS_TEXT,     /* bytes, any number of them */
};

struct segment_field {
	uint16_t off;
	uint16_t bytes; /* 4 or 8; of a text any number */
	enum segment_meaning meaning;
};

enum segment_sort {
	RECORD_HEADER,
	RECORD_TABLE,
	RECORD_FAMILY,
	RECORD_SERIES,
	RECORD_SLOT,
	RECORD_CHUNK,
	RECORD_COUNTER_BLOCK,
	RECORD_GAUGE_BLOCK,
	RECORD_HISTOGRAM_BLOCK,
	RECORD_HISTORY,
	RECORD_HISTORY_ENTRY,
	RECORD_HISTORY_CHUNK,
	RECORD_CELL, /* a gauge's current value, or a signal handler's counter */
	RECORD_TEXT, /* a string, or packed tags: what its bytes are is `fields` of none */
	RECORD_SORTS
};

struct segment_shape {
	const char *name;
	uint32_t bytes; /* 0: each has its own length */
	const struct segment_field *fields;
	size_t field_count;
};

extern const struct segment_shape segment_shapes[RECORD_SORTS];

struct segment_record {
	enum segment_sort sort;
	uint32_t index; /* in its table; of a block: of its series or chunk */
	size_t off;
	size_t bytes;
};

/* An image, aligned to nothing. Damage may make it as long as `room`. */
struct segment_image {
	uint8_t *bytes;
	size_t size;
	size_t room;
};

struct segment_records {
	struct segment_record all[SEGMENT_RECORDS_MAX];
	size_t count;
};

/* Words of an image; past its end they read as 0 and are not written. */
uint64_t segment_get(const struct segment_image *image, size_t off, size_t bytes);
void segment_put(struct segment_image *image, size_t off, size_t bytes, uint64_t value);

/* Everything that can be reached, as far as there is room for it. */
void segment_find(const struct segment_image *image, struct segment_records *records);

/* The end of the last byte that something refers to. */
size_t segment_used(const struct segment_records *records);

#endif
