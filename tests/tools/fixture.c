/* SPDX-License-Identifier: MIT */
/*
 * A server whose every value is known:
 *
 *     fixture NAME [MODE [keep|history|bare|wide]]
 *
 * opens a segment (MODE octal; keep: leaves it behind at close; history: each
 * answer is an entry of it; bare: nothing that a summary looks at; wide: room for
 * 32,768 series, and an entry a second), records, says "ready", then obeys lines on
 * stdin and answers each with the same line:
 *
 *     more      records a second portion (see record_more)
 *     fast      records 1,000 requests that took 1 ms
 *     slow      records 200 that took 250 ms, and an error
 *     busy      records 2 s of processor time
 *     remove    removes work.done
 *     odd       records what is hard to print
 *     many      records 1,000 counters and 100 timings, wide ones
 *     wide N    records once in each of N series, 16 tag sets a name
 *     reset     resets everything
 *
 * The end of stdin closes the segment and ends it; a kill is up to the test.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <astshm/writer.h>

#define MS 1000000
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *path;
	unsigned events;
} types[] = {
	{ "/live/track/mute", 600 },
	{ "/live/scene/added", 300 },
	{ "/live/track/renamed", 100 },
};

static void describe(struct astshm_writer *writer)
{
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events.received", NULL,
			"Events that arrived.", NULL);
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "cpu.time", "seconds", NULL, NULL);
	astshm_describe(writer, ASTSHM_KIND_DISTRIBUTION, "message.size", "bytes",
			"Size of messages.", NULL);
}

static void record_events(struct astshm_writer *writer)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct astshm_tag tag = { "event_type", types[i].path };

		astshm_increment(writer, "events.received", types[i].events, ASTSHM_NO_TAGS);
		astshm_increment(writer, "events.received.by_type", types[i].events, &tag, 1);
		for (unsigned n = 1; n <= types[i].events; n++)
			astshm_time(writer, "event.processing.duration", (int64_t)n * 1000, &tag,
				    1);
	}
}

/* 1 ms to 100 ms, each once. */
static void record_timings(struct astshm_writer *writer)
{
	for (int64_t ms = 1; ms <= 100; ms++)
		astshm_time(writer, "request.duration", ms * MS, ASTSHM_NO_TAGS);
	astshm_time(writer, "slow.operation", 2000000001, ASTSHM_NO_TAGS);
	for (int64_t i = 1; i <= 10; i++)
		astshm_observe(writer, "message.size", 100 * i, ASTSHM_NO_TAGS);
}

/* What the summary document looks at. */
static void record_health(struct astshm_writer *writer)
{
	astshm_increment(writer, "events.processed", 990, ASTSHM_NO_TAGS);
	astshm_increment(writer, "udp.packet.received", 1010, ASTSHM_NO_TAGS);
	astshm_increment(writer, "udp.packet.dropped", 10, ASTSHM_NO_TAGS);
	astshm_increment(writer, "websocket.broadcast.success", 980, ASTSHM_NO_TAGS);
	astshm_increment(writer, "errors.event_processing", 2, ASTSHM_NO_TAGS);
	astshm_set(writer, "cache.hit_rate", 0.5, ASTSHM_NO_TAGS);
	astshm_set(writer, "cache.hit_rate", 0.873, ASTSHM_NO_TAGS);
	astshm_set(writer, "websocket.clients", 3, ASTSHM_NO_TAGS);
}

static void record_rest(struct astshm_writer *writer)
{
	static struct astshm_timing idle;

	astshm_increment(writer, "cpu.time", 1500000000, ASTSHM_NO_TAGS);
	astshm_increment(writer, "queue:count", 7, ASTSHM_NO_TAGS);
	astshm_increment(writer, "jobs.active", 5, ASTSHM_NO_TAGS);
	astshm_decrement(writer, "jobs.active", 2, ASTSHM_NO_TAGS);
	astshm_increment(writer, "multi.tagged", 4,
			 ASTSHM_TAGS({ "zone", "a" }, { "host", "n1" }));
	astshm_increment(writer, "multi.tagged", 5,
			 ASTSHM_TAGS({ "zone", "b" }, { "host", "n1" }));
	astshm_increment(writer, "multi.tagged", 6,
			 ASTSHM_TAGS({ "zone", "a" }, { "host", "n2" }));
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "idle.duration" }, &idle,
			       NULL);
}

static void *record_as_worker(void *argument)
{
	prctl(PR_SET_NAME, "worker");
	astshm_increment(argument, "work.done", 30, ASTSHM_NO_TAGS);
	astshm_time(argument, "work.duration", 3 * MS, ASTSHM_NO_TAGS);
	return NULL;
}

static int record_in_two_threads(struct astshm_writer *writer)
{
	pthread_t thread;

	astshm_increment(writer, "work.done", 12, ASTSHM_NO_TAGS);
	astshm_time(writer, "work.duration", 1 * MS, ASTSHM_NO_TAGS);
	if (pthread_create(&thread, NULL, record_as_worker, writer) != 0)
		return -1;
	return pthread_join(thread, NULL);
}

static void record_more(struct astshm_writer *writer)
{
	astshm_increment(writer, "events.received", 50, ASTSHM_NO_TAGS);
	astshm_set(writer, "websocket.clients", 4, ASTSHM_NO_TAGS);
	for (int i = 0; i < 20; i++)
		astshm_time(writer, "request.duration", 400 * MS, ASTSHM_NO_TAGS);
}

static void record_fast(struct astshm_writer *writer)
{
	for (int i = 0; i < 1000; i++)
		astshm_time(writer, "request.duration", 1 * MS, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events.processed", 1000, ASTSHM_NO_TAGS);
}

static void record_slow(struct astshm_writer *writer)
{
	for (int i = 0; i < 200; i++)
		astshm_time(writer, "request.duration", 250 * MS, ASTSHM_NO_TAGS);
	astshm_increment(writer, "errors.event_processing", 1, ASTSHM_NO_TAGS);
}

static void record_odd(struct astshm_writer *writer)
{
	astshm_set(writer, "odd.nan", NAN, ASTSHM_NO_TAGS);
	astshm_set(writer, "odd.inf", INFINITY, ASTSHM_NO_TAGS);
	astshm_increment(writer, "odd.many", 2, ASTSHM_TAGS({ "k", "a,b" }, { "z", "1" }));
	astshm_increment(writer, "odd.tag", 1, ASTSHM_TAGS({ "k", "a,b=c[d]\\\"\n\x1b[31m" }));
	astshm_increment(writer, "odd.\xc3\xa4", 1, ASTSHM_NO_TAGS);
	astshm_increment(writer, "odd.segment", 1, ASTSHM_TAGS({ "segment", "mine" }));
	astshm_set(writer, "astshm.up", 42, ASTSHM_NO_TAGS);
	astshm_increment(writer, "__proto__", 1, ASTSHM_NO_TAGS);
	astshm_set(writer, "constructor", 2, ASTSHM_NO_TAGS);
}

/* About lognormal: the exponent is a sum of twelve that are even. */
static int64_t wide_duration(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)random() / 2147483648.0;
	return (int64_t)(100e3 * exp(1.2 * (sum - 6)));
}

static void record_many(struct astshm_writer *writer)
{
	char name[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many.counter.%03d", i);
		astshm_increment(writer, name, (uint64_t)i + 1, ASTSHM_NO_TAGS);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "many.timing.%02d", i);
		for (int n = 0; n < 10000; n++)
			astshm_time(writer, name, wide_duration(), ASTSHM_NO_TAGS);
	}
}

/* Of eight names one is a gauge, one a timing, and six are counters. */
static void record_wide(struct astshm_writer *writer, unsigned count)
{
	char name[32], shard[16];
	struct astshm_tag tag = { "shard", shard };

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "wide.%04u", i / 16);
		snprintf(shard, sizeof(shard), "%u", i % 16);
		if (i / 16 % 8 == 0)
			astshm_set(writer, name, i, &tag, 1);
		else if (i / 16 % 8 == 1)
			astshm_time(writer, name, (int64_t)(i + 1) * 1000, &tag, 1);
		else
			astshm_increment(writer, name, i + 1, &tag, 1);
	}
}

static void answer(const char *line)
{
	puts(line);
	fflush(stdout);
}

/* -1: an unknown line. */
static int obey(struct astshm_writer *writer)
{
	unsigned count;
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "more") == 0)
			record_more(writer);
		else if (strcmp(line, "busy") == 0)
			astshm_increment(writer, "cpu.time", 2000 * (uint64_t)MS, ASTSHM_NO_TAGS);
		else if (strcmp(line, "odd") == 0)
			record_odd(writer);
		else if (strcmp(line, "fast") == 0)
			record_fast(writer);
		else if (strcmp(line, "slow") == 0)
			record_slow(writer);
		else if (strcmp(line, "remove") == 0)
			astshm_remove(writer, ASTSHM_KIND_COUNTER, "work.done", NULL, 0);
		else if (strcmp(line, "many") == 0)
			record_many(writer);
		else if (sscanf(line, "wide %u", &count) == 1)
			record_wide(writer, count);
		else if (strcmp(line, "reset") == 0)
			astshm_reset(writer);
		else
			return -1;
		usleep(1100); /* no two entries of a history fall into one period of it */
		astshm_writer_tick(writer, NULL);
		answer(line);
	}
	return 0;
}

static void record_known(struct astshm_writer *writer)
{
	describe(writer);
	record_events(writer);
	record_timings(writer);
	record_health(writer);
	record_rest(writer);
}

static void choose(struct astshm_writer_options *options, const char *word)
{
	options->history_ms = ASTSHM_HISTORY_NONE;
	if (strcmp(word, "keep") == 0)
		options->flags = ASTSHM_OPEN_KEEP;
	if (strcmp(word, "history") == 0)
		options->history_ms = 1;
	if (strcmp(word, "wide") == 0) {
		options->history_ms = 1000;
		options->history_bytes = 64 << 20;
		options->max_series = 32768;
	}
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
	options.mode = argc > 2 ? (mode_t)strtoul(argv[2], NULL, 8) : 0;
	choose(&options, argc > 3 ? argv[3] : "");
	if (astshm_writer_open(&writer, argv[1], &options, &error) < 0) {
		fprintf(stderr, "fixture: %s\n", error.text);
		return 1;
	}
	if (argc <= 3 || strcmp(argv[3], "bare") != 0)
		record_known(writer);
	if (record_in_two_threads(writer) != 0)
		return 1;
	astshm_writer_tick(writer, NULL);
	answer("ready");
	result = obey(writer);
	astshm_writer_close(&writer);
	return result < 0;
}
