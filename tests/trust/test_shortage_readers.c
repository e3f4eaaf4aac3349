/* SPDX-License-Identifier: MIT */
/*
 * Readers while memory is short: each allocation of each call fails, once. Then the
 * call gives -ENOMEM and nothing, or what it gives without; and what it worked on is
 * as good as before. Leaks are LeakSanitizer's to find.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scene.h"
#include "shortage.h"

#define TEXT_BYTES (1u << 20)
#define WINDOW_NS INT64_C(60000000000)

/* --- what the calls work on ----------------------------------------------------- */

struct text {
	char bytes[TEXT_BYTES];
	size_t size;
};

static struct subject {
	char path[200];
	struct astshm_reader *reader;       /* anew for each call */
	struct astshm_snapshot *older, *newer, *interval;
	struct text message;                /* `newer` as msgpack */
	struct text *out;
} subject;

static int put(void *context, const void *bytes, size_t count)
{
	struct text *text = context;

	assert_true(count < TEXT_BYTES - text->size);
	memcpy(text->bytes + text->size, bytes, count);
	text->size += count;
	return 0;
}

static void record_all(struct astshm_writer *writer, const struct astshm_tag *type)
{
	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events", "items", "What came in.", NULL);
	astshm_increment(writer, "events", 40, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events", 2, type, 1);
	astshm_decrement(writer, "level", 3, ASTSHM_NO_TAGS);
	astshm_set(writer, "gauge", 1.5, type, 1);
	for (int64_t ns = 1; ns < 2000000; ns *= 3)
		astshm_time(writer, "event.processing.duration", ns, ASTSHM_NO_TAGS);
	astshm_observe(writer, "sizes", 4096, type, 1);
}

static void record_in_a_thread(unsigned number, void *writer)
{
	const struct astshm_tag type = { "type", number ? "/live/track/mute" : "/live/scene" };

	record_all(writer, &type);
}

static void tick(struct astshm_writer *writer)
{
	const struct timespec pause = { 0, 2000000 };

	nanosleep(&pause, NULL);
	astshm_writer_tick(writer, NULL);
}

static int open_reader(struct astshm_reader **reader)
{
	return astshm_reader_open(reader, subject.path, NULL, NULL);
}

static void snapshot_of(struct astshm_reader *reader, struct astshm_snapshot **snapshot)
{
	assert_int_equal(astshm_reader_snapshot(reader, ASTSHM_PER_THREAD, snapshot, NULL), 0);
}

/* All kinds, tags, threads and a history; its writer has closed it. */
static int make_subject(void **state)
{
	struct astshm_writer_options options = scene_options();
	struct astshm_reader *reader = NULL;
	const struct astshm_sink sink = { put, &subject.message };

	(void)state;
	options.flags = ASTSHM_OPEN_KEEP;
	options.max_bytes = 4 << 20;
	options.max_series = 64;
	options.max_threads = 8;
	options.history_ms = 1;
	struct astshm_writer *writer = scene_open("shortage", &options);
	snprintf(subject.path, sizeof subject.path, "%s", astshm_writer_path(writer));
	assert_int_equal(open_reader(&reader), 0);
	scene_threads(2, record_in_a_thread, writer);
	tick(writer);
	snapshot_of(reader, &subject.older);
	scene_threads(2, record_in_a_thread, writer);
	tick(writer);
	snapshot_of(reader, &subject.newer);
	astshm_writer_close(&writer);
	astshm_reader_close(&reader);
	assert_int_equal(astshm_snapshot_subtract(subject.newer, subject.older, &subject.interval,
						  NULL), 0);
	return astshm_encode_msgpack(subject.newer, &sink, NULL);
}

static int remove_subject(void **state)
{
	astshm_snapshot_free(&subject.older);
	astshm_snapshot_free(&subject.newer);
	astshm_snapshot_free(&subject.interval);
	return scene_teardown(state);
}

/* --- the calls --------------------------------------------------------------------- */

static int open_it(struct astshm_snapshot **made)
{
	(void)made;
	astshm_reader_close(&subject.reader);
	return open_reader(&subject.reader);
}

static int snapshot_it(struct astshm_snapshot **made)
{
	return astshm_reader_snapshot(subject.reader, ASTSHM_PER_THREAD, made, NULL);
}

static int window_it(struct astshm_snapshot **made)
{
	return astshm_reader_window(subject.reader, WINDOW_NS, 0, made, NULL);
}

static int history_it(struct astshm_snapshot **made)
{
	struct astshm_history *history = NULL;
	int result = astshm_reader_history(subject.reader, &history, NULL);

	if (result == 0)
		result = astshm_history_snapshot(history, 0, made, NULL);
	astshm_history_free(&history);
	return result;
}

static int history_interval(struct astshm_snapshot **made)
{
	struct astshm_history *history = NULL;
	int result = astshm_reader_history(subject.reader, &history, NULL);

	if (result == 0)
		result = astshm_history_interval(history, 1, made, NULL);
	astshm_history_free(&history);
	return result;
}

static int encode_entry(struct astshm_snapshot **made)
{
	struct astshm_history_entry head;
	const void *bytes;

	(void)made;
	int result = astshm_reader_encode_entry(subject.reader, &bytes, &head);
	return result == 0 ? put(subject.out, bytes, head.bytes) : result;
}

static int list_it(struct astshm_snapshot **made)
{
	struct astshm_listing listing;

	(void)made;
	int result = astshm_list_path(subject.path, &listing, NULL);
	return result == 0 ? listing.error : result;
}

static int subtract(struct astshm_snapshot **made)
{
	return astshm_snapshot_subtract(subject.newer, subject.older, made, NULL);
}

static int merge(struct astshm_snapshot **made)
{
	const struct astshm_snapshot *const parts[] = { subject.newer, subject.older };

	return astshm_snapshot_merge(parts, 2, made, NULL);
}

static int group(struct astshm_snapshot **made)
{
	const char *const keys[] = { "type" };

	return astshm_snapshot_group(subject.newer, keys, 1, made, NULL);
}

static bool has_tags(const struct astshm_series *series, void *context)
{
	(void)context;
	return series->tag_count > 0;
}

static int filter(struct astshm_snapshot **made)
{
	return astshm_snapshot_filter(subject.newer, has_tags, NULL, made, NULL);
}

static int by_key_backwards(const struct astshm_series *a, const struct astshm_series *b,
			    void *context)
{
	(void)context;
	return strcmp(b->key, a->key);
}

static int sort(struct astshm_snapshot **made)
{
	return astshm_snapshot_sort(subject.newer, by_key_backwards, NULL, made, NULL);
}

static int decode(struct astshm_snapshot **made)
{
	size_t used;

	return astshm_decode_msgpack(subject.message.bytes, subject.message.size, &used, made,
				     NULL);
}

typedef int (*encoder)(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
		       const struct astshm_encode_options *options);

static int encode(encoder function, const struct astshm_snapshot *snapshot, unsigned flags)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	const struct astshm_sink sink = { put, subject.out };

	options.flags = flags;
	return function(snapshot, &sink, &options);
}

#define ENCODE(name, function, snapshot, flags)            \
	static int name(struct astshm_snapshot **made)     \
	{                                                  \
		(void)made;                                \
		return encode(function, snapshot, flags);  \
	}

ENCODE(json, astshm_encode_json, subject.newer, ASTSHM_ENCODE_BUCKETS)
ENCODE(json_of_interval, astshm_encode_json, subject.interval, ASTSHM_ENCODE_PRETTY)
ENCODE(msgpack, astshm_encode_msgpack, subject.newer, 0)
ENCODE(prometheus, astshm_encode_prometheus, subject.newer, 0)
ENCODE(openmetrics, astshm_encode_prometheus, subject.newer, ASTSHM_ENCODE_OPENMETRICS)
ENCODE(table, astshm_encode_table, subject.newer, 0)
ENCODE(summary, astshm_encode_summary, subject.newer, 0)
ENCODE(window, astshm_encode_window, subject.interval, 0)

static const struct step {
	const char *name;
	int (*run)(struct astshm_snapshot **made);
	bool allocates;
} steps[] = {
	{ "open", open_it, true },          { "snapshot", snapshot_it, true },
	{ "window", window_it, true },      { "history", history_it, true },
	{ "history interval", history_interval, true },
	{ "encode an entry", encode_entry, true },
	{ "list", list_it, true },          { "subtract", subtract, true },
	{ "merge", merge, true },           { "group", group, true },
	{ "filter", filter, true },         { "sort", sort, true },
	{ "decode", decode, true },         { "JSON", json, false },
	{ "JSON of an interval", json_of_interval, false },
	{ "msgpack", msgpack, false },      { "Prometheus", prometheus, true },
	{ "OpenMetrics", openmetrics, true }, { "table", table, false },
	{ "summary", summary, true },       { "window alone", window, false },
};

/* --- what comes of them ----------------------------------------------------------- */

/* By which moment of the day: worked out anew with each call, from two clocks. */
static void blank_times(char *text)
{
	static const char *const keys[] = { "\"from\":\"", "\"to\":\"" };

	for (size_t i = 0; i < 2; i++) {
		for (char *at = strstr(text, keys[i]); at; at = strstr(at, keys[i])) {
			at += strlen(keys[i]);
			memset(at, '-', strcspn(at, "\""));
		}
	}
}

/* A snapshot as text, without the time at which it was taken. */
static void describe(const struct astshm_snapshot *snapshot, struct text *text)
{
	static struct text whole;
	const struct astshm_sink sink = { put, &whole };
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;

	whole.size = 0;
	options.flags = ASTSHM_ENCODE_BUCKETS;
	assert_int_equal(astshm_encode_json(snapshot, &sink, &options), 0);
	whole.bytes[whole.size] = '\0';
	blank_times(whole.bytes);
	const char *values = strstr(whole.bytes, "\"families\"");
	assert_non_null(values);
	put(text, values, strlen(values));
}

/* Whatever a call gives, as text; the n-th allocation fails (0: none). */
static int run(const struct step *step, unsigned n, bool *failed, struct text *text)
{
	struct astshm_snapshot *made = NULL;

	text->size = 0;
	subject.out = text;
	shortage_begin(n);
	int result = step->run(&made);
	*failed = shortage_end();
	assert_true(result == 0 || !made);
	if (made)
		describe(made, text);
	text->bytes[text->size] = '\0';
	astshm_snapshot_free(&made);
	return result;
}

static void expect_same(const struct step *step, const struct text *text,
			const struct text *expected)
{
	size_t at = 0;

	while (text->bytes[at] && text->bytes[at] == expected->bytes[at])
		at++;
	if (text->bytes[at] != expected->bytes[at] || text->size != expected->size)
		fail_msg("%s: at %zu: '%.60s' instead of '%.60s'", step->name, at,
			 text->bytes + at, expected->bytes + at);
}

static unsigned sweep(const struct step *step)
{
	static struct text expected, text;
	unsigned failures = 0;
	bool failed = true;

	assert_int_equal(open_reader(&subject.reader), 0);
	assert_int_equal(run(step, 0, &failed, &expected), 0);
	astshm_reader_close(&subject.reader);
	failed = true;
	for (unsigned n = 1; failed; n++) {
		assert_int_equal(open_reader(&subject.reader), 0);
		int result = run(step, n, &failed, &text);
		failures += failed;
		if (result != 0) {
			assert_true(failed);
			assert_int_equal(result, -ENOMEM);
			/* Nothing keeps it from going on. */
			if (!subject.reader)
				assert_int_equal(open_reader(&subject.reader), 0);
			assert_int_equal(run(step, 0, &(bool){ false }, &text), 0);
		}
		expect_same(step, &text, &expected);
		astshm_reader_close(&subject.reader);
	}
	return failures;
}

static void each_allocation_may_fail(void **state)
{
	unsigned all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		unsigned failures = sweep(&steps[i]);

		printf("%s: %u allocations failed\n", steps[i].name, failures);
		assert_int_equal(failures > 0, steps[i].allocates);
		all += failures;
	}
	assert_true(all > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, make_subject, remove_subject);
}
