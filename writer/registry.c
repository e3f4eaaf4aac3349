/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "family.h"
#include "fork.h"
#include "storage.h"
#include "touch.h"

#define FIRST_SERIES 256u
#define FIRST_FAMILIES 64u
#define FAMILIES_PER_SERIES 4u
#define FIRST_CHUNKS 64u
#define FIRST_SLOTS 16u

char rcu_meeting_point;

static unsigned long next_power_of_two(unsigned long value)
{
	unsigned long power = 1;
	while (power < value)
		power <<= 1;
	return power;
}

int writer_registry_init(struct astshm_writer *writer)
{
	uint32_t max = writer->options.max_series;
	/* Twice the series: chains stay short and no resize is ever needed
	 * (AUTO_RESIZE would start a thread in the host). */
	unsigned long buckets = next_power_of_two(2ul * max);

	writer->table = cds_lfht_new_flavor(buckets, buckets, buckets, 0, &urcu_bp_flavor, NULL);
	writer->records = calloc(writer->row_entries, sizeof *writer->records);
	if (!writer->table || !writer->records)
		return -ENOMEM;
	if (getrandom(&writer->hash_seed, sizeof writer->hash_seed, 0) < 0)
		writer->hash_seed = shm_monotonic_ns();
	writer->record_count = 1; /* 0 is the null handle */
	return 0;
}

void writer_registry_fini(struct astshm_writer *writer)
{
	if (writer->table) {
		rcu_section_enter();
		for (uint32_t i = 1; i < writer->record_count; i++)
			if (writer->records[i].series)
				writer_registry_unlink(writer, writer->records[i].series);
		rcu_section_leave();
		if (writer->record_count > 1)
			rcu_wait_for_readers();
		(void)cds_lfht_destroy(writer->table, NULL);
	}
	for (uint32_t i = 1; i < writer->record_count; i++)
		free(writer->records[i].series);
	free(writer->records);
	writer_family_free_all(writer);
	writer->table = NULL;
	writer->records = NULL;
	writer->record_count = writer->counter_count = 0;
	memset(writer->free_record, 0, sizeof writer->free_record);
}

static void format_table(struct astshm_segment_table *table, uint32_t stride, uint32_t first,
			 uint32_t limit)
{
	table->stride = stride;
	table->first = first;
	table->limit = limit;
}

int writer_registry_format(struct astshm_writer *writer)
{
	struct astshm_segment_header *header = writer->header;
	uint32_t limit = writer->options.max_series + 1;

	format_table(&header->series, sizeof(struct astshm_segment_series), FIRST_SERIES, limit);
	/* Names are never given back, so they may come and go some times. */
	format_table(&header->families, sizeof(struct astshm_segment_family), FIRST_FAMILIES,
		     limit * FAMILIES_PER_SERIES);
	format_table(&header->chunks, sizeof(uint64_t), FIRST_CHUNKS,
		     limit / ASTSHM_CHUNK_CELLS + 1);
	format_table(&header->slots, sizeof(struct astshm_segment_slot), FIRST_SLOTS,
		     writer->options.max_threads + 1);
	header->tag_set_limit = writer->options.max_tag_sets;
	if (!writer_table_reserve(writer, &header->series, 0))
		return -ENOSPC;
	writer_table_publish(&header->series, 1);
	return 0;
}

uint64_t writer_registry_hash(const struct astshm_writer *writer, const struct writer_key *key)
{
	return XXH3_64bits_withSeed(key->bytes, key->length, writer->hash_seed);
}

bool writer_registry_matches(const struct writer_series *series, const struct writer_key *key)
{
	return series->key_len == key->length && memcmp(series->key, key->bytes, key->length) == 0;
}

static int matches(struct cds_lfht_node *node, const void *sought)
{
	/* Pairs with the release in insert. */
	RCU_TSAN_ACQUIRE(&rcu_meeting_point);
	return writer_registry_matches(caa_container_of(node, struct writer_series, node), sought);
}

void writer_registry_unlink(struct astshm_writer *writer, struct writer_series *series)
{
	(void)cds_lfht_del(writer->table, &series->node);
	/* Pairs with the acquire in recall (named.c). */
	__atomic_store_n(&writer->removals, writer->removals + 1, __ATOMIC_RELEASE);
}

struct writer_series *writer_registry_find(struct astshm_writer *writer,
					   const struct writer_key *key, uint64_t hash)
{
	struct cds_lfht_iter iter;

	cds_lfht_lookup(writer->table, hash, matches, key, &iter);
	struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
	if (!node)
		return NULL;
	return caa_container_of(node, struct writer_series, node);
}

/* --- records -------------------------------------------------------- */

static bool has_record(const struct astshm_writer *writer, uint32_t kind)
{
	return writer->free_record[kind] != 0 ||
	       writer->record_count <= writer->options.max_series;
}

/* A record of this kind that was retired, or a new one. 0: none left. */
static uint32_t take_record(struct astshm_writer *writer, uint32_t kind)
{
	uint32_t index = writer->free_record[kind];

	if (index != 0) {
		writer->free_record[kind] = writer->records[index].next_free;
		return index;
	}
	if (!has_record(writer, kind))
		return 0;
	index = writer->record_count++;
	writer->records[index].kind = (uint8_t)kind;
	if (kind == ASTSHM_KIND_COUNTER)
		writer->records[index].cell = writer->counter_count++;
	return index;
}

void writer_registry_free_record(struct astshm_writer *writer, uint32_t index)
{
	struct writer_record *record = &writer->records[index];

	record->next_free = writer->free_record[record->kind];
	writer->free_record[record->kind] = index;
}

/* Tags go into storage that belongs to the record and grows by doubling, so
 * that names coming and going need bounded room. */
static uint64_t store_tags(struct astshm_writer *writer, struct writer_record *record)
{
	const struct writer_series *series = record->series;
	uint32_t from = writer_key_tags_off(series->key);
	uint32_t length = series->key_len - from;

	if (length > record->tags_capacity) {
		uint32_t capacity = record->tags_capacity ? record->tags_capacity : 64;
		while (capacity < length)
			capacity *= 2;
		uint64_t off = writer_storage_alloc(writer, capacity);
		if (off == 0)
			return WRITER_NO_ROOM;
		record->tags_off = off;
		record->tags_capacity = capacity;
	}
	/* Bytes that a reader of the predecessor may still look at: it finds
	 * the generation changed afterwards and drops what it copied. */
	uint8_t *to = writer_at(writer, record->tags_off);
	for (uint32_t i = 0; i < length; i++)
		__atomic_store_n(to + i, series->key[from + i], __ATOMIC_RELAXED);
	return length ? ASTSHM_STRING_REF(record->tags_off, length) : 0;
}

static bool needs_shared_cell(const struct writer_record *record)
{
	return record->kind == ASTSHM_KIND_GAUGE || record->signal_safe;
}

static int give_shared_cell(struct astshm_writer *writer, struct writer_record *record,
			    uint32_t index)
{
	if (!needs_shared_cell(record))
		return 0;
	if (record->shared_off == 0)
		record->shared_off = writer_storage_alloc(writer, sizeof(uint64_t));
	if (record->shared_off == 0)
		return -ENOSPC;
	if (record->signal_safe)
		/* Pairs with the acquire in astshm_counter_add_signal. */
		__atomic_store_n(&writer->signal_cells[index],
				 writer_at(writer, record->shared_off), __ATOMIC_RELEASE);
	return 0;
}

static uint32_t record_flags(const struct writer_record *record)
{
	return (record->up_down ? ASTSHM_SERIES_UP_DOWN : 0) |
	       (record->by_handle ? ASTSHM_SERIES_BY_HANDLE : 0) |
	       (record->signal_safe ? ASTSHM_SERIES_SIGNAL : 0) |
	       (record->series->is_other ? ASTSHM_SERIES_OTHER : 0);
}

static void fill_record(struct astshm_writer *writer, struct astshm_segment_series *shown,
			struct writer_record *record, uint64_t tags)
{
	const struct writer_series *series = record->series;

	/* Relaxed, all of them: state's release below publishes them. A reused
	 * record may be read meanwhile; its readers look at state again. */
	__atomic_store_n(&shown->kind, (uint32_t)record->kind, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->flags, record_flags(record), __ATOMIC_RELAXED);
	__atomic_store_n(&shown->shown_epoch, series->shown_epoch, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->shared_off, record->shared_off, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->cell, record->cell, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->family, series->family->index, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->tags_ref, tags, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->tag_count, writer_key_tag_count(series->key), __ATOMIC_RELAXED);
	__atomic_store_n(&shown->created_realtime_ns, shm_realtime_ns(), __ATOMIC_RELAXED);
	/* Pairs with the acquire load of state in readers/directory.c. */
	__atomic_store_n(&shown->state, record->generation << 8 | ASTSHM_SERIES_LIVE,
			 __ATOMIC_RELEASE);
	writer_word_add(&writer->header->live_series[record->kind - 1], 1);
}

static int reserve_chunk(struct astshm_writer *writer, const struct writer_record *record)
{
	struct astshm_segment_table *chunks = &writer->header->chunks;
	uint32_t chunk = record->cell / ASTSHM_CHUNK_CELLS;

	if (record->kind != ASTSHM_KIND_COUNTER || chunk < chunks->count)
		return 0;
	if (!writer_table_reserve(writer, chunks, chunk))
		return -ENOSPC;
	writer_table_publish(chunks, chunk + 1);
	return 0;
}

/* Writes the series that records[index] holds into the directory. */
static int publish_record(struct astshm_writer *writer, uint32_t index)
{
	struct astshm_segment_table *table = &writer->header->series;
	struct writer_record *record = &writer->records[index];
	struct astshm_segment_series *shown = writer_table_reserve(writer, table, index);

	if (!shown || reserve_chunk(writer, record) < 0 ||
	    give_shared_cell(writer, record, index) < 0)
		return -ENOSPC;
	/* Reserved first: from here to live, whoever copies strings of this
	 * record sees a state that is neither. */
	record->generation++;
	__atomic_store_n(&shown->state, record->generation << 8 | ASTSHM_SERIES_RESERVED,
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	uint64_t tags = store_tags(writer, record);
	if (tags == WRITER_NO_ROOM)
		return -ENOSPC;
	fill_record(writer, shown, record, tags);
	if (index >= table->count)
		writer_table_publish(table, index + 1);
	else
		writer_directory_changed(writer);
	return 0;
}

/* An element that was never live, so that those behind it can be published. */
static int publish_gap(struct astshm_writer *writer, uint32_t index)
{
	struct astshm_segment_table *table = &writer->header->series;
	struct astshm_segment_series *shown = writer_table_reserve(writer, table, index);

	if (!shown || reserve_chunk(writer, &writer->records[index]) < 0)
		return -ENOSPC;
	shown->kind = writer->records[index].kind;
	shown->cell = writer->records[index].cell;
	shown->state = writer->records[index].generation << 8 | ASTSHM_SERIES_RETIRED;
	writer_table_publish(table, index + 1);
	return 0;
}

int writer_registry_republish(struct astshm_writer *writer)
{
	int result = writer_family_republish(writer);

	for (uint32_t i = 1; result == 0 && i < writer->record_count; i++) {
		struct writer_record *record = &writer->records[i];
		record->tags_off = record->shared_off = 0;
		record->tags_capacity = 0;
		result = record->series ? publish_record(writer, i) : publish_gap(writer, i);
	}
	return result;
}

/* --- registering ----------------------------------------------------- */

static struct writer_series *make_series(const struct astshm_writer *writer,
					 const struct writer_key *key, uint64_t hash,
					 struct writer_family *family, bool is_other)
{
	struct writer_series *series = calloc(1, sizeof *series + key->length);

	if (!series)
		return NULL;
	cds_lfht_node_init(&series->node);
	series->hash = hash;
	series->family = family;
	series->is_other = is_other;
	series->shown_epoch = writer->header->epoch;
	series->key_len = key->length;
	memcpy(series->key, key->bytes, key->length);
	return series;
}

static void apply_flags(struct writer_record *record, const struct writer_wish *wish)
{
	record->up_down = (wish->flags & ASTSHM_UP_DOWN) != 0;
	record->signal_safe = (wish->flags & ASTSHM_SIGNAL_SAFE) != 0;
	record->by_handle = wish->by_handle;
}

/* Gives the index back after a failure; it was never live. */
static void undo_record(struct astshm_writer *writer, uint32_t index)
{
	free(writer->records[index].series);
	writer->records[index].series = NULL;
	if (index < writer->header->series.count) {
		writer_registry_free_record(writer, index);
		return;
	}
	writer->record_count--; /* the newest: as if never taken */
	if (writer->records[index].kind == ASTSHM_KIND_COUNTER)
		writer->counter_count--;
}

static int insert(struct astshm_writer *writer, const struct writer_key *key, uint64_t hash,
		  struct writer_family *family, const struct writer_wish *wish, bool is_other,
		  struct writer_series **out)
{
	uint32_t kind = key->bytes[0];
	uint32_t index = take_record(writer, kind);

	if (index == 0)
		return -ENOSPC;
	struct writer_record *record = &writer->records[index];
	record->series = make_series(writer, key, hash, family, is_other);
	if (!record->series) {
		undo_record(writer, index);
		return -ENOMEM;
	}
	record->series->index = index;
	apply_flags(record, wish);
	int result = publish_record(writer, index);
	if (result < 0) {
		undo_record(writer, index);
		return result;
	}
	if (!is_other && writer_key_tag_count(key->bytes))
		__atomic_store_n(&family->tag_sets, family->tag_sets + 1, __ATOMIC_RELAXED);
	RCU_TSAN_RELEASE(&rcu_meeting_point);
	cds_lfht_add(writer->table, hash, &record->series->node);
	*out = record->series;
	return 0;
}

/* What a second registration of a living series adds to it. */
static int confirm(struct astshm_writer *writer, struct writer_series *series,
		   const struct writer_wish *wish)
{
	struct writer_record *record = &writer->records[series->index];
	struct astshm_segment_series *shown =
		writer_table_at(writer, &writer->header->series, series->index);
	uint32_t flags = record_flags(record);

	if (wish->flags & ASTSHM_UP_DOWN)
		writer_registry_make_up_down(writer, series->index);
	if (wish->flags & ASTSHM_SIGNAL_SAFE && !record->signal_safe) {
		record->signal_safe = 1;
		if (give_shared_cell(writer, record, series->index) < 0) {
			record->signal_safe = 0;
			return -ENOSPC;
		}
		/* Before the flag's release below: who sees it finds the cell. */
		__atomic_store_n(&shown->shared_off, record->shared_off, __ATOMIC_RELAXED);
	}
	record->by_handle |= wish->by_handle;
	if (record_flags(record) != flags) {
		(void)__atomic_fetch_or(&shown->flags, record_flags(record), __ATOMIC_RELEASE);
		writer_directory_changed(writer);
	}
	return 0;
}

void writer_registry_make_up_down(struct astshm_writer *writer, uint32_t index)
{
	struct astshm_segment_series *shown =
		writer_table_at(writer, &writer->header->series, index);

	if (writer->records[index].up_down)
		return;
	/* Before the subtraction that follows, so that no reader takes the fall
	 * of a monotonic counter for a reset: of this thread, by the fence (the
	 * release of the flag alone leaves later stores free); of another, by
	 * the release, for the acquire in astshm_counter_sub_checked. Pairs with
	 * the fence before fill_counter's load of the flags (readers/collect.c).
	 * x86 stores in order anyway: tests/model/record.py, up_down. */
	(void)__atomic_fetch_or(&shown->flags, ASTSHM_SERIES_UP_DOWN, __ATOMIC_RELEASE);
	__atomic_store_n(&writer->records[index].up_down, 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	writer_directory_changed(writer);
}

static bool at_limit(const struct writer_family *family, const struct writer_key *key)
{
	return writer_key_tag_count(key->bytes) && family->tag_sets >= family->tag_set_limit;
}

/* Under the lock, inside the read section: look again, then make it. */
static int find_or_make(struct astshm_writer *writer, const struct writer_key *key,
			const struct writer_wish *wish, struct writer_series **series,
			struct astshm_error *error)
{
	uint64_t hash = writer_registry_hash(writer, key);
	struct writer_family *family;
	struct writer_key other;
	uint32_t name_len;
	bool is_other = false;

	*series = writer_registry_find(writer, key, hash);
	if (*series)
		return confirm(writer, *series, wish);
	int result = writer_key_check(key, error);
	if (result < 0)
		return result;
	if (!has_record(writer, key->bytes[0])) /* before a name is made that nobody needs */
		return shm_fail(&writer->room.why, -ENOSPC, "all of its %u series are taken",
				writer->options.max_series);
	const char *name = writer_key_name(key->bytes, &name_len);
	result = writer_family_get(writer, key->bytes[0], name, name_len, &family);
	if (result < 0)
		return result;
	if (at_limit(family, key)) {
		writer_count_dropped(&writer->header->other_tag_sets);
		writer_key_make_other(&other, key);
		key = &other;
		is_other = true;
		hash = writer_registry_hash(writer, key);
		*series = writer_registry_find(writer, key, hash);
		if (*series)
			return confirm(writer, *series, wish);
	}
	return insert(writer, key, hash, family, wish, is_other, series);
}

static int describe_family(struct astshm_writer *writer, struct writer_family *family,
			   const struct writer_wish *wish)
{
	if (wish->merge != ASTSHM_MERGE_LAST)
		writer_family_set_merge(writer, family, wish->merge);
	return writer_family_describe(writer, family, wish->unit, wish->help, NULL);
}

int writer_registry_get(struct astshm_writer *writer, const struct writer_key *key,
			const struct writer_wish *wish, struct writer_series **series,
			struct astshm_error *error)
{
	struct writer_series *found = NULL;
	int result;

	pthread_mutex_lock(&writer->lock);
	if (writer->generation == 0 || writer->foreign || writer_process_forked()) {
		pthread_mutex_unlock(&writer->lock);
		return shm_fail(error, -ENOENT, "the writer is closed, or this is a forked child "
				"that has not reopened it");
	}
	result = find_or_make(writer, key, wish, &found, error);
	if (result == 0 && wish->by_handle) {
		/* A text without room is no reason to lose the series. */
		(void)describe_family(writer, found->family, wish);
		found->registrations++;
	}
	if (result < 0)
		writer_count_dropped(&writer->header->dropped_registrations);
	if (result == -ENOSPC)
		writer_storage_set_full(&writer->directory_full_until_ns[key->bytes[0]]);
	pthread_mutex_unlock(&writer->lock);
	if (result == -ENOSPC)
		return shm_fail(error, result, "no room for another series: raise max_series or "
				"max_bytes, or free space on the segment's file system");
	if (result == -ENOMEM)
		return shm_fail(error, result, "out of memory");
	if (result == 0)
		*series = found;
	return result;
}
