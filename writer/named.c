/* SPDX-License-Identifier: MIT */
/*
 * Recording by name: key on the stack, look-up, record, all inside one RCU read
 * section, so that a removal (remove.c) cannot zero the cells in between.
 */
#include <errno.h>

#include "fork.h"
#include "registry.h"
#include "row.h"
#include "storage.h"
#include "touch.h"

static const struct writer_wish by_name = { 0 };

/*
 * The series of the tag sets past the limit, if this name is at its limit: a
 * stranger who invents tag values costs a second look-up, no lock.
 */
static struct writer_series *find_other(struct astshm_writer *writer,
					const struct writer_key *key)
{
	struct writer_key other;

	if (writer_key_tag_count(key->bytes) == 0)
		return NULL;
	writer_key_make_other(&other, key);
	struct writer_series *series =
		writer_registry_find(writer, &other, writer_registry_hash(writer, &other));
	if (!series)
		return NULL;
	const struct writer_family *family = series->family;
	/* Relaxed: a removal meanwhile only means one more in __other__. */
	if (__atomic_load_n(&family->tag_sets, __ATOMIC_RELAXED) <
	    __atomic_load_n(&family->tag_set_limit, __ATOMIC_RELAXED))
		return NULL;
	writer_count_dropped(&writer->header->other_tag_sets);
	return series;
}

__attribute__((cold, noinline)) static struct writer_series *
miss(struct astshm_writer *writer, const struct writer_key *key)
{
	struct writer_series *series = find_other(writer, key);

	if (series)
		return series;
	/* Both without the lock: a stranger may send either for ever. */
	if (writer_key_check(key, NULL) < 0 ||
	    writer_storage_full(&writer->directory_full_until_ns[key->bytes[0]])) {
		writer_count_dropped(&writer->header->dropped_registrations);
		return NULL;
	}
	if (writer_registry_get(writer, key, &by_name, &series, NULL) < 0)
		return NULL;
	return series;
}

/* A reset hid the series (or it is new): it is touched, so show it again. */
__attribute__((cold, noinline)) static void show(struct astshm_writer *writer,
						 struct writer_series *series)
{
	pthread_mutex_lock(&writer->lock);
	if (writer->generation && writer->records[series->index].series == series) {
		struct astshm_segment_series *shown =
			writer_table_at(writer, &writer->header->series, series->index);
		__atomic_store_n(&series->shown_epoch, writer->epoch, __ATOMIC_RELAXED);
		/* Relaxed: read together with cells that are as fresh or fresher. */
		__atomic_store_n(&shown->shown_epoch, writer->epoch, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&writer->lock);
}

__attribute__((cold, noinline)) static void refuse(struct astshm_writer *writer)
{
	writer_count_dropped(&writer->header->dropped_registrations);
}

/*
 * The series that this thread recorded lately under this hash, or NULL. Inside
 * a read section: if `removals` is still what the entries were filled under,
 * then whoever frees one of them starts his grace period after this section
 * began, and waits for its end.
 */
static inline struct writer_series *recall(const struct astshm_writer *writer,
					   struct writer_row_header *header,
					   const struct writer_key *key, uint64_t hash)
{
	/* Pairs with the release in writer_registry_unlink. */
	uint64_t removals = __atomic_load_n(&writer->removals, __ATOMIC_ACQUIRE);

	if (ASTSHM_UNLIKELY(header->removals != removals)) {
		for (unsigned i = 0; i < WRITER_RECENT_NAMES; i++)
			header->recent[i].series = NULL;
		header->removals = removals;
		return NULL;
	}
	unsigned place = hash % WRITER_RECENT_NAMES;
	struct writer_series *series = header->recent[place].series;
	if (!series || header->recent[place].hash != hash)
		return NULL;
	return writer_registry_matches(series, key) ? series : NULL;
}

/* Looks a key up, among the thread's recent ones first. */
static inline struct writer_series *look_up(struct astshm_writer *writer,
					    const struct writer_key *key)
{
	uint64_t hash = writer_registry_hash(writer, key);
	/* Relaxed, as in astshm_row_entry: a close stores the dummy row here. */
	uint64_t **row = __atomic_load_n(&astshm_thread.row[writer->number], __ATOMIC_RELAXED);

	if (ASTSHM_UNLIKELY(row == writer_dummy_row))
		return writer_registry_find(writer, key, hash);
	struct writer_row_header *header = writer_row_header(row);
	struct writer_series *series = recall(writer, header, key, hash);
	if (ASTSHM_LIKELY(series != NULL))
		return series;
	/* Filled under the removals that recall has seen: a removal since then
	 * empties the entries before they are used again. */
	series = writer_registry_find(writer, key, hash);
	header->recent[hash % WRITER_RECENT_NAMES].hash = hash;
	header->recent[hash % WRITER_RECENT_NAMES].series = series;
	return series;
}

/*
 * Enters a read section and returns the series to record into, or returns NULL
 * outside of one. The caller records through the index and leaves.
 */
static inline struct writer_series *enter(struct astshm_writer *writer, enum astshm_kind kind,
					  const char *name, const struct astshm_tag *tags,
					  size_t tag_count)
{
	struct writer_key key;

	if (ASTSHM_UNLIKELY(writer_process_forked()))
		return NULL;
	if (ASTSHM_UNLIKELY(writer_key_build(&key, kind, name, tags, tag_count, NULL) < 0)) {
		refuse(writer);
		return NULL;
	}
	rcu_section_enter();
	struct writer_series *series = look_up(writer, &key);
	if (ASTSHM_UNLIKELY(!series))
		series = miss(writer, &key);
	if (ASTSHM_UNLIKELY(!series)) {
		rcu_section_leave();
		return NULL;
	}
	/* Relaxed: both are mirrors that only choose who takes the lock. Before
	 * the record, so that a record never goes to a hidden series for good. */
	if (ASTSHM_UNLIKELY(__atomic_load_n(&series->shown_epoch, __ATOMIC_RELAXED) !=
			    __atomic_load_n(&writer->epoch, __ATOMIC_RELAXED)))
		show(writer, series);
	return series;
}

void astshm_increment_named(struct astshm_writer *writer, const char *name, uint64_t amount,
			    const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series =
		enter(writer, ASTSHM_KIND_COUNTER, name, tags, tag_count);

	if (!series)
		return;
	astshm_counter_add((struct astshm_counter){ series->index, writer->number }, amount);
	rcu_section_leave();
}

void astshm_decrement_named(struct astshm_writer *writer, const char *name, uint64_t amount,
			    const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series =
		enter(writer, ASTSHM_KIND_COUNTER, name, tags, tag_count);

	if (!series)
		return;
	if (!__atomic_load_n(&writer->records[series->index].up_down, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&writer->lock);
		if (writer->records[series->index].series == series)
			writer_registry_make_up_down(writer, series->index);
		pthread_mutex_unlock(&writer->lock);
	}
	astshm_counter_sub((struct astshm_counter){ series->index, writer->number }, amount);
	rcu_section_leave();
}

void astshm_set_named(struct astshm_writer *writer, const char *name, double value,
		      const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series = enter(writer, ASTSHM_KIND_GAUGE, name, tags, tag_count);

	if (!series)
		return;
	astshm_gauge_set((struct astshm_gauge){ series->index, writer->number }, value);
	rcu_section_leave();
}

void astshm_add_named(struct astshm_writer *writer, const char *name, double amount,
		      const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series = enter(writer, ASTSHM_KIND_GAUGE, name, tags, tag_count);

	if (!series)
		return;
	astshm_gauge_add((struct astshm_gauge){ series->index, writer->number }, amount);
	rcu_section_leave();
}

void astshm_time_named(struct astshm_writer *writer, const char *name, int64_t ns,
		       const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series = enter(writer, ASTSHM_KIND_TIMING, name, tags, tag_count);

	if (!series)
		return;
	astshm_timing_record((struct astshm_timing){ series->index, writer->number }, ns);
	rcu_section_leave();
}

void astshm_observe_named(struct astshm_writer *writer, const char *name, int64_t value,
			  const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series =
		enter(writer, ASTSHM_KIND_DISTRIBUTION, name, tags, tag_count);

	if (!series)
		return;
	astshm_distribution_record((struct astshm_distribution){ series->index, writer->number },
				   value);
	rcu_section_leave();
}
