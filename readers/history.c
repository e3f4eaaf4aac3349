/* SPDX-License-Identifier: MIT */
/*
 * Entries out of a segment. The writer overwrites an entry whenever it likes;
 * each is a seqlock (struct astshm_history_entry), copied and checked, with a
 * bound on tries, chunks and bytes. The other side is writer/history.c.
 */
#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "window.h"

#define ENTRIES_MOST 65536u

int history_place(const struct reader_view *view, struct history_place *place)
{
	struct astshm_segment_history *head = &place->head;
	/* Acquire: pairs with the release in writer/history.c. */
	uint64_t off = load_acquire(&view_header(view)->history_off);
	if (off == 0)
		return -ENODATA;
	const struct astshm_segment_history *shared = view_block(view, off, sizeof *shared);
	if (shared == NULL)
		return -EBADMSG;
	*head = (struct astshm_segment_history){
		.header_bytes = load_relaxed32(&shared->header_bytes),
		.entry_bytes = load_relaxed32(&shared->entry_bytes),
		.entry_count = load_relaxed32(&shared->entry_count),
		.chunk_bytes = load_relaxed32(&shared->chunk_bytes),
		.period_ns = load_relaxed(&shared->period_ns),
		.coarse_period_ns = load_relaxed(&shared->coarse_period_ns),
		.fine_count = load_relaxed32(&shared->fine_count),
		.coarse_count = load_relaxed32(&shared->coarse_count),
		.appended = load_relaxed(&shared->appended),
		.skipped = load_relaxed(&shared->skipped),
		.chunks = load_relaxed(&shared->chunks),
	};
	/* Later minor versions may have more in a head or an entry, never less. */
	if (head->header_bytes < sizeof *shared || head->header_bytes % 8 != 0 ||
	    head->entry_bytes < sizeof(struct astshm_history_entry) ||
	    head->entry_bytes % 8 != 0 || head->entry_count > ENTRIES_MOST ||
	    head->chunk_bytes != ASTSHM_HISTORY_CHUNK_BYTES ||
	    !shm_in_bounds(off + head->header_bytes,
			   (uint64_t)head->entry_count * head->entry_bytes, view->committed))
		return -EBADMSG;
	place->entries_off = off + head->header_bytes;
	return 0;
}

static const struct astshm_history_entry *entry_at(const struct reader_view *view,
						   const struct history_place *place,
						   uint32_t i)
{
	return (const void *)(view->base + place->entries_off +
			      (uint64_t)i * place->head.entry_bytes);
}

/* The words of an entry, each loaded once; false: it is being written. */
static bool load_head(const struct astshm_history_entry *shared, struct astshm_history_entry *head)
{
	uint64_t words[sizeof *head / sizeof(uint64_t)];
	/* Acquire: pairs with the release of a sequence, which comes last. */
	words[0] = load_acquire(&shared->sequence);
	for (size_t i = 1; i < sizeof words / sizeof words[0]; i++)
		words[i] = load_relaxed(&shared->sequence + i);
	fence_acquire(); /* pairs with the release fence before it is overwritten */
	if (words[0] == 0 || load_relaxed(&shared->sequence) != words[0])
		return false;
	memcpy(head, words, sizeof *head);
	return true;
}

static int compare_sequence(const void *left, const void *right)
{
	const struct history_entry *a = left, *b = right;
	return (a->head.sequence > b->head.sequence) - (a->head.sequence < b->head.sequence);
}

/* Oldest first, each once, and time goes forward. */
static size_t keep_ordered(struct history_entry *entries, size_t count, uint64_t *bad)
{
	size_t kept = 0;
	if (count > 0)
		qsort(entries, count, sizeof *entries, compare_sequence);
	for (size_t i = 0; i < count; i++) {
		const struct astshm_history_entry *head = &entries[i].head;
		const struct astshm_history_entry *before = &entries[kept > 0 ? kept - 1 : 0].head;
		if (kept > 0 && (before->sequence == head->sequence ||
				 before->monotonic_ns > head->monotonic_ns))
			(*bad)++;
		else
			entries[kept++] = entries[i];
	}
	return kept;
}

int history_heads(const struct reader_view *view, const struct history_place *place,
		  struct history_entry **entries, size_t *count, uint64_t *bad)
{
	struct history_entry *list = calloc((size_t)place->head.entry_count + 1, sizeof *list);
	size_t found = 0;
	if (list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < place->head.entry_count; i++)
		found += load_head(entry_at(view, place, i), &list[found].head);
	*count = keep_ordered(list, found, bad);
	*entries = list;
	return 0;
}

/* Copies what a chunk holds of the entry; false: it is no chunk. */
static bool copy_chunk(const struct reader_view *view, uint64_t off, uint8_t *to, uint32_t bytes,
		       uint64_t *next)
{
	const struct astshm_history_chunk *chunk = view_block(view, off, sizeof *chunk);
	if (chunk == NULL)
		return false;
	*next = load_relaxed(&chunk->next_off);
	for (uint32_t done = 0; done < bytes; done += sizeof(uint64_t)) {
		uint64_t word = load_relaxed(&chunk->words[done / sizeof word]);
		memcpy(to + done, &word,
		       bytes - done < sizeof word ? bytes - done : sizeof word);
	}
	return true;
}

static bool copy_chunks(const struct reader_view *view, const struct history_entry *entry)
{
	const uint32_t most = ASTSHM_HISTORY_WORDS * (uint32_t)sizeof(uint64_t);
	uint64_t off = entry->head.first_off;
	for (uint32_t done = 0; done < entry->head.bytes; done += most) {
		uint32_t left = entry->head.bytes - done;
		if (!copy_chunk(view, off, entry->bytes + done, left < most ? left : most, &off))
			return false;
	}
	return true;
}

/* The entry that has this sequence number, wherever it lies. */
static const struct astshm_history_entry *find_entry(const struct reader_view *view,
						     const struct history_place *place,
						     uint64_t sequence)
{
	for (uint32_t i = 0; i < place->head.entry_count; i++)
		if (load_relaxed(&entry_at(view, place, i)->sequence) == sequence)
			return entry_at(view, place, i);
	return NULL;
}

int history_fetch(const struct reader_view *view, const struct history_place *place,
		  struct history_entry *entry, uint64_t *budget)
{
	const struct astshm_history_entry *shared =
		find_entry(view, place, entry->head.sequence);
	if (shared == NULL)
		return -ESTALE;
	if (entry->head.bytes > *budget)
		return -EBADMSG;
	entry->bytes = malloc((size_t)entry->head.bytes + 1);
	if (entry->bytes == NULL)
		return -ENOMEM;
	bool copied = copy_chunks(view, entry);
	fence_acquire(); /* pairs with the release fence before it is overwritten */
	if (load_relaxed(&shared->sequence) == entry->head.sequence && copied) {
		*budget -= entry->head.bytes;
		return 0;
	}
	free(entry->bytes);
	entry->bytes = NULL;
	return load_relaxed(&shared->sequence) == entry->head.sequence ? -EBADMSG : -ESTALE;
}

/* --- the whole ring ---------------------------------------------------- */

struct astshm_history {
	struct reader_arena *arena; /* holds *this, and the rows */
	struct reader_arena *names_arena;
	struct astshm_segment_info segment;
	struct history_names names;
	struct astshm_history_info info;
	struct history_entry *entries;
	size_t count;
};

void astshm_history_free(struct astshm_history **history)
{
	if (history == NULL || *history == NULL)
		return;
	struct astshm_history *gone = *history;
	*history = NULL;
	for (size_t i = 0; i < gone->count; i++)
		free(gone->entries[i].bytes);
	free(gone->entries);
	reader_arena_unref(gone->names_arena);
	reader_arena_unref(gone->arena);
}

/* Names and places of the series as they are now, for as long as it lives. */
static int keep_names(struct astshm_history *history, const struct astshm_reader *reader,
		      const struct astshm_snapshot *newest)
{
	history->segment = newest->segment;
	history->segment.name =
		reader_arena_text(history->arena, newest->segment.name,
				  strlen(newest->segment.name));
	history->names = history_names_of(reader, &history->segment);
	history->names.rows =
		reader_arena_copy(history->arena, reader->directory.rows,
				  reader->directory.row_count * sizeof *reader->directory.rows);
	history->names_arena = reader_arena_ref(history->names.names);
	return history->segment.name != NULL && history->names.rows != NULL ? 0 : -ENOMEM;
}

/* What was overwritten meanwhile is the oldest: it is as if never seen. */
static int fetch_all(struct astshm_history *history, const struct reader_view *view,
		     const struct history_place *place)
{
	uint64_t budget = view->committed;
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; i < history->count && code == 0; i++) {
		struct history_entry entry = history->entries[i];
		code = view_late(view) ? -ETIMEDOUT : history_fetch(view, place, &entry, &budget);
		history->info.bad += code == -EBADMSG;
		if (code == 0)
			history->entries[kept++] = entry;
		if (code == -EBADMSG || code == -ESTALE)
			code = 0;
	}
	history->count = kept;
	return code;
}

static void fill_info(struct astshm_history *history, const struct history_place *place)
{
	history->info.count = history->count;
	history->info.period_ns = place->head.period_ns;
	history->info.coarse_period_ns = place->head.coarse_period_ns;
	history->info.skipped = place->head.skipped;
	history->info.bytes = (uint64_t)place->head.entry_count * place->head.entry_bytes +
			      place->head.chunks * ASTSHM_HISTORY_CHUNK_BYTES;
}

static int fill_history(struct astshm_history *history, struct astshm_reader *reader,
			const struct astshm_snapshot *newest)
{
	struct reader_view view;
	struct history_place place;
	int code = reader_view(reader, &view);
	if (code == 0)
		code = history_place(&view, &place);
	if (code == 0)
		code = keep_names(history, reader, newest);
	if (code != 0)
		return code;
	view.deadline_ns = shm_monotonic_ns() + (uint64_t)reader->deadline_ns;
	code = history_heads(&view, &place, &history->entries, &history->count,
			     &history->info.bad);
	if (code == 0)
		code = fetch_all(history, &view, &place);
	fill_info(history, &place);
	return code == 0 && sigbus_broken(reader->range) ? -EBADMSG : code;
}

int astshm_reader_history(struct astshm_reader *reader, struct astshm_history **history,
			  struct astshm_error *error)
{
	struct astshm_snapshot *newest;
	int code = astshm_reader_snapshot(reader, 0, &newest, error);
	if (code != 0)
		return code;
	struct reader_arena *arena = reader_arena_create();
	struct astshm_history *made = arena != NULL ? reader_arena_alloc(arena, sizeof *made) :
						      NULL;
	if (made == NULL) {
		reader_arena_unref(arena);
		astshm_snapshot_free(&newest);
		return shm_fail(error, -ENOMEM, "out of memory");
	}
	made->arena = arena;
	code = fill_history(made, reader, newest);
	astshm_snapshot_free(&newest);
	if (code != 0) {
		astshm_history_free(&made);
		return history_fail(code, error);
	}
	*history = made;
	return 0;
}

const struct astshm_history_info *astshm_history_info(const struct astshm_history *history)
{
	return &history->info;
}

size_t astshm_history_count(const struct astshm_history *history)
{
	return history->count;
}

int astshm_history_snapshot(const struct astshm_history *history, size_t i,
			    struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	if (i >= history->count)
		return shm_fail(error, -EINVAL, "the history has no entry %zu", i);
	int code = history_decode(&history->names, &history->entries[i], snapshot);
	return code == 0 ? 0 : history_fail(code, error);
}

int astshm_history_interval(const struct astshm_history *history, size_t i,
			    struct astshm_snapshot **interval, struct astshm_error *error)
{
	struct astshm_snapshot *older = NULL, *newer = NULL;
	if (i == 0)
		return shm_fail(error, -EINVAL, "nothing is known before the first entry");
	int code = astshm_history_snapshot(history, i, &newer, error);
	if (code != 0)
		return code;
	code = astshm_history_snapshot(history, i - 1, &older, error);
	if (code == 0)
		code = window_between(newer, older, NULL, interval, error);
	if (code == 0)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): shm_fail is never 0 */
		(*interval)->segment.bad_records += older->segment.bad_records;
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	return code;
}

int history_fail(int code, struct astshm_error *error)
{
	switch (code) {
	case -ENODATA:
		return shm_fail(error, code, "the segment keeps no history: its writer has no "
				"tick, or has not ticked yet");
	case -ENOMEM:
		return shm_fail(error, code, "out of memory");
	case -ETIMEDOUT:
		return shm_fail(error, code, "the history was not read before the deadline");
	default:
		return shm_fail(error, code, "the segment's history is corrupt, or its file was "
				"truncated");
	}
}
