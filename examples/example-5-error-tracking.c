/* SPDX-License-Identifier: MIT */
/*
 * Example 5 of doc/metrics.md: count errors by type, list them afterwards.
 * usage: example-5-error-tracking [SEGMENT]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <astshm/writer.h>

/* A track number of 0 to 99: -EINVAL no number, -ERANGE no such track. */
static int parse_track(const char *text)
{
	char *end;
	long track = strtol(text, &end, 10);

	if (end == text || *end != '\0')
		return -EINVAL;
	return track < 0 || track > 99 ? -ERANGE : (int)track;
}

static void process_event(struct astshm_writer *writer, const char *text)
{
	switch (parse_track(text)) {
	case -EINVAL:
		astshm_increment(writer, "errors.validation", 1,
				 ASTSHM_TAGS({ "error_type", "EINVAL" }));
		break;
	case -ERANGE:
		astshm_increment(writer, "errors.missing_track", 1,
				 ASTSHM_TAGS({ "error_type", "ERANGE" }));
		break;
	default:
		astshm_increment(writer, "events.processed", 1, ASTSHM_NO_TAGS);
	}
}

static int print_errors(struct astshm_writer *writer)
{
	struct astshm_snapshot *snapshot;
	const struct astshm_series *series;
	int result = astshm_get_all_metrics(writer, &snapshot, NULL);

	if (result != 0)
		return result;
	for (size_t i = 0; (series = astshm_snapshot_at(snapshot, i)) != NULL; i++)
		if (series->kind == ASTSHM_KIND_COUNTER &&
		    strncmp(series->family->name, "errors.", 7) == 0)
			printf("%s: %" PRId64 "\n", series->key, series->counter.value);
	astshm_snapshot_free(&snapshot);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const events[] = { "0", "seven", "12", "100", "-1", "99", "", "1x" };
	struct astshm_error error;
	struct astshm_writer *writer;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-5", NULL, &error) != 0) {
		fprintf(stderr, "example-5: %s\n", error.text);
		return 1;
	}
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		process_event(writer, events[i]);
	int result = print_errors(writer);
	astshm_writer_close(&writer);
	return result == 0 ? 0 : 1;
}
