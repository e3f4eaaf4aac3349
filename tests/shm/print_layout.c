/* SPDX-License-Identifier: MIT */
/*
 * Prints what the compiler made of <astshm/layout.h>, a line each:
 * "struct NAME SIZE", "field NAME OFFSET SIZE" (of the struct before it) and
 * "constant NAME VALUE". test_layout.py compares it with doc/segment.md, and
 * with the header's text, so that nothing can be left out here either.
 */
#include <stdio.h>

#include <astshm/layout.h>

#define STRUCT(type) printf("struct %s %zu\n", #type, sizeof(struct type))
#define FIELD(type, field)                                                      \
	printf("field %s %zu %zu\n", #field, offsetof(struct type, field),      \
	       sizeof ((struct type *)0)->field)
#define CONSTANT(name) printf("constant %s %llu\n", #name, (unsigned long long)(name))

static void print_table(void)
{
	STRUCT(astshm_segment_table);
	FIELD(astshm_segment_table, stride);
	FIELD(astshm_segment_table, first);
	FIELD(astshm_segment_table, limit);
	FIELD(astshm_segment_table, count);
	FIELD(astshm_segment_table, extent_off);
}

static void print_header_identity(void)
{
	STRUCT(astshm_segment_header);
	FIELD(astshm_segment_header, magic);
	FIELD(astshm_segment_header, byte_order);
	FIELD(astshm_segment_header, header_bytes);
	FIELD(astshm_segment_header, major_version);
	FIELD(astshm_segment_header, minor_version);
	FIELD(astshm_segment_header, series_bytes);
	FIELD(astshm_segment_header, family_bytes);
	FIELD(astshm_segment_header, slot_bytes);
	FIELD(astshm_segment_header, block_header_bytes);
	FIELD(astshm_segment_header, chunk_cells);
	FIELD(astshm_segment_header, histogram_slots);
	FIELD(astshm_segment_header, histogram_scale);
	FIELD(astshm_segment_header, pid);
	FIELD(astshm_segment_header, pid_start_ticks);
	FIELD(astshm_segment_header, max_bytes);
	FIELD(astshm_segment_header, generation);
	FIELD(astshm_segment_header, created_realtime_ns);
	FIELD(astshm_segment_header, created_monotonic_ns);
	FIELD(astshm_segment_header, tag_set_limit);
	FIELD(astshm_segment_header, name_len);
	FIELD(astshm_segment_header, name);
	FIELD(astshm_segment_header, reserved0);
}

static void print_header_changing(void)
{
	FIELD(astshm_segment_header, committed_bytes);
	FIELD(astshm_segment_header, state);
	FIELD(astshm_segment_header, recording);
	FIELD(astshm_segment_header, heartbeat_monotonic_ns);
	FIELD(astshm_segment_header, heartbeat_period_ns);
	FIELD(astshm_segment_header, epoch);
	FIELD(astshm_segment_header, counters_epoch);
	FIELD(astshm_segment_header, reset_realtime_ns);
	FIELD(astshm_segment_header, reset_monotonic_ns);
	FIELD(astshm_segment_header, retiring);
	FIELD(astshm_segment_header, directory_changes);
	FIELD(astshm_segment_header, dropped_records);
	FIELD(astshm_segment_header, dropped_registrations);
	FIELD(astshm_segment_header, other_tag_sets);
	FIELD(astshm_segment_header, live_series);
	FIELD(astshm_segment_header, slot_waits);
	FIELD(astshm_segment_header, reserved1);
	FIELD(astshm_segment_header, history_off);
	FIELD(astshm_segment_header, history_bytes);
	FIELD(astshm_segment_header, reserved2);
	FIELD(astshm_segment_header, series);
	FIELD(astshm_segment_header, families);
	FIELD(astshm_segment_header, chunks);
	FIELD(astshm_segment_header, slots);
	FIELD(astshm_segment_header, reserved3);
}

static void print_directory(void)
{
	STRUCT(astshm_segment_family);
	FIELD(astshm_segment_family, name_ref);
	FIELD(astshm_segment_family, unit_ref);
	FIELD(astshm_segment_family, help_ref);
	FIELD(astshm_segment_family, kind);
	FIELD(astshm_segment_family, merge);
	FIELD(astshm_segment_family, reserved);
	STRUCT(astshm_segment_series);
	FIELD(astshm_segment_series, state);
	FIELD(astshm_segment_series, kind);
	FIELD(astshm_segment_series, flags);
	FIELD(astshm_segment_series, base);
	FIELD(astshm_segment_series, shown_epoch);
	FIELD(astshm_segment_series, blocks_off);
	FIELD(astshm_segment_series, shared_off);
	FIELD(astshm_segment_series, cell);
	FIELD(astshm_segment_series, family);
	FIELD(astshm_segment_series, tags_ref);
	FIELD(astshm_segment_series, created_realtime_ns);
	FIELD(astshm_segment_series, tag_count);
	FIELD(astshm_segment_series, reserved0);
	FIELD(astshm_segment_series, reserved);
	STRUCT(astshm_segment_slot);
	FIELD(astshm_segment_slot, state);
	FIELD(astshm_segment_slot, owners);
	FIELD(astshm_segment_slot, tid);
	FIELD(astshm_segment_slot, reserved0);
	FIELD(astshm_segment_slot, name);
	FIELD(astshm_segment_slot, since_realtime_ns);
	FIELD(astshm_segment_slot, reserved);
}

static void print_blocks(void)
{
	STRUCT(astshm_block_header);
	FIELD(astshm_block_header, index);
	FIELD(astshm_block_header, slot);
	FIELD(astshm_block_header, epoch);
	FIELD(astshm_block_header, next_off);
	STRUCT(astshm_counter_block);
	FIELD(astshm_counter_block, head);
	FIELD(astshm_counter_block, reserved);
	FIELD(astshm_counter_block, cells);
	STRUCT(astshm_histogram_block);
	FIELD(astshm_histogram_block, head);
	FIELD(astshm_histogram_block, count);
	FIELD(astshm_histogram_block, sum);
	FIELD(astshm_histogram_block, sum_hi);
	FIELD(astshm_histogram_block, min_inverse);
	FIELD(astshm_histogram_block, max_plus_one);
	FIELD(astshm_histogram_block, slots);
	STRUCT(astshm_gauge_block);
	FIELD(astshm_gauge_block, head);
	FIELD(astshm_gauge_block, current_rel);
	FIELD(astshm_gauge_block, reserved0);
	FIELD(astshm_gauge_block, begin);
	FIELD(astshm_gauge_block, count);
	FIELD(astshm_gauge_block, sum);
	FIELD(astshm_gauge_block, min);
	FIELD(astshm_gauge_block, max);
	FIELD(astshm_gauge_block, reserved1);
}

static void print_history(void)
{
	STRUCT(astshm_segment_history);
	FIELD(astshm_segment_history, header_bytes);
	FIELD(astshm_segment_history, entry_bytes);
	FIELD(astshm_segment_history, entry_count);
	FIELD(astshm_segment_history, chunk_bytes);
	FIELD(astshm_segment_history, period_ns);
	FIELD(astshm_segment_history, coarse_period_ns);
	FIELD(astshm_segment_history, fine_count);
	FIELD(astshm_segment_history, coarse_count);
	FIELD(astshm_segment_history, appended);
	FIELD(astshm_segment_history, skipped);
	FIELD(astshm_segment_history, chunks);
	FIELD(astshm_segment_history, reserved);
	STRUCT(astshm_history_entry);
	FIELD(astshm_history_entry, sequence);
	FIELD(astshm_history_entry, realtime_ns);
	FIELD(astshm_history_entry, monotonic_ns);
	FIELD(astshm_history_entry, uptime_ns);
	FIELD(astshm_history_entry, epoch);
	FIELD(astshm_history_entry, counters_epoch);
	FIELD(astshm_history_entry, first_off);
	FIELD(astshm_history_entry, bytes);
	FIELD(astshm_history_entry, series);
	FIELD(astshm_history_entry, flags);
	FIELD(astshm_history_entry, threads);
	FIELD(astshm_history_entry, committed_bytes);
	FIELD(astshm_history_entry, dropped);
	FIELD(astshm_history_entry, other_tag_sets);
	FIELD(astshm_history_entry, torn);
	FIELD(astshm_history_entry, recording);
	FIELD(astshm_history_entry, reserved);
	STRUCT(astshm_history_chunk);
	FIELD(astshm_history_chunk, next_off);
	FIELD(astshm_history_chunk, words);
}

static void print_constants(void)
{
	CONSTANT(ASTSHM_SEGMENT_MAGIC);
	CONSTANT(ASTSHM_SEGMENT_BYTE_ORDER);
	CONSTANT(ASTSHM_SEGMENT_MAJOR);
	CONSTANT(ASTSHM_SEGMENT_MINOR);
	CONSTANT(ASTSHM_SEGMENT_HEADER_BYTES);
	CONSTANT(ASTSHM_SEGMENT_ALIGN);
	CONSTANT(ASTSHM_SEGMENT_EXTENTS);
	CONSTANT(ASTSHM_SEGMENT_NAME_BYTES);
	CONSTANT(ASTSHM_SEGMENT_LIVE);
	CONSTANT(ASTSHM_SEGMENT_CLOSED);
	CONSTANT(ASTSHM_SERIES_FREE);
	CONSTANT(ASTSHM_SERIES_RESERVED);
	CONSTANT(ASTSHM_SERIES_LIVE);
	CONSTANT(ASTSHM_SERIES_RETIRED);
	CONSTANT(ASTSHM_SERIES_UP_DOWN);
	CONSTANT(ASTSHM_SERIES_BY_HANDLE);
	CONSTANT(ASTSHM_SERIES_SIGNAL);
	CONSTANT(ASTSHM_SERIES_OTHER);
	CONSTANT(ASTSHM_SLOT_FREE);
	CONSTANT(ASTSHM_SLOT_USED);
	CONSTANT(ASTSHM_CHUNK_CELLS);
	CONSTANT(ASTSHM_HISTOGRAM_SCALE);
	CONSTANT(ASTSHM_HISTOGRAM_SLOTS);
	CONSTANT(ASTSHM_HISTOGRAM_ZERO);
	CONSTANT(ASTSHM_HISTOGRAM_FIRST);
	CONSTANT(ASTSHM_HISTOGRAM_LAST);
	CONSTANT(ASTSHM_HISTOGRAM_OVERFLOW);
	CONSTANT(ASTSHM_TIMING_INDEX_BIAS);
	CONSTANT(ASTSHM_DISTRIBUTION_INDEX_BIAS);
	CONSTANT(ASTSHM_BLOCK_HEADER_BYTES);
	CONSTANT(ASTSHM_HISTORY_CHUNK_BYTES);
	CONSTANT(ASTSHM_HISTORY_WORDS);
	CONSTANT(ASTSHM_HISTORY_COARSE);
}

int main(void)
{
	print_table();
	print_header_identity();
	print_header_changing();
	print_directory();
	print_blocks();
	print_history();
	print_constants();
	return 0;
}
