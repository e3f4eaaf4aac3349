/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "row.h"
#include "storage.h"

_Static_assert(sizeof(struct astshm_thread) <= 128, "the static TLS block is small");

__thread struct astshm_thread astshm_thread = {
	.row = { writer_dummy_row, writer_dummy_row, writer_dummy_row, writer_dummy_row,
		 writer_dummy_row },
};

static pthread_key_t exit_key;
static bool exit_key_made;

static void free_slot(struct astshm_writer *writer, uint32_t number)
{
	struct writer_slot *slot = &writer->slots[number];
	struct astshm_segment_slot *shown = writer_table_at(writer, &writer->header->slots, number);

	slot->owner = NULL;
	slot->next_free = writer->free_slot;
	writer->free_slot = number;
	/* Relaxed: for people who look at the segment. */
	__atomic_store_n(&shown->state, ASTSHM_SLOT_FREE, __ATOMIC_RELAXED);
	__atomic_store_n(&writer->slots_freed, writer->slots_freed + 1, __ATOMIC_RELAXED);
}

/*
 * Points the thread at the dummy row first: a later key destructor of the host
 * may still record, and once the slot is free the next thread may take it.
 */
static void leave_writer(struct astshm_writer *writer)
{
	uint32_t number = writer->number;
	/* Relaxed, both: a close at the same time stores the dummy row too. */
	uint64_t **row = __atomic_load_n(&astshm_thread.row[number], __ATOMIC_RELAXED);

	__atomic_store_n(&astshm_thread.row[number], writer_dummy_row, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (row == writer_dummy_row)
		return;
	pthread_mutex_lock(&writer->lock);
	/* Closed since: writer_thread_leave_all has parked the row. */
	if (astshm_thread.generation[number] == writer->generation && !writer->foreign)
		free_slot(writer, astshm_thread.slot[number]);
	astshm_thread.slot[number] = WRITER_SHARED_SLOT;
	pthread_mutex_unlock(&writer->lock);
}

static void thread_exit(void *unused)
{
	(void)unused;
	astshm_thread.state = WRITER_THREAD_EXITED;
	for (uint32_t i = 0; i < ASTSHM_WRITER_NUMBERS; i++)
		leave_writer(&writer_all[i]);
}

/* The library is linked with -z nodelete, so the hook's code stays. */
__attribute__((constructor)) static void make_exit_key(void)
{
	exit_key_made = pthread_key_create(&exit_key, thread_exit) == 0;
}

void writer_thread_prepare(void)
{
	/* Registers the thread as a reader, with liburcu's own exit hook. */
	rcu_section_enter();
	rcu_section_leave();
	if (astshm_thread.state != WRITER_THREAD_EXITED &&
	    (!exit_key_made || pthread_setspecific(exit_key, &astshm_thread) != 0))
		astshm_thread.state = WRITER_THREAD_EXITED; /* no hook, so no slot */
}

void writer_thread_leave_all(struct astshm_writer *writer)
{
	for (uint32_t i = 1; i < writer->slot_count; i++) {
		struct writer_slot *slot = &writer->slots[i];
		if (!slot->owner)
			continue;
		/* Pairs with the relaxed load in astshm_row_entry. */
		__atomic_store_n(&slot->owner->row[writer->number], writer_dummy_row,
				 __ATOMIC_RELAXED);
		writer_row_park(&writer->parked_rows, slot->row);
		slot->row = NULL;
		slot->owner = NULL;
	}
}

void writer_thread_forget(void)
{
	for (uint32_t i = 0; i < ASTSHM_WRITER_NUMBERS; i++) {
		astshm_thread.row[i] = writer_dummy_row;
		astshm_thread.generation[i] = 0;
		astshm_thread.slot[i] = WRITER_SHARED_SLOT;
	}
}

static void show_owner(struct astshm_writer *writer, uint32_t number)
{
	struct astshm_segment_slot *shown = writer_table_at(writer, &writer->header->slots, number);
	char name[16] = "";
	uint64_t words[2];

	(void)prctl(PR_GET_NAME, name, 0, 0, 0);
	memcpy(words, name, sizeof words);
	/* All relaxed: for people, and nothing follows from them. */
	__atomic_store_n(&shown->tid, (uint32_t)gettid(), __ATOMIC_RELAXED);
	__atomic_store_n(&shown->name[0], words[0], __ATOMIC_RELAXED);
	__atomic_store_n(&shown->name[1], words[1], __ATOMIC_RELAXED);
	__atomic_store_n(&shown->since_realtime_ns, shm_realtime_ns(), __ATOMIC_RELAXED);
	__atomic_store_n(&shown->owners, writer->slots[number].owners, __ATOMIC_RELAXED);
	__atomic_store_n(&shown->state, ASTSHM_SLOT_USED, __ATOMIC_RELAXED);
}

/* A slot that nobody has had yet. 0: none left, or no room for it. */
static uint32_t make_slot(struct astshm_writer *writer)
{
	uint32_t number = writer->slot_count;

	if (number > writer->options.max_threads)
		return 0;
	if (!writer_table_reserve(writer, &writer->header->slots, number))
		return 0;
	writer->slots[number].row = writer_row_create(writer->row_entries);
	if (!writer->slots[number].row)
		return 0;
	writer->slot_count = number + 1;
	writer_table_publish(&writer->header->slots, writer->slot_count);
	return number;
}

int writer_thread_init_slots(struct astshm_writer *writer)
{
	if (!writer_table_reserve(writer, &writer->header->slots, WRITER_SHARED_SLOT))
		return -ENOSPC;
	writer->slots[WRITER_SHARED_SLOT].row = writer_row_create(writer->row_entries);
	if (!writer->slots[WRITER_SHARED_SLOT].row)
		return -ENOMEM;
	writer->slot_count = 1;
	writer_table_publish(&writer->header->slots, 1);
	return 0;
}

/*
 * A freed slot comes with its counts. Entries of histograms are shut, so that
 * the first touch can mend a count that a cancelled predecessor left behind
 * (touch.c); counters and gauges need no mending and go on at once.
 */
static void inherit(struct astshm_writer *writer, struct writer_slot *slot)
{
	const uint32_t *next = writer_row_next(writer, slot->row);

	for (uint32_t i = slot->first_histogram; i != 0; i = next[i])
		writer_row_shut(slot->row, i);
}

static uint32_t take_slot(struct astshm_writer *writer)
{
	uint32_t number = writer->free_slot;

	if (number != 0) {
		writer->free_slot = writer->slots[number].next_free;
		inherit(writer, &writer->slots[number]);
	} else {
		number = make_slot(writer);
	}
	if (number != 0) {
		writer->slots[number].owner = &astshm_thread;
		writer->slots[number].owners++;
		show_owner(writer, number);
	}
	return number;
}

static void attach(struct astshm_writer *writer)
{
	uint32_t number = writer->number;
	uint32_t slot = 0;

	if (astshm_thread.state != WRITER_THREAD_EXITED)
		slot = take_slot(writer);
	if (slot == 0 && astshm_thread.state != WRITER_THREAD_EXITED)
		writer_word_add(&writer->header->slot_waits, 1);
	astshm_thread.slot[number] = slot;
	astshm_thread.slot_try[number] = writer->slots_freed;
	astshm_thread.generation[number] = writer->generation;
	astshm_thread.row[number] = slot ? writer->slots[slot].row : writer_dummy_row;
}

uint64_t **writer_thread_row(struct astshm_writer *writer)
{
	uint32_t number = writer->number;

	if (astshm_thread.generation[number] != writer->generation ||
	    (astshm_thread.slot[number] == WRITER_SHARED_SLOT && !writer_thread_is_shared(writer)))
		attach(writer);
	return writer->slots[astshm_thread.slot[number]].row;
}
