/* SPDX-License-Identifier: MIT */
/*
 * Removing series. The order closes these races:
 *
 *   1. out of the table and state := retired, under the lock: nobody finds the
 *      series by name any more, readers no longer show it, and a new series of
 *      the same key never stands beside it;
 *   2. a grace period, WITHOUT the lock: a thread inside a read section may be
 *      waiting for the lock in its first touch, so holding it here would hang;
 *      afterwards no thread records by name into the old cells;
 *   3. header.retiring odd (readers then look at each record's state again),
 *      fence, zero the cells, header.retiring even: a reader that saw a zeroed
 *      cell finds the state retired or retiring changed;
 *   4. only now the record may serve another series of its kind.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "fork.h"
#include "gate.h"
#include "registry.h"
#include "row.h"
#include "storage.h"

static void zero_block(struct astshm_writer *writer, void *block, void *context)
{
	const struct writer_record *record = context;
	struct astshm_counter_block *counters = block;
	struct astshm_gauge_block *gauge = block;
	struct astshm_histogram_block *histogram = block;

	(void)writer;
	if (record->kind == ASTSHM_KIND_COUNTER)
		__atomic_store_n(&counters->cells[record->cell % ASTSHM_CHUNK_CELLS], 0,
				 __ATOMIC_RELAXED);
	else if (record->kind == ASTSHM_KIND_GAUGE)
		writer_words_zero(&gauge->begin, &gauge->max + 1);
	else
		writer_words_zero(&histogram->count, histogram->slots + ASTSHM_HISTOGRAM_SLOTS);
}

static void zero_shared(struct astshm_writer *writer, const struct writer_record *record,
			uint32_t index)
{
	if (record->signal_safe)
		__atomic_store_n(&writer->signal_cells[index], NULL, __ATOMIC_RELAXED);
	if (record->shared_off)
		__atomic_store_n((uint64_t *)writer_at(writer, record->shared_off), 0,
				 __ATOMIC_RELAXED);
}

/* Step 1. */
static void retire(struct astshm_writer *writer, struct writer_series *series)
{
	struct writer_record *record = &writer->records[series->index];
	struct astshm_segment_series *shown =
		writer_table_at(writer, &writer->header->series, series->index);
	struct writer_family *family = series->family;

	writer_registry_unlink(writer, series);
	record->series = NULL;
	if (!series->is_other && writer_key_tag_count(series->key))
		__atomic_store_n(&family->tag_sets, family->tag_sets - 1, __ATOMIC_RELAXED);
	/* Pairs with the acquire loads of state in readers/. */
	__atomic_store_n(&shown->state, record->generation << 8 | ASTSHM_SERIES_RETIRED,
			 __ATOMIC_RELEASE);
	/* Now, not after the grace period: a series of the same key made meanwhile
	 * must find readers that have dropped this one. */
	writer_directory_changed(writer);
	writer_word_add(&writer->header->live_series[record->kind - 1], UINT64_MAX);
	writer_gate_shut(writer, series->index);
}

/* Step 3, for one series. */
static void clean(struct astshm_writer *writer, uint32_t index)
{
	struct writer_record *record = &writer->records[index];
	struct astshm_segment_series *shown =
		writer_table_at(writer, &writer->header->series, index);
	uint64_t head = shown->blocks_off;

	if (record->kind == ASTSHM_KIND_COUNTER)
		head = *(uint64_t *)writer_table_at(writer, &writer->header->chunks,
						    record->cell / ASTSHM_CHUNK_CELLS);
	/* A first touch in a read section that was still open opened it again. */
	writer_gate_shut(writer, index);
	writer_each_block(writer, head, zero_block, record);
	zero_shared(writer, record, index);
	writer_words_zero(shown->base, shown->base + 2);
	__atomic_store_n(&shown->flags, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->shown_epoch, 0, __ATOMIC_RELAXED);
	record->up_down = record->by_handle = record->signal_safe = 0;
}

static void step_retiring(struct astshm_writer *writer)
{
	uint64_t *word = &writer->header->retiring;
	/* Release at the even step: the zeroes come before it. The fence makes
	 * the odd step come before the zeroes. Pairs with the acquire load
	 * before and the acquire fence after a reader's pass. */
	__atomic_store_n(word, *word + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Steps 2 to 4 for a batch that is out of the table. Returns its size. */
static int bury(struct astshm_writer *writer, struct writer_series *batch)
{
	int count = 0;

	if (!batch)
		return 0;
	rcu_wait_for_readers();
	pthread_mutex_lock(&writer->lock);
	step_retiring(writer);
	for (struct writer_series *series = batch; series; series = series->next)
		clean(writer, series->index);
	step_retiring(writer);
	for (struct writer_series *series = batch; series; series = series->next)
		writer_registry_free_record(writer, series->index);
	writer_directory_changed(writer);
	/* Room was made: try again at once. */
	for (unsigned kind = 0; kind < 5; kind++)
		__atomic_store_n(&writer->directory_full_until_ns[kind], 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&writer->lock);
	while (batch) {
		struct writer_series *next = batch->next;
		free(batch);
		batch = next;
		count++;
	}
	return count;
}

static bool is_open(struct astshm_writer *writer)
{
	return writer->generation != 0 && !writer->foreign;
}

/* Takes one registration back; the last one puts the series on the batch. */
static int release_one(struct astshm_writer *writer, const struct astshm_series_id *id,
		       struct writer_series **batch)
{
	struct writer_key key;

	if (writer_key_build(&key, id->kind, id->name, id->tags, id->tag_count, NULL) < 0)
		return -ENOENT;
	struct writer_series *series =
		writer_registry_find(writer, &key, writer_registry_hash(writer, &key));
	if (!series)
		return -ENOENT;
	if (series->registrations > 0 && --series->registrations > 0)
		return 0;
	retire(writer, series);
	series->next = *batch;
	*batch = series;
	return 1;
}

static int remove_ids(struct astshm_writer *writer, const struct astshm_series_id *ids,
		      size_t count, bool *found)
{
	struct writer_series *batch = NULL;

	rcu_section_enter();
	pthread_mutex_lock(&writer->lock);
	for (size_t i = 0; i < count && is_open(writer); i++)
		*found |= release_one(writer, &ids[i], &batch) >= 0;
	pthread_mutex_unlock(&writer->lock);
	rcu_section_leave();
	return bury(writer, batch);
}

int astshm_remove(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
		  const struct astshm_tag *tags, size_t tag_count)
{
	struct astshm_series_id id = { kind, name, tags, tag_count };
	bool found = false;

	if (!writer_is_reachable(writer))
		return -ENOENT;
	int removed = remove_ids(writer, &id, 1, &found);
	return found ? removed : -ENOENT;
}

int astshm_remove_many(struct astshm_writer *writer, const struct astshm_series_id *series,
		       size_t count)
{
	bool found = false;

	if (!writer_is_reachable(writer))
		return -ENOENT;
	return remove_ids(writer, series, count, &found);
}

/* Does the key hold this tag? */
static bool has_tag(const uint8_t *key, const struct astshm_tag *tag)
{
	uint32_t at = writer_key_tags_off(key);
	size_t key_len = strlen(tag->key), value_len = strlen(tag->value);

	for (uint32_t i = 0; i < writer_key_tag_count(key); i++) {
		if (key[at] == key_len && key[at + 1] == value_len &&
		    memcmp(key + at + 2, tag->key, key_len) == 0 &&
		    memcmp(key + at + 2 + key_len, tag->value, value_len) == 0)
			return true;
		at += 2u + key[at] + key[at + 1];
	}
	return false;
}

struct pattern {
	int kind;
	const char *name;
	const struct astshm_tag *tags;
	size_t tag_count;
};

static bool fits(const struct writer_series *series, const struct pattern *pattern)
{
	if (pattern->kind && series->key[0] != (uint8_t)pattern->kind)
		return false;
	if (fnmatch(pattern->name, series->family->name, 0) != 0)
		return false;
	for (size_t i = 0; i < pattern->tag_count; i++)
		if (!has_tag(series->key, &pattern->tags[i]))
			return false;
	return true;
}

int astshm_remove_match(struct astshm_writer *writer, int kind, const char *pattern,
			const struct astshm_tag *tags, size_t tag_count)
{
	const struct pattern sought = { kind, pattern, tags, tag_count };
	struct writer_series *batch = NULL;

	if (!writer_is_reachable(writer) || !pattern)
		return -ENOENT;
	rcu_section_enter();
	pthread_mutex_lock(&writer->lock);
	for (uint32_t i = 1; i < writer->record_count && is_open(writer); i++) {
		struct writer_series *series = writer->records[i].series;
		if (!series || !fits(series, &sought))
			continue;
		retire(writer, series);
		series->next = batch;
		batch = series;
	}
	pthread_mutex_unlock(&writer->lock);
	rcu_section_leave();
	return bury(writer, batch);
}
