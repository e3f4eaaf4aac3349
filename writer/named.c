/* SPDX-License-Identifier: MIT */
/*
 * Recording by name: key on the stack, look-up, record, all inside one RCU read
 * section, so that a removal (remove.c) cannot zero the cells in between.
 */
#include <errno.h>
#include <string.h>

#include "fork.h"
#include "registry.h"
#include "row.h"
#include "spelling.h"
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

/* Relaxed: both are mirrors that only choose who takes the lock. Asked before
 * the record, so that a record never goes to a hidden series for good. */
static inline bool is_hidden(const struct astshm_writer *writer,
			     const struct writer_series *series)
{
	return __atomic_load_n(&series->shown_epoch, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&writer->epoch, __ATOMIC_RELAXED);
}

__attribute__((cold, noinline)) static void refuse(struct astshm_writer *writer)
{
	writer_count_dropped(&writer->header->dropped_registrations);
}

/* What this thread remembers of its names; NULL before its first record. */
static inline struct writer_row_header *memory(const struct astshm_writer *writer)
{
	/* Relaxed, as in astshm_row_entry: a close stores the dummy row here. */
	uint64_t **row = __atomic_load_n(&astshm_thread.row[writer->number], __ATOMIC_RELAXED);

	return ASTSHM_LIKELY(row != writer_dummy_row) ? writer_row_header(row) : NULL;
}

/*
 * Inside a read section: if `removals` is still what the memory was filled
 * under, then whoever frees a series in it starts his grace period after this
 * section began, and waits for its end.
 */
static inline bool is_fresh(const struct astshm_writer *writer,
			    const struct writer_row_header *header)
{
	/* Pairs with the release in writer_registry_unlink. */
	return header->removals == __atomic_load_n(&writer->removals, __ATOMIC_ACQUIRE);
}

/* Forgets all, as a removal may have freed some; good again from now on. */
static void refresh(const struct astshm_writer *writer, struct writer_row_header *header)
{
	memset(header->recent, 0, sizeof header->recent);
	memset(header->familiar, 0, sizeof header->familiar);
	header->removals = __atomic_load_n(&writer->removals, __ATOMIC_ACQUIRE);
}

/* The addresses of a caller's strings as one number. Those of the first tag
 * tell most. Only a guess: what is found under it is compared. */
static inline uint64_t spot_of(enum astshm_kind kind, const char *name,
			       const struct astshm_tag *tags, size_t tag_count)
{
	uint64_t spot = (uintptr_t)name + kind;

	if (tag_count > 0)
		spot += 2 * (uint64_t)(uintptr_t)tags[0].value;
	/* This multiplier keeps strings apart that lie at even distances. */
	return spot * UINT64_C(0xc2b2ae3d27d4eb4f);
}

/* Where a series is remembered by its spot. */
static inline struct writer_familiar *place_of(struct writer_row_header *header, uint64_t spot)
{
	return &header->familiar[spot >> (64 - WRITER_FAMILIAR_BITS)];
}

/* Looks a key up, among the thread's recent ones first. */
static struct writer_series *look_up(struct astshm_writer *writer, const struct writer_key *key,
				     struct writer_row_header *header)
{
	uint64_t hash = writer_registry_hash(writer, key);

	if (!header)
		return writer_registry_find(writer, key, hash);
	struct writer_series *series = header->recent[hash % WRITER_RECENT_NAMES].series;
	if (series && header->recent[hash % WRITER_RECENT_NAMES].hash == hash &&
	    writer_registry_matches(series, key))
		return series;
	/* Found after the memory was fresh: a removal since then empties the
	 * entries before they are used again. */
	series = writer_registry_find(writer, key, hash);
	header->recent[hash % WRITER_RECENT_NAMES].hash = hash;
	header->recent[hash % WRITER_RECENT_NAMES].series = series;
	return series;
}

/* By key, inside the section. NULL: refused, and said so in the header. */
__attribute__((noinline)) static struct writer_series *
find(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
     const struct astshm_tag *tags, size_t tag_count, struct writer_row_header *header)
{
	struct writer_key key;

	if (writer_key_build(&key, kind, name, tags, tag_count, NULL) < 0) {
		refuse(writer);
		return NULL;
	}
	struct writer_series *series = look_up(writer, &key, header);
	if (!series)
		return miss(writer, &key);
	if (header) {
		uint64_t spot = spot_of(kind, name, tags, tag_count);
		*place_of(header, spot) = (struct writer_familiar){ spot, series };
	}
	return series;
}

/*
 * Enters a read section and returns the series to record into, or returns NULL
 * outside of one. The caller records through the index and leaves.
 */
__attribute__((noinline)) static struct writer_series *
enter(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
      const struct astshm_tag *tags, size_t tag_count)
{
	if (writer_process_forked())
		return NULL;
	rcu_section_enter();
	struct writer_row_header *header = memory(writer);
	if (header && !is_fresh(writer, header))
		refresh(writer, header);
	struct writer_series *series = find(writer, kind, name, tags, tag_count, header);
	if (!series) {
		rcu_section_leave();
		return NULL;
	}
	if (is_hidden(writer, series))
		show(writer, series);
	return series;
}

/*
 * The same for what the thread records again and again, and with the entry of
 * its row in hand, so that there is no call and nothing to keep over one. NULL
 * outside of a section: enter() is to be asked. In a forked child too: there
 * the memory or the row reads as NULL.
 */
__attribute__((always_inline)) static inline void *
enter_familiar(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
	       const struct astshm_tag *tags, size_t tag_count)
{
	if (tag_count > 0 && !tags)
		return NULL;
	uint64_t spot = spot_of(kind, name, tags, tag_count);
	if (!rcu_section_try_enter())
		return NULL;
	struct writer_row_header *header = memory(writer);
	if (ASTSHM_LIKELY(header && is_fresh(writer, header))) {
		const struct writer_familiar *familiar = place_of(header, spot);
		const struct writer_series *series = familiar->series;
		/* The spot first: a stranger's series would be a cache miss. */
		if (ASTSHM_LIKELY(familiar->spot == spot && series &&
				  spelling_of_key(series->key, kind, name, tags, tag_count) &&
				  !is_hidden(writer, series))) {
			/* Relaxed: see astshm_row_entry. */
			void *entry = __atomic_load_n(&writer_row_of(header)[series->index],
						      __ATOMIC_RELAXED);
			if (ASTSHM_LIKELY(entry != NULL))
				return entry;
		}
	}
	rcu_section_leave();
	return NULL;
}

#define BY_KEY __attribute__((noinline)) static void

BY_KEY increment_by_key(struct astshm_writer *writer, const char *name, uint64_t amount,
			const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series =
		enter(writer, ASTSHM_KIND_COUNTER, name, tags, tag_count);

	if (!series)
		return;
	astshm_counter_add((struct astshm_counter){ series->index, writer->number }, amount);
	rcu_section_leave();
}

void astshm_increment_named(struct astshm_writer *writer, const char *name, uint64_t amount,
			    const struct astshm_tag *tags, size_t tag_count)
{
	uint64_t *cell = enter_familiar(writer, ASTSHM_KIND_COUNTER, name, tags, tag_count);

	if (ASTSHM_UNLIKELY(!cell)) {
		increment_by_key(writer, name, amount, tags, tag_count);
		return;
	}
	astshm_cell_add(cell, amount);
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

BY_KEY set_by_key(struct astshm_writer *writer, const char *name, double value,
		  const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series = enter(writer, ASTSHM_KIND_GAUGE, name, tags, tag_count);

	if (!series)
		return;
	astshm_gauge_set((struct astshm_gauge){ series->index, writer->number }, value);
	rcu_section_leave();
}

void astshm_set_named(struct astshm_writer *writer, const char *name, double value,
		      const struct astshm_tag *tags, size_t tag_count)
{
	struct astshm_gauge_block *block =
		enter_familiar(writer, ASTSHM_KIND_GAUGE, name, tags, tag_count);

	if (ASTSHM_UNLIKELY(!block)) {
		set_by_key(writer, name, value, tags, tag_count);
		return;
	}
	astshm_gauge_store(block, value);
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

BY_KEY time_by_key(struct astshm_writer *writer, const char *name, int64_t ns,
		   const struct astshm_tag *tags, size_t tag_count)
{
	struct writer_series *series = enter(writer, ASTSHM_KIND_TIMING, name, tags, tag_count);

	if (!series)
		return;
	astshm_timing_record((struct astshm_timing){ series->index, writer->number }, ns);
	rcu_section_leave();
}

void astshm_time_named(struct astshm_writer *writer, const char *name, int64_t ns,
		       const struct astshm_tag *tags, size_t tag_count)
{
	struct astshm_histogram_block *block =
		enter_familiar(writer, ASTSHM_KIND_TIMING, name, tags, tag_count);

	if (ASTSHM_UNLIKELY(!block)) {
		time_by_key(writer, name, ns, tags, tag_count);
		return;
	}
	astshm_histogram_record(block, astshm_timing_table, ns);
	rcu_section_leave();
}

BY_KEY observe_by_key(struct astshm_writer *writer, const char *name, int64_t value,
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

void astshm_observe_named(struct astshm_writer *writer, const char *name, int64_t value,
			  const struct astshm_tag *tags, size_t tag_count)
{
	struct astshm_histogram_block *block =
		enter_familiar(writer, ASTSHM_KIND_DISTRIBUTION, name, tags, tag_count);

	if (ASTSHM_UNLIKELY(!block)) {
		observe_by_key(writer, name, value, tags, tag_count);
		return;
	}
	astshm_histogram_record(block, astshm_distribution_table, value);
	rcu_section_leave();
}
