/* SPDX-License-Identifier: MIT */
/*
 * Point reads: one series, found once. They follow the protocol of collect.c
 * with a pass of one record, whose state word is compared before and after.
 */
#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "collect.h"
#include "snapshot.h"

/* --- resolving ----------------------------------------------------------- */

static bool set_label(struct astshm_label *label, const struct astshm_tag *tag)
{
	size_t key_len = tag->key != NULL ? strnlen(tag->key, ASTSHM_TAG_KEY_MAX + 1) : 0;
	size_t value_len =
		tag->value != NULL ? strnlen(tag->value, ASTSHM_TAG_VALUE_MAX + 1) : 0;
	*label = (struct astshm_label){ tag->key, tag->value, (uint32_t)key_len,
					(uint32_t)value_len };
	return key_len > 0 && key_len <= ASTSHM_TAG_KEY_MAX && tag->value != NULL &&
	       value_len <= ASTSHM_TAG_VALUE_MAX;
}

/* In the order of keys, as the writer stores them; false: not a tag set. */
static bool sort_labels(const struct astshm_tag *tags, size_t count, struct astshm_label *labels)
{
	for (size_t i = 0; i < count; i++) {
		struct astshm_label label;
		size_t at = i;
		if (!set_label(&label, &tags[i]))
			return false;
		for (; at > 0 && strcmp(label.key, labels[at - 1].key) < 0; at--)
			labels[at] = labels[at - 1];
		labels[at] = label;
	}
	return true;
}

static int update_directory(struct astshm_reader *reader)
{
	struct reader_view view;
	int code = reader_view(reader, &view);
	if (code != 0)
		return code;
	view.deadline_ns = shm_monotonic_ns() + (uint64_t)reader->deadline_ns;
	return directory_update(&reader->directory, &view, collect_stamp(&view).retiring, false);
}

static int find_row(struct astshm_reader *reader, enum astshm_kind kind, const char *key,
		    uint32_t length, struct astshm_point *point)
{
	int code = update_directory(reader);
	if (code != 0)
		return code;
	const struct directory_row *row = directory_find(&reader->directory, kind, key, length);
	struct reader_view view = { .base = reader->base };
	if (row == NULL ||
	    !collect_visible(row->record, load_acquire(&view_header(&view)->epoch)))
		return -ENOENT;
	*point = (struct astshm_point){ row->index, kind,
					ASTSHM_SERIES_GENERATION(row->state_word),
					reader->attachment };
	return 0;
}

int astshm_reader_resolve(struct astshm_reader *reader, enum astshm_kind kind, const char *name,
			  const struct astshm_tag *tags, size_t tag_count,
			  struct astshm_point *point)
{
	struct astshm_label labels[ASTSHM_TAGS_MAX];
	char key[SNAPSHOT_KEY_MAX];
	if (name == NULL || tag_count > ASTSHM_TAGS_MAX || (tag_count > 0 && tags == NULL) ||
	    !sort_labels(tags, tag_count, labels))
		return -EINVAL;
	size_t name_len = strnlen(name, ASTSHM_NAME_MAX + 1);
	if (name_len == 0 || name_len > ASTSHM_NAME_MAX)
		return -EINVAL;
	reader_follow(reader);
	size_t length = snapshot_key(key, name, name_len, labels, (uint32_t)tag_count);
	return find_row(reader, kind, key, (uint32_t)length, point);
}

/* --- reading --------------------------------------------------------------- */

struct read {
	struct astshm_reader *reader;
	const struct astshm_point *point;
	struct reader_view view;
	struct collect_stamp stamp;
	struct blocks_pass pass;
	const struct astshm_segment_series *record;
	uint64_t state_word;
};

static int begin_read(struct read *read, struct astshm_reader *reader,
		      const struct astshm_point *point, enum astshm_kind kind)
{
	const struct directory *directory = &reader->directory;
	*read = (struct read){ .reader = reader, .point = point };
	if (point->attachment != reader->attachment || point->index >= directory->entry_count)
		return -ESTALE;
	read->record = directory->entries[point->index].record;
	read->state_word = point->generation << 8 | ASTSHM_SERIES_LIVE;
	if (read->record == NULL)
		return -ESTALE;
	if (point->kind != kind)
		return -EINVAL;
	return 0;
}

/* The state a pass begins with. -ESTALE: removed meanwhile. */
static int begin_pass(struct read *read)
{
	int code = reader_view_cached(read->reader, &read->view);
	if (code != 0)
		return code;
	read->stamp = collect_stamp(&read->view);
	read->pass = (struct blocks_pass){ .view = &read->view,
					   .epoch = read->stamp.epoch,
					   .counters_epoch = read->stamp.counters_epoch,
					   .room = blocks_room(&read->view),
					   .deadline_ns = read->pass.deadline_ns,
					   .limit_ns = read->reader->deadline_ns };
	/* Acquire: pairs with the release that made the series live. */
	if (load_acquire(&read->record->state) != read->state_word)
		return -ESTALE;
	return collect_visible(read->record, read->stamp.epoch) ? 0 : -ENOENT;
}

/* 0: undisturbed; 1: once more. */
static int end_pass(struct read *read)
{
	struct collect_stamp again = collect_stamp_again(&read->view);
	if (read->pass.late)
		return -ETIMEDOUT;
	if (load_relaxed(&read->record->state) != read->state_word)
		return -ESTALE;
	if (again.epoch == read->stamp.epoch &&
	    again.counters_epoch == read->stamp.counters_epoch &&
	    (read->pass.bad == 0 || load_acquire(&view_header(&read->view)->committed_bytes) ==
					    read->view.committed))
		return 0;
	return blocks_pass_late(&read->pass) ? -ETIMEDOUT : 1;
}

/* Passes until one is undisturbed. `sum` sees a read with pass and record set. */
static int read_series(struct read *read, void (*sum)(struct read *read, void *value),
		       void *value)
{
	int code;
	do {
		code = begin_pass(read);
		if (code == 0) {
			sum(read, value);
			code = end_pass(read);
		}
	} while (code > 0);
	/* Whatever was found in a page of zeroes means nothing. */
	if (sigbus_broken(read->reader->range) || (code == 0 && read->pass.bad > 0))
		return -EBADMSG;
	return code;
}

static void sum_counter(struct read *read, void *value)
{
	const struct astshm_segment_series *record = read->record;
	uint32_t cell = load_relaxed32(&record->cell);
	const uint64_t *head = shm_table_element(read->view.base, read->view.committed,
						 &view_header(&read->view)->chunks,
						 cell / ASTSHM_CHUNK_CELLS, sizeof *head);
	if (head == NULL) {
		read->pass.bad++;
		return;
	}
	uint64_t total = blocks_counter_total(&read->pass, head, cell);
	if ((load_relaxed32(&record->flags) & ASTSHM_SERIES_SIGNAL) != 0) {
		const uint64_t *shared = collect_shared_cell(&read->pass, record);
		total += shared != NULL ? load_relaxed(shared) : 0;
	}
	*(int64_t *)value =
		(int64_t)(total - load_relaxed(&record->base[read->stamp.counters_epoch & 1]));
}

static void sum_gauge(struct read *read, void *value)
{
	struct astshm_gauge_value *gauge = value;
	const struct astshm_gauge_block *block;
	const uint64_t *cell = collect_shared_cell(&read->pass, read->record);
	*gauge = (struct astshm_gauge_value){ .current = cell != NULL ? load_double(cell) : 0.0 };
	struct blocks_chain chain = blocks_chain_start(&read->pass, &read->record->blocks_off,
						       read->point->index, sizeof *block);
	while ((block = blocks_chain_next(&chain)) != NULL)
		if (blocks_current(&read->pass, &block->head))
			blocks_gauge_add(&read->pass, block, gauge, NULL);
}

static void sum_histogram(struct read *read, void *value)
{
	const struct astshm_histogram_block *block;
	struct blocks_histogram histogram;
	blocks_histogram_init(&histogram, read->point->kind, read->reader->slots[0],
			      read->reader->slots[1]);
	struct blocks_chain chain = blocks_chain_start(&read->pass, &read->record->blocks_off,
						       read->point->index, sizeof *block);
	while ((block = blocks_chain_next(&chain)) != NULL)
		if (blocks_current(&read->pass, &block->head))
			blocks_histogram_add(&chain, &histogram, block, NULL);
	blocks_histogram_value(&read->pass, &histogram, value);
}

int astshm_reader_counter(struct astshm_reader *reader, const struct astshm_point *point,
			  int64_t *value)
{
	struct read read;
	int64_t found = 0;
	int code = begin_read(&read, reader, point, ASTSHM_KIND_COUNTER);
	if (code == 0)
		code = read_series(&read, sum_counter, &found);
	if (code == 0)
		*value = found;
	return code;
}

int astshm_reader_gauge(struct astshm_reader *reader, const struct astshm_point *point,
			struct astshm_gauge_value *value)
{
	struct read read;
	struct astshm_gauge_value found = { 0 };
	int code = begin_read(&read, reader, point, ASTSHM_KIND_GAUGE);
	if (code == 0)
		code = read_series(&read, sum_gauge, &found);
	if (code == 0)
		*value = found;
	return code;
}

int astshm_reader_histogram(struct astshm_reader *reader, const struct astshm_point *point,
			    struct astshm_histogram *value, uint64_t *slots)
{
	struct read read;
	struct astshm_histogram found = { 0 };
	enum astshm_kind kind = point->kind == ASTSHM_KIND_DISTRIBUTION ?
					ASTSHM_KIND_DISTRIBUTION : ASTSHM_KIND_TIMING;
	int code = begin_read(&read, reader, point, kind);
	if (code == 0)
		code = read_series(&read, sum_histogram, &found);
	if (code != 0)
		return code;
	memcpy(slots, found.slots, found.slot_count * sizeof *slots);
	*value = found;
	value->slots = slots;
	return 0;
}
