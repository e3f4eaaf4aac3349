/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <astshm/reader.h>

int main(int argc, char **argv)
{
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	const struct astshm_series *series;

	if (astshm_reader_open(&reader, argc > 1 ? argv[1] : "demo", NULL, NULL) != 0 ||
	    astshm_reader_snapshot(reader, 0, &snapshot, NULL) != 0)
		return 1;
	for (size_t i = 0; (series = astshm_snapshot_at(snapshot, i)) != NULL; i++)
		if (series->kind == ASTSHM_KIND_COUNTER)
			printf("%s %" PRId64 "\n", series->key, series->counter.value);
	astshm_snapshot_free(&snapshot);
	astshm_reader_close(&reader);
}
