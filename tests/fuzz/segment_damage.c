/* SPDX-License-Identifier: MIT */
#include "segment_damage.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define AT(type, member) offsetof(struct type, member)
#define HEADER_AT(member) AT(astshm_segment_header, member)

struct damage {
	struct segment_image *image;
	struct fuzz_random *random;
	struct segment_records records;
};

static size_t below(struct damage *damage, size_t limit)
{
	return fuzz_random_below(damage->random, limit);
}

static uint64_t pick(struct damage *damage, const uint64_t *values, size_t count)
{
	return values[below(damage, count)];
}

#define PICK(damage, ...)                                                      \
	pick(damage, (const uint64_t[]){ __VA_ARGS__ },                        \
	     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* --- records --------------------------------------------------------------- */

/* Any of this sort, or NULL. */
static const struct segment_record *any_of(struct damage *damage, enum segment_sort sort)
{
	const struct segment_records *records = &damage->records;
	size_t there = 0;

	for (size_t i = 0; i < records->count; i++)
		there += records->all[i].sort == sort;
	size_t wanted = below(damage, there);
	for (size_t i = 0; i < records->count; i++)
		if (records->all[i].sort == sort && wanted-- == 0)
			return &records->all[i];
	return NULL;
}

/* Sorts are equally likely, however many there are of each: else everything
 * would happen to strings. NULL: not even a header. */
static const struct segment_record *any(struct damage *damage)
{
	for (int i = 0; i < 16; i++) {
		enum segment_sort sort = (enum segment_sort)below(damage, RECORD_SORTS);
		const struct segment_record *record = any_of(damage, sort);

		if (record)
			return record;
	}
	return any_of(damage, RECORD_HEADER);
}

static const struct segment_record *any_block(struct damage *damage)
{
	enum segment_sort sort =
		(enum segment_sort)(RECORD_COUNTER_BLOCK + below(damage, 3));

	return any_of(damage, sort);
}

static size_t any_off(struct damage *damage)
{
	const struct segment_record *record = any(damage);

	return record ? record->off : 0;
}

/* --- values ------------------------------------------------------------------ */

static uint64_t bad_offset(struct damage *damage, uint64_t old, uint64_t self)
{
	uint64_t size = damage->image->size;
	uint64_t committed = segment_get(damage->image, HEADER_AT(committed_bytes), 8);
	uint64_t other = any_off(damage), somewhere = below(damage, size + 1);

	return PICK(damage,
		    /* itself, and what belongs to others */
		    self, other, other & ~UINT64_C(63), self + 64,
		    /* overlapping, misaligned */
		    old + 64, old - 64, old + 8, old + 1, old - 1, somewhere,
		    somewhere & ~UINT64_C(63),
		    /* in the header, nowhere */
		    0, 1, 64, 4032, 4096,
		    /* the end */
		    committed, committed - 8, committed - 64, committed - 128, committed - 576,
		    committed - 24576, (committed - 1) & ~UINT64_C(63), size, size - 64,
		    /* what wraps when something is added */
		    UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 63, UINT64_MAX - 24575,
		    UINT64_C(1) << 63, UINT64_C(1) << 40);
}

static uint64_t bad_count(struct damage *damage, uint64_t old)
{
	return PICK(damage, 0, 1, 2, old - 1, old + 1, old * 2, old / 2, 16, 17, 63, 64, 65, 255,
		    256, 65535, 65536, UINT64_C(1) << 20, UINT64_C(1) << 30, INT32_MAX,
		    UINT64_C(1) << 31, (UINT64_C(1) << 31) + 1, UINT32_MAX - 1, UINT32_MAX,
		    UINT64_C(1) << 32, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX);
}

static uint64_t bad_size(struct damage *damage, uint64_t old)
{
	uint64_t size = damage->image->size;

	return PICK(damage, 0, 1, 8, 64, 4095, 4096, 4097, old - 64, old - 8, old - 1, old + 1,
		    old + 8, old + 64, old * 2, old + 4096, size, size - 1, size + 1, size - 63,
		    size & ~UINT64_C(4095), (size + 4095) & ~UINT64_C(4095), size * 2,
		    UINT64_C(1) << 31, UINT32_MAX, UINT32_MAX - 7, UINT64_C(1) << 40,
		    (UINT64_C(1) << 40) + 1, UINT64_C(1) << 63, UINT64_MAX - 4095, UINT64_MAX);
}

static uint64_t bad_string(struct damage *damage, uint64_t old)
{
	uint64_t size = damage->image->size, off = ASTSHM_STRING_OFF(old);
	uint64_t length = ASTSHM_STRING_LEN(old);

	off = PICK(damage, off, off, off, off + 1, off - 1, any_off(damage), 0, 104, size - length,
		   size - length + 1, size - 1, size, UINT64_C(0xffffffffffff),
		   UINT64_C(0xffffffffffff) - length);
	length = PICK(damage, length, length, 0, 1, length + 1, length - 1, 63, 64, 255, 256, 318,
		      1023, 1024, 5088, 5089, 65535);
	return off << 16 | (length & 0xffff);
}

static uint64_t bad_double(struct damage *damage, uint64_t old)
{
	return PICK(damage, old ^ UINT64_C(1) << 63, 0, UINT64_C(1) << 63, 1,
		    UINT64_C(0x7fefffffffffffff), UINT64_C(0xffefffffffffffff),
		    UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
		    UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff0000000000001), UINT64_MAX,
		    UINT64_C(0x43e0000000000000), UINT64_C(0x3ff0000000000001));
}

static uint64_t bad_state(struct damage *damage, uint64_t old)
{
	return PICK(damage, 0, 1, 2, 3, 4, 5, 9, 255, old ^ 1, old ^ 2, old ^ 4, old + 256,
		    UINT64_C(256) | ASTSHM_SERIES_LIVE, UINT32_MAX, UINT64_MAX);
}

static uint64_t bad_value(struct damage *damage, enum segment_meaning meaning, uint64_t old,
			  uint64_t self)
{
	switch (meaning) {
	case MEANS_OFFSET:
		return bad_offset(damage, old, self);
	case MEANS_COUNT:
	case MEANS_INDEX:
		return bad_count(damage, old);
	case MEANS_SIZE:
		return bad_size(damage, old);
	case MEANS_STRING:
		return bad_string(damage, old);
	case MEANS_DOUBLE:
		return bad_double(damage, old);
	case MEANS_STATE:
		return bad_state(damage, old);
	case MEANS_EPOCH:
		return PICK(damage, 0, 1, 2, old + 1, old - 1, old + 2, UINT64_MAX);
	case MEANS_IDENTITY:
		return PICK(damage, __builtin_bswap64(old), __builtin_bswap32((uint32_t)old),
			    old + 1, old - 1, 0, UINT64_MAX);
	case MEANS_NUMBER:
	case MEANS_TEXT:
		break;
	}
	return below(damage, 4) ? bad_count(damage, old) : fuzz_random_next(damage->random);
}

/* --- texts ---------------------------------------------------------------------- */

/* Not UTF-8, ends of lines and of strings, what an encoding must escape. */
static void spoil_text(struct damage *damage, size_t off, size_t bytes)
{
	static const char *const pieces[] = {
		"\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80",
		"\"", "\\", "\n", "\r", "\t", "\x1b[31m", "\x7f", "\x01", "{}", "[a=b]", ",", "=",
		"\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "_total", "0", " ", "#",
	};
	const char *piece = pieces[below(damage, COUNT(pieces))];
	size_t length = strlen(piece);

	if (below(damage, 8) == 0) {
		piece = "";
		length = 1; /* the NUL */
	}
	off += below(damage, bytes);
	for (size_t i = 0; i < length && off + i < damage->image->size; i++)
		damage->image->bytes[off + i] = (uint8_t)piece[i];
}

/* Packed tags begin with the length of a key and that of a value. */
static void spoil_lengths(struct damage *damage, size_t off)
{
	uint8_t *byte = &damage->image->bytes[off + below(damage, 2)];

	*byte = (uint8_t)PICK(damage, 0, 1, 63, 64, 255, *byte + 1u, *byte - 1u);
}

/* --- changes ---------------------------------------------------------------------- */

static void change_field(struct damage *damage)
{
	const struct segment_record *record = any(damage);

	if (!record || segment_shapes[record->sort].field_count == 0)
		return;
	const struct segment_shape *shape = &segment_shapes[record->sort];
	const struct segment_field *field = &shape->fields[below(damage, shape->field_count)];
	size_t at = record->off + field->off;

	if (field->meaning == MEANS_TEXT) {
		spoil_text(damage, at, field->bytes);
		return;
	}
	uint64_t old = segment_get(damage->image, at, field->bytes);
	segment_put(damage->image, at, field->bytes,
		    bad_value(damage, field->meaning, old, record->off));
}

static void change_text(struct damage *damage)
{
	const struct segment_record *record = any_of(damage, RECORD_TEXT);

	if (record && record->bytes >= 2 && below(damage, 3) == 0)
		spoil_lengths(damage, record->off);
	else if (record)
		spoil_text(damage, record->off, record->bytes);
}

static size_t shorter(const struct segment_record *a, const struct segment_record *b)
{
	return a->bytes < b->bytes ? a->bytes : b->bytes;
}

static void swap_records(struct damage *damage)
{
	const struct segment_record *one = any(damage);
	const struct segment_record *other = one ? any_of(damage, one->sort) : NULL;

	if (!other)
		return;
	for (size_t i = 0; i < shorter(one, other); i++) {
		uint8_t byte = damage->image->bytes[one->off + i];

		damage->image->bytes[one->off + i] = damage->image->bytes[other->off + i];
		damage->image->bytes[other->off + i] = byte;
	}
}

/* Keys that occur twice, blocks on two lists, tables on one another. */
static void copy_record(struct damage *damage)
{
	const struct segment_record *from = any(damage);
	const struct segment_record *to = from ? any_of(damage, from->sort) : NULL;

	if (to)
		memmove(damage->image->bytes + to->off, damage->image->bytes + from->off,
			shorter(from, to));
}

static void close_circle(struct damage *damage)
{
	const struct segment_record *block = any_block(damage);
	const struct segment_record *next = block ? any_of(damage, block->sort) : NULL;

	if (next)
		segment_put(damage->image, block->off + AT(astshm_block_header, next_off), 8,
			    below(damage, 2) ? block->off : next->off);
}

static void share_list(struct damage *damage)
{
	const struct segment_record *one = any_of(damage, RECORD_SERIES);
	const struct segment_record *other = any_of(damage, RECORD_SERIES);

	if (other)
		segment_put(damage->image, one->off + AT(astshm_segment_series, blocks_off), 8,
			    segment_get(damage->image,
					other->off + AT(astshm_segment_series, blocks_off), 8));
}

/* A block that would be in order, were it not inside of something else. */
static void plant_block(struct damage *damage)
{
	struct segment_image *image = damage->image;
	const struct segment_record *series = any_of(damage, RECORD_SERIES);
	size_t off = below(damage, image->size + 1) & ~(size_t)63;

	if (!series)
		return;
	segment_put(image, off + AT(astshm_block_header, index), 4, series->index);
	segment_put(image, off + AT(astshm_block_header, slot), 4, below(damage, 2));
	segment_put(image, off + AT(astshm_block_header, epoch), 8,
		    segment_get(image, HEADER_AT(epoch), 8));
	segment_put(image, off + AT(astshm_block_header, next_off), 8,
		    below(damage, 2) ? off :
		    segment_get(image, series->off + AT(astshm_segment_series, blocks_off), 8));
	segment_put(image, series->off + AT(astshm_segment_series, blocks_off), 8, off);
}

static void raise_count(struct damage *damage)
{
	const struct segment_record *table = any_of(damage, RECORD_TABLE);

	if (!table)
		return;
	uint64_t count = segment_get(damage->image, table->off + AT(astshm_segment_table, count),
				     4);
	uint64_t first = segment_get(damage->image, table->off + AT(astshm_segment_table, first),
				     4);
	count = PICK(damage, count + 1, count * 2, count + 100, first, first + 1, first * 4, 65536,
		     UINT64_C(1) << 31, (UINT64_C(1) << 30) + 1, UINT32_MAX);
	if (below(damage, 2) == 0)
		segment_put(damage->image, table->off + AT(astshm_segment_table, first), 4,
			    PICK(damage, first, 1, 2, UINT64_C(1) << 16, UINT64_C(1) << 30,
				 UINT64_C(1) << 31));
	segment_put(damage->image, table->off + AT(astshm_segment_table, count), 4, count);
	segment_put(damage->image, table->off + AT(astshm_segment_table, limit), 4,
		    PICK(damage, count, UINT32_MAX));
}

/* From some extent on all lie where another does. */
static void overlap_extents(struct damage *damage)
{
	const struct segment_record *table = any_of(damage, RECORD_TABLE);
	size_t from = below(damage, ASTSHM_SEGMENT_EXTENTS);

	if (!table)
		return;
	size_t extents = table->off + AT(astshm_segment_table, extent_off);
	uint64_t off = segment_get(damage->image, extents + 8 * below(damage, 2), 8);
	for (size_t i = from; i < ASTSHM_SEGMENT_EXTENTS; i++)
		segment_put(damage->image, extents + 8 * i, 8, off);
	raise_count(damage);
}

/* A reader that has looked is told to look again, or that a reset came. */
static void announce(struct damage *damage)
{
	size_t word = PICK(damage, HEADER_AT(directory_changes), HEADER_AT(directory_changes),
			   HEADER_AT(retiring), HEADER_AT(epoch), HEADER_AT(counters_epoch));

	segment_put(damage->image, word, 8, segment_get(damage->image, word, 8) + 1);
}

static void scatter_noise(struct damage *damage)
{
	const struct segment_record *record = any(damage);
	size_t bits = 1 + below(damage, 4);

	for (size_t i = 0; record && i < bits; i++)
		damage->image->bytes[record->off + below(damage, record->bytes)] ^=
			(uint8_t)(1u << below(damage, 8));
}

/* Cut, or with more behind it; the header may know of it. */
static void resize(struct damage *damage)
{
	struct segment_image *image = damage->image;
	size_t old = image->size;

	if (image->room == image->size) {
		change_field(damage);
		return;
	}
	size_t less = below(damage, old + 1), few = below(damage, 130);
	size_t size = PICK(damage, less, old - few, old & ~(size_t)4095,
			   (old + 4095) & ~(size_t)4095, old + 64, old + few, old + 24640, 4096,
			   4095, 8, 0);
	if (size > image->room)
		return;
	if (size > old)
		memset(image->bytes + old, 0, size - old);
	image->size = size;
	if (below(damage, 2) == 0)
		segment_put(image, HEADER_AT(committed_bytes), 8, size);
	if (below(damage, 4) == 0)
		segment_put(image, HEADER_AT(max_bytes), 8, size);
}

typedef void (*change)(struct damage *damage);

/* As often as they stand here. */
static const change changes[] = {
	change_field,  change_field, change_field, change_field,   change_field, change_field,
	change_field,  change_field, change_field, change_field,   change_text,  change_text,
	copy_record,   swap_records, close_circle, close_circle,   share_list,   plant_block,
	plant_block,   raise_count,  raise_count,  overlap_extents, announce,    announce,
	scatter_noise, resize,
};

void segment_damage(struct segment_image *image, struct fuzz_random *random)
{
	static _Thread_local struct damage damage;

	damage.image = image;
	damage.random = random;
	segment_find(image, &damage.records);
	changes[below(&damage, COUNT(changes))](&damage);
}
