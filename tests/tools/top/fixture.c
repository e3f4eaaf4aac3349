/* SPDX-License-Identifier: MIT */
/*
 * A server with the metrics of the dashboard, that does what it is told:
 *
 *     fixture NAME [MODE [plain]]
 *
 * opens a segment (MODE is for the harness; plain: one without a history), records
 * known values, says "ready", then obeys lines on stdin and answers each with the
 * same line:
 *
 *     add NAME N        a counter
 *     set NAME X        a gauge
 *     time NAME NS N    N samples of a timing
 *     work ROUNDS       that many rounds of known work, a tick behind each
 *     hostile           names that would do something to a terminal
 *     many N            N more counters
 *     tagged            series of the dashboard that have tags alone
 *     reset             resets everything
 *
 * The end of stdin closes the segment and ends it; a kill is up to the test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <astshm/writer.h>

#define MS 1000000
#define HISTORY_MS 20 /* so that a test need not wait for a past */

static void describe(struct astshm_writer *writer)
{
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events.processed", "events",
			"Events that were applied to the tree.", NULL);
	astshm_describe(writer, ASTSHM_KIND_DISTRIBUTION, "message.size", "bytes",
			"Size of messages.", NULL);
}

static void record(struct astshm_writer *writer)
{
	struct astshm_tag tag = { "event_type", "/live/track/mute" };

	astshm_increment(writer, "events.processed", 990, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events.processed.by_type", 600, &tag, 1);
	for (int64_t ms = 1; ms <= 100; ms++)
		astshm_time(writer, "event.processing.duration", ms * MS, ASTSHM_NO_TAGS);
	astshm_increment(writer, "udp.packet.received", 990, ASTSHM_NO_TAGS);
	astshm_increment(writer, "udp.packet.dropped", 14, ASTSHM_NO_TAGS);
	astshm_increment(writer, "udp.packet.late", 4, ASTSHM_NO_TAGS);
	astshm_set(writer, "websocket.clients", 5, ASTSHM_NO_TAGS);
	astshm_set(writer, "websocket.clients", 3, ASTSHM_NO_TAGS);
	astshm_increment(writer, "websocket.broadcast.success", 980, ASTSHM_NO_TAGS);
	astshm_set(writer, "cache.hit_rate", 0.5, ASTSHM_NO_TAGS);
	astshm_set(writer, "cache.hit_rate", 0.873, ASTSHM_NO_TAGS);
	astshm_increment(writer, "errors.event_processing", 2, ASTSHM_NO_TAGS);
	astshm_increment(writer, "errors.event_processing.by_type", 2, &tag, 1);
	astshm_increment(writer, "errors.parse", 1, ASTSHM_NO_TAGS);
	for (int64_t i = 1; i <= 10; i++)
		astshm_observe(writer, "message.size", 100 * i, ASTSHM_NO_TAGS);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * MS }, NULL);
}

static void work(struct astshm_writer *writer, long rounds)
{
	for (long i = 0; i < rounds; i++) {
		astshm_increment(writer, "events.processed", 10, ASTSHM_NO_TAGS);
		for (int n = 0; n < 10; n++)
			astshm_time(writer, "event.processing.duration", 400 * MS,
				    ASTSHM_NO_TAGS);
		pause_ms(HISTORY_MS + 5);
		astshm_writer_tick(writer, NULL);
	}
}

static void record_hostile(struct astshm_writer *writer)
{
	struct astshm_tag tag = { "k", "a\x1b[31m\x1b]0;title\x07\n\xc2\x9b" "41mz" };

	astshm_increment(writer, "hostile.escape", 1, &tag, 1);
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is what it is for */
	astshm_increment(writer, "hostile.turned\xe2\x80\xae" "end", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "hostile.\xe6\xbc\xa2\xe5\xad\x97", 77, ASTSHM_NO_TAGS);
	astshm_increment(writer, "hostile.e\xcc\x81", 78, ASTSHM_NO_TAGS);
	astshm_increment(writer, "hostile.\xc3\xa4", 79, ASTSHM_NO_TAGS);
}

static void record_many(struct astshm_writer *writer, long count)
{
	char name[32];

	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "many.%04ld", i);
		astshm_increment(writer, name, (uint64_t)i, ASTSHM_NO_TAGS);
	}
}

static void record_tagged(struct astshm_writer *writer)
{
	struct astshm_tag tags[] = { { "type", "a" }, { "type", "b" } };

	for (int i = 0; i < 2; i++) {
		astshm_increment(writer, "events.processed", 3 + (uint64_t)i, &tags[i], 1);
		astshm_time(writer, "event.processing.duration", (10 + 20 * i) * MS, &tags[i], 1);
		astshm_increment(writer, "errors.tagged", 2 + (uint64_t)i, &tags[i], 1);
	}
	astshm_time(writer, "event.processing.duration", 20 * MS, &tags[0], 1);
}

/* False: an unknown line. */
static bool obey_line(struct astshm_writer *writer, const char *line)
{
	char name[64];
	double number;
	long count, ns;

	if (sscanf(line, "add %63s %ld", name, &count) == 2)
		astshm_increment(writer, name, (uint64_t)count, ASTSHM_NO_TAGS);
	else if (sscanf(line, "set %63s %lf", name, &number) == 2)
		astshm_set(writer, name, number, ASTSHM_NO_TAGS);
	else if (sscanf(line, "time %63s %ld %ld", name, &ns, &count) == 3)
		for (; count > 0; count--)
			astshm_time(writer, name, ns, ASTSHM_NO_TAGS);
	else if (sscanf(line, "work %ld", &count) == 1)
		work(writer, count);
	else if (sscanf(line, "many %ld", &count) == 1)
		record_many(writer, count);
	else if (strcmp(line, "hostile") == 0)
		record_hostile(writer);
	else if (strcmp(line, "tagged") == 0)
		record_tagged(writer);
	else if (strcmp(line, "reset") == 0)
		astshm_reset(writer);
	else
		return false;
	return true;
}

static void answer(const char *line)
{
	puts(line);
	fflush(stdout);
}

static int obey(struct astshm_writer *writer)
{
	char line[128];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!obey_line(writer, line))
			return -1;
		astshm_writer_tick(writer, NULL);
		answer(line);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_error error = { 0 };
	struct astshm_writer *writer;
	int result;

	if (argc < 2)
		return 2;
	prctl(PR_SET_NAME, "fixture");
	options.history_ms = HISTORY_MS;
	options.history_count = 200;
	if (argc > 3 && strcmp(argv[3], "plain") == 0)
		options.history_ms = ASTSHM_HISTORY_NONE;
	if (astshm_writer_open(&writer, argv[1], &options, &error) < 0) {
		fprintf(stderr, "fixture: %s\n", error.text);
		return 1;
	}
	describe(writer);
	record(writer);
	astshm_writer_tick(writer, NULL);
	answer("ready");
	result = obey(writer);
	astshm_writer_close(&writer);
	return result < 0;
}
