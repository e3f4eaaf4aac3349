/* SPDX-License-Identifier: MIT */
/*
 * A server that records what it is told to:
 *
 *     alert-server NAME
 *
 * says "ready", then obeys lines on stdin and answers each with the same line:
 *
 *     count NAME NUMBER      time NAME NANOSECONDS [COUNT]
 *     set NAME NUMBER        observe NAME NUMBER
 *     tagged NAME NUMBER     a counter with the tag k=v
 *     reset
 *
 * It beats and appends to its history every 10 ms, so that windows of some tenths
 * of a second slide on while a test waits. The end of stdin closes the segment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <astshm/writer.h>

#define BEAT_MS 10

static void record_times(struct astshm_writer *writer, const char *name, double ns, double count)
{
	for (double i = 0; i < (count > 0 ? count : 1); i++)
		astshm_time(writer, name, (int64_t)ns, ASTSHM_NO_TAGS);
}

static int obey(struct astshm_writer *writer, const char *line)
{
	char word[16], name[128] = "";
	double number = 0, count = 0;

	if (sscanf(line, "%15s %127s %lf %lf", word, name, &number, &count) < 1)
		return -1;
	if (strcmp(word, "count") == 0)
		astshm_increment(writer, name, (uint64_t)number, ASTSHM_NO_TAGS);
	else if (strcmp(word, "tagged") == 0)
		astshm_increment(writer, name, (uint64_t)number, ASTSHM_TAGS({ "k", "v" }));
	else if (strcmp(word, "time") == 0)
		record_times(writer, name, number, count);
	else if (strcmp(word, "set") == 0)
		astshm_set(writer, name, number, ASTSHM_NO_TAGS);
	else if (strcmp(word, "observe") == 0)
		astshm_observe(writer, name, (int64_t)number, ASTSHM_NO_TAGS);
	else if (strcmp(word, "reset") == 0)
		astshm_reset(writer);
	else
		return -1;
	return 0;
}

static void answer(const char *line)
{
	puts(line);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error = { 0 };
	struct astshm_writer *writer;
	char line[256];

	if (argc < 2)
		return 2;
	options.flags = ASTSHM_OPEN_TICK_THREAD;
	options.tick_ms = BEAT_MS;
	options.history_ms = BEAT_MS;
	options.history_count = 200;
	if (astshm_writer_open(&writer, argv[1], &options, &error) < 0) {
		fprintf(stderr, "alert-server: %s\n", error.text);
		return 1;
	}
	answer("ready");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (obey(writer, line) < 0)
			return 1;
		answer(line);
	}
	astshm_writer_close(&writer);
}
