/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <astshm/buckets.h>

#define LIMIT 65536u
#define GUARD_BYTES (UINT64_C(1) << 20)

static void require(int condition)
{
	if (!condition)
		abort();
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Small first extents, so that a few dozen elements use several. */
static struct astshm_segment_table table(uint32_t stride, uint32_t first)
{
	return (struct astshm_segment_table){ .stride = stride, .first = first, .limit = LIMIT };
}

static void fill_identity(struct astshm_segment_header *header)
{
	header->magic = ASTSHM_SEGMENT_MAGIC;
	header->byte_order = ASTSHM_SEGMENT_BYTE_ORDER;
	header->header_bytes = ASTSHM_SEGMENT_HEADER_BYTES;
	header->major_version = ASTSHM_SEGMENT_MAJOR;
	header->minor_version = ASTSHM_SEGMENT_MINOR;
	header->series_bytes = sizeof(struct astshm_segment_series);
	header->family_bytes = sizeof(struct astshm_segment_family);
	header->slot_bytes = sizeof(struct astshm_segment_slot);
	header->block_header_bytes = ASTSHM_BLOCK_HEADER_BYTES;
	header->chunk_cells = ASTSHM_CHUNK_CELLS;
	header->histogram_slots = ASTSHM_HISTOGRAM_SLOTS;
	header->histogram_scale = ASTSHM_HISTOGRAM_SCALE;
	header->pid = (uint32_t)getpid();
	header->generation = 0x1122334455667788u;
	header->created_realtime_ns = clock_ns(CLOCK_REALTIME);
	header->created_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	header->tag_set_limit = 64;
	memcpy(header->name, "image", 5);
	header->name_len = 5;
}

void image_init(struct image *image, uint64_t bytes)
{
	*image = (struct image){ .bytes = bytes, .next_off = ASTSHM_SEGMENT_HEADER_BYTES };
	/* A reader that goes past the end hits pages that nobody may touch. */
	image->base = mmap(NULL, bytes + GUARD_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	require(image->base != MAP_FAILED);
	require(mprotect(image->base, bytes, PROT_READ | PROT_WRITE) == 0);
	struct astshm_segment_header *header = image->header = (void *)image->base;
	fill_identity(header);
	header->max_bytes = bytes;
	header->committed_bytes = image->next_off;
	header->state = ASTSHM_SEGMENT_LIVE;
	header->recording = 1;
	header->epoch = header->counters_epoch = 1;
	header->heartbeat_monotonic_ns = header->created_monotonic_ns;
	header->reset_realtime_ns = header->created_realtime_ns;
	header->reset_monotonic_ns = header->created_monotonic_ns;
	header->series = table(sizeof(struct astshm_segment_series), 8);
	header->families = table(sizeof(struct astshm_segment_family), 4);
	header->chunks = table(sizeof(uint64_t), 8);
	header->slots = table(sizeof(struct astshm_segment_slot), 4);
	uint32_t null_series;
	image_append(image, &header->series, &null_series);
	image_slot(image, 0, "");
}

void image_fini(struct image *image)
{
	munmap(image->base, image->bytes + GUARD_BYTES);
}

uint64_t image_alloc(struct image *image, uint64_t bytes)
{
	uint64_t off = image->next_off;
	uint64_t rounded = (bytes + 63) & ~UINT64_C(63);
	require(rounded <= image->bytes - off);
	image->next_off += rounded;
	__atomic_store_n(&image->header->committed_bytes, image->next_off, __ATOMIC_RELEASE);
	return off;
}

void *image_at(const struct image *image, uint64_t off)
{
	require(off < image->bytes);
	return image->base + off;
}

uint64_t image_bytes(struct image *image, const void *bytes, uint32_t length)
{
	if (length == 0)
		return 0;
	uint64_t off = image_alloc(image, length);
	memcpy(image_at(image, off), bytes, length);
	return ASTSHM_STRING_REF(off, length);
}

uint64_t image_text(struct image *image, const char *text)
{
	return image_bytes(image, text, (uint32_t)strlen(text));
}

/* --- tables ----------------------------------------------------------- */

static uint64_t *extent_of(struct astshm_segment_table *table, uint32_t index, uint32_t *place,
			   uint32_t *size)
{
	uint32_t extent = 0, start = 0;
	*size = table->first;
	while (index >= start + *size) {
		start += *size;
		*size = table->first << extent++;
	}
	*place = index - start;
	return &table->extent_off[extent];
}

void *image_element(const struct image *image, const struct astshm_segment_table *table,
		    uint32_t index)
{
	struct astshm_segment_table copy = *table;
	uint32_t place, size;
	uint64_t off = *extent_of(&copy, index, &place, &size);
	return image_at(image, off + (uint64_t)place * table->stride);
}

void *image_append(struct image *image, struct astshm_segment_table *table, uint32_t *index)
{
	uint32_t place, size;
	*index = table->count;
	uint64_t *off = extent_of(table, *index, &place, &size);
	if (*off == 0)
		*off = image_alloc(image, (uint64_t)size * table->stride);
	__atomic_store_n(&table->count, *index + 1, __ATOMIC_RELEASE);
	return image_element(image, table, *index);
}

struct astshm_segment_series *image_series_at(const struct image *image, uint32_t index)
{
	return image_element(image, &image->header->series, index);
}

struct astshm_segment_family *image_family_at(const struct image *image, uint32_t index)
{
	return image_element(image, &image->header->families, index);
}

/* --- the directory ------------------------------------------------------ */

uint32_t image_family(struct image *image, enum astshm_kind kind, const char *name,
		      const char *unit, const char *help)
{
	uint64_t name_ref = image_text(image, name);
	uint64_t unit_ref = image_text(image, unit), help_ref = image_text(image, help);
	uint32_t index;
	struct astshm_segment_family *family =
		image_append(image, &image->header->families, &index);
	family->kind = kind;
	family->name_ref = name_ref;
	family->unit_ref = unit_ref;
	family->help_ref = help_ref;
	return index;
}

static uint64_t tags_ref(struct image *image, const struct astshm_tag *tags, uint32_t count)
{
	uint8_t bytes[ASTSHM_TAGS_MAX * (2 + ASTSHM_TAG_KEY_MAX + ASTSHM_TAG_VALUE_MAX)];
	uint32_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		size_t key_len = strlen(tags[i].key), value_len = strlen(tags[i].value);
		bytes[at++] = (uint8_t)key_len;
		bytes[at++] = (uint8_t)value_len;
		memcpy(bytes + at, tags[i].key, key_len);
		memcpy(bytes + at + key_len, tags[i].value, value_len);
		at += (uint32_t)(key_len + value_len);
	}
	return image_bytes(image, bytes, at);
}

/* A counter's cell, its chunk appended where needed. */
static uint32_t give_cell(struct image *image)
{
	uint32_t cell = image->next_cell++, chunk;
	if (cell / ASTSHM_CHUNK_CELLS >= image->header->chunks.count)
		image_append(image, &image->header->chunks, &chunk);
	return cell;
}

uint32_t image_series(struct image *image, uint32_t family, const struct astshm_tag *tags,
		      uint32_t tag_count)
{
	uint32_t kind = image_family_at(image, family)->kind, index;
	uint64_t tags_at = tags_ref(image, tags, tag_count);
	uint32_t cell = kind == ASTSHM_KIND_COUNTER ? give_cell(image) : 0;
	uint64_t shared_off = kind == ASTSHM_KIND_GAUGE ? image_alloc(image, 64) : 0;
	struct astshm_segment_series *series =
		image_append(image, &image->header->series, &index);
	series->kind = kind;
	series->flags = ASTSHM_SERIES_BY_HANDLE;
	series->shown_epoch = image->header->epoch;
	series->shared_off = shared_off;
	series->cell = cell;
	series->family = family;
	series->tags_ref = tags_at;
	series->tag_count = tag_count;
	series->created_realtime_ns = clock_ns(CLOCK_REALTIME);
	__atomic_store_n(&series->state, UINT64_C(1) << 8 | ASTSHM_SERIES_LIVE, __ATOMIC_RELEASE);
	image->header->live_series[kind - 1]++;
	return index;
}

uint32_t image_metric(struct image *image, enum astshm_kind kind, const char *name)
{
	return image_series(image, image_family(image, kind, name, "", ""), NULL, 0);
}

uint32_t image_slot(struct image *image, uint32_t tid, const char *name)
{
	uint32_t index;
	struct astshm_segment_slot *slot = image_append(image, &image->header->slots, &index);
	size_t length = strlen(name);
	slot->state = ASTSHM_SLOT_USED;
	slot->owners = 1;
	slot->tid = tid;
	memcpy(slot->name, name, length < sizeof slot->name ? length : sizeof slot->name);
	return index;
}

/* --- blocks ------------------------------------------------------------- */

static struct astshm_block_header *block_of(struct image *image, uint64_t *head, uint32_t index,
					    uint32_t slot, uint64_t bytes)
{
	for (uint64_t off = *head; off != 0;) {
		struct astshm_block_header *block = image_at(image, off);
		if (block->slot == slot)
			return block;
		off = block->next_off;
	}
	uint64_t off = image_alloc(image, bytes);
	struct astshm_block_header *block = image_at(image, off);
	block->index = index;
	block->slot = slot;
	block->epoch = image->header->epoch;
	block->next_off = *head;
	__atomic_store_n(head, off, __ATOMIC_RELEASE);
	return block;
}

struct astshm_counter_block *image_counter_block(struct image *image, uint32_t series,
						 uint32_t slot)
{
	uint32_t chunk = image_series_at(image, series)->cell / ASTSHM_CHUNK_CELLS;
	uint64_t *head = image_element(image, &image->header->chunks, chunk);
	return (void *)block_of(image, head, chunk, slot, sizeof(struct astshm_counter_block));
}

struct astshm_histogram_block *image_histogram_block(struct image *image, uint32_t series,
						     uint32_t slot)
{
	uint64_t *head = &image_series_at(image, series)->blocks_off;
	return (void *)block_of(image, head, series, slot, sizeof(struct astshm_histogram_block));
}

struct astshm_gauge_block *image_gauge_block(struct image *image, uint32_t series, uint32_t slot)
{
	uint64_t *head = &image_series_at(image, series)->blocks_off;
	return (void *)block_of(image, head, series, slot, sizeof(struct astshm_gauge_block));
}

void image_count(struct image *image, uint32_t series, uint32_t slot, uint64_t amount)
{
	uint32_t cell = image_series_at(image, series)->cell;
	image_counter_block(image, series, slot)->cells[cell % ASTSHM_CHUNK_CELLS] += amount;
}

void image_record(struct image *image, uint32_t series, uint32_t slot, int64_t value)
{
	struct astshm_histogram_block *block = image_histogram_block(image, series, slot);
	bool timing = image_series_at(image, series)->kind == ASTSHM_KIND_TIMING;
	uint64_t sample = value < 0 ? 0 : (uint64_t)value;
	block->slots[astshm_bucket_slot_any(
		timing ? astshm_timing_table : astshm_distribution_table, value)]++;
	if (~sample > block->min_inverse)
		block->min_inverse = ~sample;
	if (sample + 1 > block->max_plus_one)
		block->max_plus_one = sample + 1;
	block->sum_hi += __builtin_add_overflow(block->sum, sample, &block->sum);
	block->count++;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static double double_of(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

void image_set(struct image *image, uint32_t series, uint32_t slot, double value)
{
	struct astshm_gauge_block *block = image_gauge_block(image, series, slot);
	uint64_t *current = image_at(image, image_series_at(image, series)->shared_off);
	*current = bits_of(value);
	if (block->count == 0 || value < double_of(block->min))
		block->min = bits_of(value);
	if (block->count == 0 || value > double_of(block->max))
		block->max = bits_of(value);
	block->sum = bits_of(double_of(block->sum) + value);
	block->begin++;
	block->count++;
}

/* --- files --------------------------------------------------------------- */

void image_write(const struct image *image, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0);
	for (uint64_t at = 0; at < image->next_off;) {
		ssize_t written = write(fd, image->base + at, image->next_off - at);
		require(written > 0);
		at += (uint64_t)written;
	}
	close(fd);
}
