/* SPDX-License-Identifier: MIT */
/*
 * A segment is a stranger's input: every word is loaded once into a local and
 * only the local is checked and used, because the bytes may change meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Relaxed: loaded once, ordered by nothing; the words are constant in a segment
 * whose writer keeps to the layout. */
static uint32_t load32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static uint64_t load64(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static int fail_corrupt(struct astshm_error *error, uint64_t position, const char *what)
{
	shm_fail(error, -EBADMSG, "corrupt segment: %s", what);
	if (error)
		error->position = position;
	return -EBADMSG;
}

/* Is the magic number there, and in this machine's byte order? */
static int check_magic(const struct astshm_segment_header *header, struct astshm_error *error)
{
	uint64_t magic = load64(&header->magic);
	if (magic == __builtin_bswap64(ASTSHM_SEGMENT_MAGIC))
		return shm_fail(error, -EPROTONOSUPPORT,
				"the segment was written in the other byte order");
	if (magic != ASTSHM_SEGMENT_MAGIC)
		return shm_fail(error, -EBADMSG, "not a segment: no magic number");
	if (load32(&header->byte_order) != ASTSHM_SEGMENT_BYTE_ORDER)
		return shm_fail(error, -EPROTONOSUPPORT, "an unknown byte order");
	uint32_t major = load32(&header->major_version);
	if (major != ASTSHM_SEGMENT_MAJOR)
		return shm_fail(error, -EPROTONOSUPPORT,
				"segment of version %u.%u, this library reads %u.x", major,
				load32(&header->minor_version), ASTSHM_SEGMENT_MAJOR);
	return 0;
}

/* Records of a later minor version may be longer, never shorter. */
static bool is_stride(uint32_t stride, size_t least)
{
	return stride >= least && stride % 8 == 0;
}

static bool are_strides_good(const struct astshm_segment_header *header)
{
	return is_stride(load32(&header->header_bytes), sizeof *header) &&
	       is_stride(load32(&header->series_bytes), sizeof(struct astshm_segment_series)) &&
	       is_stride(load32(&header->family_bytes), sizeof(struct astshm_segment_family)) &&
	       is_stride(load32(&header->slot_bytes), sizeof(struct astshm_segment_slot));
}

static bool are_blocks_known(const struct astshm_segment_header *header)
{
	return load32(&header->block_header_bytes) == ASTSHM_BLOCK_HEADER_BYTES &&
	       load32(&header->chunk_cells) == ASTSHM_CHUNK_CELLS &&
	       load32(&header->histogram_slots) == ASTSHM_HISTOGRAM_SLOTS &&
	       load32(&header->histogram_scale) == ASTSHM_HISTOGRAM_SCALE;
}

static bool is_size_good(const struct astshm_segment_header *header, uint64_t bytes)
{
	uint64_t max = load64(&header->max_bytes);
	/* Acquire: pairs with the release store in shm_grow. */
	uint64_t committed = __atomic_load_n(&header->committed_bytes, __ATOMIC_ACQUIRE);
	return max <= SHM_MAX_BYTES && max <= SIZE_MAX && committed <= max &&
	       committed <= bytes && load32(&header->header_bytes) <= committed;
}

static bool is_name_good(const struct astshm_segment_header *header)
{
	char name[ASTSHM_SEGMENT_NAME_BYTES];
	uint32_t length = load32(&header->name_len);
	if (length >= sizeof name)
		return false;
	memcpy(name, header->name, length);
	return shm_utf8_valid(name, length);
}

static bool is_state_known(const struct astshm_segment_header *header)
{
	uint32_t state = load32(&header->state);
	return state == ASTSHM_SEGMENT_LIVE || state == ASTSHM_SEGMENT_CLOSED;
}

static bool is_table_good(const struct astshm_segment_table *table, size_t least)
{
	uint32_t first = load32(&table->first);
	/* Acquire: pairs with the writer's release after an element is whole. */
	uint32_t count = __atomic_load_n(&table->count, __ATOMIC_ACQUIRE);
	return is_stride(load32(&table->stride), least) && first != 0 &&
	       (first & (first - 1)) == 0 && count <= load32(&table->limit);
}

static int check_tables(const struct astshm_segment_header *header, struct astshm_error *error)
{
	const struct {
		const struct astshm_segment_table *table;
		size_t least;
		const char *what;
	} tables[] = {
		{ &header->series, sizeof(struct astshm_segment_series), "table of series" },
		{ &header->families, sizeof(struct astshm_segment_family), "table of families" },
		{ &header->chunks, sizeof(uint64_t), "table of chunks" },
		{ &header->slots, sizeof(struct astshm_segment_slot), "table of thread slots" },
	};
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (!is_table_good(tables[i].table, tables[i].least))
			return fail_corrupt(error, (uint64_t)((const uint8_t *)tables[i].table -
							      (const uint8_t *)header),
					    tables[i].what);
	return 0;
}

#define POSITION(field) offsetof(struct astshm_segment_header, field)

int shm_check_header(const uint8_t *base, uint64_t bytes, struct astshm_error *error)
{
	if ((uintptr_t)base % 8)
		return shm_fail(error, -EINVAL, "the image is not aligned to 8 bytes");
	if (bytes < sizeof(struct astshm_segment_header))
		return shm_fail(error, -EBADMSG, "not a segment: %llu bytes are less than a header",
				(unsigned long long)bytes);
	const struct astshm_segment_header *header = (const void *)base;
	int code = check_magic(header, error);
	if (code)
		return code;
	if (!are_strides_good(header))
		return fail_corrupt(error, POSITION(header_bytes), "record sizes");
	if (!are_blocks_known(header))
		return fail_corrupt(error, POSITION(block_header_bytes), "shape of blocks");
	if (!is_size_good(header, bytes))
		return fail_corrupt(error, POSITION(committed_bytes),
				    "committed size (truncated?)");
	if (!is_name_good(header))
		return fail_corrupt(error, POSITION(name), "name");
	if (!is_state_known(header))
		return fail_corrupt(error, POSITION(state), "state");
	if (load64(&header->generation) == 0)
		return fail_corrupt(error, POSITION(generation), "generation");
	return check_tables(header, error);
}

struct shm_table_run shm_table_run(const uint8_t *base, uint64_t committed,
				   const struct astshm_segment_table *table,
				   uint32_t index, uint32_t stride)
{
	const struct shm_table_run none = { .first = NULL };
	uint32_t first = load32(&table->first), step = load32(&table->stride);
	uint32_t extent, place;
	/* Acquire: pairs with the writer's release store of count, after which
	 * the elements below it and their extents' offsets are whole. */
	uint32_t count = __atomic_load_n(&table->count, __ATOMIC_ACQUIRE);
	if (index >= count)
		return none;
	if (first == 0 || (first & (first - 1)) || !is_stride(step, stride))
		return none;
	shm_table_locate(first, index, &extent, &place);
	if (extent >= ASTSHM_SEGMENT_EXTENTS)
		return none;
	uint64_t off = load64(&table->extent_off[extent]);
	uint64_t inside = (uint64_t)place * step; /* < 2^64: both have 32 bits */
	if (off < ASTSHM_SEGMENT_HEADER_BYTES || off % ASTSHM_SEGMENT_ALIGN || off > committed ||
	    !shm_in_bounds(inside, step, committed - off))
		return none;
	uint64_t room = (committed - off - inside) / step;
	uint32_t left = shm_table_extent_elements(first, extent) - place;
	if (left > count - index)
		left = count - index;
	if (left > room)
		left = (uint32_t)room;
	return (struct shm_table_run){ base + off + inside, step, left };
}

const void *shm_table_element(const uint8_t *base, uint64_t committed,
			      const struct astshm_segment_table *table,
			      uint32_t index, uint32_t stride)
{
	return shm_table_run(base, committed, table, index, stride).first;
}
