/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include "row.h"
#include "storage.h"

void writer_each_block(struct astshm_writer *writer, uint64_t head_off,
		       void (*each)(struct astshm_writer *writer, void *block, void *context),
		       void *context)
{
	for (uint64_t off = head_off; off != 0;) {
		struct astshm_block_header *block = writer_at(writer, off);
		off = block->next_off;
		each(writer, block, context);
	}
}

static void shut_entry(struct astshm_writer *writer, void *block, void *context)
{
	const struct astshm_block_header *head = block;
	const uint32_t *index = context;

	writer_row_shut(writer->slots[head->slot].row, *index);
}

/* The list of blocks behind a record: its own, or that of its chunk. */
static uint64_t list_of(struct astshm_writer *writer, uint32_t index)
{
	const struct writer_record *record = &writer->records[index];

	if (record->kind == ASTSHM_KIND_COUNTER) {
		uint32_t chunk = record->cell / ASTSHM_CHUNK_CELLS;
		return *(uint64_t *)writer_table_at(writer, &writer->header->chunks, chunk);
	}
	struct astshm_segment_series *series =
		writer_table_at(writer, &writer->header->series, index);
	return series->blocks_off;
}

void writer_gate_shut(struct astshm_writer *writer, uint32_t index)
{
	writer_each_block(writer, list_of(writer, index), shut_entry, &index);
}

void writer_gate_shut_stamped(struct astshm_writer *writer)
{
	for (uint32_t i = 1; i < writer->record_count; i++)
		if (writer->records[i].kind != ASTSHM_KIND_COUNTER)
			writer_gate_shut(writer, i);
}

void writer_gate_shut_all(struct astshm_writer *writer)
{
	for (uint32_t i = 1; i < writer->record_count; i++)
		writer_gate_shut(writer, i);
}
