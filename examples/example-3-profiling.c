/* SPDX-License-Identifier: MIT */
/*
 * Example 3 of doc/metrics.md: profile a few operations of a program.
 * usage: example-3-profiling [SEGMENT]
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <astshm/writer.h>

#define TRACKS 512

struct project {
	char names[TRACKS][16];
	unsigned count;
};

static void load_project(struct project *project, unsigned seed)
{
	project->count = TRACKS;
	for (unsigned i = 0; i < TRACKS; i++)
		snprintf(project->names[i], sizeof project->names[i], "Track %u",
			 (i * seed) % TRACKS);
}

static unsigned find_tracks(const struct project *project, const char *prefix)
{
	unsigned found = 0;

	for (unsigned i = 0; i < project->count; i++)
		found += strncmp(project->names[i], prefix, strlen(prefix)) == 0;
	return found;
}

static unsigned compute_diff(const struct project *old, const struct project *new)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < old->count; i++)
		changed += strcmp(old->names[i], new->names[i]) != 0;
	return changed;
}

static void profile_operations(struct astshm_writer *writer)
{
	static struct project first, second;

	{
		ASTSHM_TIME_SCOPE_NAMED(writer, "operation.load_project", ASTSHM_NO_TAGS);
		load_project(&first, 1);
	}
	load_project(&second, 3);
	{
		ASTSHM_TIME_SCOPE_NAMED(writer, "operation.find_tracks", ASTSHM_NO_TAGS);
		find_tracks(&first, "Track 1");
	}
	{
		ASTSHM_TIME_SCOPE_NAMED(writer, "operation.compute_diff", ASTSHM_NO_TAGS);
		compute_diff(&first, &second);
	}
}

static void print_profile(struct astshm_writer *writer)
{
	static const char *const operations[] = { "operation.load_project",
						  "operation.find_tracks",
						  "operation.compute_diff" };
	struct astshm_statistics stats;

	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		if (astshm_get_timing(writer, operations[i], ASTSHM_NO_TAGS, &stats) == 0)
			printf("%s: %" PRIu64 " times, mean %.3f us (p95: %.3f us)\n",
			       operations[i], stats.count, stats.mean / 1e3, stats.p95 / 1e3);
}

int main(int argc, char **argv)
{
	struct astshm_error error;
	struct astshm_writer *writer;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "example-3", NULL, &error) != 0) {
		fprintf(stderr, "example-3: %s\n", error.text);
		return 1;
	}
	for (int i = 0; i < 50; i++)
		profile_operations(writer);
	print_profile(writer);
	astshm_writer_close(&writer);
	return 0;
}
