/* SPDX-License-Identifier: MIT */
/*
 * A pass over the values of a segment.
 *
 *   1. load header.retiring, epoch, counters_epoch        (acquire)
 *   2. bring the directory up to date, sum the values
 *   3. acquire fence; load the three words again: changed means another pass
 *
 * While a series is being retired (retiring is odd), or if that keeps
 * happening, each record's state word is compared before and after its values
 * instead: a record whose word changed is left out. The writer's side is in
 * writer/reset.c and writer/remove.c.
 */
#include "collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "threads.h"

#define PREFETCH_ROWS 8u
#define PREFETCH_BLOCKS 2u

struct collect {
	struct astshm_reader *reader;
	const struct reader_view *view;
	struct astshm_snapshot *snapshot;
	struct blocks_pass pass;
	struct threads_list threads;
	uint64_t cells; /* counters of chunks that exist */
	bool per_thread, keep_rows;
	uint32_t *row_of; /* of each series; NULL: nobody wants to know */
	const struct collect_visitor *visitor; /* NULL: series are kept */
};

struct collect_stamp collect_stamp(const struct reader_view *view)
{
	const struct astshm_segment_header *header = view_header(view);
	/* Pairs with the releases in writer/remove.c and writer/reset.c. */
	return (struct collect_stamp){
		.retiring = load_acquire(&header->retiring),
		.epoch = load_acquire(&header->epoch),
		.counters_epoch = load_acquire(&header->counters_epoch),
	};
}

struct collect_stamp collect_stamp_again(const struct reader_view *view)
{
	fence_acquire();
	return collect_stamp(view);
}

const uint64_t *collect_shared_cell(struct blocks_pass *pass,
				    const struct astshm_segment_series *record)
{
	uint64_t off = load_relaxed(&record->shared_off);
	if (off == 0)
		return NULL;
	const uint64_t *cell = view_block(pass->view, off, sizeof *cell);
	pass->bad += cell == NULL;
	return cell;
}

/* --- counters -------------------------------------------------------- */

static void sum_chunk(struct collect *collect, const uint64_t *head, uint32_t chunk)
{
	uint64_t *totals = collect->reader->totals + (size_t)chunk * ASTSHM_CHUNK_CELLS;
	const struct astshm_counter_block *block;
	struct blocks_chain chain =
		blocks_chain_start(&collect->pass, head, chunk, sizeof *block);
	memset(totals, 0, ASTSHM_CHUNK_CELLS * sizeof *totals);
	while ((block = blocks_chain_next(&chain)) != NULL) {
		const struct astshm_counter_block *ahead = blocks_chain_ahead(&chain);
		load_and_add(totals, totals, block->cells, ASTSHM_CHUNK_CELLS, ahead->cells);
	}
}

static int sum_counters(struct collect *collect)
{
	struct astshm_reader *reader = collect->reader;
	const struct reader_view *view = collect->view;
	const struct astshm_segment_table *table = &view_header(view)->chunks;
	uint32_t chunks = view_table_count(view, table, sizeof(uint64_t), &collect->pass.bad);
	if (chunks > VIEW_ELEMENTS_MAX / ASTSHM_CHUNK_CELLS) {
		collect->pass.bad++;
		chunks = VIEW_ELEMENTS_MAX / ASTSHM_CHUNK_CELLS;
	}
	collect->cells = (uint64_t)chunks * ASTSHM_CHUNK_CELLS;
	if (collect->cells > reader->total_room) {
		free(reader->totals);
		reader->total_room = 0;
		reader->totals = reallocarray(NULL, collect->cells, sizeof *reader->totals);
		if (reader->totals == NULL)
			return -ENOMEM;
		reader->total_room = collect->cells;
	}
	for (uint32_t chunk = 0; chunk < chunks; chunk++) {
		const uint64_t *head = shm_table_element(view->base, view->committed, table,
							 chunk, sizeof *head);
		if (head != NULL)
			sum_chunk(collect, head, chunk);
		else
			memset(reader->totals + (size_t)chunk * ASTSHM_CHUNK_CELLS, 0,
			       ASTSHM_CHUNK_CELLS * sizeof *reader->totals);
	}
	return 0;
}

/* Cells as they are, without a baseline: what a slot's threads added since
 * the segment was made. Returns their sum. */
static uint64_t list_counter_threads(struct collect *collect, const struct directory_row *row,
				     struct astshm_series *series)
{
	const struct reader_view *view = collect->view;
	const struct astshm_counter_block *block;
	uint32_t place = row->cell % ASTSHM_CHUNK_CELLS;
	const uint64_t *head = shm_table_element(view->base, view->committed,
						 &view_header(view)->chunks,
						 row->cell / ASTSHM_CHUNK_CELLS, sizeof *head);
	uint64_t total = 0;
	if (head == NULL)
		return 0;
	struct blocks_chain chain = blocks_chain_start(
		&collect->pass, head, row->cell / ASTSHM_CHUNK_CELLS, sizeof *block);
	chain.cost = sizeof *block / ASTSHM_CHUNK_CELLS;
	while ((block = blocks_chain_next(&chain)) != NULL) {
		uint64_t cell = load_relaxed(&block->cells[place]);
		total += cell;
		if (cell == 0)
			continue;
		struct astshm_thread_value *value =
			threads_add(&collect->threads, load_relaxed32(&block->head.slot));
		if (value != NULL)
			value->counter = (int64_t)cell;
	}
	threads_finish(&collect->threads, series);
	return total;
}

static bool fill_counter(struct collect *collect, const struct directory_row *row,
			 struct astshm_series *series)
{
	const struct astshm_segment_series *record = row->record;
	if (row->cell >= collect->cells) {
		collect->pass.bad++;
		return false;
	}
	uint64_t total = collect->per_thread ? list_counter_threads(collect, row, series) :
					       collect->reader->totals[row->cell];
	/* Flags after the cells: a counter becomes up-down before anything is
	 * subtracted from it, so one seen to fall is seen to be one. */
	uint32_t flags = load_relaxed32(&record->flags);
	if ((flags & ASTSHM_SERIES_SIGNAL) != 0) {
		const uint64_t *cell = collect_shared_cell(&collect->pass, record);
		total += cell != NULL ? load_relaxed(cell) : 0;
	}
	uint64_t base = load_relaxed(&record->base[collect->pass.counters_epoch & 1]);
	series->monotonic = (flags & ASTSHM_SERIES_UP_DOWN) == 0;
	series->counter.value = (int64_t)(total - base);
	return true;
}

/* --- gauges ---------------------------------------------------------- */

static bool fill_gauge(struct collect *collect, const struct directory_row *row,
		       struct astshm_series *series)
{
	struct blocks_pass *pass = &collect->pass;
	const struct astshm_gauge_block *block;
	const uint64_t *cell = collect_shared_cell(pass, row->record);
	series->gauge.current = cell != NULL ? load_double(cell) : 0.0;
	struct blocks_chain chain =
		blocks_chain_start(pass, &row->record->blocks_off, row->index, sizeof *block);
	while ((block = blocks_chain_next(&chain)) != NULL) {
		if (!blocks_current(pass, &block->head))
			continue;
		struct astshm_thread_value *value = NULL;
		if (collect->per_thread)
			value = threads_add(&collect->threads, load_relaxed32(&block->head.slot));
		blocks_gauge_add(pass, block, &series->gauge, value != NULL ? &value->gauge : NULL);
		if (value != NULL)
			value->gauge.current = series->gauge.current;
	}
	if (collect->per_thread)
		threads_finish(&collect->threads, series);
	return true;
}

/* --- histograms ------------------------------------------------------ */

static void add_histogram_block(struct collect *collect, const struct blocks_chain *chain,
				struct blocks_histogram *histogram,
				const struct astshm_histogram_block *block)
{
	struct astshm_thread_value *value = NULL;
	if (collect->per_thread)
		value = threads_add(&collect->threads, load_relaxed32(&block->head.slot));
	blocks_histogram_add(chain, histogram, block,
			     value != NULL ? &value->histogram : NULL);
	if (value != NULL && !threads_keep_slots(&collect->threads, &value->histogram))
		value->histogram.slot_count = 0;
}

static bool keep_slots(struct collect *collect, struct astshm_histogram *histogram)
{
	histogram->slots = reader_arena_copy(collect->snapshot->arena, histogram->slots,
					     histogram->slot_count * sizeof *histogram->slots);
	return histogram->slots != NULL;
}

static bool fill_histogram(struct collect *collect, const struct directory_row *row,
			   struct astshm_series *series)
{
	struct blocks_pass *pass = &collect->pass;
	const struct astshm_histogram_block *block;
	struct blocks_histogram histogram;
	blocks_histogram_init(&histogram, row->series.kind, collect->reader->slots[0],
			      collect->reader->slots[1]);
	struct blocks_chain chain =
		blocks_chain_start(pass, &row->record->blocks_off, row->index, sizeof *block);
	while ((block = blocks_chain_next(&chain)) != NULL)
		if (blocks_current(pass, &block->head))
			add_histogram_block(collect, &chain, &histogram, block);
	blocks_histogram_value(pass, &histogram, &series->histogram);
	if (collect->per_thread)
		threads_finish(&collect->threads, series);
	if (collect->visitor == NULL && !keep_slots(collect, &series->histogram))
		collect->threads.no_memory = true;
	return true;
}

/* --- a pass ---------------------------------------------------------- */

static bool fill_series(struct collect *collect, const struct directory_row *row,
			struct astshm_series *series)
{
	directory_begin_series(row, series);
	switch (row->series.kind) {
	case ASTSHM_KIND_COUNTER:
		return fill_counter(collect, row, series);
	case ASTSHM_KIND_GAUGE:
		return fill_gauge(collect, row, series);
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		return fill_histogram(collect, row, series);
	}
	return false;
}

/* A record of a series to come, and the header of its first block: both lie
 * where a processor does not guess. Only hints, whatever the offset says. */
static void look_ahead(const struct reader_view *view, const struct directory_row *row,
		       uint32_t left)
{
	if (left > PREFETCH_ROWS)
		__builtin_prefetch(row[PREFETCH_ROWS].record);
	if (left > PREFETCH_BLOCKS)
		__builtin_prefetch((const void *)((uintptr_t)view->base +
				   load_relaxed(&row[PREFETCH_BLOCKS].record->blocks_off)));
}

static void fill_all(struct collect *collect)
{
	const struct directory *directory = &collect->reader->directory;
	struct astshm_snapshot *snapshot = collect->snapshot;
	for (uint32_t i = 0; i < directory->row_count && !collect->pass.late; i++) {
		const struct directory_row *row = &directory->rows[i];
		look_ahead(collect->view, row, directory->row_count - i);
		if (!collect_visible(row->record, collect->pass.epoch))
			continue;
		if (!fill_series(collect, row, &snapshot->series[snapshot->series_count]))
			continue;
		if (collect->row_of != NULL)
			collect->row_of[snapshot->series_count] = i;
		snapshot->series_count++;
	}
}

/* One by one, each gone before the next: nothing of them is kept. */
static void visit_all(struct collect *collect, bool check)
{
	const struct directory *directory = &collect->reader->directory;
	const struct collect_visitor *visitor = collect->visitor;
	struct astshm_series series;
	visitor->begin(visitor->context);
	for (uint32_t i = 0; i < directory->row_count && !collect->pass.late; i++) {
		const struct directory_row *row = &directory->rows[i];
		look_ahead(collect->view, row, directory->row_count - i);
		if (!collect_visible(row->record, collect->pass.epoch) ||
		    !fill_series(collect, row, &series))
			continue;
		fence_acquire(); /* as drop_retired */
		if (!check || load_relaxed(&row->record->state) == row->state_word)
			visitor->take(visitor->context, row, &series);
	}
}

/* Leaves out the series whose record was retired while it was read: its
 * state word changes before its cells do. */
static void drop_retired(struct collect *collect)
{
	const struct directory_row *rows = collect->reader->directory.rows;
	struct astshm_snapshot *snapshot = collect->snapshot;
	size_t kept = 0;
	fence_acquire();
	for (size_t i = 0; i < snapshot->series_count; i++) {
		const struct directory_row *row = &rows[collect->row_of[i]];
		if (load_relaxed(&row->record->state) != row->state_word)
			continue;
		collect->row_of[kept] = collect->row_of[i];
		snapshot->series[kept++] = snapshot->series[i];
	}
	snapshot->series_count = kept;
}

static int fill_families(struct collect *collect)
{
	const struct directory *directory = &collect->reader->directory;
	struct astshm_snapshot *snapshot = collect->snapshot;
	if (snapshot->series_count < directory->row_count)
		return snapshot_finish(snapshot);
	snapshot->families = directory->shown;
	snapshot->family_count = directory->shown_count;
	snapshot_index_kinds(snapshot);
	return 0;
}

static int visit(struct collect *collect, bool check)
{
	int code = sum_counters(collect);
	if (code != 0)
		return code;
	fence_acquire(); /* cells before flags, see fill_counter */
	visit_all(collect, check);
	return collect->pass.late ? -ETIMEDOUT : 0;
}

static int fill_snapshot(struct collect *collect, bool check)
{
	const struct directory *directory = &collect->reader->directory;
	struct astshm_snapshot *snapshot = collect->snapshot;
	struct reader_arena *arena = snapshot->arena;
	uint32_t rows = directory->row_count;
	bool wants_rows = check || collect->keep_rows;
	snapshot->series = reader_arena_take(arena, rows * sizeof *snapshot->series);
	if (wants_rows)
		collect->row_of = reader_arena_array(arena, rows, sizeof *collect->row_of);
	if (snapshot->series == NULL || (wants_rows && collect->row_of == NULL) ||
	    snapshot_hold(snapshot, directory->names) != 0)
		return -ENOMEM;
	int code = sum_counters(collect);
	if (code != 0)
		return code;
	fence_acquire(); /* cells before flags, see fill_counter */
	fill_all(collect);
	if (collect->pass.late)
		return -ETIMEDOUT;
	if (collect->threads.no_memory)
		return -ENOMEM;
	if (check)
		drop_retired(collect);
	snapshot->row_of = collect->row_of;
	return fill_families(collect);
}

/* --- the segment ------------------------------------------------------ */

static char *segment_name(struct collect *collect)
{
	const struct astshm_segment_header *header = view_header(collect->view);
	char bytes[ASTSHM_SEGMENT_NAME_BYTES], text[ASTSHM_SEGMENT_NAME_BYTES + 1];
	uint32_t length = load_relaxed32(&header->name_len);
	if (length > sizeof bytes)
		length = sizeof bytes;
	memcpy(bytes, header->name, length);
	length = view_clean_text(text, bytes, length);
	return reader_arena_text(collect->snapshot->arena, text, length);
}

static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static void fill_times(struct collect *collect, enum astshm_state state)
{
	const struct astshm_segment_header *header = view_header(collect->view);
	struct astshm_snapshot *snapshot = collect->snapshot;
	uint64_t now_ns = shm_monotonic_ns();
	uint64_t beat_ns = load_relaxed(&header->heartbeat_monotonic_ns);
	bool ended = state == ASTSHM_STATE_DEAD || state == ASTSHM_STATE_CLOSED;
	snapshot->timestamp_ns = shm_realtime_ns();
	snapshot->monotonic_ns = ended ? beat_ns : now_ns;
	snapshot->uptime_ns = since(snapshot->monotonic_ns,
				    load_relaxed(&header->reset_monotonic_ns));
	uint64_t period_ns = load_relaxed(&header->heartbeat_period_ns) & INT64_MAX;
	snapshot->segment.heartbeat_period_ns = (int64_t)period_ns;
	snapshot->segment.heartbeat_age_ns = -1;
	if (period_ns != 0)
		snapshot->segment.heartbeat_age_ns = (int64_t)(since(now_ns, beat_ns) & INT64_MAX);
}

static int fill_segment(struct collect *collect)
{
	const struct astshm_segment_header *header = view_header(collect->view);
	struct astshm_segment_info *info = &collect->snapshot->segment;
	info->state = astshm_reader_state(collect->reader);
	info->name = segment_name(collect);
	info->pid = load_relaxed32(&header->pid);
	info->generation = load_relaxed(&header->generation);
	info->recording = load_relaxed32(&header->recording) != 0;
	info->epoch = collect->pass.epoch;
	info->counters_epoch = collect->pass.counters_epoch;
	info->bytes = collect->view->committed;
	info->threads = threads_in_use(collect->view, &collect->pass.bad);
	info->dropped = load_relaxed(&header->dropped_records) +
			load_relaxed(&header->dropped_registrations);
	info->other_tag_sets = load_relaxed(&header->other_tag_sets);
	collect->snapshot->has_segment = true;
	fill_times(collect, info->state);
	return info->name != NULL ? 0 : -ENOMEM;
}

/* What a pass is made for. */
struct collect_order {
	unsigned flags;
	const struct collect_visitor *visitor;
};

static int collect_once(struct astshm_reader *reader, const struct reader_view *view,
			const struct collect_stamp *stamp, const struct collect_order *order,
			bool check, struct astshm_snapshot *snapshot)
{
	struct collect collect = {
		.reader = reader,
		.view = view,
		.snapshot = snapshot,
		.pass = { .view = view, .epoch = stamp->epoch,
			  .counters_epoch = stamp->counters_epoch,
			  .room = blocks_room(view),
			  .deadline_ns = view->deadline_ns },
		.per_thread = (order->flags & ASTSHM_PER_THREAD) != 0,
		.keep_rows = (order->flags & COLLECT_ROWS) != 0,
		.visitor = order->visitor,
	};
	threads_init(&collect.threads, view, snapshot->arena);
	int code = fill_segment(&collect);
	if (code == 0 && !(order->flags & COLLECT_HEAD))
		code = order->visitor ? visit(&collect, check) : fill_snapshot(&collect, check);
	snapshot->segment.torn = collect.pass.torn;
	snapshot->segment.bad_records = collect.pass.bad + reader->directory.bad_records +
					reader->directory.bad_extents;
	return code;
}

/* Was the pass undisturbed? `check`: retired series were left out one by one.
 * A bad record may also be one that lies where the segment has grown to. */
static bool whole(const struct reader_view *view, const struct collect_stamp *stamp, bool check,
		  const struct astshm_snapshot *snapshot)
{
	struct collect_stamp again = collect_stamp_again(view);
	if (again.epoch != stamp->epoch || again.counters_epoch != stamp->counters_epoch)
		return false;
	if (!check && again.retiring != stamp->retiring)
		return false;
	return snapshot->segment.bad_records == 0 ||
	       load_acquire(&view_header(view)->committed_bytes) == view->committed;
}

static bool keeps_series(const struct collect_order *order)
{
	return order->visitor == NULL && !(order->flags & COLLECT_HEAD);
}

/* With the room that the last one took, if it will keep the series. */
static struct astshm_snapshot *begin_snapshot(struct astshm_reader *reader,
					      const struct collect_order *order)
{
	struct astshm_snapshot *made = snapshot_create();
	if (made == NULL || !keeps_series(order))
		return made;
	reader_arena_reserve(made->arena, reader->snapshot_bytes,
			     reader->snapshot_bytes > reader->reserved_bytes);
	if (reader->snapshot_bytes > reader->reserved_bytes)
		reader->reserved_bytes = reader->snapshot_bytes;
	return made;
}

static int collect(struct astshm_reader *reader, const struct collect_order *order,
		   struct astshm_snapshot **snapshot)
{
	struct reader_view view;
	bool again = false;
	uint64_t deadline_ns = shm_monotonic_ns() + (uint64_t)reader->deadline_ns;
	for (;;) {
		int code = reader_view(reader, &view);
		if (code != 0)
			return code;
		view.deadline_ns = deadline_ns;
		if (reader->segment.fd >= 0)
			shm_expect(&reader->segment, view.committed);
		if (again && view_late(&view))
			return -ETIMEDOUT;
		struct collect_stamp stamp = collect_stamp(&view);
		bool check = again || (stamp.retiring & 1) != 0;
		code = (order->flags & COLLECT_HEAD)
			       ? 0
			       : directory_update(&reader->directory, &view, stamp.retiring, check);
		struct astshm_snapshot *made = code == 0 ? begin_snapshot(reader, order) : NULL;
		if (made == NULL)
			return code == 0 ? -ENOMEM : code;
		code = collect_once(reader, &view, &stamp, order, check, made);
		if (keeps_series(order))
			reader->snapshot_bytes = reader_arena_used(made->arena);
		if (code == 0 && whole(&view, &stamp, check, made)) {
			*snapshot = made;
			return 0;
		}
		astshm_snapshot_free(&made);
		if (code != 0)
			return code;
		again = true;
	}
}

int collect_snapshot(struct astshm_reader *reader, unsigned flags,
		     struct astshm_snapshot **snapshot)
{
	return collect(reader, &(struct collect_order){ .flags = flags }, snapshot);
}

int collect_each(struct astshm_reader *reader, const struct collect_visitor *visitor,
		 struct astshm_snapshot **head)
{
	return collect(reader, &(struct collect_order){ .visitor = visitor }, head);
}
