/* SPDX-License-Identifier: MIT */
/*
 * An entry is a seqlock (struct astshm_history_entry): whoever changes what belongs to
 * one stores its sequence 0 first, then fences, and its new sequence last. The
 * other side is readers/history.c. Chunks of 1 KiB go from entry to entry, so that
 * the history takes what it needs and no more, however entries grow.
 */
#include "history.h"

#include <string.h>

#include "storage.h"

#define RUN_CHUNKS 15u /* taken from the segment at a time */
#define CHUNK_ROOM (ASTSHM_HISTORY_WORDS * (uint32_t)sizeof(uint64_t))

/* Recording keeps an eighth of the segment that the history never takes. */
#define KEPT_SHARE 8u

void writer_history_clear(struct writer_history *history)
{
	memset(history, 0, sizeof *history);
}

static struct astshm_segment_history *head_of(struct astshm_writer *writer)
{
	return writer_at(writer, writer->history.off);
}

static struct astshm_history_entry *entry_at(struct astshm_writer *writer, uint32_t i)
{
	return (struct astshm_history_entry *)writer_at(
		       writer, writer->history.off + sizeof(struct astshm_segment_history)) + i;
}

static struct astshm_history_chunk *chunk_at(struct astshm_writer *writer, uint64_t off)
{
	return writer_at(writer, off);
}

/* --- the table ---------------------------------------------------------- */

/* One more than are kept: the one that is written while they can be read. */
static uint32_t entry_count(const struct astshm_writer *writer)
{
	return writer->options.history_count + writer->options.history_coarse_count + 1;
}

static bool leaves_room(const struct astshm_writer *writer, uint64_t bytes)
{
	uint64_t most = writer->segment.map_bytes - writer->segment.map_bytes / KEPT_SHARE;

	return writer->frontier + bytes <= most;
}

static uint64_t table_bytes(const struct astshm_writer *writer)
{
	return sizeof(struct astshm_segment_history) +
	       (uint64_t)entry_count(writer) * sizeof(struct astshm_history_entry);
}

static bool make_table(struct astshm_writer *writer)
{
	const struct astshm_writer_options *options = &writer->options;
	uint64_t bytes = table_bytes(writer);
	uint64_t off = leaves_room(writer, bytes) ? writer_storage_try(writer, bytes) : 0;

	if (off == 0)
		return false;
	*(struct astshm_segment_history *)writer_at(writer, off) = (struct astshm_segment_history){
		.header_bytes = sizeof(struct astshm_segment_history),
		.entry_bytes = sizeof(struct astshm_history_entry),
		.entry_count = entry_count(writer),
		.chunk_bytes = ASTSHM_HISTORY_CHUNK_BYTES,
		.period_ns = options->history_ms * 1000000ull,
		.coarse_period_ns = options->history_coarse_ms * 1000000ull,
		.fine_count = options->history_count,
		.coarse_count = options->history_coarse_count,
	};
	writer->history.off = off;
	__atomic_store_n(&writer->header->history_bytes, bytes, __ATOMIC_RELAXED);
	/* Release: a reader that finds the table finds it filled. */
	__atomic_store_n(&writer->header->history_off, off, __ATOMIC_RELEASE);
	return true;
}

/* --- chunks ---------------------------------------------------------------- */

static void give_chunk(struct astshm_writer *writer, uint64_t off)
{
	__atomic_store_n(&chunk_at(writer, off)->next_off, writer->history.free_off,
			 __ATOMIC_RELAXED);
	writer->history.free_off = off;
	writer->history.free_count++;
}

static uint64_t take_chunk(struct astshm_writer *writer)
{
	uint64_t off = writer->history.free_off;

	writer->history.free_off = chunk_at(writer, off)->next_off;
	writer->history.free_count--;
	return off;
}

static bool add_run(struct astshm_writer *writer)
{
	const uint64_t bytes = RUN_CHUNKS * (uint64_t)ASTSHM_HISTORY_CHUNK_BYTES;
	uint64_t taken = table_bytes(writer) +
			 writer->history.chunk_count * ASTSHM_HISTORY_CHUNK_BYTES;

	if (taken + bytes > writer->options.history_bytes || !leaves_room(writer, bytes))
		return false;
	uint64_t off = writer_storage_try(writer, bytes);
	if (off == 0)
		return false;
	for (uint32_t i = RUN_CHUNKS; i-- > 0;)
		give_chunk(writer, off + i * (uint64_t)ASTSHM_HISTORY_CHUNK_BYTES);
	writer->history.chunk_count += RUN_CHUNKS;
	writer_word_add(&head_of(writer)->chunks, RUN_CHUNKS);
	return true;
}

/* --- entries ---------------------------------------------------------------- */

static void forget(struct astshm_writer *writer, struct astshm_history_entry *entry)
{
	uint64_t off = entry->first_off;

	__atomic_store_n(&entry->sequence, 0, __ATOMIC_RELAXED);
	/* What is stored into the entry or its chunks from here on is not seen by a
	 * reader that then finds the old sequence: pairs with its acquire fence. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	while (off != 0) {
		uint64_t next = chunk_at(writer, off)->next_off;
		give_chunk(writer, off);
		off = next;
	}
	__atomic_store_n(&entry->first_off, 0, __ATOMIC_RELAXED);
}

static struct astshm_history_entry *find_oldest(struct astshm_writer *writer)
{
	struct astshm_history_entry *oldest = NULL;

	for (uint32_t i = 0; i < entry_count(writer); i++) {
		struct astshm_history_entry *entry = entry_at(writer, i);
		if (entry->sequence != 0 && (!oldest || entry->sequence < oldest->sequence))
			oldest = entry;
	}
	return oldest;
}

/* Is it one of the history_count youngest? Those stay, whatever they are. */
static bool is_young(const struct astshm_writer *writer, const struct astshm_history_entry *entry)
{
	return writer->history.sequence - entry->sequence < writer->options.history_count;
}

/* Of the older entries the coarse ones stay, and of those the youngest; one entry
 * at a time grows old. */
static void prune(struct astshm_writer *writer)
{
	struct astshm_history_entry *oldest = NULL;
	uint32_t coarse = 0;

	for (uint32_t i = 0; i < entry_count(writer); i++) {
		struct astshm_history_entry *entry = entry_at(writer, i);
		if (entry->sequence == 0 || is_young(writer, entry))
			continue;
		if (!(entry->flags & ASTSHM_HISTORY_COARSE)) {
			forget(writer, entry);
			continue;
		}
		coarse++;
		if (!oldest || entry->sequence < oldest->sequence)
			oldest = entry;
	}
	if (coarse > writer->options.history_coarse_count)
		forget(writer, oldest);
}

static struct astshm_history_entry *find_empty(struct astshm_writer *writer)
{
	for (uint32_t i = 0; i < entry_count(writer); i++)
		if (entry_at(writer, i)->sequence == 0)
			return entry_at(writer, i);
	return NULL;
}

/* Room for `chunks` more, at the cost of the oldest entries if need be. */
static bool make_room(struct astshm_writer *writer, uint64_t chunks)
{
	while (writer->history.free_count < chunks && add_run(writer))
		;
	while (writer->history.free_count < chunks) {
		struct astshm_history_entry *oldest = find_oldest(writer);
		if (!oldest)
			return false;
		forget(writer, oldest);
	}
	return true;
}

/* Whole words: readers may be looking, at what was there before. */
static void fill_chunk(struct astshm_history_chunk *chunk, const uint8_t *bytes, size_t length)
{
	for (size_t done = 0; done < length; done += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, bytes + done,
		       length - done < sizeof word ? length - done : sizeof word);
		__atomic_store_n(&chunk->words[done / sizeof word], word, __ATOMIC_RELAXED);
	}
}

/* A list of chunks that hold the bytes; 0: there are none. */
static uint64_t store_bytes(struct astshm_writer *writer, const uint8_t *bytes, size_t length)
{
	uint64_t first = 0, *link = &first;

	for (size_t done = 0; done < length; done += CHUNK_ROOM) {
		size_t left = length - done;
		uint64_t off = take_chunk(writer);
		struct astshm_history_chunk *chunk = chunk_at(writer, off);
		fill_chunk(chunk, bytes + done, left < CHUNK_ROOM ? left : CHUNK_ROOM);
		__atomic_store_n(link, off, __ATOMIC_RELAXED);
		link = &chunk->next_off;
		__atomic_store_n(link, 0, __ATOMIC_RELAXED);
	}
	return first;
}

static void store_entry(struct astshm_writer *writer, struct astshm_history_entry *entry,
			const struct astshm_history_entry *head)
{
	const uint64_t *from = (const uint64_t *)(const void *)head;
	uint64_t *to = (uint64_t *)(void *)entry;

	for (size_t i = 1; i < sizeof *entry / sizeof *to; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	/* Release: whoever finds the sequence finds the entry and its chunks. */
	__atomic_store_n(&entry->sequence, ++writer->history.sequence, __ATOMIC_RELEASE);
	writer_word_add(&head_of(writer)->appended, 1);
}

/* Under the writer's lock, for room. */
static void append(struct astshm_writer *writer, struct astshm_history_entry *head,
		   const uint8_t *bytes)
{
	struct astshm_history_entry *entry = NULL;

	if (writer->history.off == 0 && !make_table(writer))
		return;
	prune(writer);
	if (make_room(writer, (head->bytes + CHUNK_ROOM - 1) / CHUNK_ROOM))
		entry = find_empty(writer);
	if (!entry) {
		writer_word_add(&head_of(writer)->skipped, 1);
		return;
	}
	head->first_off = store_bytes(writer, bytes, head->bytes);
	store_entry(writer, entry, head);
}

/* --- a tick ------------------------------------------------------------------ */

static bool is_due(uint64_t now_ns, uint64_t due_ns, uint64_t slack_ns)
{
	return now_ns + slack_ns >= due_ns;
}

/* When the next is due: on the beat, unless beats were missed. */
static uint64_t next_due(uint64_t due_ns, uint64_t now_ns, uint64_t period_ns)
{
	return due_ns + period_ns > now_ns ? due_ns + period_ns : now_ns + period_ns;
}

static bool is_coarse(struct astshm_writer *writer, uint64_t now_ns)
{
	struct writer_history *history = &writer->history;
	const struct astshm_writer_options *options = &writer->options;

	if (!is_due(now_ns, history->next_coarse_ns, options->history_ms * 500000ull))
		return false;
	history->next_coarse_ns = next_due(history->next_coarse_ns, now_ns,
					   options->history_coarse_ms * 1000000ull);
	return true;
}

/* Beats are some way apart: the one nearest to the time will do. */
static bool is_time(const struct astshm_writer *writer, uint64_t now_ns)
{
	const struct astshm_writer_options *options = &writer->options;
	uint32_t beat_ms = options->tick_ms < options->history_ms ? options->tick_ms
								  : options->history_ms;

	return options->history_ms != ASTSHM_HISTORY_NONE &&
	       is_due(now_ns, writer->history.next_ns, beat_ms * 500000ull);
}

/* Without a table there is nowhere to count. */
static void count_skipped(struct astshm_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	if (writer->history.off != 0)
		writer_word_add(&head_of(writer)->skipped, 1);
	pthread_mutex_unlock(&writer->lock);
}

void writer_history_tick(struct astshm_writer *writer)
{
	struct writer_history *history = &writer->history;
	struct astshm_history_entry head;
	const void *bytes;
	uint64_t now_ns = shm_monotonic_ns();

	if (!is_time(writer, now_ns))
		return;
	history->next_ns = next_due(history->next_ns, now_ns,
				    writer->options.history_ms * 1000000ull);
	if (writer_read(writer, &bytes, &head) < 0) {
		count_skipped(writer);
		return;
	}
	head.flags = is_coarse(writer, now_ns) ? ASTSHM_HISTORY_COARSE : 0;
	pthread_mutex_lock(&writer->lock);
	append(writer, &head, bytes);
	pthread_mutex_unlock(&writer->lock);
	writer_read_end(writer);
}
