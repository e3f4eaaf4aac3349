/* SPDX-License-Identifier: MIT */
#include "row.h"

#include <sys/mman.h>

/* In .bss, so that the thread template can name it without a byte in the
 * file; made read-only before main. Aligned for pages up to 64 KiB. */
__attribute__((aligned(65536))) uint64_t *writer_dummy_row[WRITER_SERIES_LIMIT + 1];

_Static_assert(sizeof writer_dummy_row % 65536 == 0, "the dummy row fills its pages");

__attribute__((constructor)) static void protect_dummy_row(void)
{
	(void)mprotect(writer_dummy_row, sizeof writer_dummy_row, PROT_READ);
}

uint64_t **writer_row_create(size_t entries)
{
	size_t bytes = sizeof(struct writer_row_header) + entries * 2 * sizeof(void *) +
		       (entries / ASTSHM_CHUNK_CELLS + 1) * sizeof(void *) +
		       entries * sizeof(uint32_t);
	struct writer_row_header *header =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (header == MAP_FAILED)
		return NULL;
	/* Old kernels and qemu-user refuse; fork.c then clears the row. */
	(void)madvise(header, bytes, MADV_WIPEONFORK);
	header->mapped_bytes = bytes;
	return (uint64_t **)(void *)(header + 1);
}

void writer_row_destroy(uint64_t **row)
{
	if (!row || row == writer_dummy_row)
		return;
	struct writer_row_header *header = writer_row_header(row);
	if (header->mapped_bytes)
		(void)munmap(header, header->mapped_bytes);
}

void writer_row_park(uint64_t ***list, uint64_t **row)
{
	writer_row_header(row)->next_parked = *list;
	*list = row;
}

void writer_row_destroy_parked(uint64_t ***list)
{
	while (*list) {
		uint64_t **row = *list;
		*list = writer_row_header(row)->next_parked;
		writer_row_destroy(row);
	}
}
